"""The first rows of a file with one word per line, from which its columns are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ....errors import InputError
from .columns import DOCUMENT_START, Line, parse_comment, split_blanks, split_fields
from .tags import STANDARD, find_style

TOKEN_NAMES = frozenset({"token", "tokens", "word", "words", "form"})
"""Names of columns of words, in lower case."""


def split_words(line: str, parts: int) -> list[list[str]]:
    """Split a line of words such as `Word|NN|O` into the fields of each word."""
    return [word.rsplit("|", parts - 1) for word in split_blanks(line)]


def _count_parts(lines: Sequence[str]) -> int:
    """Return the number of fields per word of a file such as `Word|NN|O`; 0 for other files."""
    words = [word for line in lines for word in split_blanks(line)]
    counts = {word.count("|") for word in words}
    if not words or 0 in counts:
        return 0
    tags = Counter(word.rpartition("|")[2] for word in words)
    return min(counts) + 1 if find_style(tags) else 0


class Sample:
    """The first rows of a file.

    Args:
        path: the file, for messages.
        head: its first lines.
        separator: see :func:`~orbat.annotation.formats.tokens.columns.split_fields`.

    Attributes:
        sentences: the fields of each row, by sentence.
        names: the names of columns; empty if there are none.
        header: the line with the names; 0 for none.
        has_begin: whether a comment marks the begin of a document.
        parts: of a file with a sentence per line, the number of fields of a word; else 0.

    Raises:
        InputError: if there is no row.
    """

    def __init__(self, path: Path, head: Iterable[Line], separator: str | None) -> None:
        self.names: list[str] = []
        self.header = 0
        self.has_begin = False
        lines: list[str] = []
        sentences: list[list[list[str]]] = [[]]
        # Words may begin with # too.
        uncertain: list[list[str]] = []
        widths: Counter[int] = Counter()
        for number, line in head:
            if not line.strip():
                sentences.append([])
                continue
            fields = split_fields(line, separator)
            if line.startswith("#"):
                comment = parse_comment(line)
                self.has_begin |= comment.kind == "begin"
                if comment.kind == "columns":
                    self.names = comment.value.split()
                uncertain.append(fields)
            elif DOCUMENT_START in fields[:2]:
                sentences.append([])
                widths[len(fields)] += 1
            elif not widths and not self.names and is_header(fields):
                self.names, self.header = fields, number
            else:
                sentences[-1].append(fields)
                widths[len(fields)] += 1
                lines.append(line)
        self.parts = 0 if separator else _count_parts(lines)
        if self.parts:
            self.sentences = [split_words(line, self.parts) for line in lines]
        else:
            self.sentences = [sentence for sentence in sentences if sentence]
        if not self.sentences:
            self.sentences = [
                [f for f in uncertain if len(f) in (widths or {2}) and STANDARD.knows(f[-1])]
            ]
        if not any(self.sentences):
            raise InputError(f"{path}: no words and tags in columns; check --from")


def is_header(fields: Sequence[str]) -> bool:
    """Return whether a row holds the names of columns."""
    is_named = any(name.casefold() in TOKEN_NAMES for name in fields)
    return len(fields) > 1 and is_named and not any(map(STANDARD.knows, fields))
