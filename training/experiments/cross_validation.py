"""Cross-validation: out-of-fold predictions for every document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...annotation.word_probabilities import WordProbabilities
from ...corpus.deduplication.clusters import find_clusters
from ...corpus.document import Document
from ...corpus.labels import LabelSet
from ...errors import InputError
from ...ui import OnProgress, Progress, ignore_progress
from ..backends import load_run
from ..data import TrainingData
from ..recipe import AnyRecipe, Recipe
from ..tagging import predict_probabilities, tag_documents
from ..train import train_or_resume

DEV_STEP = 8
"""Every eighth document of the other folds selects the best epoch instead of being trained on."""


def out_of_fold_predictions(
    recipe: AnyRecipe,
    documents: Sequence[Document],
    labels: LabelSet,
    folder: Path,
    *,
    folds: int = 5,
    on_progress: OnProgress = ignore_progress,
) -> list[tuple[Document, WordProbabilities]]:
    """Predict every document with a model that was neither trained nor selected on it.

    The models predict all mentions, without the recipe's `threshold`, as each would choose another.
    Near duplicates and documents with shared n-grams are in the same fold. A second call uses the
    finished runs in the folder and resumes an unfinished one.

    Args:
        recipe: how to train.
        documents: documents with gold spans.
        labels: the label set.
        folder: folder for the runs, one for each fold.
        folds: number of folds, at least two.
        on_progress: called after each fold.

    Returns:
        For each document, in order: the document with the predicted spans, and the predicted
        probabilities of its words.

    Raises:
        InputError: if there are too few documents, or a fold cannot be trained on.
        DivergedError: if a training diverges.
        ModelError: if models of the recipe's kind give no probabilities.
    """
    if isinstance(recipe, Recipe):
        recipe = recipe.model_copy(update={"threshold": 0.0})
    parts = split_folds(documents, folds, recipe.seed)
    predictions: dict[int, tuple[Document, WordProbabilities]] = {}
    for fold, part in enumerate(parts):
        rest = [documents[index] for other in parts if other is not part for index in other]
        dev = rest[::DEV_STEP]
        train = [document for index, document in enumerate(rest) if index % DEV_STEP]
        run = Path(folder) / f"fold-{fold + 1}"
        train_or_resume(recipe, TrainingData(train, dev), labels, run)
        held_out = [documents[index] for index in part]
        tagger = load_run(run)
        texts = (document.text for document in held_out)
        probabilities = predict_probabilities(tagger, texts, str(run))
        pairs = zip(tag_documents(tagger, held_out), probabilities, strict=True)
        predictions.update(zip(part, pairs, strict=True))
        on_progress(Progress("Training folds", fold + 1, folds))
    return [predictions[index] for index in range(len(documents))]


def split_folds(documents: Sequence[Document], folds: int, seed: int = 0) -> list[list[int]]:
    """Split documents into folds of similar size without splitting clusters of near duplicates.

    Returns:
        The indices of each fold's documents, increasing.

    Raises:
        InputError: if there are fewer clusters than folds, or fewer than two folds.
    """
    words = sum(len(document.text.split()) for document in documents)
    clusters: dict[int, list[int]] = {}
    for index, root in enumerate(find_clusters(documents, words)):
        clusters.setdefault(root, []).append(index)
    if folds < 2 or len(clusters) < folds:
        raise InputError(
            f"{len(documents)} documents in {len(clusters)} clusters cannot be split into {folds} "
            "folds; give more documents or ask for fewer folds, at least two"
        )
    order = np.random.default_rng(seed).permutation(len(clusters))
    groups = list(clusters.values())
    parts: list[list[int]] = [[] for _ in range(folds)]
    for group in sorted((groups[i] for i in order.tolist()), key=len, reverse=True):
        min(parts, key=len).extend(group)
    return [sorted(part) for part in parts]
