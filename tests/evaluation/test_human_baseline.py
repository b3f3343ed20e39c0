"""The human baseline: annotators and model scored on the same documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from tests.conftest import Orbat
from tests.evaluation.test_metrics import TEXT

ONE, TWO = Span(0, 2, "A"), Span(3, 5, "A")


def test_annotators_and_model_are_scored_on_the_same_documents(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    gold = [Document(f"d{n}", TEXT, (ONE, TWO)) for n in range(6)]
    predicted = [d.with_spans([ONE] if n < 4 else []) for n, d in enumerate(gold)]
    unconfirmed = Document("d5", TEXT, (), {"annotation": {"confirmed": False}})
    annotations = {
        "ann": [gold[0], gold[1].with_spans([ONE])],
        "ben": [gold[1], gold[2], gold[3], unconfirmed],
    }
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "pred.jsonl", predicted)
    for name, documents in annotations.items():
        write_documents(tmp_path / f"{name}.jsonl", documents)
    arguments = (
        *("evaluate", "--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl"),
        *("--annotators", tmp_path / "ann.jsonl", "--annotators", tmp_path / "ben.jsonl"),
    )
    baseline = orbat(*arguments, "--json").json()["human_baseline"]
    ann, ben = baseline["annotators"]
    assert (ann["name"], ann["documents"], ben["name"], ben["documents"]) == ("ann", 2, "ben", 3)
    assert ann["annotator"]["f1"] == pytest.approx(6 / 7)
    assert ben["annotator"]["f1"] == 1.0
    assert ann["model"]["f1"] == ben["model"]["f1"] == pytest.approx(2 / 3)
    assert [(pair["first"], pair["second"], pair["documents"]) for pair in baseline["pairs"]] == [
        ("ann", "ben", 1)
    ]
    assert (
        "annotator ann: F1 0.857 on 2 documents; model on the same documents: 0.667"
        in orbat(*arguments).out
    )
    assert "second file of annotator 'ann'" in refused(
        *arguments, "--annotators", tmp_path / "ann.jsonl"
    )
    write_documents(tmp_path / "ann.jsonl", [Document("d0", "other text")])
    assert "text of 'd0' differs" in refused(*arguments)
    write_documents(tmp_path / "ann.jsonl", [unconfirmed])
    assert "no document is confirmed" in refused(*arguments)
