"""Span scores under four schemes, with bootstrap intervals."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..corpus.document import Document, Span
from .bootstrap import RESAMPLES, Floats, bootstrap, f1_scores

SCHEMES = ("strict", "exact", "partial", "type")
"""What earns a predicted span credit, as nervaluate and SemEval-2013 task 9 define it.

strict: a gold span of the same start, end and label. exact: of the same start and end.
partial: half for an overlap, whole for the same start and end. type: an overlap and the label.
"""
COLUMNS = ("gold", "predicted", *SCHEMES)


@dataclass(frozen=True)
class Score:
    """One label's scores under one scheme, or those of all labels together.

    Attributes:
        gold: gold spans.
        predicted: predicted spans.
        credit: what the predicted spans earned; under `strict` the true positives.
        low: lower bound of the interval of F1; None where fewer than two documents have a span.
        high: upper bound.
    """

    gold: int
    predicted: int
    credit: float
    low: float | None = None
    high: float | None = None

    @property
    def precision(self) -> float | None:
        """Credit for each predicted span; None without any."""
        return self.credit / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Credit for each gold span; None without any."""
        return self.credit / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where there is no span at all."""
        total = self.gold + self.predicted
        return 2 * self.credit / total if total else None


@dataclass(frozen=True)
class Macro:
    """Means over the labels that have a gold or a predicted span; None where none has."""

    precision: float | None
    recall: float | None
    f1: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SchemeScores:
    """Scores under one scheme.

    Attributes:
        micro: all labels together.
        macro: the labels' mean.
        labels: each label of the label set, and any other that occurs.
    """

    micro: Score
    macro: Macro
    labels: Mapping[str, Score]


@dataclass(frozen=True)
class Evaluation:
    """Scores of predictions against gold.

    Attributes:
        documents: number of documents.
        tokens: their words, as white space divides them.
        schemes: scores by scheme; see :data:`SCHEMES`.
    """

    documents: int
    tokens: int
    schemes: Mapping[str, SchemeScores]

    @property
    def strict(self) -> SchemeScores:
        """The scores that decide."""
        return self.schemes["strict"]


def credits(gold: Iterable[Span], predicted: Iterable[Span]) -> tuple[float, ...]:
    """Count one document's gold spans, predicted spans, and the credit under each scheme.

    Spans of one side must not overlap each other. Predicted spans take gold spans greedily from
    left to right, each at most one, as in nervaluate. One difference: nervaluate asks a partial
    overlap to cover 1 % of the gold span, here one character is enough.

    Returns:
        DataTable in the order of :data:`COLUMNS`.
    """
    left, right = set(gold), set(predicted)
    shared = len(left & right)
    exact, partial, typed = _credits_of_unequal(sorted(left - right), sorted(right - left))
    return (len(left), len(right), shared, shared + exact, shared + partial, shared + typed)


def _credits_of_unequal(gold: Sequence[Span], predicted: Sequence[Span]) -> tuple[int, float, int]:
    exact, partial, typed = 0, 0.0, 0
    for_place, for_type = list(gold), list(gold)
    for span in predicted:
        near = [g for g in for_place if g.start < span.end and span.start < g.end]
        if near:
            # A span of the same place overlaps no other, so it is the only one near.
            same = (near[0].start, near[0].end) == (span.start, span.end)
            for_place.remove(near[0])
            exact += same
            partial += 1.0 if same else 0.5
        near = [g for g in for_type if g.start < span.end and span.start < g.end]
        named = [g for g in near if g.label == span.label]
        if named:
            best = min(named, key=lambda g: abs(g.start - span.start) + abs(g.end - span.end))
            for_type.remove(best)
            typed += 1
        elif near:
            for_type.remove(near[0])
    return exact, partial, typed


class ScoreTable:
    """Each document's counts, gathered one document at a time; memory holds no text.

    A label's counts are those of the document's spans of this label alone, so an exact credit by
    label needs the label too; over all labels together it does not.
    """

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._names: dict[str | None, int] = {None: 0}
        self._names.update({label: place for place, label in enumerate(labels, 1)})
        self._given = len(self._names)
        self._places = array("q")
        self._values = array("d")
        self.documents = 0
        self.tokens = 0

    def add(self, gold: Document, predicted: Document) -> None:
        """Count one document."""
        self.tokens += len(gold.text.split())
        sides: dict[str, tuple[list[Span], list[Span]]] = defaultdict(lambda: ([], []))
        for side, document in enumerate((gold, predicted)):
            for span in document.spans:
                sides[span.label][side].append(span)
        if sides:
            self._put(None, credits(gold.spans, predicted.spans))
        for label, (left, right) in sides.items():
            self._put(label, credits(left, right))
        self.documents += 1

    def _put(self, label: str | None, row: tuple[float, ...]) -> None:
        self._places.extend((self.documents, self._names.setdefault(label, len(self._names))))
        self._values.extend(row)

    @property
    def labels(self) -> list[str]:
        """The label set's labels in its order, then all others that occurred, by name."""
        names = [name for name in self._names if name is not None]
        return names[: self._given - 1] + sorted(names[self._given - 1 :])

    def counts(self, labels: Sequence[str] | None = None) -> Floats:
        """Return the counts of all labels together and then of each.

        Args:
            labels: which, in which order; None takes :attr:`labels`.

        Returns:
            *Shape:* (documents, 1 + labels, columns)
        """
        wanted = self.labels if labels is None else labels
        table = np.zeros((self.documents, max(self._names.values()) + 1, len(COLUMNS)))
        places = np.asarray(self._places).reshape(-1, 2)
        values = np.asarray(self._values).reshape(-1, len(COLUMNS))
        table[places[:, 0], places[:, 1]] = values
        order = [0, *(self._names.get(label, -1) for label in wanted)]
        picked: Floats = table[:, order]
        picked[:, [place < 0 for place in order]] = 0
        return picked

    def evaluate(self, *, resamples: int = RESAMPLES, seed: int = 0) -> Evaluation:
        """Return all scores with percentile bootstrap intervals of F1.

        Documents are drawn, not spans: spans of one article are not independent.
        """
        labels = self.labels
        table = self.counts(labels)
        shape = table.shape[1:]

        def statistic(totals: Floats) -> Floats:
            split = totals.reshape(-1, *shape)
            f1 = np.stack([_f1(split, place) for place in range(2, len(COLUMNS))], axis=2)
            return np.concatenate([f1, _mean(f1[:, 1:])[:, None]], axis=1).reshape(len(f1), -1)

        flat = table.reshape(len(table), int(np.prod(shape)))
        intervals = bootstrap(flat, statistic, resamples=resamples, seed=seed)
        totals = table.sum(axis=0)
        holders = (table[:, :, :2].sum(axis=2) > 0).sum(axis=0)
        schemes = {}
        for place, scheme in enumerate(SCHEMES):
            own = intervals[place :: len(SCHEMES)]
            scores = [
                Score(
                    int(row[0]),
                    int(row[1]),
                    _whole(row[2 + place]),
                    *(bounds if documents > 1 else (None, None)),
                )
                for row, documents, bounds in zip(totals, holders, own[:-1], strict=True)
            ]
            schemes[scheme] = SchemeScores(
                scores[0],
                _macro(scores[1:], *own[-1]),
                dict(zip(labels, scores[1:], strict=True)),
            )
        return Evaluation(self.documents, self.tokens, schemes)


