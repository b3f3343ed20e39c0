"""Assignment of documents to annotators, and the annotators' pace."""

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
def test_documents_are_shared_and_assigned_evenly(
    count: int, annotators: list[str], overlap: float, first: int
) -> None:
    ids = [f"d{n}" for n in range(count)]
    assignments = assign(ids, annotators, overlap, {})
    assert list(assignments) == ids
    shared = [doc_id for doc_id in ids if assignments[doc_id] is None]
    assert len(shared) == math.ceil(round(count * overlap, 9))
    sizes = [list(assignments.values()).count(name) for name in annotators]
    assert max(sizes) - min(sizes) <= 1
    # Two steps give the same assignments as one, and existing assignments do not change.
    first_assignments = assign(ids[:first], annotators, overlap, {})
    assert assign(ids, annotators, overlap, first_assignments) == assignments
    assert assign(reversed(ids), annotators, 0.5, assignments) == assignments


def test_pauses_do_not_count_for_the_pace() -> None:
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    minutes = (0, 2, 4, 6, 200, 202)
    assert measure_pace(start + timedelta(minutes=m) for m in minutes) == pytest.approx(30)
    assert measure_pace([start]) is None
    assert measure_pace([]) is None
