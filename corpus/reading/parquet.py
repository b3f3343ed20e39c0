"""The rows of Parquet files in batches that fit in memory, whatever the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .bounded import check_packing

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

BATCH_ROWS = 4
"""Rows that are decoded together: all may repeat one large cell."""


def iterate_batches(file: ParquetFile, location: str) -> Iterator[RecordBatch]:
    """Yield the rows of a file in order, a few at a time.

    Args:
        file: the open file.
        location: its name, for messages.

    Raises:
        InputError: if it is packed to fill the memory.
    """
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        columns = [group.column(index) for index in range(group.num_columns)]
        packed = sum(column.total_compressed_size for column in columns)
        check_packing(packed, sum(column.total_uncompressed_size for column in columns), location)
        yield from file.iter_batches(batch_size=BATCH_ROWS, row_groups=[number])
