"""Long passages that two documents share word for word."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .document import Document
from .duplicates import words_of

PASSAGE_WORDS = 12
"""Words in a row that two independent articles hardly ever share."""
Hashes = NDArray[np.uint64]
_BASE = np.uint64(0x9E3779B97F4A7C15)
_HELD = 20_000_000
"""Passages held in memory at once."""


def passage_hashes(words: list[str], length: int = PASSAGE_WORDS) -> Hashes:
    """Return the hash of every run of `length` words, in order. *Shape:* (words - length + 1,).

    A polynomial hash modulo 2⁶⁴ of the words' CRC-32 (Karp & Rabin 1987).
    """
    count = len(words) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    codes = np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)
    codes = (codes + np.uint64(1)) * _BASE
    total = np.zeros(count, dtype=np.uint64)
    for place in range(length):
        total = total * _BASE + codes[place : place + count]
    return total


def shared_passages(
    documents: Iterable[Document], count: int, length: int = PASSAGE_WORDS
) -> Iterator[tuple[int, int]]:
    """Yield pairs of places of documents that share a passage, enough to link all that do.

    Args:
        documents: read anew for every part of the passages, so that memory stays bounded.
        count: their words, all together; decides in how many parts.
        length: words in a passage.
    """
    parts = max(1, -(-count // _HELD))
    for part in range(parts):
        found: list[Hashes] = []
        owners: list[NDArray[np.int32]] = []
        for place, document in enumerate(documents):
            hashes = np.unique(passage_hashes(words_of(document.text), length))
            if parts > 1:
                hashes = hashes[hashes % np.uint64(parts) == part]
            found.append(hashes)
            owners.append(np.full(len(hashes), place, dtype=np.int32))
        if not found:
            return
        every, owner = np.concatenate(found), np.concatenate(owners)
        order = np.argsort(every, kind="stable")
        every, owner = every[order], owner[order]
        same = np.flatnonzero(every[1:] == every[:-1])
        pairs = np.unique(np.stack([owner[same], owner[same + 1]], axis=1), axis=0)
        yield from map(tuple, pairs.tolist())


class PassageIndex:
    """The passages of some documents, to find those that others share with them.

    Args:
        documents: the documents; they are kept.
        length: words in a passage.
    """

    def __init__(self, documents: Iterable[Document], length: int = PASSAGE_WORDS) -> None:
        self._documents = list(documents)
        self._length = length
        found = [passage_hashes(words_of(d.text), length) for d in self._documents]
        every = np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)
        owner = np.repeat(np.arange(len(found)), [len(hashes) for hashes in found])
        order = np.argsort(every, kind="stable")
        self._every, self._owner = every[order], owner[order]

    def find(self, document: Document) -> list[tuple[Document, str]]:
        """Return each indexed document that shares a passage, with the first such passage."""
        words = words_of(document.text)
        hashes = passage_hashes(words, self._length)
        left = np.searchsorted(self._every, hashes, side="left")
        right = np.searchsorted(self._every, hashes, side="right")
        shared: dict[int, str] = {}
        for place in np.flatnonzero(right > left).tolist():
            for owner in self._owner[left[place] : right[place]].tolist():
                shared.setdefault(owner, " ".join(words[place : place + self._length]))
        return [(self._documents[owner], passage) for owner, passage in sorted(shared.items())]
