"""Several systems on the same gold: differences with intervals, tests, and who finds what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

import numpy as np

from ...corpus.document import Document, Span
from ..bootstrap import (
    RESAMPLES,
    Floats,
    Interval,
    bootstrap,
    distinct_rows,
    f1_scores,
    parts_of,
)
from ..mentions import surface_of
from ..metrics import ScoreTable

SHOWN = 200
"""Mentions listed for each side; all are counted."""
_GOLD, _PREDICTED, _STRICT = 0, 1, 2


@dataclass(frozen=True)
class SystemScores:
    """Strict scores of one system, and how its seeds differ.

    Attributes:
        f1_by_seed: F1, one for each seed; None where undefined.
        mean: their mean.
        std: their sample standard deviation; None for one seed.
        precision: of the seeds' mean counts.
        recall: the same.
        low: lower bound of the F1 of the mean counts, by bootstrap over documents.
        high: upper bound.
        labels: F1 of each label, of the mean counts.
    """

    f1_by_seed: tuple[float | None, ...]
    mean: float | None
    std: float | None
    precision: float | None
    recall: float | None
    low: float | None
    high: float | None
    labels: dict[str, float | None]


@dataclass(frozen=True)
class Difference:
    """How much better the first system is than another.

    Attributes:
        f1: strict F1 of the first minus that of the other.
        low: lower bound of its interval, by paired bootstrap over documents.
        high: upper bound.
        p: chance of a difference at least as large if the two were interchangeable, by paired
            randomisation over documents; None where undefined.
        adjusted: `p` corrected for all tests made together (Holm 1979).
    """

    f1: float | None
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None


@dataclass(frozen=True)
class Win:
    """A gold mention that one system finds and the other misses."""

    document: str
    label: str
    text: str


@dataclass(frozen=True)
class Wins:
    """Gold mentions found by one of two systems only, as in McNemar's test.

    Attributes:
        first_only: found by the first system alone.
        second_only: found by the other alone.
        p: of McNemar's exact test that both numbers come from one chance; None where both are 0.
            It takes mentions for independent, which those of one article are not: read it beside
            the test over documents.
        first_mentions: mentions of the first number, at most :data:`SHOWN`.
        second_mentions: mentions of the second.
    """

    first_only: int
    second_only: int
    p: float | None
    first_mentions: tuple[Win, ...]
    second_mentions: tuple[Win, ...]


@dataclass(frozen=True)
class PairedComparison:
    """The first system against one other.

    Attributes:
        first: its name.
        second: the name of the other.
        micro: all labels together.
        labels: each label.
        wins: who finds what, each system's first seed.
    """

    first: str
    second: str
    micro: Difference
    labels: dict[str, Difference]
    wins: Wins


@dataclass
class _SeedTables:
    """One system under comparison: the tables of its seeds, and what its first seed found."""

    name: str
    tables: list[ScoreTable] = field(default_factory=list)


class SystemComparison:
    """Compares systems, gathered one document at a time.

    Args:
        seeds: each system's name and number of seeds, the system under test first.
        labels: the label set.
    """

    def __init__(self, seeds: Sequence[tuple[str, int]], labels: Iterable[str] = ()) -> None:
        labels = list(labels)
        self._systems = [
            _SeedTables(name, [ScoreTable(labels) for _ in range(count)]) for name, count in seeds
        ]
        self._counts = [Counter[str]() for _ in self._systems]
        self._shown: list[tuple[list[Win], list[Win]]] = [([], []) for _ in self._systems]

    def add(self, gold: Document, predicted: Sequence[Sequence[Document]]) -> None:
        """Count one document: `predicted` holds each system's reading, one for each seed."""
        for system, readings in zip(self._systems, predicted, strict=True):
            for table, reading in zip(system.tables, readings, strict=True):
                table.add(gold, reading)
        wanted = set(gold.spans)
        first = wanted & set(predicted[0][0].spans)
        for place, readings in enumerate(predicted[1:], 1):
            other = wanted & set(readings[0].spans)
            for side, spans in (("first", first - other), ("second", other - first)):
                self._counts[place][side] += len(spans)
                shown = self._shown[place][side == "second"]
                shown += [_win(gold, span) for span in sorted(spans)][: SHOWN - len(shown)]

    @property
    def labels(self) -> list[str]:
        """All labels that any system or the gold has."""
        every = [label for s in self._systems for table in s.tables for label in table.labels]
        return list(dict.fromkeys(every))

    def scores(self, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, SystemScores]:
        """Return the strict scores of each system, and their scores over its seeds.

        Args:
            resamples: number of bootstrap draws.
            seed: of the draws.
        """
        return {system.name: self._scores(system, resamples, seed) for system in self._systems}

    def _scores(self, system: _SeedTables, resamples: int, seed: int) -> SystemScores:
        values = []
        for table in system.tables:
            totals = table.counts()[:, 0].sum(axis=0)
            size = totals[_GOLD] + totals[_PREDICTED]
            values.append(float(2 * totals[_STRICT] / size) if size else None)
        known = [value for value in values if value is not None]
        counts = _mean_counts(system, self.labels)
        micro = counts[:, :1].reshape(len(counts), -1)
        ((low, high),) = bootstrap(micro, _f1_of_one, resamples=resamples, seed=seed)
        totals = counts.sum(axis=0)
        f1 = [None if np.isnan(value) else float(value) for value in _f1(totals[None])[0]]
        return SystemScores(
            tuple(values),
            fmean(known) if known else None,
            stdev(known) if len(known) > 1 else None,
            _ratio(totals[0, _STRICT], totals[0, _PREDICTED]),
            _ratio(totals[0, _STRICT], totals[0, _GOLD]),
            low,
            high,
            dict(zip(self.labels, f1[1:], strict=True)),
        )

    def comparisons(self, *, resamples: int = RESAMPLES, seed: int = 0) -> list[PairedComparison]:
        """Compare the first system with each other one.

        A system of several seeds is taken as its mean: counts are averaged over its seeds.

        Args:
            resamples: number of bootstrap draws, and of random exchanges.
            seed: of both.
        """
        labels = self.labels
        means = [_mean_counts(system, labels) for system in self._systems]
        rows = [_differences(means[0], other, resamples, seed) for other in means[1:]]
        adjusted = iter(holm([p for _, _, ps in rows for p in ps]))
        found = []
        for place, (system, (f1, bounds, ps)) in enumerate(
            zip(self._systems[1:], rows, strict=True), 1
        ):
            differences = [
                Difference(f1[i], *bounds[i], ps[i], next(adjusted)) for i in range(len(ps))
            ]
            found.append(
                PairedComparison(
                    self._systems[0].name,
                    system.name,
                    differences[0],
                    dict(zip(labels, differences[1:], strict=True)),
                    self._wins(place),
                )
            )
        return found

    def _wins(self, place: int) -> Wins:
        from scipy.stats import binomtest

        first, second = self._counts[place]["first"], self._counts[place]["second"]
        shown = self._shown[place]
        p = float(binomtest(first, first + second).pvalue) if first + second else None
        return Wins(first, second, p, tuple(shown[0]), tuple(shown[1]))


