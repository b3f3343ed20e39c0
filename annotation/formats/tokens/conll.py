"""Writing files with one word per line: CoNLL-2003 with four columns, IOB with two.

Tjong Kim Sang and De Meulder (2003), https://www.clips.uantwerpen.be/conll2003/ner/.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ....corpus.document import Document
from ....corpus.output.atomic import open_atomic
from ..conversion_report import ConversionReport
from ..write_options import WriteOptions
from .columns import DOCUMENT_START
from .tokens import tagged_sentences


def write_conll(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a CoNLL-2003 file, part of speech and chunk as `-X-`; return the document count."""
    return write_columns(path, documents, report, options.scheme, " -X- -X- ")


def write_columns(
    path: Path,
    documents: Iterable[Document],
    report: ConversionReport,
    scheme: str,
    separator: str,
) -> int:
    """Write words in columns, and return the number of documents.

    Args:
        path: the file.
        documents: the documents.
        report: records what is dropped.
        scheme: the tagging scheme, `bio` or `bilou`.
        separator: the characters between a word and its tag.
    """
    count = 0
    with open_atomic(path) as file:
        for document in documents:
            count += 1
            file.write(f"{DOCUMENT_START}{separator}O\n\n".encode())
            for sentence in tagged_sentences(document, report, scheme):
                lines = [f"{token.text}{separator}{token.tag}\n" for token in sentence]
                file.write("".join([*lines, "\n"]).encode())
    return count


def write_iob(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a file of two columns, separated by a tab; return the document count."""
    return write_columns(path, documents, report, options.scheme, "\t")
