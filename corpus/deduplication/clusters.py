"""Clusters of documents that are near duplicates or share an n-gram."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from ..document import Document
from .duplicates import DuplicateFinder, compute_signature
from .ngrams import NGRAM_WORDS, shared_ngrams


def find_clusters(
    documents: Iterable[Document], word_count: int, *, ngram_words: int = NGRAM_WORDS
) -> list[int]:
    """Return, for each document, the index of the first document of its cluster.

    Documents are in one cluster if they are near duplicates or share an n-gram, directly or
    through other documents.

    Args:
        documents: iterated several times.
        word_count: total number of their words.
        ngram_words: words of an n-gram that puts two documents into one cluster.
    """
    finder = DuplicateFinder()
    indices: dict[str, int] = {}
    links: list[tuple[int, int]] = []
    for index, document in enumerate(documents):
        signature = compute_signature(document.text)
        links += [(index, indices[near.of]) for near in finder.find(document, signature)]
        indices[document.id] = index
        finder.add(document, signature)
    roots = list(range(len(indices)))

    def find_root(index: int) -> int:
        while roots[index] != index:
            roots[index] = roots[roots[index]]
            index = roots[index]
        return index

    for a, b in itertools.chain(links, shared_ngrams(documents, word_count, ngram_words)):
        first, second = sorted((find_root(a), find_root(b)))
        roots[second] = first
    return [find_root(index) for index in range(len(roots))]
