"""Fitting a power law to scores by number of training documents, and plotting the curve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...evaluation.comparison.learning_curve import CurvePoint, LearningCurve
from ..tagger.arrays import Doubles

FORECASTS = (1.25, 1.5, 2.0)
"""Sizes to forecast, as multiples of the number of documents."""
_RESAMPLES = 500


def fit_learning_curve(sizes: Sequence[int], counts: Doubles, *, seed: int = 0) -> LearningCurve:
    """Fit a power law, F1 = a - b n^-c (Hestness et al. 2017), and extrapolate it.

    Intervals come from resampling dev documents and seeds together.

    Args:
        sizes: numbers of training documents, increasing.
        counts: gold, predicted and strictly correct spans of each dev document.
            *Shape:* (sizes, seeds, dev documents, 3).
        seed: of the resampling.
    """
    forecast_sizes = [round(sizes[-1] * factor) for factor in FORECASTS]
    values = strict_f1(counts.sum(axis=2))
    means = values.mean(axis=1)
    limit, forecast = _extrapolate(sizes, means, forecast_sizes)
    rng = np.random.default_rng(seed)
    resampled, resampled_forecasts = [], []
    for _ in range(_RESAMPLES):
        seeds = rng.integers(counts.shape[1], size=counts.shape[1])
        documents = rng.integers(counts.shape[2], size=counts.shape[2])
        f1 = strict_f1(counts[:, seeds][:, :, documents].sum(axis=2)).mean(axis=1)
        resampled.append(f1)
        resampled_forecasts.append(_extrapolate(sizes, f1, forecast_sizes)[1])
    bounds = np.percentile(resampled, (2.5, 97.5), axis=0)
    forecast_bounds = np.percentile(resampled_forecasts, (2.5, 97.5), axis=0)
    return LearningCurve(
        tuple(
            CurvePoint(size, tuple(values[i].tolist()), float(means[i]), *bounds[:, i].tolist())
            for i, size in enumerate(sizes)
        ),
        tuple(
            CurvePoint(size, (), float(forecast[i]), *forecast_bounds[:, i].tolist())
            for i, size in enumerate(forecast_sizes)
        ),
        limit,
    )


def strict_f1(counts: Doubles) -> Doubles:
    """Return F1 from counts of gold, predicted and correct spans, *Shape:* (..., 3) to (...)."""
    total = counts[..., 0] + counts[..., 1]
    return np.divide(2 * counts[..., 2], total, out=np.zeros_like(total), where=total > 0)


def _extrapolate(
    sizes: Sequence[int], f1: Doubles, forecast_sizes: Sequence[int]
) -> tuple[float, list[float]]:
    """Fit the power law; return its limit and its values at the forecast sizes."""
    from scipy.optimize import least_squares

    share = np.array(sizes, dtype=np.float64) / sizes[-1]

    def power_law(parameters: Doubles, at: Doubles) -> Doubles:
        limit, gap, power = parameters
        values: Doubles = limit - gap * at**-power
        return values

    parameters = least_squares(
        lambda parameters: power_law(parameters, share) - f1,
        x0=(min(float(f1[-1]) + 0.05, 1.0), 0.1, 0.5),
        bounds=((0.0, 0.0, 0.05), (1.0 + 1e-9, 2.0, 3.0)),
    ).x
    forecast = power_law(parameters, np.array(forecast_sizes) / sizes[-1])
    return float(parameters[0]), forecast.tolist()


def plot_learning_curve(curve: LearningCurve, path: Path) -> None:
    """Plot the curve, its forecast and their intervals as an image file."""
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
        xlabel="labeled documents",
        ylabel="strict F1 on the dev documents",
        title="Learning curve",
    )
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    figure.savefig(path, dpi=120)
