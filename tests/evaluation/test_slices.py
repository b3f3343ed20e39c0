"""Scores of slices: they add up to the whole, and the worst slice is reported."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from hypothesis import given

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.evaluation.mentions import MentionIndex
from orbat.evaluation.slices import SliceTable, dimensions, worst_slice
from tests.conftest import Orbat
from tests.evaluation.test_metrics import TEXT, corpora, evaluate_pairs

TRAIN = Document("t", "the 1st Brigade and Gen. Doe", (Span(4, 15, "UNIT"), Span(20, 24, "RANK")))


@given(corpora)
def test_groups_of_a_dimension_add_up_to_all(pairs: list[tuple[Document, Document]]) -> None:
    table = SliceTable(dimensions(train=MentionIndex([pairs[0][0]]), fields=["desk"]))
    for gold, predicted in pairs:
        table.add(gold, predicted)
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0])
    for part in table.slices(resamples=20):
        sums[part.dimension][0] += part.score.gold
        sums[part.dimension][1] += part.score.predicted
        sums[part.dimension][2] += part.score.credit
    whole = evaluate_pairs(pairs, resamples=20).strict.micro
    if whole.gold + whole.predicted:
        assert len(sums) == 6
    assert all(counts == [whole.gold, whole.predicted, whole.credit] for counts in sums.values())


def test_seen_mentions_are_separated_from_unseen_ones() -> None:
    text = "1st Brigade, 1ST  BRIGADE, 9th Brigade, Gen."
    gold = Document(
        "x",
        text,
        (Span(0, 11, "UNIT"), Span(13, 25, "UNIT"), Span(27, 38, "UNIT"), Span(40, 44, "UNIT")),
    )
    table = SliceTable(dimensions(train=MentionIndex([TRAIN])))
    table.add(gold, gold)
    groups = {(part.dimension, part.group): part.score.gold for part in table.slices(resamples=20)}
    assert groups["in training (exact)", "seen"] == 1
    assert groups["in training (exact)", "unseen"] == 2
    assert groups["in training (exact)", "seen with another label"] == 1
    assert groups["in training (normalized)", "seen"] == 2
    assert groups["casing of mention", "all capitals"] == 1
    assert groups["words in mention", "2"] == 3


def test_the_worst_group_is_a_large_one(orbat: Orbat, tmp_path: Path) -> None:
    span = Span(0, 2, "A")
    gold = [
        Document(f"d{n}", TEXT, (span,), {"source": source, "rare": str(n)})
        for n, source in enumerate(["good"] * 30 + ["bad"] * 25 + ["small"] * 3)
    ]
    predicted = [d if d.meta["source"] == "good" else Document(d.id, TEXT) for d in gold]
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "pred.jsonl", predicted)
    value = orbat(
        *("evaluate", "--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl"),
        *("--slice", "rare", "--slice", "absent", "--json"),
    ).json()
    assert (value["worst_slice"]["dimension"], value["worst_slice"]["group"]) == ("source", "bad")
    assert value["worst_slice"]["gold"] == 25
    rare = [part for part in value["slices"] if part["dimension"] == "rare"]
    assert len(rare) == 30
    assert rare[-1]["group"] == "(all others)"
    assert rare[-1]["gold"] == 58 - 29
    absent = [part["group"] for part in value["slices"] if part["dimension"] == "absent"]
    assert absent == ["(none)"]
    assert worst_slice([]) is None
