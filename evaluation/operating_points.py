"""Operating points: precision and recall by confidence threshold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..corpus.document import Document
from ..errors import InputError
from .bootstrap import CONFIDENCE, Floats

MIN_KEPT = 20
"""Fewest spans that a threshold in a table of operating points keeps. The precision of fewer says
little."""

THRESHOLD_STEPS = 20
"""Thresholds from 0 to 1 among which one is chosen."""
F1_TOLERANCE = 0.005
"""How far below the best F1 that of the chosen threshold may be."""
MIN_PREDICTED = 100
"""Fewest predicted spans by which a threshold is chosen. With fewer, one decides more than the
tolerance."""


@dataclass(frozen=True)
class OperatingPoint:
    """Precision and recall if only predictions with at least some confidence are kept.

    Attributes:
        threshold: the lowest confidence that is kept.
        precision: precision of the spans that are kept.
        recall: recall of the spans that are kept; None without gold spans.
        spans: number of spans that are kept.
    """

    threshold: float
    precision: float
    recall: float | None
    spans: int


def operating_points(scores: Floats, correct: Floats, gold: int) -> list[OperatingPoint]:
    """Return precision and recall at each threshold that changes them, from low to high.

    Args:
        scores: confidences. *Shape:* (spans,)
        correct: outcomes. *Shape:* (spans,)
        gold: number of gold spans.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(correct[order])
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True)[: len(ranked)])
    points = [
        OperatingPoint(
            float(ranked[i]),
            float(hits[i] / (i + 1)),
            float(hits[i] / gold) if gold else None,
            int(i + 1),
        )
        for i in last
    ]
    return points[::-1]


def recommend_threshold(
    curve: Sequence[OperatingPoint], target_precision: float
) -> OperatingPoint | None:
    """Return the point that keeps most spans with at least this precision; None if none does."""
    return next((point for point in curve if point.precision >= target_precision), None)


def choose_threshold(scores: Floats, correct: Floats, gold: int) -> float:
    """Return the highest threshold whose F1 is within :data:`F1_TOLERANCE` of the best one.

    F1 hardly changes over a wide range of thresholds, so that the best one follows chance. The
    highest of them leaves out the most false positives. In text with fewer mentions than that in
    which the threshold is chosen, false positives weigh more, and a higher threshold is better.

    Args:
        scores: confidences. *Shape:* (spans,)
        correct: outcomes. *Shape:* (spans,)
        gold: number of gold spans.

    Returns:
        The threshold; 0 for fewer than :data:`MIN_PREDICTED` spans, or if the best F1 is hardly
        above the tolerance.
    """
    if len(scores) < MIN_PREDICTED:
        return 0.0
    thresholds = np.arange(THRESHOLD_STEPS) / THRESHOLD_STEPS
    kept = scores >= thresholds[:, None]
    hits, spans = (kept * correct).sum(axis=1), kept.sum(axis=1)
    f1 = 2 * hits / np.maximum(spans + gold, 1)
    if f1.max() < 2 * F1_TOLERANCE:
        return 0.0
    return float(thresholds[f1 >= f1.max() - F1_TOLERANCE].max())


def operating_point_at(
    scores: Floats, correct: Floats, gold: int, threshold: float
) -> OperatingPoint | None:
    """Return precision and recall at a threshold; None if it keeps no span."""
    kept = scores >= threshold
    if not kept.any():
        return None
    hits = float(correct[kept].sum())
    spans = int(kept.sum())
    return OperatingPoint(threshold, hits / spans, hits / gold if gold else None, spans)


def tabulate_operating_points(
    pairs: Iterable[tuple[Document, Document]], labels: Sequence[str]
) -> dict[str, Any]:
    """Return the thresholds by which a system reaches target precisions, as a JSON object.

    The form is that of :mod:`orbat.training.tagger.thresholds`. A threshold is listed only if all
    lower ones have a lower precision, so the first one with a target precision keeps most spans.
    Each keeps at least :data:`MIN_KEPT` spans. The intervals are Wilson's (1927), over spans.

    Args:
        pairs: gold and predicted documents. Use others than those that are scored afterwards.
        labels: the label set.

    Raises:
        InputError: if a predicted span has no confidence.
    """
    scores: dict[str | None, list[float]] = {label: [] for label in (None, *labels)}
    correct: dict[str | None, list[bool]] = {label: [] for label in (None, *labels)}
    gold_counts: dict[str | None, int] = dict.fromkeys((None, *labels), 0)
    documents = 0
    for gold, predicted in pairs:
        documents += 1
        gold_spans = set(gold.spans)
        for span in gold_spans:
            for key in {None, span.label} & gold_counts.keys():
                gold_counts[key] += 1
        for span in predicted.spans:
            if span.score is None:
                raise InputError("the system gives no confidences, so it has no thresholds")
            for key in (None, span.label):
                scores[key].append(span.score)
                correct[key].append(span in gold_spans)

    def tabulate(key: str | None) -> dict[str, Any]:
        points = _rising_precision(
            operating_points(
                np.asarray(scores[key], dtype=np.float64),
                np.asarray(correct[key], dtype=np.float64),
                gold_counts[key],
            )
        )
        return {
            "gold": gold_counts[key],
            "predicted": len(scores[key]),
            "points": [_point_to_json(point) for point in points],
        }

    return {
        "documents": documents,
        "all": tabulate(None),
        "labels": {label: tabulate(label) for label in labels},
    }


def _rising_precision(curve: Iterable[OperatingPoint]) -> list[OperatingPoint]:
    """Return the points whose precision is higher than that of every lower threshold."""
    rising: list[OperatingPoint] = []
    for point in curve:
        if point.spans >= MIN_KEPT and (not rising or point.precision > rising[-1].precision):
            rising.append(point)
    return rising


def _point_to_json(point: OperatingPoint) -> dict[str, Any]:
    low, high = wilson_interval(point.precision, point.spans)
    return {
        "threshold": point.threshold,
        "precision": point.precision,
        "low": low,
        "high": high,
        "recall": point.recall,
        "kept": point.spans,
    }


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Return the score interval of a binomial proportion (Wilson 1927).

    Unlike the bootstrap, it has a width where every outcome is the same.

    Args:
        share: the observed proportion.
        count: number of outcomes.
    """
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    center = share + z * z / (2 * count)
    margin = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    scale = 1 + z * z / count
    return max(0.0, (center - margin) / scale), min(1.0, (center + margin) / scale)
