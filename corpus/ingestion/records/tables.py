"""Readers of tables of articles: Parquet and Hugging Face datasets."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....errors import InputError
from ...reading.boundary import guard
from ...reading.parquet import iterate_batches
from ...rejected import Rejected
from ..raw_article import RawArticle, RawArticles, ReaderOptions
from .fields import ArticleFields


def read_parquet(path: Path, options: ReaderOptions) -> RawArticles:
    """Yield the rows of a Parquet file.

    Raises:
        InputError: if the file is damaged or the text column is missing.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    fields = ArticleFields(str(path), options)
    try:
        with ParquetFile(path) as file:
            fields.check_columns(dict.fromkeys(file.schema_arrow.names))
            number = 0
            for batch in iterate_batches(file, str(path)):
                # Row by row, since a cell may not be what its column declares.
                for index in range(batch.num_rows):
                    number += 1
                    yield _read_row(fields, f"{path}:{number}", batch.slice(index, 1))
    except pyarrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: invalid Parquet ({reason}); write it again") from error


def _read_row(fields: ArticleFields, location: str, row: Any) -> RawArticle | Rejected:
    values = guard(location, lambda: clean_row(row.to_pylist()[0]))
    return values if isinstance(values, Rejected) else fields.make_article(location, values)


def read_dataset(name: str, options: ReaderOptions) -> RawArticles:
    """Yield the rows of a Hugging Face dataset, streamed.

    Args:
        name: the id of a dataset, or a folder that `Dataset.save_to_disk` wrote; ``NAME:SPLIT``
            reads one split instead of all.
        options: the column that holds the text.
    """
    import datasets
    from huggingface_hub.utils import logging as hub_logging

    # The hub's client logs every retry; the final error is enough.
    hub_logging.set_verbosity(logging.CRITICAL)
    dataset_id, _, split = name.partition(":")
    try:
        if Path(dataset_id).is_dir():
            dataset = datasets.load_from_disk(dataset_id)
        else:
            dataset = datasets.load_dataset(dataset_id, streaming=True)
        splits = dict(dataset) if isinstance(dataset, dict) else {"": dataset}
        if split and split not in splits:
            raise InputError(f"{dataset_id}: no split '{split}'; it has {', '.join(splits)}")
        for split_name, rows in splits.items():
            if not split or split_name == split:
                yield from _read_split(dataset_id, split_name, rows, options)
    except InputError as error:
        yield Rejected.from_error(dataset_id, error)
    # The library raises what its many readers raise.
    except Exception as error:
        fault = Rejected.from_error(dataset_id, error).reason
        yield Rejected(dataset_id, f"no such dataset, or it {fault}")


def _read_split(dataset_id: str, split: str, rows: Any, options: ReaderOptions) -> RawArticles:
    fields = ArticleFields(dataset_id, options)
    if rows.column_names is not None:
        fields.check_columns(dict.fromkeys(rows.column_names))
    for number, row in enumerate(rows):
        location = f"{dataset_id}{':' if split else ''}{split}:{number}"
        origin = {"dataset": dataset_id, "row": number} | ({"split": split} if split else {})
        yield fields.make_article(location, clean_row(row), origin)


def is_dataset_folder(path: Path) -> bool:
    """Return whether `Dataset.save_to_disk` wrote this folder."""
    return any((path / name).is_file() for name in ("dataset_info.json", "dataset_dict.json"))


def clean_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without its empty cells.

    Strings in `spans`, in `norm` of a span and in `meta` are decoded as JSON.
    """
    record = {name: value for name, value in row.items() if value is not None and value != ""}
    for name in ("spans", "meta"):
        if isinstance(record.get(name), str):
            try:
                record[name] = json.loads(record[name])
            except ValueError:
                continue
    spans = record.get("spans")
    for span in spans if isinstance(spans, list) else ():
        if isinstance(span, dict) and isinstance(span.get("norm"), str):
            with contextlib.suppress(ValueError):
                span["norm"] = json.loads(span["norm"])
    return record
