"""How pieces that are read on are packed."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.runtime import pack


@given(st.lists(st.integers(0, 70), max_size=40), st.integers(1, 300))
def test_sequences_are_packed_whole_and_once(counts: list[int], pieces: int) -> None:
    bounds = np.cumsum([0, *counts])
    found = []
    for index, real in pack(np.array(counts, dtype=np.int64), pieces):
        assert index.shape == real.shape
        assert len(index) == 1 or index.size <= pieces
        # What is no element may be looked up all the same.
        assert ((index >= 0) & (index < bounds[-1])).all()
        found += [row[there].tolist() for row, there in zip(index, real, strict=True)]
    wanted = [list(range(a, b)) for a, b in itertools.pairwise(bounds) if a < b]
    assert sorted(found) == wanted
