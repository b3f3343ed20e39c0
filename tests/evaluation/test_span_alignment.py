"""Span alignment: one to one, the smallest error first, the same from both sides."""

from __future__ import annotations

import pytest
from hypothesis import given

from orbat.corpus.document import Span
from orbat.evaluation.span_alignment import ErrorKind, SpanPair, align_spans, group_overlapping
from tests.evaluation.test_metrics import spans

Spans = tuple[Span, ...]


@given(spans(), spans())
def test_every_span_is_in_one_pair(gold: Spans, predicted: Spans) -> None:
    pairs = align_spans(gold, predicted)
    assert sorted(pair.first for pair in pairs if pair.first) == list(gold)
    assert sorted(pair.second for pair in pairs if pair.second) == list(predicted)
    for pair in pairs:
        a, b = pair.first, pair.second
        assert not (a and b) or (a.start < b.end and b.start < a.end)


@given(spans(), spans())
def test_equal_spans_are_correct_and_no_others(gold: Spans, predicted: Spans) -> None:
    correct = {p.first for p in align_spans(gold, predicted) if p.kind is ErrorKind.CORRECT}
    assert correct == set(gold) & set(predicted)


@given(spans(), spans())
def test_exchanging_the_sides_reverses_every_kind(gold: Spans, predicted: Spans) -> None:
    pairs = align_spans(gold, predicted)
    exchanged = align_spans(predicted, gold)
    assert {SpanPair(pair.second, pair.first) for pair in pairs} == set(exchanged)
    assert sorted(pair.kind.reversed for pair in pairs) == sorted(p.kind for p in exchanged)


@given(spans(), spans())
def test_pairs_are_in_order_of_position(gold: Spans, predicted: Spans) -> None:
    starts = [min(span.start for span in pair.spans) for pair in align_spans(gold, predicted)]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (Span(0, 2, "A"), Span(0, 2, "A"), ErrorKind.CORRECT),
        (Span(0, 2, "A"), None, ErrorKind.MISSED),
        (None, Span(0, 2, "A"), ErrorKind.SPURIOUS),
        (Span(0, 5, "A"), Span(3, 8, "A"), ErrorKind.BOUNDARY),
        (Span(0, 2, "A"), Span(0, 2, "B"), ErrorKind.LABEL),
        (Span(0, 5, "A"), Span(0, 2, "B"), ErrorKind.BOUNDARY_AND_LABEL),
    ],
)
def test_each_kind_by_an_example(first: Span | None, second: Span | None, kind: ErrorKind) -> None:
    (pair,) = align_spans([first] if first else [], [second] if second else [])
    assert pair == SpanPair(first, second)
    assert pair.kind is kind


def test_neighbors_do_not_overlap() -> None:
    assert len(align_spans([Span(0, 2, "A")], [Span(2, 4, "A")])) == 2


def test_the_same_label_wins_over_the_longer_overlap() -> None:
    """A mention cut in two: its first part has a boundary error, and the rest is spurious."""
    whole, part, rest = Span(0, 9, "ROLE"), Span(0, 3, "ROLE"), Span(4, 9, "RANK")
    assert align_spans([whole], [part, rest]) == [SpanPair(whole, part), SpanPair(None, rest)]


def test_among_equal_labels_the_longer_overlap_wins() -> None:
    whole, part, rest = Span(0, 9, "A"), Span(0, 3, "A"), Span(4, 9, "A")
    assert set(align_spans([whole], [part, rest])) == {SpanPair(whole, rest), SpanPair(None, part)}


def test_groups_join_spans_that_overlap_through_others() -> None:
    a, b, c, d = Span(0, 4, "A"), Span(3, 6, "B"), Span(5, 8, "A"), Span(8, 9, "A")
    assert group_overlapping([d, b, c, a]) == [[a, b, c], [d]]
