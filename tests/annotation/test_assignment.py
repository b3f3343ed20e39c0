"""Who labels what, and how fast."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.session.assignment import assign
from orbat.annotation.session.status import measure_pace


@given(
    st.integers(0, 60),
    st.lists(st.sampled_from(["ann", "ben", "cat"]), min_size=1, max_size=3, unique=True),
    st.floats(0, 1),
    st.integers(0, 60),
)
def test_documents_are_shared_and_dealt_evenly(
    count: int, annotators: list[str], overlap: float, first: int
) -> None:
    ids = [f"d{n}" for n in range(count)]
    plan = assign(ids, annotators, overlap, {})
    assert list(plan) == ids
    shared = [doc_id for doc_id in ids if plan[doc_id] is None]
    assert len(shared) == math.ceil(round(count * overlap, 9))
    sizes = [list(plan.values()).count(name) for name in annotators]
    assert max(sizes) - min(sizes) <= 1
    # In two steps as in one, and what is assigned stays.
    begun = assign(ids[:first], annotators, overlap, {})
    assert assign(ids, annotators, overlap, begun) == plan
    assert assign(reversed(ids), annotators, 0.5, plan) == plan


def test_pace_leaves_pauses_out() -> None:
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    minutes = (0, 2, 4, 6, 200, 202)
    assert measure_pace(start + timedelta(minutes=m) for m in minutes) == pytest.approx(30)
    assert measure_pace([start]) is None
    assert measure_pace([]) is None
