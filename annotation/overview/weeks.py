"""Agreement over time: strict F1 between annotators, by the week in which both had confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

import numpy as np

from ...evaluation.bootstrap import Floats, bootstrap, f1_scores
from .work import ProjectWork, WorkedDocument, shared_confirmed


@dataclass(frozen=True)
class WeekAgreement:
    """The agreement on the documents of one week.

    Attributes:
        week: its Monday.
        documents: number of documents whose second confirmation came in this week.
        f1: strict F1, over all pairs of annotators together; None without any span.
        low: lower bound of the 95 % interval over documents; None for too few documents.
        high: upper bound.
    """

    week: date
    documents: int
    f1: float | None
    low: float | None
    high: float | None


def agreement_by_week(work: Sequence[ProjectWork]) -> list[WeekAgreement]:
    """Measure the agreement on shared documents, week by week; weeks without any are left out.

    Args:
        work: the annotators' documents with their spans.
    """
    weeks: dict[date, list[list[float]]] = {}
    for versions in shared_confirmed(work).values():
        second = versions[1].confirmed_at
        assert second is not None
        monday = second.date() - timedelta(days=second.weekday())
        weeks.setdefault(monday, []).append(_count_pairs(versions))
    return [_measure(week, weeks[week]) for week in sorted(weeks)]


def _count_pairs(versions: Sequence[WorkedDocument]) -> list[float]:
    """Return the spans of the first, the second and both, summed over pairs of annotators."""
    counts = np.zeros(3)
    for first, second in combinations([set(version.spans) for version in versions], 2):
        counts += (len(first), len(second), len(first & second))
    return [float(count) for count in counts]


def _measure(week: date, rows: Sequence[Sequence[float]]) -> WeekAgreement:
    table = np.array(rows)
    value = float(_f1(table.sum(axis=0, keepdims=True))[0, 0])
    holders = int((table[:, :2].sum(axis=1) > 0).sum())
    [(low, high)] = bootstrap(table, _f1, holders=[holders])
    return WeekAgreement(week, len(rows), None if np.isnan(value) else value, low, high)


def _f1(totals: Floats) -> Floats:
    return f1_scores(totals[:, 0], totals[:, 1], totals[:, 2])[:, None]
