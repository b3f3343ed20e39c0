"""Batches of windows of similar length, so that little of the computing is padding."""

from __future__ import annotations

import numpy as np

from ..tagger.arrays import Ints

_POOL_BATCHES = 50
"""Batches whose windows are sorted by length together, at most."""
_MIN_POOLS = 4
"""Pools of an epoch, where it has enough batches: with one, each batch would be of one length."""


def order_by_batches(order: Ints, lengths: Ints, batch_size: int, rng: np.random.Generator) -> Ints:
    """Order windows so that each batch has windows of similar length, and batches are shuffled.

    Windows are drawn into random pools, as by the LengthGroupedSampler of transformers, and sorted
    by length in each. Unlike there, the batches of a pool are shuffled. If the last batch is not
    full, it has random windows.

    Args:
        order: indices of windows in random order. *Shape:* (windows,).
        lengths: the lengths of all windows, by index.
        batch_size: windows in a batch.
        rng: source of the random choices.

    Returns:
        The indices in their new order. *Shape:* (windows,).
    """
    batches, rest = divmod(len(order), batch_size)
    if not batches:
        return order
    full, last = order[: len(order) - rest], order[len(order) - rest :]
    pool = batch_size * max(1, min(batches // _MIN_POOLS, _POOL_BATCHES))
    ordered = []
    for start in range(0, len(full), pool):
        windows = full[start : start + pool]
        by_length = windows[np.argsort(lengths[windows], kind="stable")]
        ordered.append(rng.permutation(by_length.reshape(-1, batch_size)).ravel())
    return np.concatenate([*ordered, last])
