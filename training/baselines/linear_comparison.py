"""The linear baseline beside a transformer on few documents, where it may be the better model."""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import Any

from ...ui import Progress
from ..base import TrainingJob
from ..recipe import LinearRecipe, Recipe
from ..tagger.words import find_words

MAX_WORDS = 50_000
"""Words of the training documents up to which the baseline is trained beside: in seconds."""
_EPOCHS = 5
"""Passes over the words. More change its F1 little."""


def is_comparable(job: TrainingJob) -> bool:
    """Return whether a job is of a transformer on few words."""
    words = 0
    for document in job.data.train:
        words += len(find_words(document.text))
        if words > MAX_WORDS:
            return False
    return isinstance(job.recipe, Recipe)


def score_linear(job: TrainingJob) -> dict[str, Any] | None:
    """Train `baseline-linear` on the documents of a job, and write nothing.

    Returns:
        Its strict scores on the dev documents; None if scikit-learn is not installed.
    """
    if importlib.util.find_spec("sklearn") is None:
        return None
    from .linear import LinearTrainer

    def on_progress(progress: Progress) -> None:
        named = dataclasses.replace(progress, task="Training baseline-linear", metrics={})
        job.on_progress(named)

    recipe = LinearRecipe(
        kind="linear", gazetteer=job.recipe.gazetteer, seed=job.recipe.seed, epochs=_EPOCHS
    )
    return LinearTrainer(dataclasses.replace(job, recipe=recipe, on_progress=on_progress)).score()
