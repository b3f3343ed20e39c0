"""Words and tags as text: CoNLL-2003, two columns, and pairs of files.

CoNLL-2003: Tjong Kim Sang and De Meulder (2003), https://www.clips.uantwerpen.be/conll2003/ner/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import open_atomic
from ...errors import InputError
from .conversion_report import ConversionReport, refuse_spaces
from .folders import new_folder
from .tokens import (
    Sentence,
    Token,
    Word,
    count_token_losses,
    rebuild,
    to_sentences,
)

_BEGIN = "-DOCSTART-"


def read_conll(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a CoNLL-2003 file: four columns, the word first and its tag last."""
    return _read_columns(path, losses, 4)


def read_iob(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a file of two columns, word and tag."""
    return _read_columns(path, losses, 2)


def _read_columns(path: Path, losses: ConversionReport, columns: int) -> Iterator[Document]:
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
    for number, line in enumerate(_lines(path), start=1):
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


def _lines(path: Path) -> list[str]:
    """Return a file's lines; only line feeds end one, for U+2028 and the like may stand in it."""
    try:
        content = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert it") from error
    if not content.strip():
        raise InputError(f"{path}: is empty; expected words and tags")
    return content.split("\n")


def write_conll(
    path: Path, documents: Iterable[Document], losses: ConversionReport, scheme: str = "bio"
) -> int:
    """Write a CoNLL-2003 file, part of speech and chunk left open; count the documents."""
    return _write_columns(path, documents, losses, scheme, " -X- -X- ")


def write_iob(
    path: Path, documents: Iterable[Document], losses: ConversionReport, scheme: str = "bio"
) -> int:
    """Write a file of two columns with a tab between; count the documents."""
    return _write_columns(path, documents, losses, scheme, "\t")


def _write_columns(
    path: Path, documents: Iterable[Document], losses: ConversionReport, scheme: str, between: str
) -> int:
    count = 0
    with open_atomic(path) as file:
        for document in documents:
            count += 1
            file.write(f"{_BEGIN}{between}O\n\n".encode())
            for sentence in _sentences(document, losses, scheme):
                lines = [f"{token.text}{between}{token.tag}\n" for token in sentence]
                file.write("".join([*lines, "\n"]).encode())
    return count


def _sentences(document: Document, losses: ConversionReport, scheme: str) -> list[list[Token]]:
    refuse_spaces(document, "tags")
    sentences = to_sentences(document, scheme)
    count_token_losses(document, sentences, losses)
    return sentences


def read_word_files(folder: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read pairs of files, `words.txt` and `tags.txt` or `NAME.words.txt` and `NAME.tags.txt`.

    Line by line they hold a sentence's words and their tags, with spaces between. A blank line
    in both ends a document; without any each line is a document.

    Args:
        folder: the folder of the pairs.
        losses: counts what is left out.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    found = sorted(Path(folder).glob("*words.txt"))
    if not found:
        raise InputError(f"{folder}: no words.txt or NAME.words.txt; name a folder with one")
    for path in found:
        other = path.with_name(f"{path.name.removesuffix('words.txt')}tags.txt")
        words, tags = _lines(path), _lines(other)
        if len(words) != len(tags):
            raise InputError(
                f"{other}: {len(tags)} lines where {path.name} has {len(words)}; make them one"
            )
        blocks: list[list[Sentence]] = [[]]
        for number, (left, right) in enumerate(zip(words, tags, strict=True), start=1):
            where = f"{other}:{number}"
            texts, marks = left.split(), right.split()
            if len(texts) != len(marks):
                raise InputError(
                    f"{where}: {len(marks)} tags for {len(texts)} words; give each word its own"
                )
            if texts:
                pairs = zip(texts, marks, strict=True)
                blocks[-1].append([Word(text, mark, where) for text, mark in pairs])
            elif number < len(words):
                blocks.append([])
        if len(blocks) == 1:
            blocks = [[sentence] for sentence in blocks[0]]
        name = path.name.removesuffix("words.txt").rstrip(".") or Path(folder).name
        for number, sentences in enumerate(filter(None, blocks), start=1):
            yield rebuild(f"{name}-{number}", sentences, losses)


def write_word_files(
    folder: Path, documents: Iterable[Document], losses: ConversionReport, scheme: str = "bio"
) -> int:
    """Write a new folder with `words.txt` and `tags.txt`, and count the documents."""
    count = 0
    with (
        new_folder(folder) as draft,
        (draft / "words.txt").open("wb") as words,
        (draft / "tags.txt").open("wb") as tags,
    ):
        for document in documents:
            count += 1
            for sentence in _sentences(document, losses, scheme):
                words.write((" ".join(token.text for token in sentence) + "\n").encode())
                tags.write((" ".join(token.tag for token in sentence) + "\n").encode())
            words.write(b"\n")
            tags.write(b"\n")
    return count
