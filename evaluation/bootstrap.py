"""Bootstrap over documents: percentile intervals of statistics of summed counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
MIN_DOCUMENTS = 10
"""Fewest documents from which an interval is computed. Percentile intervals of fewer documents are
far too narrow or say nothing (0 to 1)."""

Floats = NDArray[np.float64]
Interval = tuple[float | None, float | None]
"""Lower and upper bound; None if undefined, or for fewer than :data:`MIN_DOCUMENTS`."""

_MAX_CELLS = 10_000_000
"""Numbers kept in memory at once while resampling."""


def f1_scores(gold: Floats, predicted: Floats, credit: Floats) -> Floats:
    """Return F1 elementwise; NaN where there is neither a gold nor a predicted span."""
    size = gold + predicted
    return np.divide(2 * credit, size, out=np.full_like(size, np.nan), where=size > 0)


def distinct_rows(table: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the distinct rows of a table, and how often each occurs.

    The order of the rows does not depend on the order of the table. Hashing whole rows is several
    times faster than sorting them with numpy.

    Args:
        table: *Shape:* (documents, columns)

    Returns:
        The rows, *Shape:* (distinct, columns), and their frequencies, *Shape:* (distinct,).
    """
    tally = sorted(Counter(row.tobytes() for row in np.ascontiguousarray(table)).items())
    rows = np.frombuffer(b"".join(row for row, _ in tally)).reshape(len(tally), -1)
    return rows, np.array([count for _, count in tally])


def chunk_sizes(draws: int, width: int) -> Iterator[int]:
    """Split a number of draws of `width` numbers into chunks that fit into memory."""
    size = max(1, _MAX_CELLS // max(width, 1))
    for begin in range(0, draws, size):
        yield min(size, draws - begin)


def resample_totals(table: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Draw documents with replacement, as many as there are, and sum their counts.

    Documents with the same counts are interchangeable. Drawing from the distinct rows with their
    frequencies gives the same distribution (a multinomial whose equal categories are merged), and
    its cost hardly grows with the number of documents.

    Args:
        table: counts. *Shape:* (documents, columns)
        resamples: number of resamples.
        seed: random seed.

    Returns:
        *Shape:* (resamples, columns)
    """
    rows, counts = distinct_rows(table)
    random = np.random.default_rng(seed)
    probabilities = counts / counts.sum()
    return np.concatenate(
        [
            random.multinomial(len(table), probabilities, size=size) @ rows
            for size in chunk_sizes(resamples, len(rows))
        ]
    )


def interval(values: Floats) -> Interval:
    """Return the percentile interval (Efron 1979) of resampled values; NaN values are ignored."""
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
    holders: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Interval]:
    """Return an interval of each figure that `statistic` computes from summed counts.

    Args:
        table: counts. *Shape:* (documents, columns)
        statistic: maps totals, *Shape:* (resamples, columns), to figures, *Shape:* (resamples, n).
        holders: for each figure, the number of documents that it is computed from, such as those
            with a span of one label; None takes all documents. A figure from fewer than
            :data:`MIN_DOCUMENTS` has no interval. *Shape:* (n,)
        resamples: number of resamples.
        seed: random seed.
    """
    figures = statistic(table.sum(axis=0, keepdims=True)).shape[1]
    known = [len(table)] * figures if holders is None else holders
    if max(known, default=0) < MIN_DOCUMENTS:
        return [(None, None)] * figures
    return [
        interval(column) if documents >= MIN_DOCUMENTS else (None, None)
        for column, documents in zip(
            statistic(resample_totals(table, resamples, seed)).T, known, strict=True
        )
    ]
