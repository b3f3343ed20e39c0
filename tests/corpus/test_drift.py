"""Drift between two corpora."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orbat.corpus.analysis.drift import measure_drift
from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from tests.conftest import Orbat


def test_two_halves_of_a_corpus_do_not_drift(train_articles: list[Document]) -> None:
    drift = measure_drift(train_articles[::2], train_articles[1::2])
    assert drift.p > 0.05
    assert drift.source_distance < 0.2


def test_changes_are_found(orbat: Orbat, tmp_path: Path, train_articles: list[Document]) -> None:
    old = [d.with_spans(replace(s, score=0.9) for s in d.spans) for d in train_articles[:60]]
    new = [
        replace(
            d,
            text=d.text + " Drones struck the drone depot; more drones followed." * (n < 5) * 40,
            spans=tuple(replace(s, score=0.6) for s in d.spans[::2]),
            meta={"source": "elsewhere"},
        )
        for n, d in enumerate(train_articles[60:120])
    ]
    write_documents(tmp_path / "old.jsonl", old)
    write_documents(tmp_path / "new.jsonl", new)
    page = tmp_path / "drift.html"
    arguments = ("corpus", "drift", tmp_path / "old.jsonl", tmp_path / "new.jsonl")
    value = orbat(*arguments, "--report", page, "--json").json()
    assert value["more"][0]["name"] == "drones"
    assert {e["id"] for e in value["examples"][:5]} == {d.id for d in new[:5]}
    assert value["source_distance"] == pytest.approx(1.0)
    for change in value["confidences"]:
        assert (change["old"], change["new"]) == (pytest.approx(0.9), pytest.approx(0.6))
    densities = {change["name"]: change for change in value["densities"]}
    assert densities["UNIT"]["new"] < densities["UNIT"]["old"]
    assert "drones" in page.read_text()
    assert "drones" in orbat(*arguments).out


def test_corpora_without_words_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    write_documents(tmp_path / "a.jsonl", [Document("x", "...")])
    assert "no words in the corpora" in refused(
        "corpus", "drift", tmp_path / "a.jsonl", tmp_path / "a.jsonl"
    )