def _win(document: Document, span: Span) -> Win:
    return Win(document.id, span.label, " ".join(surface_of(document, span).split()))


def _mean_counts(system: _SeedTables, labels: Sequence[str]) -> Floats:
    tables = [table.counts(labels)[:, :, :3] for table in system.tables]
    mean: Floats = np.mean(tables, axis=0)
    return mean


def _f1(totals: Floats) -> Floats:
    """F1 of strict counts. *Shape:* (n, labels, 3) to (n, labels)."""
    return f1_scores(totals[..., _GOLD], totals[..., _PREDICTED], totals[..., _STRICT])


def _f1_of_one(totals: Floats) -> Floats:
    """F1 of strict counts. *Shape:* (n, 3) to (n, 1)."""
    return _f1(totals.reshape(-1, 1, 3))


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _differences(
    first: Floats, other: Floats, resamples: int, seed: int
) -> tuple[list[float | None], list[Interval], list[float | None]]:
    """Return difference of F1, interval and p for counts of *Shape:* (documents, labels, 3)."""
    documents, labels, _ = first.shape
    pair = np.stack([first, other], axis=1)

    def statistic(totals: Floats) -> Floats:
        split = totals.reshape(-1, 2, labels, 3)
        difference: Floats = _f1(split[:, 0]) - _f1(split[:, 1])
        return difference

    flat = pair.reshape(documents, -1)
    observed = statistic(flat.sum(axis=0, keepdims=True))[0]
    bounds = bootstrap(flat, statistic, resamples=resamples, seed=seed)
    if documents < 2:
        ps: list[float | None] = [None] * labels
    else:
        ps = _randomisation(first, other, observed, resamples, seed)
    f1 = [None if np.isnan(value) else float(value) for value in observed]
    return f1, bounds, ps


def _randomisation(
    first: Floats, other: Floats, observed: Floats, resamples: int, seed: int
) -> list[float | None]:
    """Exchange the systems' counts at random, document by document (Noreen 1989).

    The share of exchanges whose difference is at least as large as the observed one, the observed
    one counted in, so that p is never 0. Documents with the same counts of both systems are
    exchanged together by a binomial draw.
    """
    labels = first.shape[1]
    change = np.concatenate([first, other], axis=1).reshape(len(first), -1)
    # Where both systems have the same counts, an exchange changes nothing.
    change = change[(first != other).any(axis=(1, 2))]
    total = np.stack([first.sum(axis=0), other.sum(axis=0)])
    least = np.abs(observed) - 1e-12
    reached = np.zeros(labels)
    if len(change):
        rows, counts = distinct_rows(change)
        gap = (rows[:, : labels * 3] - rows[:, labels * 3 :]).reshape(len(rows), labels, 3)
        random = np.random.default_rng(seed)
        for part in parts_of(resamples, len(rows)):
            swapped = random.binomial(counts, 0.5, size=(part, len(rows)))
            moved = np.tensordot(swapped, gap, axes=1)
            difference = _f1(total[0] - moved) - _f1(total[1] + moved)
            with np.errstate(invalid="ignore"):
                reached += (np.abs(difference) >= least).sum(axis=0)
    else:
        reached += resamples
    return [
        None if np.isnan(value) else float((count + 1) / (resamples + 1))
        for value, count in zip(observed, reached, strict=True)
    ]


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for being many, step-down (Holm 1979); undefined ones do not count."""
    known = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        adjusted[place] = highest
    return adjusted


def comparison_to_json(comparison: PairedComparison) -> dict[str, Any]:
    """Return a comparison as a JSON object."""
    from dataclasses import asdict

    return asdict(comparison)


def system_scores_to_json(scores: SystemScores) -> dict[str, Any]:
    """Return a scores as a JSON object."""
    return {
        "f1": list(scores.f1_by_seed),
        **{
            name: getattr(scores, name)
            for name in ("mean", "std", "precision", "recall", "low", "high", "labels")
        },
    }
