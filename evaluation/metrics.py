"""Precision, recall and F1 of spans under four schemes, with bootstrap intervals."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..corpus.document import Document, Span
from .bootstrap import RESAMPLES, Floats, bootstrap, f1_scores
from .credit import COLUMNS, SCORING_SCHEMES, credits_of
from .document_pairs import pair_documents

ALL_LABELS = "all labels"
"""Name of all labels together in tables and reports."""


@dataclass(frozen=True)
class Score:
    """Scores of one label, or of all labels together, under one scheme.

    Attributes:
        gold: number of gold spans.
        predicted: number of predicted spans.
        credit: credit of the predicted spans; under `strict`, the true positives.
        low: lower bound of the interval of F1; None if fewer than
            :data:`.bootstrap.MIN_DOCUMENTS` documents have a gold or predicted span.
        high: upper bound.
    """

    gold: int
    predicted: int
    credit: float
    low: float | None = None
    high: float | None = None

    @property
    def precision(self) -> float | None:
        """Credit divided by predicted spans; None without any."""
        return self.credit / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Credit divided by gold spans; None without any."""
        return self.credit / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None if there is no span at all."""
        total = self.gold + self.predicted
        return 2 * self.credit / total if total else None


@dataclass(frozen=True)
class Macro:
    """Means over the labels that have a gold or predicted span; None if no label has one."""

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
        macro: the mean of the labels.
        labels: each label of the label set, and each other label that occurs.
    """

    micro: Score
    macro: Macro
    labels: Mapping[str, Score]


@dataclass(frozen=True)
class Evaluation:
    """Scores of predictions against gold.

    Attributes:
        documents: number of documents.
        tokens: number of words, separated by white space.
        schemes: scores by scheme; see :data:`.credit.SCORING_SCHEMES`.
    """

    documents: int
    tokens: int
    schemes: Mapping[str, SchemeScores]

    @property
    def strict(self) -> SchemeScores:
        """The scores under the strict scheme, the main result."""
        return self.schemes["strict"]


class ScoreTable:
    """Collects the counts of documents; texts are not kept in memory.

    The counts of a label are those of the spans with this label. Under the exact scheme, a
    prediction with another label therefore earns credit over all labels together, but not for a
    single label.

    Args:
        labels: the label set.
    """

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._names: dict[str | None, int] = {None: 0}
        self._names.update({label: index for index, label in enumerate(labels, 1)})
        self._known = len(self._names)
        self._rows = array("q")
        self._values = array("d")
        self.documents = 0
        self.tokens = 0

    def add(self, gold: Document, predicted: Document) -> None:
        """Add one document."""
        self.tokens += len(gold.text.split())
        sides: dict[str, tuple[list[Span], list[Span]]] = defaultdict(lambda: ([], []))
        for side, document in enumerate((gold, predicted)):
            for span in document.spans:
                sides[span.label][side].append(span)
        if sides:
            self._append(None, credits_of(gold.spans, predicted.spans))
        for label, (left, right) in sides.items():
            self._append(label, credits_of(left, right))
        self.documents += 1

    def _append(self, label: str | None, counts: tuple[float, ...]) -> None:
        self._rows.extend((self.documents, self._names.setdefault(label, len(self._names))))
        self._values.extend(counts)

    @property
    def labels(self) -> list[str]:
        """The labels of the label set in its order, then all others that occurred, by name."""
        names = [name for name in self._names if name is not None]
        return names[: self._known - 1] + sorted(names[self._known - 1 :])

    def counts(self, labels: Sequence[str] | None = None) -> Floats:
        """Return the counts of all labels together, and of each label.

        Args:
            labels: the labels, in the order of the result; None takes :attr:`labels`.

        Returns:
            *Shape:* (documents, 1 + labels, columns)
        """
        names = self.labels if labels is None else labels
        table = np.zeros((self.documents, max(self._names.values()) + 1, len(COLUMNS)))
        rows = np.asarray(self._rows).reshape(-1, 2)
        values = np.asarray(self._values).reshape(-1, len(COLUMNS))
        table[rows[:, 0], rows[:, 1]] = values
        order = [0, *(self._names.get(label, -1) for label in names)]
        counts: Floats = table[:, order]
        counts[:, [column < 0 for column in order]] = 0
        return counts

    def evaluate(self, *, resamples: int = RESAMPLES, seed: int = 0) -> Evaluation:
        """Return all scores, with percentile bootstrap intervals of F1.

        Documents are resampled, not spans, because the spans of an article are not independent.
        A label that fewer than :data:`.bootstrap.MIN_DOCUMENTS` documents have has no interval.

        Args:
            resamples: number of bootstrap resamples.
            seed: random seed of the resampling.
        """
        labels = self.labels
        table = self.counts(labels)
        shape = table.shape[1:]

        def statistic(totals: Floats) -> Floats:
            split = totals.reshape(-1, *shape)
            f1 = np.stack([_f1(split, column) for column in range(2, len(COLUMNS))], axis=2)
            return np.concatenate([f1, _mean(f1[:, 1:])[:, None]], axis=1).reshape(len(f1), -1)

        flat = table.reshape(len(table), int(np.prod(shape)))
        totals = table.sum(axis=0)
        holders = count_holders(table)
        intervals = bootstrap(
            flat,
            statistic,
            # The mean of the labels is computed from all documents with a span.
            holders=[n for n in (*holders, holders[0]) for _ in SCORING_SCHEMES],
            resamples=resamples,
            seed=seed,
        )
        schemes = {}
        for index, scheme in enumerate(SCORING_SCHEMES):
            bounds = intervals[index :: len(SCORING_SCHEMES)]
            scores = [
                Score(int(row[0]), int(row[1]), _whole(row[2 + index]), *interval)
                for row, interval in zip(totals, bounds[:-1], strict=True)
            ]
            schemes[scheme] = SchemeScores(
                scores[0],
                _macro(scores[1:], *bounds[-1]),
                dict(zip(labels, scores[1:], strict=True)),
            )
        return Evaluation(self.documents, self.tokens, schemes)


