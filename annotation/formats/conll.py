"""CoNLL-2003: one word a line in four columns.

Tjong Kim Sang and De Meulder (2003), https://www.clips.uantwerpen.be/conll2003/ner/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import open_atomic
from ...errors import InputError
from .conversion_report import ConversionReport
from .tokens import Sentence, Word, read_lines, rebuild, tagged_sentences

_BEGIN = "-DOCSTART-"


def read_conll(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a CoNLL-2003 file: four columns, the word first and its tag last."""
    return read_columns(path, losses, 4)


def read_columns(path: Path, losses: ConversionReport, columns: int) -> Iterator[Document]:
    """Read words in columns.

    Sentences end at blank lines. Documents begin at `-DOCSTART-`; in a file without it each
    sentence is a document. The text is rebuilt with a space between words and a line for each
    sentence. Documents are numbered.

    Args:
        path: the file.
        losses: counts what is left out.
        columns: how many there must be.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    documents: list[list[Sentence]] = []
    loose: list[Sentence] = []
    sentence: Sentence = []
    for number, line in enumerate(read_lines(path), start=1):
        where = f"{path}:{number}"
        fields = line.split()
        if fields and fields[0] != _BEGIN:
            if len(fields) != columns:
                raise InputError(
                    f"{where}: {len(fields)} columns where {columns} are expected; mend the line"
                )
            sentence.append(Word(fields[0], fields[-1], where))
            continue
        if sentence:
            (documents[-1] if documents else loose).append(sentence)
            sentence = []
        if fields:
            documents.append([])
    if sentence:
        (documents[-1] if documents else loose).append(sentence)
    each_alone = [[sentence] for sentence in loose]
    for number, sentences in enumerate([*each_alone, *documents], start=1):
        yield rebuild(f"{path.stem}-{number}", sentences, losses)


def write_conll(
    path: Path, documents: Iterable[Document], losses: ConversionReport, scheme: str = "bio"
) -> int:
    """Write a CoNLL-2003 file, part of speech and chunk left open; count the documents."""
    return write_columns(path, documents, losses, scheme, " -X- -X- ")


def write_columns(
    path: Path, documents: Iterable[Document], losses: ConversionReport, scheme: str, between: str
) -> int:
    """Write words in columns, `between` in each line between word and tag; count the documents."""
    count = 0
    with open_atomic(path) as file:
        for document in documents:
            count += 1
            file.write(f"{_BEGIN}{between}O\n\n".encode())
            for sentence in tagged_sentences(document, losses, scheme):
                lines = [f"{token.text}{between}{token.tag}\n" for token in sentence]
                file.write("".join([*lines, "\n"]).encode())
    return count
