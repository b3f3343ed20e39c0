"""The pool of unlabeled articles: which are usable, and which of them an epoch uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...corpus.deduplication.duplicates import DuplicateFinder, compute_signature
from ...corpus.document import Document
from ..tagger.words import find_words

WITHOUT_WORDS = "without words"
REPEATS_DEV = "repeats of dev documents"
REPEATS_HELD_OUT = "repeats of held-out documents"
REPEATS_TRAIN = "repeats of training documents"
REPEATS_POOL = "repeats of other unlabeled articles"


@dataclass(frozen=True)
class UnlabeledPool:
    """Unlabeled articles to learn from.

    Attributes:
        documents: the usable articles.
        words: number of words of each.
        left_out: number of articles that were left out, by reason.
    """

    documents: Sequence[Document]
    words: Sequence[int]
    left_out: Mapping[str, int]

    def describe_left_out(self) -> str:
        """Return the numbers of articles that were left out, by reason, in a few words."""
        return ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())

    def select(self, epoch: int, words: int, seed: int) -> list[Document]:
        """Return the articles of an epoch: about `words` words, but at least one article.

        Epochs take the articles in one random order, so that each article is used before any is
        used again. If the pool has fewer words, an epoch uses all of it.

        Args:
            epoch: number of the epoch, from 0.
            words: words to select.
            seed: seed of the order.
        """
        order = np.random.default_rng(seed).permutation(len(self.documents))
        starts = np.cumsum(np.take(self.words, order)) - np.take(self.words, order)
        total = sum(self.words)
        words = max(1, min(words, total))
        begin = epoch * words % total
        # The last article that starts before `begin` is used if no article starts after it.
        first = int(np.searchsorted(starts, begin))
        count = int(np.searchsorted(starts, begin + words)) - first
        if begin + words > total:
            count += int(np.searchsorted(starts, begin + words - total))
        if count == 0:
            first, count = first - 1, 1
        count = min(count, len(order))
        return [self.documents[order[(first + step) % len(order)]] for step in range(count)]


def make_pool(
    unlabeled: Iterable[Document],
    train: Iterable[Document],
    dev: Iterable[Document],
    held_out: Iterable[Document] = (),
) -> UnlabeledPool:
    """Return the usable articles; of the others the number by reason.

    Articles that repeat a dev or held-out document, exactly or nearly, are left out. So are those
    that repeat a training document, which is labeled, and each other.

    Args:
        unlabeled: the articles; their spans are kept for teachers that read them.
        train: documents to train on.
        dev: documents to select the best epoch on.
        held_out: documents for other uses, such as tests.
    """
    parts = {REPEATS_DEV: dev, REPEATS_HELD_OUT: held_out, REPEATS_TRAIN: train}
    known = {reason: DuplicateFinder() for reason in parts}
    for reason, documents in parts.items():
        for document in documents:
            known[reason].add(document)
    known[REPEATS_POOL] = DuplicateFinder()
    left_out = dict.fromkeys((WITHOUT_WORDS, *known), 0)
    kept, words = [], []
    for document in unlabeled:
        count = len(find_words(document.text))
        if count == 0:
            left_out[WITHOUT_WORDS] += 1
            continue
        signature = compute_signature(document.text)
        repeated = next((name for name in known if known[name].find(document, signature)), None)
        if repeated is not None:
            left_out[repeated] += 1
            continue
        known[REPEATS_POOL].add(document, signature)
        kept.append(document)
        words.append(count)
    return UnlabeledPool(kept, words, {name: n for name, n in left_out.items() if n})
