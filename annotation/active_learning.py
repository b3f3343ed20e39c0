"""Active learning: selects the unlabeled documents to label next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..corpus.document import Document
from ..errors import InputError
from ..evaluation.bootstrap import Floats
from ..ui import DataTable
from .word_probabilities import WordProbabilities

STRATEGIES = ("uncertainty", "random")
_BLOCK = 256
"""Labeled documents that are compared at once, which limits the memory."""


class ProbabilisticTagger(Protocol):
    """A tagger that predicts label probabilities. Nothing else is needed to select documents."""

    def probabilities(self, documents: Iterable[Document]) -> Iterator[WordProbabilities]:
        """Yield the label probabilities of the words of each document, in order."""


@dataclass(frozen=True)
class Selection:
    """The documents to label next.

    Attributes:
        documents: the selected documents, in the order in which to label them.
        entropies: the mean word entropy of each in nats; empty for the strategy `random`.
        candidates: the number of unlabeled documents that they were selected from.
    """

    documents: tuple[Document, ...]
    entropies: tuple[float, ...]
    candidates: int


def select_documents(
    documents: Iterable[Document],
    model: ProbabilisticTagger | None,
    *,
    count: int | None = None,
    labeled: Sequence[Document] = (),
    strategy: str = "uncertainty",
    diversity: float = 0.5,
    seed: int = 0,
) -> Selection:
    """Select documents to label next, and order them.

    The strategy `uncertainty` selects one document after another: each time the one with the
    largest sum of two ranks, that of its mean word entropy and, weighted by `diversity`, that of
    its distance to the nearest document that is labeled or selected already. The distance is the
    cosine distance of TF-IDF vectors. Ranks make the two comparable for any model.

    Args:
        documents: the unlabeled documents. Documents whose id or text is labeled already are
            skipped.
        model: predicts the probabilities; needed for `uncertainty`.
        count: the number of documents to select; None for all.
        labeled: documents that are labeled or assigned to annotators already.
        strategy: one of :data:`STRATEGIES`.
        diversity: the weight of the distance, from 0 to 1.
        seed: of the random order.

    Raises:
        InputError: for an unknown strategy, `uncertainty` without a model, or if no document
            is unlabeled.
    """
    ids, texts = {d.id for d in labeled}, {d.text for d in labeled}
    candidates = [d for d in documents if d.id not in ids and d.text not in texts]
    if not candidates:
        raise InputError("every document is labeled or in the session already; add new documents")
    if strategy not in STRATEGIES:
        raise InputError(f"unknown strategy '{strategy}'; choose one of {', '.join(STRATEGIES)}")
    count = len(candidates) if count is None else min(count, len(candidates))
    if strategy == "random":
        order = np.random.default_rng(seed).permutation(len(candidates))[:count]
        return Selection(tuple(candidates[i] for i in order.tolist()), (), len(candidates))
    if model is None:
        raise InputError("strategy uncertainty needs a model; pass --model")
    entropy = np.array([values.entropy() for values in model.probabilities(candidates)])
    selected = _select_diverse(candidates, entropy, labeled, count, diversity)
    return Selection(
        tuple(candidates[i] for i in selected),
        tuple(float(entropy[i]) for i in selected),
        len(candidates),
    )


def selection_table(selection: Selection) -> DataTable:
    """Return the selected documents and their uncertainty; no rows without uncertainty."""
    rows = tuple(
        (rank, document.id, entropy, len(document.text.split()))
        for rank, (document, entropy) in enumerate(
            zip(selection.documents, selection.entropies, strict=False), start=1
        )
    )
    columns = ("rank", "document", "mean word entropy", "words")
    return DataTable("Documents to label next", columns, rows)


def _select_diverse(
    candidates: Sequence[Document],
    entropy: Floats,
    labeled: Sequence[Document],
    count: int,
    diversity: float,
) -> list[int]:
    """Return the indices of the selected candidates, in order."""
    vectors = _tf_idf([document.text for document in (*candidates, *labeled)])
    candidate_vectors, labeled_vectors = vectors[: len(candidates)], vectors[len(candidates) :]
    # Each candidate's cosine similarity to the nearest labeled or selected document.
    similarity = np.zeros(len(candidates))
    for start in range(0, labeled_vectors.shape[0], _BLOCK):
        labeled_block = labeled_vectors[start : start + _BLOCK]
        block = (candidate_vectors @ labeled_block.T).max(axis=1)
        similarity = np.maximum(similarity, block.toarray().ravel())
    uncertainty = _ranks(entropy)
    available = np.ones(len(candidates), dtype=bool)
    selected: list[int] = []
    for _ in range(count):
        score = uncertainty + diversity * _ranks(-similarity)
        score[~available] = -1
        best = int(score.argmax())
        selected.append(best)
        available[best] = False
        to_best = candidate_vectors @ candidate_vectors[best].T
        similarity = np.maximum(similarity, to_best.toarray().ravel())
    return selected


def _tf_idf(texts: Sequence[str]) -> Any:
    """Return the TF-IDF vectors of texts. *Shape:* (texts, words), sparse, rows of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(texts)


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0 to 1; equal values share their mean rank."""
    from scipy.stats import rankdata

    ranks: Floats = (rankdata(values) - 1) / max(len(values) - 1, 1)
    return ranks
