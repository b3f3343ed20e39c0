"""Learning curves: what more labelled documents would buy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...corpus.document import Document
from ...corpus.files import write_json
from ...corpus.labels import LabelSet
from ...errors import InputError
from ...evaluation.counts import total_counts
from ..backends import load_run
from ..data import TrainingData
from ..recipe import AnyRecipe, Recipe
from ..tagging import tag_documents
from ..train import train_or_resume

Floats = NDArray[np.float64]
FORECASTS = (1.25, 1.5, 2.0)
"""Sizes forecast, in multiples of the documents that there are."""
_DRAWS = 500
_MOST_REPEATS = 4


@dataclass(frozen=True)
class Point:
    """Strict F1 on the dev documents at one number of training documents.

    Attributes:
        documents: how many.
        values: F1 of each seed; empty for a forecast.
        f1: their mean, or the forecast.
        low: lower bound of its 95 % interval.
        high: upper bound.
    """

    documents: int
    values: tuple[float, ...]
    f1: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A learning curve.

    Attributes:
        points: measured, by rising number of documents.
        forecast: extrapolated.
        limit: F1 that the fitted curve approaches.
    """

    points: tuple[Point, ...]
    forecast: tuple[Point, ...]
    limit: float


def learning_curve(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    points: int = 4,
    seeds: int = 1,
    report: Callable[[int, int, float], None] = lambda documents, seed, f1: None,
) -> Curve:
    """Train on growing parts of the documents and forecast what more of them would give.

    Each part is half as large as the next; a smaller part is contained in the larger of the same
    seed. So that small parts are not cut short, a transformer goes over them more often, up to
    four times. A power law, F1 = a - b n^-c (Hestness et al. 2017), is fitted to the points.
    Intervals come from resampling the dev documents and seeds together. Dev documents choose the
    epoch too, so the whole curve lies a little high.

    Args:
        recipe: how to train.
        data: all documents.
        labels: the label set.
        output: folder for the runs, `curve.json` and `curve.png`; runs in it that fit are used.
        points: sizes to train at.
        seeds: trainings for each size.
        report: called after every training with its documents, seed and F1.

    Raises:
        InputError: if there are too few documents for so many points.
    """
    data.check()
    sizes = [len(data.train) >> step for step in range(points)][::-1]
    if points < 3 or sizes[0] < 2:
        raise InputError(
            f"{len(data.train)} training documents cannot be halved {points - 1} times; "
            "a curve needs at least three points of two documents or more"
        )
    counts = np.zeros((len(sizes), seeds, len(data.dev), 3))
    for seed in range(seeds):
        order = np.random.default_rng([recipe.seed, seed]).permutation(len(data.train))
        for place, size in enumerate(sizes):
            part = [data.train[i] for i in sorted(order[:size].tolist())]
            if not any(document.spans for document in part):
                raise InputError(f"{size} of the documents have no span; ask for fewer points")
            changes: dict[str, Any] = {"seed": recipe.seed + seed}
            if isinstance(recipe, Recipe):
                repeats = min(len(data.train) / size, _MOST_REPEATS)
                changes["epochs"] = float(math.ceil(recipe.epochs * repeats))
            run = output / "runs" / f"{size}-{changes['seed']}"
            train_or_resume(
                recipe.model_copy(update=changes),
                TrainingData(part, data.dev, data.train_files, data.dev_files),
                labels,
                run,
            )
            counts[place, seed] = _counts(run, data.dev)
            report(size, changes["seed"], float(_f1(counts[place, seed].sum(axis=0))))
    curve = fit_curve(sizes, counts, seed=recipe.seed)
    write_json(output / "curve.json", asdict(curve))
    draw_curve(curve, output / "curve.png")
    return curve


def fit_curve(sizes: Sequence[int], counts: Floats, *, seed: int = 0) -> Curve:
    """Fit a learning curve to counts and forecast beyond it.

    Args:
        sizes: numbers of training documents, rising.
        counts: gold, predicted and strictly right spans of each dev document.
            *Shape:* (sizes, seeds, dev documents, 3).
        seed: of the resampling.
    """
    ahead = [round(sizes[-1] * factor) for factor in FORECASTS]
    values = _f1(counts.sum(axis=2))
    means = values.mean(axis=1)
    limit, forecast = _extrapolate(sizes, means, ahead)
    rng = np.random.default_rng(seed)
    drawn, beyond = [], []
    for _ in range(_DRAWS):
        seeds = rng.integers(counts.shape[1], size=counts.shape[1])
        documents = rng.integers(counts.shape[2], size=counts.shape[2])
        f1 = _f1(counts[:, seeds][:, :, documents].sum(axis=2)).mean(axis=1)
        drawn.append(f1)
        beyond.append(_extrapolate(sizes, f1, ahead)[1])
    bounds = np.percentile(drawn, (2.5, 97.5), axis=0)
    bounds_ahead = np.percentile(beyond, (2.5, 97.5), axis=0)
    return Curve(
        tuple(
            Point(size, tuple(values[i].tolist()), float(means[i]), *bounds[:, i].tolist())
            for i, size in enumerate(sizes)
        ),
        tuple(
            Point(size, (), float(forecast[i]), *bounds_ahead[:, i].tolist())
            for i, size in enumerate(ahead)
        ),
        limit,
    )


def _counts(run: Path, documents: Sequence[Document]) -> Floats:
    rows = []
    for gold, predicted in zip(documents, tag_documents(load_run(run), documents), strict=True):
        total, _ = total_counts([(gold, predicted)])
        right = total.tp
        rows.append((right + total.fn, right + total.fp, right))
    return np.array(rows, dtype=np.float64)


def _f1(counts: Floats) -> Floats:
    size = counts[..., 0] + counts[..., 1]
    return np.divide(2 * counts[..., 2], size, out=np.zeros_like(size), where=size > 0)


def _extrapolate(
    sizes: Sequence[int], f1: Floats, ahead: Sequence[int]
) -> tuple[float, list[float]]:
    """Fit the power law; return its limit and its values at further sizes."""
    from scipy.optimize import least_squares

    share = np.array(sizes, dtype=np.float64) / sizes[-1]

    def law(parameters: Floats, at: Floats) -> Floats:
        limit, gap, power = parameters
        values: Floats = limit - gap * at**-power
        return values

    fitted = least_squares(
        lambda parameters: law(parameters, share) - f1,
        x0=(min(float(f1[-1]) + 0.05, 1.0), 0.1, 0.5),
        bounds=((0.0, 0.0, 0.05), (1.0 + 1e-9, 2.0, 3.0)),
    ).x
    return float(fitted[0]), law(fitted, np.array(ahead) / sizes[-1]).tolist()


def draw_curve(curve: Curve, path: Path) -> None:
    """Draw the curve, its forecast and their intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    parts = (
        (curve.points, "C0", "-", "measured"),
        ((curve.points[-1], *curve.forecast), "C1", "--", "forecast"),
    )
    for points, color, line, label in parts:
        x = [point.documents for point in points]
        axis.plot(x, [p.f1 for p in points], line, color=color, marker="o", label=label)
        axis.fill_between(
            x, [p.low for p in points], [p.high for p in points], color=color, alpha=0.15
        )
    for point in curve.points:
        axis.plot([point.documents] * len(point.values), point.values, ".", color="C0", alpha=0.6)
    axis.set(
        xlabel="labelled documents",
        ylabel="strict F1 on the dev documents",
        title="What more labelled documents buy",
    )
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    figure.savefig(path, dpi=120)
