"""IOB: one word per line with its tag, in two columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from .conll import read_columns, write_columns
from .conversion_report import ConversionReport


def read_iob(path: Path, report: ConversionReport) -> Iterator[Document]:
    """Read a file of two columns, word and tag."""
    return read_columns(path, report, 2)


def write_iob(
    path: Path, documents: Iterable[Document], report: ConversionReport, scheme: str = "bio"
) -> int:
    """Write a file of two columns, separated by a tab; return the document count."""
    return write_columns(path, documents, report, scheme, "\t")
