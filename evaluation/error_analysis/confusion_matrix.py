"""The confusion matrix of gold labels and predicted labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .analysis import ErrorSummary

NONE = "(none)"


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts of gold labels (rows) and predicted labels (columns).

    Attributes:
        names: the labels of rows and columns; the last one is "no span".
        cells: the number of spans, and their share of the row from 0 to 1.
            *Shape:* (names, names)
    """

    names: tuple[str, ...]
    cells: tuple[tuple[tuple[int, float], ...], ...]


def confusion_matrix(summary: ErrorSummary, labels: Sequence[str]) -> ConfusionMatrix:
    """Return the confusion matrix of an evaluation.

    Args:
        summary: the errors.
        labels: the labels, in the order of rows and columns.
    """
    names: tuple[str | None, ...] = (*labels, None)
    cells = []
    for gold in names:
        row = [summary.confusion.get((gold, predicted), 0) for predicted in names]
        total = sum(row) or 1
        cells.append(tuple((count, count / total) for count in row))
    return ConfusionMatrix(tuple(name or NONE for name in names), tuple(cells))
