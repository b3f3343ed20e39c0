"""What is left of a session: words, hours, days and their cost; and what another week brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...evaluation.comparison.learning_curve import LearningCurve
from .pace import Pace
from .work import ProjectWork

WEEK = timedelta(days=7)
"""The time over which the words of a day are averaged."""


@dataclass(frozen=True)
class Forecast:
    """What is left for one annotator.

    Attributes:
        words_left: words of the unconfirmed documents, and of those that are not uploaded yet.
        hours_left: estimated hours of work; None without a pace.
        words_per_day: words confirmed per day over the last week, or since the first confirmation
            if that is more recent.
        finish: when the words are done at this rate; None without words in the last week, or if
            none are left.
    """

    words_left: int
    hours_left: float | None
    words_per_day: float
    finish: datetime | None


def forecast(work: ProjectWork, pace: Pace, now: datetime) -> Forecast:
    """Estimate when an annotator will have confirmed all their documents.

    Args:
        work: the annotator's documents.
        pace: their pace.
        now: the time of the reading.
    """
    words = sum(document.words for document in work.documents)
    left = words - pace.words + work.waiting_words
    rate = words_per_day([work], now)
    return Forecast(
        left,
        left / pace.words_per_hour if pace.words_per_hour else None,
        rate,
        now + timedelta(days=left / rate) if left and rate else None,
    )


def words_per_day(work: Sequence[ProjectWork], now: datetime) -> float:
    """Return the words confirmed per day over the last week, all annotators together."""
    confirmed = [document for project in work for document in project.confirmed]
    times = [d.confirmed_at for d in confirmed if d.confirmed_at]
    recent = sum(d.words for d in confirmed if d.confirmed_at and d.confirmed_at > now - WEEK)
    return recent / _days_of_work(times, now) if times else 0.0


def _days_of_work(times: Sequence[datetime], now: datetime) -> float:
    """Return the days since the first confirmation: a day at least, a week at most."""
    return max(min((now - min(times)) / timedelta(days=1), 7.0), 1.0)


@dataclass(frozen=True)
class Cost:
    """The cost of a session's work.

    Attributes:
        hourly_rate: pay for an hour, in any currency.
        spent: cost of the estimated hours of work so far; None if an annotator who has confirmed
            documents has no pace.
        left: cost of the estimated hours that are left; None if an annotator with unconfirmed
            documents has no pace.
        per_document: cost of a confirmed document, over all its annotators; None without one.
    """

    hourly_rate: float
    spent: float | None
    left: float | None
    per_document: float | None


def estimate_cost(
    hourly_rate: float, paces: Sequence[Pace], forecasts: Sequence[Forecast], documents: int
) -> Cost:
    """Estimate the cost of a session.

    Args:
        hourly_rate: pay for an hour.
        paces: the pace of each annotator.
        forecasts: what is left for each.
        documents: number of different documents that somebody has confirmed.
    """
    spent = _cost_of(hourly_rate, [pace.hours if pace.documents else 0.0 for pace in paces])
    left = _cost_of(hourly_rate, [f.hours_left if f.words_left else 0.0 for f in forecasts])
    each = spent / documents if documents and spent is not None else None
    return Cost(hourly_rate, spent, left, each)


def _cost_of(hourly_rate: float, hours: Sequence[float | None]) -> float | None:
    known = [hour for hour in hours if hour is not None]
    return hourly_rate * sum(known) if len(known) == len(hours) else None


@dataclass(frozen=True)
class WeekGain:
    """What the documents of another week bring, by the learning curve of the last run.

    Attributes:
        documents: number of different documents that were confirmed per week lately.
        trained: number of training documents of the curve.
        f1: strict F1 with those.
        f1_after: forecast with the documents of a week more; None if these are more than the
            curve forecasts.
        low: lower bound of the interval of the forecast.
        high: upper bound.
    """

    documents: int
    trained: int
    f1: float
    f1_after: float | None
    low: float | None
    high: float | None


def estimate_gain(curve: LearningCurve, work: Sequence[ProjectWork], now: datetime) -> WeekGain:
    """Estimate what training on the documents of another week would gain.

    Args:
        curve: the learning curve; its last measurement stands for the documents so far.
        work: the annotators' documents.
        now: the time of the reading.
    """
    first: dict[str, datetime] = {}
    for project in work:
        for worked in project.confirmed:
            assert worked.confirmed_at is not None
            doc_id = worked.document.id
            first[doc_id] = min(first.get(doc_id, worked.confirmed_at), worked.confirmed_at)
    recent = sum(time > now - WEEK for time in first.values())
    weekly = round(7 * recent / _days_of_work([*first.values()], now)) if first else 0
    measured = curve.measured
    after = curve.at(measured.documents + weekly)
    bounds = (after.f1, after.low, after.high) if after else (None, None, None)
    return WeekGain(weekly, measured.documents, measured.f1, *bounds)
