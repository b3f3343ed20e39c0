"""Which unlabelled documents to label next: those that a model is least sure of, all different."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from ..corpus.document import Document
from ..errors import InputError
from ..evaluation.bootstrap import Floats
from .word_probabilities import WordProbabilities

STRATEGIES = ("uncertainty", "random")


class ProbabilisticTagger(Protocol):
    """A model that tells how sure it is of each word."""

    def probabilities(self, documents: Iterable[Document]) -> Iterator[WordProbabilities]:
        """Yield the chances of each label for the words of each document."""


def select_documents(
    documents: Sequence[Document],
    model: ProbabilisticTagger | None,
    *,
    count: int | None = None,
    labelled: Sequence[Document] = (),
    strategy: str = "uncertainty",
    diversity: float = 0.5,
    seed: int = 0,
) -> list[tuple[Document, float]]:
    """Put documents in the order in which they should be labelled.

    With `uncertainty` the next document is the one with the largest sum of two ranks: of its mean
    word entropy, and, weighted by `diversity`, of its distance to the nearest document chosen or
    labelled before (cosine of TF-IDF vectors). Ranks make the two comparable whatever the model.

    Args:
        documents: unlabelled ones.
        model: needed for `uncertainty`.
        count: how many to choose; None for all.
        labelled: documents that are labelled or before annotators already.
        strategy: one of :data:`STRATEGIES`.
        diversity: weight of the distance, from 0 to 1.
        seed: of the random order.

    Returns:
        The chosen documents, each with its entropy; under `random` with 0.

    Raises:
        InputError: for an unknown strategy, or `uncertainty` without a model.
    """
    count = len(documents) if count is None else min(count, len(documents))
    if strategy not in STRATEGIES:
        raise InputError(f"unknown strategy '{strategy}'; choose one of {', '.join(STRATEGIES)}")
    if strategy == "random":
        order = np.random.default_rng(seed).permutation(len(documents))[:count]
        return [(documents[place], 0.0) for place in order.tolist()]
    if model is None:
        raise InputError("strategy uncertainty needs a model; pass --model")
    if not documents:
        return []
    entropy = np.array([found.entropy() for found in model.probabilities(documents)])
    vectors = _vectors([d.text for d in (*documents, *labelled)])
    own, others = vectors[: len(documents)], vectors[len(documents) :]
    nearest = np.zeros(len(documents))
    for start in range(0, others.shape[0], 256):
        block = (own @ others[start : start + 256].T).max(axis=1)
        nearest = np.maximum(nearest, block.toarray().ravel())
    unsure = _ranks(entropy)
    chosen: list[int] = []
    free = np.ones(len(documents), dtype=bool)
    for _ in range(count):
        score = unsure + diversity * _ranks(-nearest)
        score[~free] = -1
        best = int(score.argmax())
        chosen.append(best)
        free[best] = False
        nearest = np.maximum(nearest, (own @ own[best].T).toarray().ravel())
    return [(documents[place], float(entropy[place])) for place in chosen]


def _vectors(texts: Sequence[str]) -> Any:
    """Return the texts' TF-IDF vectors, *Shape:* (texts, words), sparse, each of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(texts)


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0 to 1, ties sharing their mean."""
    from scipy.stats import rankdata

    ranks: Floats = (rankdata(values) - 1) / max(len(values) - 1, 1)
    return ranks
