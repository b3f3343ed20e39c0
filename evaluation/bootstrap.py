"""Bootstrap over documents: totals of counts under resampling, and intervals from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95

Floats = NDArray[np.float64]
Interval = tuple[float | None, float | None]
"""Lower and upper bound; None where undefined or for fewer than two documents."""

_CELLS = 10_000_000
"""Numbers held at once while resampling."""


def f1_scores(gold: Floats, predicted: Floats, credit: Floats) -> Floats:
    """Return F1 elementwise, NaN where there is neither a gold nor a predicted span."""
    size = gold + predicted
    return np.divide(2 * credit, size, out=np.full_like(size, np.nan), where=size > 0)


def distinct_rows(table: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distinct rows of *Shape:* (documents, columns), and how often each occurs.

    Their order does not depend on that of the documents. Hashing whole rows is several times
    faster than numpy's sorting of them.
    """
    tally = sorted(Counter(row.tobytes() for row in np.ascontiguousarray(table)).items())
    rows = np.frombuffer(b"".join(row for row, _ in tally)).reshape(len(tally), -1)
    return rows, np.array([count for _, count in tally])


def parts_of(draws: int, width: int) -> Iterator[int]:
    """Cut `draws` into parts that keep part x `width` numbers within a bounded memory."""
    part = max(1, _CELLS // max(width, 1))
    for begin in range(0, draws, part):
        yield min(part, draws - begin)


def resample_totals(table: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Draw as many documents as there are, with replacement, and sum their counts.

    Documents with the same counts are interchangeable: drawing from the distinct rows with their
    frequencies gives the same distribution (a multinomial whose equal categories are merged), at
    a cost that hardly grows with the number of documents.

    Args:
        table: counts. *Shape:* (documents, columns)
        resamples: number of draws.
        seed: of the drawing.

    Returns:
        *Shape:* (resamples, columns)
    """
    rows, counts = distinct_rows(table)
    random = np.random.default_rng(seed)
    chances = counts / counts.sum()
    return np.concatenate(
        [
            random.multinomial(len(table), chances, size=part) @ rows
            for part in parts_of(resamples, len(rows))
        ]
    )


def interval(values: Floats) -> Interval:
    """Return the percentile interval (Efron 1979) of resampled values, undefined ones left out."""
    defined = values[~np.isnan(values)]
    if len(defined) == 0:
        return None, None
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)


def bootstrap(
    table: Floats,
    statistic: Callable[[Floats], Floats],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Interval]:
    """Return an interval for each figure that `statistic` computes from totals.

    Args:
        table: counts. *Shape:* (documents, columns)
        statistic: from totals *Shape:* (resamples, columns) to figures *Shape:* (resamples, n).
        resamples: number of draws.
        seed: of the drawing.
    """
    if len(table) < 2:
        return [(None, None)] * statistic(table.sum(axis=0, keepdims=True)).shape[1]
    return [interval(column) for column in statistic(resample_totals(table, resamples, seed)).T]
