"""Strict span scores with bootstrap intervals, and nervaluate's kinder ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.matching import Counts, counts_to_json, strict_counts
from corpus.document import Document, Span

RESAMPLES = 2000
CONFIDENCE = 0.95
_SCHEMES = ("strict", "exact", "partial", "ent_type")


@dataclass(frozen=True)
class Score:
    """Strict scores of one label, or of all labels together.

    Attributes:
        counts: true positives (`both`), false positives (`second_only`), false negatives
            (`first_only`).
        low: lower bound of the interval of F1; None for fewer than two documents or where F1
            is undefined.
        high: upper bound.
    """

    counts: Counts
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Evaluation:
    """Scores of predictions against gold.

    Attributes:
        documents: number of documents.
        micro: all labels together.
        labels: each label of the label set, and any other that occurs.
        kinder: nervaluate's scores by scheme (strict, exact, partial, ent_type), each with
            precision, recall and F1.
    """

    documents: int
    micro: Score
    labels: dict[str, Score]
    kinder: dict[str, dict[str, float]]


def evaluate(
    pairs: Sequence[tuple[Document, Document]],
    labels: Iterable[str] = (),
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Score predictions against gold.

    A predicted span is right when a gold span has the same start, end and label. The interval of
    F1 is the percentile bootstrap over documents (Efron 1979): spans of one article are not
    independent, so articles are drawn, not spans.

    Args:
        pairs: gold and predicted document, paired by id.
        labels: the label set, so that labels without any span are listed too.
        resamples: number of bootstrap resamples.
        seed: of the resampling.
    """
    each = [strict_counts(gold.spans, predicted.spans) for gold, predicted in pairs]
    names = list(dict.fromkeys([*labels, *sorted({name for counts in each for name in counts})]))
    table = np.zeros((len(pairs), len(names), 3))
    for row, counts in zip(table, each, strict=True):
        for column, name in enumerate(names):
            found = counts.get(name, Counts())
            row[column] = (found.both, found.second_only, found.first_only)
    with_micro = np.concatenate([table.sum(axis=1, keepdims=True), table], axis=1)
    intervals = _bootstrap_f1(with_micro, resamples, seed)
    scores = [
        Score(Counts(*map(int, totals)), low, high)
        for totals, (low, high) in zip(with_micro.sum(axis=0), intervals, strict=True)
    ]
    return Evaluation(
        documents=len(pairs),
        micro=scores[0],
        labels=dict(zip(names, scores[1:], strict=True)),
        kinder=_nervaluate(pairs, names),
    )


def _bootstrap_f1(
    table: NDArray[np.float64], resamples: int, seed: int
) -> list[tuple[float | None, float | None]]:
    """Return percentile intervals of F1 for counts of *Shape:* (documents, labels, 3)."""
    documents, labels, _ = table.shape
    if documents < 2:
        return [(None, None)] * labels
    random = np.random.default_rng(seed)
    flat = table.reshape(documents, -1)
    draws = []
    # In parts, so that memory stays bounded however many documents there are.
    part = max(1, min(resamples, 20_000_000 // documents))
    for begin in range(0, resamples, part):
        count = min(part, resamples - begin)
        weights = random.multinomial(documents, np.full(documents, 1 / documents), size=count)
        draws.append((weights @ flat).reshape(count, labels, 3))
    totals = np.concatenate(draws)
    both, second, first = totals[..., 0], totals[..., 1], totals[..., 2]
    size = 2 * both + second + first
    f1 = np.divide(2 * both, size, out=np.full_like(size, np.nan), where=size > 0)
    tail = (1 - CONFIDENCE) / 2 * 100
    bounds: list[tuple[float | None, float | None]] = []
    for column in f1.T:
        defined = column[~np.isnan(column)]
        if len(defined) == 0 or both.sum() + second.sum() + first.sum() == 0:
            bounds.append((None, None))
        else:
            low, high = np.percentile(defined, [tail, 100 - tail])
            bounds.append((float(low), float(high)))
    return bounds


def _nervaluate(
    pairs: Sequence[tuple[Document, Document]], labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return nervaluate's micro scores by scheme (Segura-Bedmar et al. 2013, SemEval task 9)."""
    from nervaluate import Evaluator

    if not labels:
        return {}

    def entities(spans: Iterable[Span]) -> list[dict[str, Any]]:
        # nervaluate's ends are inclusive: exclusive ones would make neighbours overlap.
        return [{"label": s.label, "start": s.start, "end": s.end - 1} for s in spans]

    evaluator = Evaluator(
        [entities(gold.spans) for gold, _ in pairs],
        [entities(predicted.spans) for _, predicted in pairs],
        tags=list(labels),
        loader="dict",
    )
    overall = evaluator.evaluate()["overall"]
    return {
        scheme: {
            name: float(getattr(overall[scheme], name)) for name in ("precision", "recall", "f1")
        }
        for scheme in _SCHEMES
    }


def score_to_json(score: Score) -> dict[str, float | int | None]:
    """Return one label's scores; undefined ones are None."""
    return {**counts_to_json(score.counts), "low": score.low, "high": score.high}


def evaluation_to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as a JSON object."""
    return {
        "documents": evaluation.documents,
        "strict": {
            "micro": score_to_json(evaluation.micro),
            "labels": {name: score_to_json(s) for name, s in evaluation.labels.items()},
        },
        "nervaluate": evaluation.kinder,
    }
