"""Learning curves: training on growing parts of the documents."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...corpus.document import Document
from ...corpus.files import write_json
from ...corpus.labels import LabelSet
from ...corpus.output.locks import lock_folder
from ...errors import InputError
from ...evaluation.comparison.learning_curve import CURVE_FILE, LearningCurve
from ...evaluation.counts import total_counts
from ..backends import load_run
from ..data import TrainingData
from ..recipe import AnyRecipe, Recipe
from ..tagger.arrays import Doubles
from ..tagging import tag_documents
from ..train import train_or_resume
from .curve_fitting import fit_learning_curve, plot_learning_curve, strict_f1

_MAX_REPEATS = 4


def learning_curve(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    points: int = 4,
    seeds: int = 1,
    on_run: Callable[[int, int, float], None] = lambda documents, seed, f1: None,
) -> LearningCurve:
    """Train on growing parts of the documents and forecast the gain from more documents.

    Each part is half as large as the next. For each seed, a smaller part is contained in the
    larger ones. A transformer is trained for up to four times as many epochs on small parts, so
    that it is not undertrained, unless its dev scores decide their number. The dev documents also
    select the epoch, so the whole curve is slightly too high. A second call uses the finished runs
    in the folder and resumes an unfinished one.

    Args:
        recipe: how to train.
        data: all documents.
        labels: the label set.
        output: folder for the runs, `curve.json` and `curve.png`.
        points: number of sizes to train at.
        seeds: trainings at each size.
        on_run: called after each training with its number of documents, seed and F1.

    Raises:
        InputError: if there are too few documents for this number of points, the recipe or the
            folder cannot be used, or another process writes the folder.
        DivergedError: if a training diverges.
        ModelError: if a teacher cannot be used.
    """
    data.check()
    sizes = _part_sizes(len(data.train), points)
    counts = np.zeros((len(sizes), seeds, len(data.dev), 3))
    with lock_folder(output):
        for seed in range(seeds):
            order = np.random.default_rng([recipe.seed, seed]).permutation(len(data.train))
            for index, size in enumerate(sizes):
                part = [data.train[i] for i in sorted(order[:size].tolist())]
                if not any(document.spans for document in part):
                    raise InputError(f"{size} of the documents have no span; ask for fewer points")
                part_recipe = _part_recipe(recipe, seed, size, len(data.train))
                run = output / "runs" / f"{size}-{part_recipe.seed}"
                train_or_resume(part_recipe, dataclasses.replace(data, train=part), labels, run)
                counts[index, seed] = _count_spans(run, data.dev)
                on_run(size, part_recipe.seed, float(strict_f1(counts[index, seed].sum(axis=0))))
        curve = fit_learning_curve(sizes, counts, seed=recipe.seed)
        write_json(output / CURVE_FILE, dataclasses.asdict(curve))
        plot_learning_curve(curve, output / "curve.png")
    return curve


def _part_sizes(documents: int, points: int) -> list[int]:
    """Return the numbers of documents of the parts, increasing.

    Raises:
        InputError: if there are too few documents.
    """
    sizes = [documents >> step for step in range(points)][::-1]
    if points < 3 or sizes[0] < 2:
        raise InputError(
            f"{documents} training documents cannot be halved {points - 1} times; "
            "a curve needs at least three points of two documents or more"
        )
    return sizes


def _part_recipe(recipe: AnyRecipe, seed: int, size: int, documents: int) -> AnyRecipe:
    """Return the recipe for a part: with its own seed, and more epochs for a transformer."""
    changes: dict[str, Any] = {"seed": recipe.seed + seed}
    if isinstance(recipe, Recipe) and recipe.epochs != "auto":
        repeats = min(documents / size, _MAX_REPEATS)
        changes["epochs"] = float(math.ceil(recipe.epochs * repeats))
    return recipe.model_copy(update=changes)


def _count_spans(run: Path, documents: Sequence[Document]) -> Doubles:
    """Count gold, predicted and correct spans of each document, *Shape:* (documents, 3)."""
    rows = []
    for gold, predicted in zip(documents, tag_documents(load_run(run), documents), strict=True):
        total, _ = total_counts([(gold, predicted)])
        rows.append((total.tp + total.fn, total.tp + total.fp, total.tp))
    return np.array(rows, dtype=np.float64)
