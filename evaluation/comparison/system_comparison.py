"""Comparison of several systems on the same gold: scores, differences, and who finds what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, stdev
from typing import Any

import numpy as np

from ...corpus.document import Document, Span
from ..bootstrap import RESAMPLES, Floats, bootstrap
from ..mentions import surface_of
from ..metrics import ScoreTable, count_holders
from .significance import Difference, adjust_differences, measure_differences, strict_f1

SHOWN_WINS = 200
"""Mentions listed for each side; all are counted."""
_GOLD, _PREDICTED, _STRICT = 0, 1, 2


@dataclass(frozen=True)
class SystemScores:
    """Strict scores of one system, averaged over its seeds.

    Attributes:
        f1_by_seed: F1 of each seed; None where undefined.
        mean: mean F1 of the seeds.
        std: sample standard deviation of F1 over the seeds; None for one seed.
        precision: precision of the mean counts of the seeds.
        recall: recall of the mean counts.
        low: lower bound of F1 of the mean counts, by bootstrap over documents.
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
    labels: Mapping[str, float | None]


@dataclass(frozen=True)
class Win:
    """A gold mention that one system finds and the other misses."""

    doc_id: str
    label: str
    text: str


@dataclass(frozen=True)
class Wins:
    """Gold mentions that only one of two systems finds, as in McNemar's test.

    Attributes:
        first_only: number that only the first system finds.
        second_only: number that only the second system finds.
        p: p-value of McNemar's exact test; None if both numbers are 0. The test assumes that
            mentions are independent, which those of one article are not: prefer the permutation
            test over documents.
        first_mentions: mentions that only the first finds, at most :data:`SHOWN_WINS`.
        second_mentions: mentions that only the second finds, likewise.
    """

    first_only: int
    second_only: int
    p: float | None
    first_mentions: tuple[Win, ...]
    second_mentions: tuple[Win, ...]


@dataclass(frozen=True)
class PairedComparison:
    """The first system compared with one other.

    Attributes:
        first: name of the first system.
        second: name of the other system.
        micro: the difference over all labels together.
        labels: the difference of each label.
        wins: mentions that only one of them finds; of the first seed of each system.
    """

    first: str
    second: str
    micro: Difference
    labels: Mapping[str, Difference]
    wins: Wins


@dataclass
class _SeedTables:
    """One system under comparison, with the counts of each of its seeds."""

    name: str
    tables: list[ScoreTable] = field(default_factory=list)


class SystemComparison:
    """Compares systems, document by document; texts are not kept in memory.

    Args:
        seeds: each system's name and number of seeds; the first system is compared with the
            others.
        labels: the label set.
    """

    def __init__(self, seeds: Sequence[tuple[str, int]], labels: Iterable[str] = ()) -> None:
        labels = list(labels)
        self._systems = [
            _SeedTables(name, [ScoreTable(labels) for _ in range(count)]) for name, count in seeds
        ]
        self._win_counts = [Counter[str]() for _ in self._systems]
        self._shown: list[tuple[list[Win], list[Win]]] = [([], []) for _ in self._systems]

    def add(self, gold: Document, predicted: Sequence[Sequence[Document]]) -> None:
        """Add one document.

        Args:
            gold: the document with gold spans.
            predicted: for each system, the document with the predictions of each seed.
        """
        for system, documents in zip(self._systems, predicted, strict=True):
            for table, document in zip(system.tables, documents, strict=True):
                table.add(gold, document)
        gold_spans = set(gold.spans)
        first = gold_spans & set(predicted[0][0].spans)
        for index, documents in enumerate(predicted[1:], 1):
            second = gold_spans & set(documents[0].spans)
            for side, spans in (("first", first - second), ("second", second - first)):
                self._win_counts[index][side] += len(spans)
                shown = self._shown[index][side == "second"]
                shown += [_win(gold, span) for span in sorted(spans)][: SHOWN_WINS - len(shown)]

    @property
    def labels(self) -> list[str]:
        """All labels of the label set, the gold and the predictions."""
        labels = [label for s in self._systems for table in s.tables for label in table.labels]
        return list(dict.fromkeys(labels))

    def scores(self, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, SystemScores]:
        """Return the strict scores of each system, by name.

        Args:
            resamples: number of bootstrap resamples.
            seed: random seed of the resampling.
        """
        return {system.name: self._scores_of(system, resamples, seed) for system in self._systems}

    def _scores_of(self, system: _SeedTables, resamples: int, seed: int) -> SystemScores:
        f1_by_seed = []
        for table in system.tables:
            totals = table.counts()[:, 0].sum(axis=0)
            size = totals[_GOLD] + totals[_PREDICTED]
            f1_by_seed.append(float(2 * totals[_STRICT] / size) if size else None)
        defined = [value for value in f1_by_seed if value is not None]
        labels = self.labels
        counts = _mean_counts(system, labels)
        ((low, high),) = bootstrap(
            counts[:, 0],
            lambda totals: strict_f1(totals)[:, None],
            holders=count_holders(counts[:, :1]),
            resamples=resamples,
            seed=seed,
        )
        totals = counts.sum(axis=0)
        f1 = [None if np.isnan(value) else float(value) for value in strict_f1(totals)]
        return SystemScores(
            tuple(f1_by_seed),
            fmean(defined) if defined else None,
            stdev(defined) if len(defined) > 1 else None,
            _ratio(totals[0, _STRICT], totals[0, _PREDICTED]),
            _ratio(totals[0, _STRICT], totals[0, _GOLD]),
            low,
            high,
            dict(zip(labels, f1[1:], strict=True)),
        )

    def comparisons(self, *, resamples: int = RESAMPLES, seed: int = 0) -> list[PairedComparison]:
        """Compare the first system with each other one.

        Counts are averaged over the seeds of a system.

        Args:
            resamples: number of bootstrap resamples and of permutations.
            seed: random seed of both.
        """
        labels = self.labels
        first, *others = (_mean_counts(system, labels) for system in self._systems)
        differences = adjust_differences(
            [measure_differences(first, other, resamples=resamples, seed=seed) for other in others]
        )
        return [
            PairedComparison(
                self._systems[0].name,
                self._systems[index].name,
                micro,
                dict(zip(labels, by_label, strict=True)),
                self._wins(index),
            )
            for index, (micro, *by_label) in enumerate(differences, 1)
        ]

    def _wins(self, index: int) -> Wins:
        from scipy.stats import binomtest

        first, second = self._win_counts[index]["first"], self._win_counts[index]["second"]
        first_mentions, second_mentions = self._shown[index]
        p = float(binomtest(first, first + second).pvalue) if first + second else None
        return Wins(first, second, p, tuple(first_mentions), tuple(second_mentions))


def _win(document: Document, span: Span) -> Win:
    return Win(document.id, span.label, " ".join(surface_of(document, span).split()))


def _mean_counts(system: _SeedTables, labels: Sequence[str]) -> Floats:
    """Return strict counts, averaged over seeds. *Shape:* (documents, 1 + labels, 3)."""
    mean: Floats = np.mean([table.counts(labels)[:, :, :3] for table in system.tables], axis=0)
    return mean


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def comparison_to_json(comparison: PairedComparison) -> dict[str, Any]:
    """Return a comparison as a JSON object."""
    return asdict(comparison)


def system_scores_to_json(scores: SystemScores) -> dict[str, Any]:
    """Return the scores of a system as a JSON object."""
    return {
        "f1": list(scores.f1_by_seed),
        **{
            name: getattr(scores, name)
            for name in ("mean", "std", "precision", "recall", "low", "high", "labels")
        },
    }
