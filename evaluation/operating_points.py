"""Operating points: precision and recall by confidence threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .bootstrap import Floats


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
