"""Leakage between two splits: documents of one that repeat documents of the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ...ui import format_value
from ..document import Document
from .duplicates import NEAR_THRESHOLD, DuplicateFinder
from .ngrams import NGRAM_WORDS, NgramIndex

LeakKind = Literal["same id", "same words", "near duplicate", "shared n-gram"]


@dataclass(frozen=True)
class Leak:
    """A document of one split and one of the other that it repeats.

    Attributes:
        kind: what they have in common.
        first: id of the document in the first split.
        second: id of the document in the second split.
        detail: the similarity or the n-gram; empty for the same id.
    """

    kind: LeakKind
    first: str
    second: str
    detail: str = ""


def find_leakage(
    first: Iterable[Document],
    second: Iterable[Document],
    *,
    ngram_words: int = NGRAM_WORDS,
    threshold: float = NEAR_THRESHOLD,
) -> Iterator[Leak]:
    """Yield a leak for every pair of documents with the same id, similar text or a shared n-gram.

    Each pair is yielded once, with the first kind of :data:`LeakKind` that applies.

    Args:
        first: the larger split, such as train; streamed.
        second: the other split, such as test; held in memory.
        ngram_words: words of an n-gram that the splits must not share.
        threshold: similarity from which two documents are near duplicates.
    """
    references = list(second)
    ids = {document.id for document in references}
    finder = DuplicateFinder(threshold)
    for document in references:
        finder.add(document)
    index = NgramIndex(references, ngram_words)
    for document in first:
        reported: set[str] = set()
        if document.id in ids:
            reported.add(document.id)
            yield Leak("same id", document.id, document.id)
        for near in finder.find(document):
            if near.of not in reported:
                reported.add(near.of)
                kind: LeakKind = "same words" if near.similarity == 1.0 else "near duplicate"
                detail = f"similarity {format_value(near.similarity)}"
                yield Leak(kind, document.id, near.of, detail)
        for other, ngram in index.find(document):
            if other.id not in reported:
                yield Leak("shared n-gram", document.id, other.id, ngram)