def _f1(table: Floats, credit: int) -> Floats:
    return f1_scores(table[..., 0], table[..., 1], table[..., credit])


def _mean(f1: Floats) -> Floats:
    """Mean over labels, undefined ones left out. *Shape:* (n, labels, schemes)."""
    defined = ~np.isnan(f1)
    number = defined.sum(axis=1)
    total = np.where(defined, f1, 0).sum(axis=1)
    mean: Floats = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return mean


def _macro(scores: Sequence[Score], low: float | None, high: float | None) -> Macro:
    def mean(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    return Macro(
        mean(s.precision for s in scores),
        mean(s.recall for s in scores),
        mean(s.f1 for s in scores),
        low,
        high,
    )


def _whole(value: float) -> float:
    return int(value) if value == int(value) else float(value)


def evaluate(
    pairs: Iterable[tuple[Document, Document]],
    labels: Iterable[str] = (),
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Score predictions against gold.

    nervaluate gives the same figures; see :func:`credits` for the one difference. seqeval's strict
    mode gives the same strict ones for spans that begin and end with words: it knows no others.

    Args:
        pairs: gold and predicted document, paired by id.
        labels: the label set, so that labels without any span are listed too.
        resamples: number of bootstrap resamples.
        seed: of the resampling.
    """
    table = ScoreTable(labels)
    for gold, predicted in pairs:
        table.add(gold, predicted)
    return table.evaluate(resamples=resamples, seed=seed)


def score_to_json(score: Score) -> dict[str, float | int | None]:
    """Return one score; undefined figures are None."""
    return {
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        "low": score.low,
        "high": score.high,
        "gold": score.gold,
        "predicted": score.predicted,
        "credit": score.credit,
    }


def evaluation_to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as a JSON object: counts, then each scheme's scores."""
    schemes = {
        scheme: {
            "micro": score_to_json(scores.micro),
            "macro": vars(scores.macro),
            "labels": {name: score_to_json(score) for name, score in scores.labels.items()},
        }
        for scheme, scores in evaluation.schemes.items()
    }
    return {"documents": evaluation.documents, "tokens": evaluation.tokens, **schemes}
