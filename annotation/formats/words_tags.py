"""Pairs of files: one of words, one of tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from ...errors import InputError
from ..folders import new_folder
from .conversion_report import ConversionReport
from .tokens import Sentence, Word, read_lines, rebuild, tagged_sentences


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
        words, tags = read_lines(path), read_lines(other)
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
            for sentence in tagged_sentences(document, losses, scheme):
                words.write((" ".join(token.text for token in sentence) + "\n").encode())
                tags.write((" ".join(token.tag for token in sentence) + "\n").encode())
            words.write(b"\n")
            tags.write(b"\n")
    return count
