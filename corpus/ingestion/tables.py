"""Readers of tables of articles: CSV, Parquet and Hugging Face datasets."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..files import MAX_ARTICLE_BYTES
from ..rejected import Rejected
from .raw_article import RawArticle, RawArticles


def make_raw_record(location: str, record: Any, text_column: str) -> RawArticle:
    """Wrap a decoded record; its text column is renamed to `text`."""
    if isinstance(record, dict) and text_column != "text" and text_column in record:
        record = {**record, "text": record[text_column]}
        del record[text_column]
    return RawArticle(location, "", record=record, origin={"file": location.rpartition("/")[2]})


def read_csv(path: Path, text_column: str) -> RawArticles:
    """Yield the rows of a CSV file, or of a tab-separated one if its name ends in ``.tsv``.

    Raises:
        InputError: if the text column is missing.
    """
    csv.field_size_limit(min(MAX_ARTICLE_BYTES, sys.maxsize))
    with path.open("rb") as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        delimiter = "\t" if path.name.lower().endswith(".tsv") else ","
        reader = csv.DictReader(file, delimiter=delimiter, restkey="")
        try:
            _check_columns(str(path), reader.fieldnames or (), text_column)
            for row in reader:
                location = f"{path}:{reader.line_num}"
                if "" in row or None in row.values():
                    reason = "number of columns differs from the header; correct the line"
                    yield Rejected(location, reason)
                    continue
                yield make_raw_record(location, _clean_row(row), text_column)
        except UnicodeDecodeError:
            yield Rejected(str(path), "not UTF-8; save it as UTF-8")
        except csv.Error as error:
            yield Rejected(f"{path}:{reader.line_num}", f"invalid CSV ({error}); correct the line")


def read_parquet(path: Path, text_column: str) -> RawArticles:
    """Yield the rows of a Parquet file.

    Raises:
        InputError: if the file is damaged or the text column is missing.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            _check_columns(str(path), file.schema_arrow.names, text_column)
            number = 0
            for batch in file.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    number += 1
                    yield make_raw_record(f"{path}:{number}", _clean_row(row), text_column)
    except pyarrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: invalid Parquet ({reason}); write it again") from error


def read_dataset(name: str, text_column: str = "text") -> RawArticles:
    """Yield the rows of a Hugging Face dataset, streamed.

    Args:
        name: the id of a dataset, or a folder that `Dataset.save_to_disk` wrote; ``NAME:SPLIT``
            reads one split instead of all.
        text_column: the column that holds the text.
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
                yield from _read_split(dataset_id, split_name, rows, text_column)
    except InputError as error:
        yield Rejected.from_error(dataset_id, error)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        yield Rejected(dataset_id, f"no such dataset, or it cannot be loaded ({reason})")


def _read_split(dataset_id: str, split: str, rows: Any, text_column: str) -> RawArticles:
    if rows.column_names is not None:
        _check_columns(dataset_id, rows.column_names, text_column)
    for number, row in enumerate(rows):
        location = f"{dataset_id}{':' if split else ''}{split}:{number}"
        record = make_raw_record(location, _clean_row(row), text_column).record
        origin = {"dataset": dataset_id, "row": number} | ({"split": split} if split else {})
        yield RawArticle(location, "", record=record, origin=origin)


def is_dataset_folder(path: Path) -> bool:
    """Return whether `Dataset.save_to_disk` wrote this folder."""
    return any((path / name).is_file() for name in ("dataset_info.json", "dataset_dict.json"))


def _check_columns(location: str, columns: Iterable[Any], text_column: str) -> None:
    if text_column not in columns:
        names = ", ".join(map(str, columns)) or "none"
        raise InputError(
            f"{location}: no column '{text_column}'; its columns are {names} (--text-column NAME)"
        )


def _clean_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without its empty cells.

    Strings in `spans`, in `norm` of a span and in `meta` are decoded as JSON.
    """
    record = {name: _to_json(value) for name, value in row.items() if value not in (None, "")}
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


def _to_json(value: Any) -> Any:
    """Return a value that JSON can represent: dates, decimals and the like become strings."""
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _to_json(item) for name, item in value.items()}
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
