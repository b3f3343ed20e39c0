"""The demo on a few articles: from raw text to the entities of an installed wheel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orbat.annotation.doccano.server import DoccanoServer
from orbat.corpus.files import read_documents
from orbat.evaluation.counts import total_counts
from tests.conftest import ARTICLES, Orbat


@pytest.mark.slow
@pytest.mark.doccano
def test_the_demo_runs_every_step(orbat: Orbat, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    settings = ("--set", "epochs=8")
    outcome = orbat("demo", "--output", out, "--documents", "8", *settings)
    assert outcome.code == 0, outcome.err
    assert "This is a replay" in outcome.out
    assert "whole demo" in outcome.out
    shipped = {document.id: document for document in read_documents(ARTICLES / "train.jsonl")}
    gold = list(read_documents(out / "gold.jsonl"))
    assert len(gold) == 8
    f1 = total_counts((shipped[document.id], document) for document in gold)[0].f1
    assert f1 is not None
    assert f1 > 0.98
    wheel = out / "dist" / "en_orbat_news-0.1.0-py3-none-any.whl"
    for path in (wheel, out / "report.html", out / "dist" / "MODEL_CARD.md"):
        assert path.is_file()
        assert str(path) in outcome.out
    evaluation = json.loads((out / "run" / "evaluations" / "test.json").read_text())
    assert evaluation["seen_in_training"] == 0
    assert evaluation["strict"]["micro"]["f1"] > 0.1
    (page,) = read_documents(out / "page.jsonl")
    article = next(read_documents(ARTICLES / "test.jsonl"))
    assert page.text.split() == article.text.split()
    assert DoccanoServer(out / "doccano").url is None
