"""The geometry of the charts of a page: points and ticks in the units of an SVG picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ...evaluation.comparison.learning_curve import LearningCurve
from .overview import Overview

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 30, 12, 26
"""Space for the labels around the plot."""


@dataclass(frozen=True)
class Tick:
    """A labeled position on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A measured value with its interval; the bounds are those of the value without one."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart, in units of the picture.

    Attributes:
        lines: the points of the measured line, as SVG writes them.
        forecast: the points of the forecast line; empty for none.
        marks: the measured values, each with what a pointer on it shows.
        x_ticks: positions on the horizontal axis.
        y_ticks: positions on the vertical axis.
    """

    lines: str
    forecast: str
    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def progress_chart(overview: Overview) -> Chart | None:
    """Return the words confirmed over time, with the forecast to the end; None before any."""
    words: dict[date, int] = {}
    for annotator in overview.annotators:
        for day, count in annotator.days:
            words[day] = words.get(day, 0) + count
    if not words:
        return None
    today = overview.read_at.date()
    total, points = 0, [(min(words) - timedelta(days=1), 0)]
    for day in sorted(words):
        total += words[day]
        points.append((day, total))
    if points[-1][0] < today:
        points.append((today, total))
    finish = overview.finish and overview.finish.date()
    ahead = [points[-1], (finish, overview.words)] if finish and finish > points[-1][0] else []
    days = [day for day, _ in (*points, *ahead)]
    x = _Scale(days[0].toordinal(), days[-1].toordinal(), LEFT, WIDTH - RIGHT)
    y = _Scale(0, overview.words, HEIGHT - BOTTOM, TOP)
    place = [[(x.at(day.toordinal()), y.at(count)) for day, count in p] for p in (points, ahead)]
    return Chart(
        _join(place[0]),
        _join(place[1]),
        (),
        tuple(
            Tick(x.at(ordinal), f"{date.fromordinal(ordinal):%d %b}")
            for ordinal in _spread(days[0].toordinal(), days[-1].toordinal(), 5)
        ),
        tuple(Tick(y.at(value), f"{value:,}") for value in _spread(0, overview.words, 4)),
    )


def agreement_chart(overview: Overview) -> Chart | None:
    """Return the agreement by week; None for fewer than two weeks with a value."""
    weeks = [week for week in overview.agreement if week.f1 is not None]
    if len(weeks) < 2:
        return None
    x = _Scale(weeks[0].week.toordinal(), weeks[-1].week.toordinal(), LEFT, WIDTH - RIGHT)
    values = [
        (week.week.toordinal(), week.f1 or 0.0, week.low, week.high, f"week of {week.week:%d %b}")
        for week in weeks
    ]
    ticks = [weeks[i].week.toordinal() for i in _spread(0, len(weeks) - 1, 6)]
    names = tuple(Tick(x.at(tick), f"{date.fromordinal(tick):%d %b}") for tick in ticks)
    return _score_chart(values, x, names)


def curve_chart(curve: LearningCurve) -> Chart:
    """Return a learning curve with its forecast; the horizontal axis is logarithmic."""
    points = [*curve.points, *curve.forecast]
    x = _Scale(
        *(math.log(points[0].documents), math.log(points[-1].documents), LEFT, WIDTH - RIGHT)
    )
    values = [(math.log(p.documents), p.f1, p.low, p.high, f"{p.documents}") for p in points]
    names = tuple(Tick(x.at(math.log(p.documents)), f"{p.documents:,}") for p in curve.points)
    last = Tick(x.at(math.log(points[-1].documents)), f"{points[-1].documents:,}")
    return _score_chart(values, x, (*names, last), measured=len(curve.points))


def _score_chart(
    values: Sequence[tuple[float, float, float | None, float | None, str]],
    x: _Scale,
    names: tuple[Tick, ...],
    measured: int | None = None,
) -> Chart:
    """Draw scores with intervals on an axis that ends at 1.

    Args:
        values: position, score, bounds and name of each value.
        x: the horizontal axis.
        names: its ticks.
        measured: number of measured values, which others continue as a forecast; None for all.
    """
    lowest = min(min(f1, f1 if low is None else low) for _, f1, low, _, _ in values)
    floor = min(math.floor(lowest * 10), 9) / 10
    y = _Scale(floor, 1.0, HEIGHT - BOTTOM, TOP)
    places = [(x.at(at), y.at(f1)) for at, f1, *_ in values]
    marks = tuple(
        Mark(
            *place,
            y.at(f1 if low is None else low),
            y.at(f1 if high is None else high),
            f"{name}: {f1:.3f}",
        )
        for place, (_, f1, low, high, name) in zip(places, values, strict=True)
    )
    cut = len(values) if measured is None else measured
    step = 1 if floor >= 0.5 else 2
    steps = [tenths / 10 for tenths in range(round(floor * 10), 11, step)]
    return Chart(
        _join(places[:cut]),
        _join(places[cut - 1 :]) if cut < len(values) else "",
        marks,
        names,
        tuple(Tick(y.at(value), f"{value:.1f}") for value in steps),
    )


@dataclass(frozen=True)
class _Scale:
    """Maps values from `low` to `high` to positions from `first` to `last`."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.first + share * (self.last - self.first), 1)


def _spread(low: int, high: int, count: int) -> list[int]:
    """Return up to `count` + 1 whole numbers, evenly from `low` to `high`."""
    return sorted({low + round(step * (high - low) / count) for step in range(count + 1)})


def _join(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
