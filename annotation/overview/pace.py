"""The pace of an annotator, measured between confirmations, with pauses taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from statistics import median

from .work import WorkedDocument

PAUSE = timedelta(minutes=30)
"""A longer time between two confirmations counts as a pause, not as work."""
READING_BOUND = 400
"""Words a minute that count as faster than reading. Most adults read English non-fiction silently
at 175 to 300 words a minute (Brysbaert 2019, Journal of Memory and Language 109, 104047)."""


@dataclass(frozen=True)
class Pace:
    """The pace of one annotator.

    A first confirmation is timed if another confirmation came before it without a pause between
    them: the time between the two is the time that the document took. The next confirmation of a
    document that was reopened is not timed: it has been read before.

    Attributes:
        documents: number of confirmed documents.
        words: their words.
        hours: estimated hours of work: the times of the timed documents, and for the others the
            time that their words take at this pace; None without a timed document.
        words_per_hour: words of the timed documents per hour; None without one.
        seconds_per_document: median over the timed documents; None without one.
        too_fast: ids of the timed documents that were confirmed at more than
            :data:`READING_BOUND` words a minute.
    """

    documents: int
    words: int
    hours: float | None
    words_per_hour: float | None
    seconds_per_document: float | None
    too_fast: tuple[str, ...]


def measure_work(confirmed: Sequence[WorkedDocument]) -> Pace:
    """Measure the pace of an annotator.

    Args:
        confirmed: the annotator's confirmed documents, earliest first.
    """
    timed = [
        (document, later - earlier)
        for (earlier, _), (later, document) in pairwise(_confirmations(confirmed))
        if document is not None and later - earlier <= PAUSE
    ]
    words = sum(document.words for document in confirmed)
    hours = sum((time for _, time in timed), timedelta()) / timedelta(hours=1)
    timed_words = sum(document.words for document, _ in timed)
    per_hour = timed_words / hours if hours and timed_words else None
    return Pace(
        len(confirmed),
        words,
        hours + (words - timed_words) / per_hour if per_hour else None,
        per_hour,
        median(time.total_seconds() for _, time in timed) if timed else None,
        tuple(
            document.document.id
            for document, time in timed
            if document.words > READING_BOUND * (time / timedelta(minutes=1))
        ),
    )


def _confirmations(
    confirmed: Iterable[WorkedDocument],
) -> list[tuple[datetime, WorkedDocument | None]]:
    """Return all confirmations, earliest first, each with its document if it is the first one."""
    times: list[tuple[datetime, WorkedDocument | None]] = []
    for document in confirmed:
        if document.confirmed_at:
            times.append((document.confirmed_at, document))
        if document.confirmed_again_at:
            times.append((document.confirmed_again_at, None))
    return sorted(times, key=itemgetter(0))


def measure_pace(times: Iterable[datetime]) -> float | None:
    """Return the confirmations per hour of work, without pauses; None for fewer than two times."""
    gaps = [later - earlier for earlier, later in pairwise(sorted(times))]
    work = [gap for gap in gaps if gap <= PAUSE]
    total = sum(work, timedelta())
    return len(work) / (total / timedelta(hours=1)) if total else None


def words_by_day(confirmed: Iterable[WorkedDocument]) -> tuple[tuple[date, int], ...]:
    """Return the words of the documents confirmed on each day (UTC), earliest day first."""
    days: Counter[date] = Counter()
    for document in confirmed:
        if document.confirmed_at:
            days[document.confirmed_at.date()] += document.words
    return tuple(sorted(days.items()))
