"""Word n-grams: which documents share a long sequence of words."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..document import Document

NGRAM_WORDS = 12
"""Length of an n-gram that two independent articles are very unlikely to share."""
Hashes = NDArray[np.uint64]
_WORD = re.compile(r"\w+")
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MAX_NGRAMS_IN_MEMORY = 20_000_000


def normalized_words(text: str) -> list[str]:
    """Return the words of a text, case folded, without punctuation."""
    return _WORD.findall(text.casefold())


def ngram_hashes(words: list[str], length: int = NGRAM_WORDS) -> Hashes:
    """Return the hash of each n-gram, in order. *Shape:* (max(words - length + 1, 0),).

    The hash is a polynomial of the words' CRC-32, modulo 2⁶⁴ (Karp & Rabin 1987).
    """
    count = len(words) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    codes = np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)
    codes = (codes + np.uint64(1)) * _BASE
    total = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        total = total * _BASE + codes[offset : offset + count]
    return total


def shared_ngrams(
    documents: Iterable[Document], word_count: int, length: int = NGRAM_WORDS
) -> Iterator[tuple[int, int]]:
    """Yield index pairs of documents that share an n-gram.

    Not every such pair is yielded, but enough to connect all documents that share n-grams.

    Args:
        documents: iterated once for each partition of the n-grams, which bounds the memory.
        word_count: total number of their words; determines the number of partitions.
        length: words of an n-gram.
    """
    partitions = max(1, -(-word_count // _MAX_NGRAMS_IN_MEMORY))
    for partition in range(partitions):
        hashes_by_document: list[Hashes] = []
        indices: list[NDArray[np.int32]] = []
        for index, document in enumerate(documents):
            hashes = np.unique(ngram_hashes(normalized_words(document.text), length))
            if partitions > 1:
                hashes = hashes[hashes % np.uint64(partitions) == partition]
            hashes_by_document.append(hashes)
            indices.append(np.full(len(hashes), index, dtype=np.int32))
        if not hashes_by_document:
            return
        all_hashes, owners = np.concatenate(hashes_by_document), np.concatenate(indices)
        order = np.argsort(all_hashes, kind="stable")
        all_hashes, owners = all_hashes[order], owners[order]
        same = np.flatnonzero(all_hashes[1:] == all_hashes[:-1])
        pairs = np.unique(np.stack([owners[same], owners[same + 1]], axis=1), axis=0)
        yield from map(tuple, pairs.tolist())


class NgramIndex:
    """An index of the n-grams of some documents, to look up others that share one.

    Args:
        documents: the documents to index; they are kept in memory.
        length: words of an n-gram.
    """

    def __init__(self, documents: Iterable[Document], length: int = NGRAM_WORDS) -> None:
        self._documents = list(documents)
        self._length = length
        hashes = [ngram_hashes(normalized_words(d.text), length) for d in self._documents]
        all_hashes = np.concatenate(hashes) if hashes else np.zeros(0, dtype=np.uint64)
        owners = np.repeat(np.arange(len(hashes)), [len(array) for array in hashes])
        order = np.argsort(all_hashes, kind="stable")
        self._hashes, self._owners = all_hashes[order], owners[order]

    def find(self, document: Document) -> list[tuple[Document, str]]:
        """Return each indexed document that shares an n-gram, with the first one shared."""
        words = normalized_words(document.text)
        hashes = ngram_hashes(words, self._length)
        left = np.searchsorted(self._hashes, hashes, side="left")
        right = np.searchsorted(self._hashes, hashes, side="right")
        shared: dict[int, str] = {}
        for start in np.flatnonzero(right > left).tolist():
            for owner in self._owners[left[start] : right[start]].tolist():
                shared.setdefault(owner, " ".join(words[start : start + self._length]))
        return [(self._documents[owner], ngram) for owner, ngram in sorted(shared.items())]
