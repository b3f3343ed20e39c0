"""Error analysis: each error with its kind, confused labels, and the most frequent patterns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...corpus.document import Document, Span
from ..mentions import MentionIndex, surface_of
from ..span_alignment import ErrorKind, SpanPair, align_spans
from .patterns import Pattern, PatternCounter, SpanError

SHOWN_ERRORS = 2000
"""Errors kept with their text; all are counted."""
CONFIDENT = 0.9
"""Lowest confidence of a prediction that can mark the gold as a likely error."""
ERROR_KINDS = tuple(kind for kind in ErrorKind if kind is not ErrorKind.CORRECT)


@dataclass(frozen=True)
class ErrorSummary:
    """All errors of an evaluation.

    Attributes:
        counts: number of errors by kind and label. A pair of gold and prediction is one error.
        confusion: number of gold spans by gold label (None: no gold span) and label of the
            prediction that is aligned with it (None: no prediction); correct ones included.
        patterns: the patterns that explain most errors, the largest first.
        total: number of errors.
        shown: errors with their documents, in order of the documents; at most :data:`SHOWN_ERRORS`.
    """

    counts: Mapping[tuple[ErrorKind, str], int]
    confusion: Mapping[tuple[str | None, str | None], int]
    patterns: tuple[Pattern, ...]
    total: int
    shown: tuple[SpanError, ...]

    def count_kind(self, kind: ErrorKind) -> int:
        """Return the number of errors of one kind."""
        return sum(count for (other, _), count in self.counts.items() if other == kind)


class ErrorLog:
    """Collects errors document by document; memory does not grow with the documents.

    Args:
        train: mentions of the training documents, if known. They distinguish seen from
            unseen surfaces. A confident prediction is a likely gold error if its surface has the
            predicted label at least twice in them and in the document's other gold spans, and
            no other label.
    """

    def __init__(self, *, train: MentionIndex | None = None) -> None:
        self._train = train
        self._counts: Counter[tuple[ErrorKind, str]] = Counter()
        self._confusion: Counter[tuple[str | None, str | None]] = Counter()
        self._patterns = PatternCounter(train)
        self._shown: list[SpanError] = []

    def add(self, gold: Document, predicted: Document) -> None:
        """Add one document's errors."""
        for pair in align_spans(gold.spans, predicted.spans):
            kind = pair.kind
            self._confusion[_label(pair.first), _label(pair.second)] += 1
            if kind is ErrorKind.CORRECT:
                continue
            if self._is_likely_gold_error(gold, pair):
                kind = ErrorKind.LIKELY_GOLD_ERROR
            error = SpanError(gold, kind, pair.first, pair.second)
            self._counts[error.kind, error.label] += 1
            self._patterns.add(error)
            if len(self._shown) < SHOWN_ERRORS:
                self._shown.append(error)

    def summary(self) -> ErrorSummary:
        """Return the errors added so far."""
        return ErrorSummary(
            dict(self._counts),
            dict(self._confusion),
            tuple(self._patterns.patterns()),
            self._counts.total(),
            tuple(self._shown),
        )

    def _is_likely_gold_error(self, document: Document, pair: SpanPair) -> bool:
        gold, predicted = pair
        if predicted is None or predicted.score is None or predicted.score < CONFIDENT:
            return False
        surface = surface_of(document, predicted)
        labels = Counter(self._train.labels_of(surface) if self._train else {})
        labels.update(
            span.label
            for span in document.spans
            if span != gold and surface_of(document, span) == surface
        )
        return labels[predicted.label] >= 2 and labels.total() == labels[predicted.label]


def _label(span: Span | None) -> str | None:
    return None if span is None else span.label


def summary_to_json(summary: ErrorSummary) -> dict[str, Any]:
    """Return the counts, the confused labels and the patterns as a JSON object."""
    return {
        "total": summary.total,
        "kinds": {kind: summary.count_kind(kind) for kind in ERROR_KINDS},
        "by_label": [
            {"kind": kind, "label": label, "errors": count}
            for (kind, label), count in sorted(summary.counts.items())
        ],
        "confusion": [
            {"gold": gold, "predicted": predicted, "spans": count}
            for (gold, predicted), count in sorted(
                summary.confusion.items(), key=lambda item: (str(item[0][0]), str(item[0][1]))
            )
        ],
        "patterns": [
            {
                "pattern": pattern.description,
                "errors": pattern.errors,
                "newly_explained": pattern.newly,
                "examples": list(pattern.examples),
            }
            for pattern in summary.patterns
        ],
    }
