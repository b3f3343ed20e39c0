"""Likely label errors: found, ranked, and put before annotators."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from orbat.annotation.label_issues import find_label_issues, worst_documents
from orbat.annotation.word_probabilities import WordProbabilities
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_json_lines, write_documents
from tests.conftest import Orbat

TEXT = "Gen. Osei led 4 Wing and Maj. Doe of the Air Staff"
PLACES = {word: TEXT.index(word) for word in ("Gen.", "4 Wing", "Maj.", "Air Staff")}


def mark(words: str, label: str) -> Span:
    return Span(PLACES[words], PLACES[words] + len(words), label)


def judge(spans: dict[Span, float]) -> tuple[Document, WordProbabilities]:
    """A model that marks some spans, and is so sure of them; of all else it is sure."""
    starts = [0, 5, 10, 14, 16, 21, 25, 30, 34, 37, 41, 45]
    words = np.array([(s, e) for s, e in zip(starts, [*starts[1:], len(TEXT)], strict=True)])
    values = np.tile([0.98, 0.01, 0.01], (len(words), 1))
    for span, chance in spans.items():
        inside = (words[:, 0] >= span.start) & (words[:, 0] < span.end)
        row = [1 - chance, 0.0, 0.0]
        row[1 + ("RANK", "UNIT").index(span.label)] = chance
        values[inside] = row
    document = Document("d", TEXT, tuple(sorted(spans)))
    return document, WordProbabilities(words, ("RANK", "UNIT"), values)


def test_each_kind_of_error_is_named_and_the_likeliest_comes_first() -> None:
    gold = Document(
        "d",
        TEXT,
        tuple(sorted([mark("Gen.", "UNIT"), mark("Maj.", "RANK"), mark("Air Staff", "UNIT")])),
    )
    prediction = judge(
        {mark("Gen.", "RANK"): 0.99, mark("4 Wing", "UNIT"): 0.9, mark("Maj.", "RANK"): 0.97}
    )
    found = find_label_issues([gold], [prediction])
    assert [(s.kind, TEXT[(s.gold or s.suggested).start :][:4]) for s in found] == [
        ("label", "Gen."),
        ("spurious", "Air "),
        ("missed", "4 Wi"),
    ]
    assert [s.chance for s in found] == pytest.approx([1.0, 0.99, 0.9])
    assert found[1].surprise == pytest.approx(-math.log(0.01))
    (document,) = worst_documents(found)
    assert document.spans == gold.spans
    assert document.meta["review"]["issue 1"].startswith("label (100%): gold UNIT 0-4")


def test_a_moved_border_counts_at_the_words_that_it_moves_over() -> None:
    wide = Span(0, 9, "RANK")
    gold = Document("d", TEXT, (wide,))
    (found,) = find_label_issues([gold], [judge({mark("Gen.", "RANK"): 0.9})])
    assert found.kind == "boundary"
    assert found.chance == pytest.approx(0.99)


def test_gold_that_the_model_bears_out_is_not_suspect() -> None:
    spans = {mark("Gen.", "RANK"): 0.6, mark("4 Wing", "UNIT"): 0.6}
    assert find_label_issues([Document("d", TEXT, tuple(spans))], [judge(spans)]) == []


def test_the_command_names_places_and_goes_on_where_it_was(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document], refused: Callable[..., str]
) -> None:
    gold = train_articles[::6]
    write_documents(tmp_path / "gold.jsonl", gold)
    arguments = (
        *("annotate", "audit", tmp_path / "gold.jsonl", "--work", tmp_path / "work"),
        *("--recipe", "baseline-linear", "--set", "epochs=4", "--folds", 3, "--top", 40),
        *("--output", tmp_path / "suspects.jsonl", "--html", tmp_path / "suspects.html"),
    )
    outcome = orbat(*arguments)
    assert outcome.code == 0, outcome.err
    suspects = [record for _, record in read_json_lines(tmp_path / "suspects.jsonl")]
    assert len(suspects) == 40
    chances = [suspect["chance"] for suspect in suspects]
    assert chances == sorted(chances, reverse=True)
    spans = {d.id: {(s.start, s.end, s.label) for s in d.spans} for d in gold}
    for suspect in suspects:
        marked, held = suspect["gold"], spans[suspect["document"]]
        assert marked is None or tuple(marked.values()) in held
        assert suspect["suggested"] is None or tuple(suspect["suggested"].values()) not in held
    assert "Likely label errors" in (tmp_path / "suspects.html").read_text()
    words = [record for _, record in read_json_lines(tmp_path / "work" / "words.jsonl")]
    assert [record["id"] for record in words] == [document.id for document in gold]
    first = (tmp_path / "suspects.jsonl").read_bytes()
    for fold in (1, 2, 3):
        manifest = json.loads((tmp_path / "work" / f"fold-{fold}" / "manifest.json").read_text())
        seen = {e["id"] for part in manifest["documents"].values() for e in part}
        assert seen < {document.id for document in gold}
    assert orbat(*arguments).code == 0
    assert (tmp_path / "suspects.jsonl").read_bytes() == first
    assert "cannot be cut into 300 folds" in refused(
        *("annotate", "audit", tmp_path / "gold.jsonl", "--work", tmp_path / "other"),
        *("--folds", 300),
    )
    assert "pass both or neither" in refused(*arguments, "--annotators", "ann")
    rules = (*arguments[:3], "--work", tmp_path / "rules", "--recipe", "baseline-rules")
    assert "gives no probabilities of words" in refused(*rules)
