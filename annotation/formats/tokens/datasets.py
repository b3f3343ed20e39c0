"""Hugging Face data sets of tokens and tags (https://huggingface.co/docs/datasets)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.files import open_folder_atomic
from ....errors import InputError
from ..conversion_report import ConversionReport, drop_span_fields, refuse_tags
from ..imported import ImportedDocument, ReadOptions
from ..write_options import WriteOptions
from .tokens import Token, Word, read_spans, rebuild, to_sentences

_TOKEN_COLUMNS = ("tokens", "words")
_TAG_COLUMNS = ("ner_tags", "tags", "labels")


def write_datasets(
    folder: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a data set with `tokens` and `ner_tags` (BIO) for `datasets.load_from_disk`.

    Further columns hold the id, the text, the start of each token and the metadata as JSON, so
    that the text can be restored exactly.

    Args:
        folder: must not exist.
        documents: the documents.
        report: records what is dropped.
        options: names and order of the classes; None for the labels that occur, sorted.

    Returns:
        The document count.
    """
    from datasets import ClassLabel, Dataset, Features, List, Value

    rows = [_to_row(document, report) for document in documents]
    names = {tag[2:] for row in rows for tag in row["ner_tags"] if tag != "O"}
    tags = [
        "O",
        *(f"{prefix}-{label}" for label in options.labels or sorted(names) for prefix in "BI"),
    ]
    features = Features(
        {
            "id": Value("string"),
            "text": Value("string"),
            "tokens": List(Value("string")),
            "starts": List(Value("int32")),
            "ner_tags": List(ClassLabel(names=tags)),
            "meta": Value("string"),
        }
    )
    with open_folder_atomic(folder) as draft, _no_progress_bars():
        Dataset.from_list(rows, features=features).save_to_disk(draft)
    return len(rows)


def _to_row(document: Document, report: ConversionReport) -> dict[str, Any]:
    drop_span_fields(document, report)
    refuse_tags(document)
    tokens = [token for sentence in to_sentences(document) for token in sentence]
    return {
        "id": document.id,
        "text": document.text,
        "tokens": [token.text for token in tokens],
        "starts": [token.start for token in tokens],
        "ner_tags": [token.tag for token in tokens],
        "meta": json.dumps(dict(document.meta), ensure_ascii=False),
    }


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Disable the progress bars of the library, because the caller shows one."""
    import datasets

    enabled = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if enabled:
            datasets.enable_progress_bars()


def read_datasets(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a data set of tokens and tags: a folder of `save_to_disk`, or a Parquet file.

    Columns: `tokens` or `words`; `ner_tags`, `tags` or `labels`, as `ClassLabel` or names. The
    columns `text` and `starts` give the text if they exist; else tokens are joined by spaces. The
    splits of a `DatasetDict` are read one after another and named in `meta.split`.

    Args:
        path: the folder or file.
        options: not used.
        report: not used: nothing is dropped.

    Raises:
        InputError: if there is no such data set or column.
    """
    path = Path(path)
    for name, split in _load_splits(path).items():
        meta = {"split": name} if name else {}
        for number, row in enumerate(_rows(split, path), start=1):
            where = f"{path}: {name} row {number}".replace("  ", " ")
            imported = _from_row(row, where)
            imported.part = name
            imported.meta = {**(imported.meta or {}), **meta}
            yield imported


def _load_splits(path: Path) -> dict[str, Any]:
    import datasets
    import pyarrow.parquet

    try:
        loaded = (
            datasets.load_from_disk(str(path))
            if path.is_dir()
            # from_parquet would copy the file into a cache, and log what it cannot read.
            else datasets.Dataset(pyarrow.parquet.read_table(path))
        )
    # Arrow, fsspec and datasets each raise errors of their own for other files.
    except Exception as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(f"{path}: no data set can be loaded ({reason})") from error
    return loaded if isinstance(loaded, dict) else {"": loaded}


def _rows(split: Any, path: Path) -> Iterator[dict[str, Any]]:
    """Yield rows with the columns `tokens` and `ner_tags`, tags as strings."""
    token_column = _find_column(split, path, _TOKEN_COLUMNS)
    tag_column = _find_column(split, path, _TAG_COLUMNS)
    class_label = getattr(split.features[tag_column], "feature", None)
    names: Sequence[str] | None = getattr(class_label, "names", None)
    for row in split:
        tags = row[tag_column]
        if names is not None:
            tags = [names[tag] for tag in tags]
        elif any(not isinstance(tag, str) for tag in tags):
            raise InputError(
                f"{path}: column {tag_column} holds numbers without names; make it a ClassLabel"
            )
        yield {**row, "tokens": row[token_column], "ner_tags": tags}


def _find_column(split: Any, path: Path, names: Sequence[str]) -> str:
    column = next((name for name in names if name in split.column_names), None)
    if column is None:
        raise InputError(
            f"{path}: no column {' or '.join(names)}; found {', '.join(split.column_names)}"
        )
    return column


def _from_row(row: dict[str, Any], where: str) -> ImportedDocument:
    words, tags = row["tokens"], row["ner_tags"]
    if len(words) != len(tags):
        raise InputError(
            f"{where}: {len(tags)} tags for {len(words)} tokens; give each token one tag"
        )
    if "text" not in row or "starts" not in row:
        sentence = [Word(word, tag, where) for word, tag in zip(words, tags, strict=True)]
        return rebuild(where, [sentence], row.get("id"))
    text = row["text"]
    tokens = [Token(*fields) for fields in zip(row["starts"], words, tags, strict=True)]
    for token in tokens:
        if text[token.start : token.end] != token.text:
            raise InputError(
                f"{where}: token '{token.text[:40]}' is not at {token.start} of its text; correct "
                "the column starts"
            )
    spans = read_spans(tokens, [where] * len(tokens))
    return ImportedDocument(where, row.get("id"), text, spans, _read_meta(row.get("meta")))


def _read_meta(value: Any) -> dict[str, Any]:
    """Return the metadata of a row: a structure, or JSON as :func:`write_datasets` writes it."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"meta": value}
