"""Predictions for documents by models that have not seen them, in folds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...annotation.word_probabilities import WordProbabilities
from ...corpus.document import Document
from ...corpus.labels import LabelSet
from ...corpus.splitting import find_clusters
from ...errors import InputError
from ..backends import load_run
from ..base import TextTagger
from ..data import TrainingData
from ..recipe import AnyRecipe
from ..tagging import tag_documents
from ..train import train_or_resume

DEV_SHARE = 8
"""Of the documents that a fold trains on every eighth chooses the epoch."""


def out_of_fold_predictions(
    recipe: AnyRecipe,
    documents: Sequence[Document],
    labels: LabelSet,
    folder: Path,
    *,
    folds: int = 5,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[tuple[Document, WordProbabilities]]:
    """Predict every document by a model that was neither trained nor chosen on it.

    Near duplicates and documents with shared passages are in one fold. Killed and called again,
    it goes on.

    Args:
        recipe: how to train.
        documents: with gold spans.
        labels: the label set.
        folder: for the runs, one a fold.
        folds: how many.
        report: called with the folds done and all.

    Returns:
        For each document, in order, itself with the predicted spans, and what the model thinks of
        its words.

    Raises:
        InputError: if there are too few documents, or the recipe's kind gives no probabilities.
    """
    parts = cut_folds(documents, folds, recipe.seed)
    result: dict[int, tuple[Document, WordProbabilities]] = {}
    for fold, part in enumerate(parts):
        rest = [documents[place] for other in parts if other is not part for place in other]
        dev = rest[::DEV_SHARE]
        train = [document for place, document in enumerate(rest) if place % DEV_SHARE]
        run = Path(folder) / f"fold-{fold + 1}"
        train_or_resume(recipe, TrainingData(train, dev), labels, run)
        own = [documents[place] for place in part]
        tagger = load_run(run)
        chances = read_probabilities(tagger, (document.text for document in own), str(run))
        pairs = zip(tag_documents(tagger, own), chances, strict=True)
        result.update(zip(part, pairs, strict=True))
        report(fold + 1, folds)
    return [result[place] for place in range(len(documents))]


def cut_folds(documents: Sequence[Document], folds: int, seed: int = 0) -> list[list[int]]:
    """Deal documents out to folds of like size, clusters of near duplicates whole.

    Returns:
        The places of each fold's documents, in rising order.

    Raises:
        InputError: if there are fewer clusters than folds, or fewer than two folds.
    """
    words = sum(len(document.text.split()) for document in documents)
    clusters: dict[int, list[int]] = {}
    for place, root in enumerate(find_clusters(documents, words)):
        clusters.setdefault(root, []).append(place)
    if folds < 2 or len(clusters) < folds:
        raise InputError(
            f"{len(documents)} documents in {len(clusters)} clusters cannot be cut into {folds} "
            "folds; give more documents or ask for fewer folds, two at least"
        )
    order = np.random.default_rng(seed).permutation(len(clusters))
    groups = list(clusters.values())
    parts: list[list[int]] = [[] for _ in range(folds)]
    for group in sorted((groups[i] for i in order.tolist()), key=len, reverse=True):
        min(parts, key=len).extend(group)
    return [sorted(part) for part in parts]


def read_probabilities(
    tagger: TextTagger, texts: Iterable[str], name: str
) -> Iterator[WordProbabilities]:
    """Ask a tagger what it thinks of each word.

    Raises:
        InputError: if it is of a kind that cannot tell.
    """
    read = getattr(tagger, "probabilities", None)
    if read is None:
        raise InputError(
            f"{name}: gives no probabilities of words; train a transformer or baseline-linear"
        )
    for words, values in read(texts):
        yield WordProbabilities(words, tagger.labels, values)
