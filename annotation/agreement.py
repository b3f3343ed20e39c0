"""How far two readings of the same documents agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.matching import Counts, total_counts
from corpus.document import Document

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Agreement:
    """Agreement between two readings.

    Attributes:
        documents: number of documents compared.
        micro: strict span counts of all labels together; their F1 is symmetric.
        labels: the same for each label.
        kappa: Cohen's kappa (1960) over tokens, each with the label that covers it or none;
            None without texts, or where either reading uses one class only.
        differing: ids of the documents in which the readings differ.
    """

    documents: int
    micro: Counts
    labels: dict[str, Counts]
    kappa: float | None
    differing: tuple[str, ...]


def measure_agreement(pairs: Sequence[tuple[Document, Document]]) -> Agreement:
    """Compare two readings of the same documents, paired."""
    micro, labels = total_counts(pairs)
    differing = tuple(a.id for a, b in pairs if set(a.spans) != set(b.spans))
    return Agreement(len(pairs), micro, labels, _kappa(pairs), differing)


def _kappa(pairs: Sequence[tuple[Document, Document]]) -> float | None:
    if not all(a.text or b.text for a, b in pairs):
        return None
    from sklearn.metrics import cohen_kappa_score

    first: list[str] = []
    second: list[str] = []
    for a, b in pairs:
        starts = [match.start() for match in _TOKEN.finditer(a.text or b.text)]
        for document, into in ((a, first), (b, second)):
            label_at = {
                position: span.label
                for span in document.spans
                for position in range(span.start, span.end)
            }
            into += [label_at.get(start, "") for start in starts]
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(cohen_kappa_score(first, second))
