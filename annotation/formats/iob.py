"""IOB: one word a line, in two columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from .conll import read_columns, write_columns
from .conversion_report import ConversionReport


def read_iob(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a file of two columns, word and tag."""
    return read_columns(path, losses, 2)


def write_iob(
    path: Path, documents: Iterable[Document], losses: ConversionReport, scheme: str = "bio"
) -> int:
    """Write a file of two columns with a tab between; count the documents."""
    return write_columns(path, documents, losses, scheme, "\t")
