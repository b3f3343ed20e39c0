"""Counts of matching spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..corpus.document import Document, Span


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of spans under strict matching (same start, end and label).

    Attributes:
        tp: true positives: spans that both gold and predictions have.
        fp: false positives: predicted spans that gold lacks.
        fn: false negatives: gold spans without a prediction.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float | None:
        """Share of the predicted spans that are correct; None without any."""
        predicted = self.tp + self.fp
        return self.tp / predicted if predicted else None

    @property
    def recall(self) -> float | None:
        """Share of the gold spans that were predicted; None without any."""
        gold = self.tp + self.fn
        return self.tp / gold if gold else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where there is no span at all."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else None


def counts_to_json(counts: Counts) -> dict[str, float | int | None]:
    """Return precision, recall, F1 and the counts as a JSON object; undefined figures are None."""
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "true_positives": counts.tp,
        "false_positives": counts.fp,
        "false_negatives": counts.fn,
    }


def strict_counts(gold: Iterable[Span], predicted: Iterable[Span]) -> dict[str, Counts]:
    """Count, by label, the spans of one document that agree in start, end and label."""
    left, right = set(gold), set(predicted)
    tallies = (
        Counter(span.label for span in left & right),
        Counter(span.label for span in right - left),
        Counter(span.label for span in left - right),
    )
    labels = sorted({label for tally in tallies for label in tally})
    return {label: Counts(*(tally[label] for tally in tallies)) for label in labels}


def total_counts(
    pairs: Iterable[tuple[Document, Document]],
) -> tuple[Counts, dict[str, Counts]]:
    """Sum the strict counts over pairs of gold and predicted documents.

    Returns:
        The counts of all labels together, and those of each label.
    """
    labels: dict[str, Counts] = {}
    for gold, predicted in pairs:
        for label, counts in strict_counts(gold.spans, predicted.spans).items():
            labels[label] = labels.get(label, Counts()) + counts
    return sum(labels.values(), Counts()), dict(sorted(labels.items()))
