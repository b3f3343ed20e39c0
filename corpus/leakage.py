"""What stands on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .document import Document
from .duplicates import NEAR_THRESHOLD, DuplicateFinder
from .ngrams import PASSAGE_WORDS, PassageIndex

Kind = Literal["same id", "same words", "near duplicate", "shared passage"]


@dataclass(frozen=True)
class Leak:
    """A document of one side and what it has in common with one of the other.

    Attributes:
        kind: what they share.
        first: id of the document on the first side.
        second: id of the document on the second side.
        detail: the similarity, or the passage.
    """

    kind: Kind
    first: str
    second: str
    detail: str = ""


def find_leaks(
    first: Iterable[Document],
    second: Iterable[Document],
    *,
    passage: int = PASSAGE_WORDS,
    threshold: float = NEAR_THRESHOLD,
) -> Iterator[Leak]:
    """Yield every pair that shares an id, its words, most of its wording, or a long passage.

    Of the kinds that a pair has the first named is told.

    Args:
        first: the larger side, such as train; it streams through.
        second: the other side, such as test; it is held in memory.
        passage: words in a row that must not stand on both sides.
        threshold: similarity from which two documents repeat each other.
    """
    held = list(second)
    ids = {document.id for document in held}
    finder = DuplicateFinder(threshold)
    for document in held:
        finder.remember(document)
    index = PassageIndex(held, passage)
    for document in first:
        told: set[str] = set()
        if document.id in ids:
            told.add(document.id)
            yield Leak("same id", document.id, document.id)
        for near in finder.find(document):
            if near.of not in told:
                told.add(near.of)
                kind: Kind = "same words" if near.similarity == 1.0 else "near duplicate"
                yield Leak(kind, document.id, near.of, f"similarity {near.similarity:.2f}")
        for other, words in index.find(document):
            if other.id not in told:
                yield Leak("shared passage", document.id, other.id, words)
