"""Writing Hugging Face data sets of tokens and tags (https://huggingface.co/docs/datasets)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.output.atomic import open_folder_atomic
from ..conversion_report import ConversionReport, drop_span_fields, refuse_tags
from ..tokens.tokens import to_sentences
from ..write_options import WriteOptions


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

    Raises:
        InputError: if a label is itself a tag, such as `O`.
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
    refuse_tags(document)
    drop_span_fields(document, report)
    tokens = [token for sentence in to_sentences(document, report) for token in sentence]
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
