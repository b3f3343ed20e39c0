"""Error analysis: each error has one kind, and patterns group errors."""

from __future__ import annotations

import pytest
from hypothesis import given

from orbat.corpus.document import Document, Span
from orbat.evaluation.error_analysis.analysis import ERROR_KINDS, ErrorLog
from orbat.evaluation.mentions import MentionIndex
from tests.evaluation.test_metrics import TEXT, corpora


def log(gold: Document, predicted: Document, *train: Document) -> ErrorLog:
    errors = ErrorLog(train=MentionIndex(train) if train else None)
    errors.add(gold, predicted)
    return errors


@given(corpora)
def test_errors_and_confusions_add_up(pairs: list[tuple[Document, Document]]) -> None:
    errors = ErrorLog()
    for gold, predicted in pairs:
        errors.add(gold, predicted)
    summary = errors.summary()
    both = sum(1 for error in summary.shown if error.gold and error.predicted)
    differing = sum(len(set(a.spans) ^ set(b.spans)) for a, b in pairs)
    assert summary.total == len(summary.shown) == differing - both
    assert sum(summary.count_kind(kind) for kind in ERROR_KINDS) == summary.total
    assert sum(n for (gold, _), n in summary.confusion.items() if gold) == sum(
        len(gold.spans) for gold, _ in pairs
    )
    explained = [pattern.newly for pattern in summary.patterns]
    assert explained == sorted(explained, reverse=True)
    assert sum(explained) <= summary.total


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        (Span(0, 2, "A"), None, "missed"),
        (None, Span(0, 2, "A"), "spurious"),
        (Span(0, 5, "A"), Span(0, 2, "A"), "boundary"),
        (Span(0, 2, "A"), Span(0, 2, "B"), "label"),
        (Span(0, 5, "A"), Span(0, 2, "B"), "boundary and label"),
    ],
)
def test_each_kind_by_an_example(gold: Span | None, predicted: Span | None, kind: str) -> None:
    base = Document("x", TEXT)
    summary = log(
        base.with_spans([gold] if gold else []), base.with_spans([predicted] if predicted else [])
    ).summary()
    assert [error.kind for error in summary.shown] == [kind]


def test_a_confident_prediction_that_training_confirms_is_a_likely_gold_error() -> None:
    text = "Fleet sails. Fleet docks. Fleet."
    train = Document("t", text, (Span(0, 5, "A"), Span(13, 18, "A")))

    def kinds(score: float, *known: Document) -> list[str]:
        predicted = Document("x", "Fleet", (Span(0, 5, "A", score=score),))
        return [e.kind for e in log(Document("x", "Fleet"), predicted, *known).summary().shown]

    assert kinds(0.95, train) == ["likely gold error"]
    assert kinds(0.5, train) == ["spurious"]
    assert kinds(0.95) == ["spurious"]
    other = Document("u", "Fleet", (Span(0, 5, "B"),))
    assert kinds(0.95, train, other) == ["spurious"]


@pytest.mark.parametrize(
    ("text", "gold", "predicted", "pattern"),
    [
        ("the 1st Brigade", (4, 15), (0, 15), "A boundary: includes ‘the’ before"),
        ("Gen. Mark Doe", (0, 3), (0, 4), "A boundary: includes punctuation after"),
        ("Minister\nof Defence", (0, 8), (0, 19), "A boundary: includes a line break after"),
        ("Third Coast Guard", (0, 17), (0, 5), "A boundary: omits several words after"),
    ],
)
def test_patterns_describe_boundary_errors(
    text: str, gold: tuple[int, int], predicted: tuple[int, int], pattern: str
) -> None:
    base = Document("x", text)
    summary = log(
        base.with_spans([Span(*gold, "A")]), base.with_spans([Span(*predicted, "A")])
    ).summary()
    assert [result.description for result in summary.patterns] == [pattern]
    assert summary.patterns[0].examples[0].endswith("(x)")
