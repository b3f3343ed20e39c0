"""Assignment of documents to annotators, and the annotators' pace."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.overview.pace import measure_pace
from orbat.annotation.session.assigning.assignment import Assignments, assign
from orbat.errors import InputError

ANNOTATORS = ("ann", "ben", "cat", "dan")
DOCUMENTS = st.lists(st.integers(1, 900), max_size=60).map(
    lambda words: {f"d{number}": count for number, count in enumerate(words)}
)
TEAMS = st.integers(1, 4).flatmap(
    lambda size: st.tuples(st.just(ANNOTATORS[:size]), st.none() | st.integers(1, size))
)


def words_of(assignments: Assignments, documents: dict[str, int], name: str) -> int:
    return sum(documents[doc_id] for doc_id, names in assignments.items() if name in names)


@given(DOCUMENTS, TEAMS, st.floats(0, 1), st.integers(0, 60))
def test_documents_have_their_readers_balanced_in_words(
    documents: dict[str, int], team: tuple[tuple[str, ...], int | None], overlap: float, first: int
) -> None:
    annotators, readers = team
    assignments = assign(documents, annotators, {}, overlap=overlap, readers=readers)
    assert list(assignments) == list(documents)
    several = readers or len(annotators)
    shared = math.ceil(round(len(documents) * overlap, 9))
    assert sorted(map(len, assignments.values())) == sorted(
        [several] * shared + [1] * (len(documents) - shared)
    )
    assert all(tuple(sorted(set(names))) == names for names in assignments.values())
    load = {name: words_of(assignments, documents, name) for name in annotators}
    longest = max(documents.values(), default=0)
    assert max(load.values()) - min(load.values()) <= 2 * longest

    # Existing assignments do not change, and who has less to read gets more.
    known = dict(list(documents.items())[:first])
    before = assign(known, annotators, {}, overlap=overlap, readers=readers)
    load = {name: words_of(before, documents, name) for name in annotators}
    after = assign(documents, annotators, before, overlap=0.5, readers=1, load=load)
    assert {doc_id: after[doc_id] for doc_id in before} == before
    assert assign(documents, annotators, after, overlap=1) == after
    load = {name: words_of(after, documents, name) for name in annotators}
    assert max(load.values()) - min(load.values()) <= 2 * longest


def test_every_pair_of_annotators_shares_documents() -> None:
    documents = {f"d{number}": 100 for number in range(60)}
    pairs = Counter(assign(documents, ANNOTATORS, {}, readers=2).values())
    assert set(pairs) == set(combinations(ANNOTATORS, 2))
    assert max(pairs.values()) - min(pairs.values()) <= 1


def test_more_readers_than_annotators_are_refused() -> None:
    with pytest.raises(InputError, match="3 readers of each document, but 2 annotators"):
        assign({"a": 1}, ["ann", "ben"], {}, readers=3)


def test_pauses_do_not_count_for_the_pace() -> None:
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    minutes = (0, 2, 4, 6, 200, 202)
    assert measure_pace(start + timedelta(minutes=m) for m in minutes) == pytest.approx(30)
    assert measure_pace([start]) is None
    assert measure_pace([]) is None
