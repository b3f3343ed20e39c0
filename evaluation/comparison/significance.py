"""Differences of F1 between two systems: paired bootstrap intervals and permutation tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..bootstrap import Floats, bootstrap, chunk_sizes, distinct_rows, f1_scores
from ..metrics import count_holders


@dataclass(frozen=True)
class Difference:
    """The difference of strict F1 between two systems.

    Attributes:
        f1: strict F1 of the first minus that of the second; None where undefined.
        low: lower bound of its interval, by paired bootstrap over documents; None if fewer than
            :data:`..bootstrap.MIN_DOCUMENTS` documents have a gold or predicted span.
        high: upper bound.
        p: probability of a difference at least as large if the systems were interchangeable, by
            paired permutation test over documents; None where undefined.
        adjusted: `p` corrected for all tests made together (Holm 1979).
    """

    f1: float | None
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None


def strict_f1(counts: Floats) -> Floats:
    """Return F1 of strict counts.

    Args:
        counts: gold spans, predicted spans and credit. *Shape:* (..., 3)

    Returns:
        *Shape:* (...)
    """
    return f1_scores(counts[..., 0], counts[..., 1], counts[..., 2])


def measure_differences(
    first: Floats, second: Floats, *, resamples: int, seed: int
) -> list[Difference]:
    """Return the difference of each label, not yet adjusted for multiple tests.

    Args:
        first: strict counts of the first system. *Shape:* (documents, labels, 3)
        second: strict counts of the second system, likewise.
        resamples: number of bootstrap resamples and of permutations.
        seed: random seed of both.
    """
    documents, labels, _ = first.shape

    def statistic(totals: Floats) -> Floats:
        systems = totals.reshape(-1, 2, labels, 3)
        difference: Floats = strict_f1(systems[:, 0]) - strict_f1(systems[:, 1])
        return difference

    flat = np.stack([first, second], axis=1).reshape(documents, -1)
    observed = statistic(flat.sum(axis=0, keepdims=True))[0]
    holders = count_holders(np.maximum(first, second))
    intervals = bootstrap(flat, statistic, holders=holders, resamples=resamples, seed=seed)
    p_values: Sequence[float | None] = [None] * labels
    if documents > 1:
        p_values = permutation_test(first, second, observed, resamples=resamples, seed=seed)
    return [
        Difference(None if np.isnan(value) else float(value), *interval, p, None)
        for value, interval, p in zip(observed, intervals, p_values, strict=True)
    ]


def permutation_test(
    first: Floats, second: Floats, observed: Floats, *, resamples: int, seed: int
) -> list[float | None]:
    """Exchange the counts of two systems at random, document by document (Noreen 1989).

    p is the share of exchanges whose difference is at least as large as the observed one. The
    observed one is counted in, so that p is never 0. Documents with the same counts of both
    systems are exchanged together, by one binomial draw.

    Args:
        first: strict counts of the first system. *Shape:* (documents, labels, 3)
        second: strict counts of the second system, likewise.
        observed: the observed differences of F1. *Shape:* (labels,)
        resamples: number of exchanges.
        seed: random seed.

    Returns:
        p of each label; None where the difference is undefined.
    """
    labels = first.shape[1]
    counts = np.concatenate([first, second], axis=1).reshape(len(first), -1)
    # An exchange changes nothing in documents where both systems have the same counts.
    counts = counts[(first != second).any(axis=(1, 2))]
    total = np.stack([first.sum(axis=0), second.sum(axis=0)])
    least = np.abs(observed) - 1e-12
    reached = np.zeros(labels)
    if len(counts):
        rows, frequencies = distinct_rows(counts)
        gap = (rows[:, : labels * 3] - rows[:, labels * 3 :]).reshape(len(rows), labels, 3)
        random = np.random.default_rng(seed)
        for size in chunk_sizes(resamples, len(rows)):
            exchanged = random.binomial(frequencies, 0.5, size=(size, len(rows)))
            moved = np.tensordot(exchanged, gap, axes=1)
            difference = strict_f1(total[0] - moved) - strict_f1(total[1] + moved)
            with np.errstate(invalid="ignore"):
                reached += (np.abs(difference) >= least).sum(axis=0)
    else:
        reached += resamples
    return [
        None if np.isnan(value) else float((count + 1) / (resamples + 1))
        for value, count in zip(observed, reached, strict=True)
    ]


def adjust_differences(groups: Sequence[Sequence[Difference]]) -> list[list[Difference]]:
    """Return the differences with p-values adjusted for all of them together."""
    adjusted = iter(holm([difference.p for group in groups for difference in group]))
    return [
        [replace(difference, adjusted=next(adjusted)) for difference in group] for group in groups
    ]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for multiple tests, step-down (Holm 1979); undefined ones do not count."""
    defined = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(defined):
        highest = max(highest, min(1.0, p * (len(defined) - rank)))
        adjusted[index] = highest
    return adjusted
