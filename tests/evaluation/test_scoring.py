"""Scores: by definition, by hand and beside the peers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.document import Document, Span
from corpus.files import write_documents
from evaluation.scoring import evaluate
from tests.conftest import Orbat
from training.tagging import find_words, spans_to_tags

TEXT = "aa bb cc dd ee ff gg hh ii jj"
WORDS = find_words(TEXT).tolist()
LABELS = ("A", "B")


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    cuts = sorted(draw(st.sets(st.integers(0, len(WORDS)), max_size=8)))
    return tuple(
        Span(WORDS[a][0], WORDS[b - 1][1], draw(st.sampled_from(LABELS)))
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    )


corpora = st.lists(st.tuples(spans(), spans()), min_size=1, max_size=6).map(
    lambda pairs: [
        (Document(f"d{n}", TEXT, gold), Document(f"d{n}", TEXT, predicted))
        for n, (gold, predicted) in enumerate(pairs)
    ]
)


@given(corpora)
def test_strict_scores_are_nervaluates_and_seqevals(pairs: list[tuple[Document, Document]]) -> None:
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    result = evaluate(pairs, LABELS, resamples=20)
    ours = result.micro.counts.f1
    assert result.kinder["strict"]["f1"] == pytest.approx(ours or 0.0)
    tags = ("O", "B-A", "I-A", "B-B", "I-B")

    def sequences(side: int) -> list[list[str]]:
        return [
            [
                tags[i]
                for i in spans_to_tags(
                    find_words(TEXT), [(s.start, s.end, s.label) for s in pair[side].spans], tags
                )
            ]
            for pair in pairs
        ]

    theirs = f1_score(sequences(0), sequences(1), mode="strict", scheme=IOB2, zero_division=0)
    assert theirs == pytest.approx(ours or 0.0)


@given(corpora)
def test_scores_are_symmetric_and_order_does_not_matter(
    pairs: list[tuple[Document, Document]],
) -> None:
    one = evaluate(pairs, LABELS, resamples=20).micro.counts
    turned = evaluate([(b, a) for a, b in pairs], LABELS, resamples=20).micro.counts
    assert one.f1 == turned.f1
    assert one.precision == turned.recall
    assert evaluate(pairs[::-1], LABELS, resamples=20).micro.counts == one


@given(corpora)
def test_perfect_predictions_score_one_with_a_tight_interval(
    pairs: list[tuple[Document, Document]],
) -> None:
    result = evaluate([(gold, gold) for gold, _ in pairs], LABELS, resamples=20)
    has_spans = any(gold.spans for gold, _ in pairs)
    assert result.micro.counts.f1 == (1.0 if has_spans else None)
    if has_spans and len(pairs) > 1:
        assert (result.micro.low, result.micro.high) == (1.0, 1.0)


def test_scores_and_interval_by_hand() -> None:
    a, b = Span(0, 2, "A"), Span(3, 5, "A")
    good = (Document("x", TEXT, (a, b)), Document("x", TEXT, (a, b)))
    bad = (Document("y", TEXT, (a,)), Document("y", TEXT, (b,)))
    result = evaluate([good, bad], LABELS)
    counts = result.labels["A"].counts
    assert (counts.both, counts.second_only, counts.first_only) == (2, 1, 1)
    assert result.micro.counts.f1 == pytest.approx(2 / 3)
    # Two documents drawn with replacement: a quarter of the draws has the bad one twice.
    assert (result.micro.low, result.micro.high) == (0.0, 1.0)
    assert result.labels["B"].counts.f1 is None
    assert result.labels["B"].low is None


def test_neighbours_do_not_count_as_overlapping() -> None:
    gold = Document("x", "abcd", (Span(0, 2, "A"),))
    predicted = Document("x", "abcd", (Span(2, 4, "A"),))
    assert evaluate([(gold, predicted)]).kinder["partial"]["f1"] == 0.0


def test_one_document_has_no_interval() -> None:
    document = Document("x", TEXT, (Span(0, 2, "A"),))
    assert evaluate([(document, document)]).micro.low is None


def test_predictions_of_any_system_can_be_scored(orbat: Orbat, tmp_path: Path) -> None:
    gold = [Document("x", TEXT, (Span(0, 2, "A"),)), Document("y", TEXT, (Span(0, 2, "A"),))]
    predicted = [Document("y", TEXT), Document("x", TEXT, (Span(0, 2, "A"),))]
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "pred.jsonl", predicted)
    arguments = ("--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl")
    value = orbat("evaluate", *arguments, "--json").json()
    assert value["strict"]["micro"]["precision"] == 1.0
    assert value["strict"]["micro"]["recall"] == 0.5
    assert set(value["strict"]["labels"]["A"]) >= {"precision", "recall", "f1", "low", "high"}


def test_a_part_of_the_gold_can_be_scored(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    span = Span(0, 2, "A")
    gold = [Document("x", TEXT, (span,), {"desk": "eu"}), Document("y", TEXT, (span,))]
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "pred.jsonl", [gold[0], Document("y", TEXT)])
    arguments = ("--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl")
    value = orbat("evaluate", *arguments, "--where", "desk=eu", "--json").json()
    assert value["documents"] == 1
    assert value["strict"]["micro"]["f1"] == 1.0
    assert "check --where" in refused("evaluate", *arguments, "--where", "desk=us")


def test_gold_and_predictions_must_match(refused: Callable[..., str], tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    write_documents(gold, [Document("x", TEXT)])

    def score(*documents: Document) -> str:
        write_documents(tmp_path / "pred.jsonl", documents)
        return refused("evaluate", "--predictions", tmp_path / "pred.jsonl", gold)

    assert "document 'x'" in score(Document("other", TEXT))
    assert "document 'more'" in score(Document("x", TEXT), Document("more", TEXT))
    assert "text of 'x' differs" in score(Document("x", TEXT + "!"))
    (tmp_path / "pred.jsonl").write_text(json.dumps({"id": "x", "text": TEXT}) * 2)
    assert "pred.jsonl:1: broken JSON" in refused(
        "evaluate", "--predictions", tmp_path / "pred.jsonl", gold
    )
    assert "write orbat evaluate MODEL GOLD" in refused("evaluate", gold)
    assert "no run folder, wheel file or installed model" in refused("evaluate", "nothing", gold)


def test_no_entity_at_all_is_no_zero(orbat: Orbat, tmp_path: Path) -> None:
    write_documents(tmp_path / "gold.jsonl", [Document("x", TEXT), Document("y", TEXT)])
    arguments = ("--predictions", tmp_path / "gold.jsonl", tmp_path / "gold.jsonl")
    value = orbat("evaluate", *arguments, "--json").json()
    assert value["strict"]["micro"]["f1"] is None
    assert orbat("evaluate", *arguments).code == 0