def count_holders(table: Floats) -> list[int]:
    """Return the number of documents with a gold or predicted span, by label.

    Args:
        table: counts; the first two columns are gold and predicted spans. *Shape:* (documents,
            labels, columns)

    Returns:
        *Shape:* (labels,)
    """
    holders: list[int] = (table[:, :, :2].sum(axis=2) > 0).sum(axis=0).tolist()
    return holders


def _f1(table: Floats, credit: int) -> Floats:
    return f1_scores(table[..., 0], table[..., 1], table[..., credit])


def _mean(f1: Floats) -> Floats:
    """Mean over the labels whose F1 is defined. *Shape:* (n, labels, schemes) to (n, schemes)."""
    defined = ~np.isnan(f1)
    number = defined.sum(axis=1)
    total = np.where(defined, f1, 0).sum(axis=1)
    mean: Floats = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return mean


def _macro(scores: Sequence[Score], low: float | None, high: float | None) -> Macro:
    def mean(values: Iterable[float | None]) -> float | None:
        defined = [value for value in values if value is not None]
        return sum(defined) / len(defined) if defined else None

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
    gold: Iterable[Document],
    predicted: Iterable[Document],
    labels: Iterable[str] = (),
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Score predictions against gold.

    nervaluate gives the same scores; see :func:`.credit.credits_of` for the one difference. The
    strict mode of seqeval gives the same strict scores for spans that begin and end at word
    boundaries.

    Example:
        >>> evaluation = evaluate(gold, model.tag(gold), labels.names)
        >>> evaluation.strict.micro.f1
        0.911

    Args:
        gold: documents with gold spans.
        predicted: the same documents with predicted spans. They are paired with the gold by id;
            in the same order, they are streamed.
        labels: the label set; its labels are listed even without any span.
        resamples: number of bootstrap resamples.
        seed: random seed of the resampling.

    Raises:
        InputError: if one side lacks a document of the other, or a text differs.
    """
    table = ScoreTable(labels)
    for pair in pair_documents(gold, predicted, ("the gold", "the predictions")):
        table.add(*pair)
    return table.evaluate(resamples=resamples, seed=seed)


def score_to_json(score: Score) -> dict[str, float | int | None]:
    """Return one score as a JSON object; undefined figures are None."""
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
    """Return an evaluation as a JSON object: counts, and the scores under each scheme."""
    schemes = {
        scheme: {
            "micro": score_to_json(scores.micro),
            "macro": vars(scores.macro),
            "labels": {name: score_to_json(score) for name, score in scores.labels.items()},
        }
        for scheme, scores in evaluation.schemes.items()
    }
    return {"documents": evaluation.documents, "tokens": evaluation.tokens, **schemes}
