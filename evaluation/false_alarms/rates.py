"""False alarms per 1,000 words, perfect documents, and documents without entities."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...corpus.document import Document
from ..bootstrap import RESAMPLES, Floats, bootstrap
from ..counts import strict_counts

_MANY_WITHOUT = 0.9
"""A larger share of documents without spans is named."""


@dataclass(frozen=True)
class FalseAlarmRate:
    """The number of false alarms in some words, of one label or of all labels together.

    Attributes:
        spans: number of false alarms.
        words: number of words in the texts.
        low: lower bound of the interval of the rate; None for fewer than
            :data:`..bootstrap.MIN_DOCUMENTS` documents, or without any false alarm.
        high: upper bound.
    """

    spans: int
    words: int
    low: float | None = None
    high: float | None = None

    @property
    def per_1000_words(self) -> float | None:
        """False alarms per 1,000 words; None if there is no word."""
        return 1000 * self.spans / self.words if self.words else None


@dataclass(frozen=True)
class DocumentsWithoutEntities:
    """The documents in which gold has no span.

    No prediction can be right in them, so that their precision as a ratio of spans is 0 or
    undefined. The share of them that is left without a prediction takes its place.

    Attributes:
        documents: their number.
        unmarked: number of them without a prediction.
        rate: false alarms in them.
    """

    documents: int
    unmarked: int
    rate: FalseAlarmRate

    @property
    def precision(self) -> float | None:
        """Share of the documents without a prediction; None if there is no document."""
        return self.unmarked / self.documents if self.documents else None


def describe_few_annotated(without: int, documents: int, kind: str) -> list[str]:
    """Return a line if more than nine of ten documents have no span, which may be no annotation.

    Many corpora of sentences have no span in half of them; articles that were not annotated look
    the same.

    Args:
        without: the number of documents without spans.
        documents: the number of all documents.
        kind: what they are, such as `gold`.
    """
    if not without < documents < without / _MANY_WITHOUT:
        return []
    return [
        f"{without:,} of the {documents:,} {kind} documents have no span; leave out those that are "
        "not annotated"
    ]


@dataclass(frozen=True)
class FalseAlarms:
    """False alarms: predicted spans that gold lacks under strict matching.

    A prediction with wrong boundaries or a wrong label is a false alarm, too.

    Attributes:
        documents: number of documents.
        perfect: number of documents in which the predictions equal gold, those without any span
            in either included.
        micro: all labels together.
        labels: each label of the label set, and each other label that has a false alarm.
        without_entities: the documents without a gold span.
    """

    documents: int
    perfect: int
    micro: FalseAlarmRate
    labels: Mapping[str, FalseAlarmRate]
    without_entities: DocumentsWithoutEntities

    @property
    def perfect_share(self) -> float | None:
        """Share of perfect documents; None if there is no document."""
        return self.perfect / self.documents if self.documents else None


class FalseAlarmTable:
    """Counts false alarms, document by document; texts are not kept in memory.

    Args:
        labels: the label set.
    """

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._labels = list(labels)
        self._words = array("q")
        self._alarms: list[dict[str, int]] = []
        self._has_entities: list[bool] = []
        self._perfect = 0

    def add(self, gold: Document, predicted: Document) -> None:
        """Add one document."""
        counts = strict_counts(gold.spans, predicted.spans)
        self._words.append(len(gold.text.split()))
        self._alarms.append({label: count.fp for label, count in counts.items() if count.fp})
        self._has_entities.append(bool(gold.spans))
        self._perfect += all(count.fp == count.fn == 0 for count in counts.values())

    def false_alarms(self, *, resamples: int = RESAMPLES, seed: int = 0) -> FalseAlarms:
        """Return the counts, with percentile bootstrap intervals of the rates over documents.

        Args:
            resamples: number of bootstrap resamples.
            seed: random seed of the resampling.
        """
        marked = {label for alarms in self._alarms for label in alarms}
        labels = [*self._labels, *sorted(marked.difference(self._labels))]
        table = np.zeros((len(self._alarms), 2 + len(labels)))
        table[:, 0] = self._words
        for row, alarms in zip(table, self._alarms, strict=True):
            row[1] = sum(alarms.values())
            row[2:] = [alarms.get(label, 0) for label in labels]
        micro, *by_label = _rates(table, resamples, seed)
        empty = table[~np.array(self._has_entities, dtype=bool)]
        return FalseAlarms(
            len(table),
            self._perfect,
            micro,
            dict(zip(labels, by_label, strict=True)),
            DocumentsWithoutEntities(
                len(empty), int((empty[:, 1] == 0).sum()), _rates(empty[:, :2], resamples, seed)[0]
            ),
        )


def _rates(table: Floats, resamples: int, seed: int) -> list[FalseAlarmRate]:
    """Return the rates of the columns after the first.

    Args:
        table: words and false alarms. *Shape:* (documents, 1 + rates)
    """

    def per_1000_words(totals: Floats) -> Floats:
        words = totals[:, :1]
        return np.divide(
            1000 * totals[:, 1:],
            words,
            out=np.full((len(totals), totals.shape[1] - 1), np.nan),
            where=words > 0,
        )

    words, *alarms = map(int, table.sum(axis=0))
    # A bootstrap of zeros gives the interval 0 to 0, which would be too good to be true.
    holders = [len(table) if count else 0 for count in alarms]
    intervals = bootstrap(table, per_1000_words, holders=holders, resamples=resamples, seed=seed)
    return [
        FalseAlarmRate(count, words, *interval)
        for count, interval in zip(alarms, intervals, strict=True)
    ]


def false_alarms_to_json(alarms: FalseAlarms) -> dict[str, Any]:
    """Return false alarms as a JSON object; undefined figures are None."""
    empty = alarms.without_entities
    return {
        "documents": alarms.documents,
        "perfect_documents": alarms.perfect,
        "perfect_share": alarms.perfect_share,
        "micro": _rate_to_json(alarms.micro),
        "labels": {label: _rate_to_json(rate) for label, rate in alarms.labels.items()},
        "without_entities": {
            "documents": empty.documents,
            "unmarked": empty.unmarked,
            "precision": empty.precision,
            **_rate_to_json(empty.rate),
        },
    }


def _rate_to_json(rate: FalseAlarmRate) -> dict[str, Any]:
    return {
        "spans": rate.spans,
        "words": rate.words,
        "per_1000_words": rate.per_1000_words,
        "low": rate.low,
        "high": rate.high,
    }
