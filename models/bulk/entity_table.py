"""A table of tagged entities, one row each, with their values in columns."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...corpus.document import Document, parse_document
from ...corpus.files import read_json_lines
from ...corpus.output.atomic import open_atomic
from ...corpus.value_lists import ENTITY_COLUMNS
from ...errors import InputError

TABLE_SUFFIXES = (".csv", ".parquet")
"""File name extensions of tables of entities."""
TABLE_BATCH = 10_000
"""Rows in one row group of a Parquet file."""


def check_table(path: Path, output: Path) -> None:
    """Refuse a table that cannot be written beside an output.

    Raises:
        InputError: if its name has another extension, or is that of the output.
    """
    if path.is_dir() or path.suffix not in TABLE_SUFFIXES:
        raise InputError(f"{path}: name a file that ends in {' or '.join(TABLE_SUFFIXES)}")
    if path.absolute() == output.absolute():
        raise InputError(f"{path}: is the output as well; name another file for the table")


def write_table(part: Path, path: Path, fields: Mapping[str, Sequence[str]]) -> None:
    """Write the entities of tagged documents as a table, atomically.

    The columns are :data:`~orbat.corpus.value_lists.ENTITY_COLUMNS` and one for each field. A cell
    holds a settled value ("OF-8"), several that all hold ("14 and 34"), or those between which the
    document does not decide ("OF-2 or OF-5"); it is empty if the value is unknown.

    Args:
        part: JSON Lines of tagged documents.
        path: a path with one of :data:`TABLE_SUFFIXES`.
        fields: the fields of each label.
    """
    names = list(dict.fromkeys(itertools.chain.from_iterable(fields.values())))
    documents = (parse_document(record, where) for where, record in read_json_lines(part))
    rows = (row for document in documents for row in _rows(document, names))
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        _write_csv(path, [*ENTITY_COLUMNS, *names], rows)
    else:
        _write_parquet(path, names, rows)


def _rows(document: Document, fields: Iterable[str]) -> Iterator[dict[str, Any]]:
    for span in document.spans:
        norm = span.norm or {"id": None, "values": {}, "open": {}}
        row = {
            "document": document.id,
            "start": span.start,
            "end": span.end,
            "text": document.text[span.start : span.end],
            "label": span.label,
            "score": span.score,
            "id": norm["id"],
        }
        yield row | {field: _cell(norm, field) for field in fields}


def _cell(norm: Mapping[str, Any], field: str) -> str | None:
    if field in norm["open"]:
        return " or ".join(norm["open"][field])
    value = norm["values"].get(field)
    return " and ".join(value) if isinstance(value, list) else value


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with open_atomic(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        text.detach()


def _write_parquet(path: Path, fields: Sequence[str], rows: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    types = {"start": pa.int64(), "end": pa.int64(), "score": pa.float64()}
    columns = [*ENTITY_COLUMNS, *fields]
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    with open_atomic(path) as file, ParquetWriter(file, schema) as writer:
        while batch := list(itertools.islice(rows, TABLE_BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema))
