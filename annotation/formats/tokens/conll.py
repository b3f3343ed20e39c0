"""CoNLL-2003: one word per line in four columns.

Tjong Kim Sang and De Meulder (2003), https://www.clips.uantwerpen.be/conll2003/ner/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ....corpus.document import Document
from ....corpus.files import open_atomic
from ....errors import InputError
from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ReadOptions
from ..write_options import WriteOptions
from .tokens import Sentence, Word, read_lines, rebuild, tagged_sentences

_DOCUMENT_START = "-DOCSTART-"


def read_conll(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a CoNLL-2003 file: four columns, the word first and its tag last."""
    return read_columns(path, 4)


def write_conll(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a CoNLL-2003 file, part of speech and chunk as `-X-`; return the document count."""
    return write_columns(path, documents, report, options.scheme, " -X- -X- ")


def read_columns(path: Path, columns: int) -> Iterator[ImportedDocument]:
    """Read words in columns.

    A blank line ends a sentence, `-DOCSTART-` starts a document. In a file without `-DOCSTART-`
    each sentence is a document. Documents are numbered.

    Args:
        path: the file.
        columns: the number of columns.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    documents: list[list[Sentence]] = []
    before_first: list[Sentence] = []
    sentence: Sentence = []
    for number, line in enumerate(read_lines(path), start=1):
        where = f"{path}:{number}"
        fields = line.split()
        if fields and fields[0] != _DOCUMENT_START:
            if len(fields) != columns:
                raise InputError(
                    f"{where}: {len(fields)} columns, expected {columns}; correct the line"
                )
            sentence.append(Word(fields[0], fields[-1], where))
            continue
        if sentence:
            (documents[-1] if documents else before_first).append(sentence)
            sentence = []
        if fields:
            documents.append([])
    if sentence:
        (documents[-1] if documents else before_first).append(sentence)
    single = [[sentence] for sentence in before_first]
    for number, sentences in enumerate([*single, *documents], start=1):
        yield rebuild(f"{path}: document {number}", sentences)


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
            file.write(f"{_DOCUMENT_START}{separator}O\n\n".encode())
            for sentence in tagged_sentences(document, report, scheme):
                lines = [f"{token.text}{separator}{token.tag}\n" for token in sentence]
                file.write("".join([*lines, "\n"]).encode())
    return count
