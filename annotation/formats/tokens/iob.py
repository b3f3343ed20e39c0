"""IOB: one word per line with its tag, in two columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ....corpus.document import Document
from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ReadOptions
from ..write_options import WriteOptions
from .conll import read_columns, write_columns


def read_iob(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a file of two columns, word and tag."""
    return read_columns(path, 2)


def write_iob(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a file of two columns, separated by a tab; return the document count."""
    return write_columns(path, documents, report, options.scheme, "\t")
