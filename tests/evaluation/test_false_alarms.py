"""False alarms: their rates, perfect documents, and documents without annotations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents, write_json_lines
from orbat.evaluation.false_alarms.rates import FalseAlarms, FalseAlarmTable
from tests.conftest import Orbat
from tests.evaluation.test_metrics import LABELS, TEXT, corpora, evaluate_pairs

A, B = Span(0, 2, "A"), Span(3, 5, "B")


def false_alarms(pairs: list[tuple[Document, Document]], resamples: int = 200) -> FalseAlarms:
    table = FalseAlarmTable(LABELS)
    for pair in pairs:
        table.add(*pair)
    return table.false_alarms(resamples=resamples)


@given(corpora)
def test_false_alarms_are_the_predictions_that_are_not_right(
    pairs: list[tuple[Document, Document]],
) -> None:
    alarms = false_alarms(pairs, 20)
    strict = evaluate_pairs(pairs, LABELS, resamples=20).strict
    assert alarms.micro.spans == strict.micro.predicted - strict.micro.credit
    for label, rate in alarms.labels.items():
        score = strict.labels[label]
        assert rate.spans == score.predicted - score.credit
    assert alarms.perfect == sum(set(g.spans) == set(p.spans) for g, p in pairs)


def test_rates_by_hand() -> None:
    """TEXT has ten words."""
    right = (Document("x", TEXT, (A,)), Document("x", TEXT, (A,)))
    missed = (Document("x", TEXT, (A, B)), Document("x", TEXT, (A,)))
    wrong = (Document("x", TEXT, (A,)), Document("x", TEXT, (Span(0, 5, "A"),)))
    quiet = (Document("x", TEXT), Document("x", TEXT))
    alarmed = (Document("x", TEXT), Document("x", TEXT, (A, B)))
    alarms = false_alarms([right, missed, wrong, quiet, quiet, quiet, alarmed] * 2)
    assert (alarms.documents, alarms.micro.words) == (14, 140)
    assert (alarms.perfect, alarms.perfect_share) == (8, pytest.approx(8 / 14))
    assert alarms.micro.per_1000_words == pytest.approx(1000 * 6 / 140)
    assert alarms.labels["B"].per_1000_words == pytest.approx(1000 * 2 / 140)
    low, high = alarms.micro.low, alarms.micro.high
    assert low is not None and high is not None
    assert low < 1000 * 6 / 140 < high
    empty = alarms.without_entities
    assert (empty.documents, empty.unmarked, empty.precision) == (8, 6, 0.75)
    assert empty.rate.per_1000_words == pytest.approx(1000 * 4 / 80)
    assert empty.rate.low is None, "eight documents are too few for an interval"


def test_no_false_alarm_has_no_interval() -> None:
    """The interval would be 0 to 0, whatever the number of documents."""
    alarms = false_alarms([(Document("x", TEXT, (A,)), Document("x", TEXT, (A,)))] * 20)
    assert (alarms.micro.per_1000_words, alarms.micro.low, alarms.micro.high) == (0.0, None, None)
    assert alarms.without_entities.precision is None


def test_evaluate_shows_false_alarms(orbat: Orbat, tmp_path: Path) -> None:
    gold = [Document(f"d{n}", TEXT, (A,) if n % 2 else ()) for n in range(20)]
    write_documents(tmp_path / "gold.jsonl", gold)
    predicted = [d.with_spans([*d.spans, B][:1] if n else []) for n, d in enumerate(gold)]
    write_documents(tmp_path / "pred.jsonl", predicted)
    arguments = ("--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl")
    value = orbat("evaluate", *arguments, "--json").json()["false_alarms"]
    assert value["micro"]["spans"] == value["labels"]["B"]["spans"] == 9
    assert value["perfect_documents"] == 11
    assert value["without_entities"]["precision"] == 0.1
    printed = orbat("evaluate", *arguments).out
    assert "perfect documents (all right and none wrong): 11 of 20 (0.550)" in printed
    assert "precision on documents without entities: 0.100 (1 of 10 have no prediction)" in printed


@pytest.fixture
def ordinary(tmp_path: Path) -> tuple[Path, Path]:
    """Documents that nobody annotated, and predictions for them."""
    texts = [{"id": f"d{n}", "text": TEXT} for n in range(12)]
    write_json_lines(tmp_path / "ordinary.jsonl", texts)
    spans = [(A, B), (B,), *[()] * 10]
    predicted = [Document(f"d{n}", TEXT, spans[n]) for n in range(12)]
    write_documents(tmp_path / "pred.jsonl", predicted)
    return tmp_path / "ordinary.jsonl", tmp_path / "pred.jsonl"


def test_documents_without_annotations_are_not_taken_for_gold(
    orbat: Orbat, refused: Callable[..., str], ordinary: tuple[Path, Path], tmp_path: Path
) -> None:
    documents, predictions = ordinary
    message = refused("evaluate", "--predictions", predictions, documents)
    assert message.startswith(f"{documents}:1: document 'd0' has no field 'spans'")
    empty = tmp_path / "empty.jsonl"
    write_documents(empty, [Document(f"d{n}", TEXT) for n in range(12)])
    outcome = orbat("evaluate", "--predictions", predictions, empty)
    assert "warning: the gold has no span at all" in outcome.err


def test_only_the_named_labels_are_counted(
    orbat: Orbat, ordinary: tuple[Path, Path], tmp_path: Path
) -> None:
    documents, predictions = ordinary
    arguments = ("evaluate", "--predictions", predictions, documents, "--false-alarms", "B,C")
    value = orbat(*arguments, "--json").json()
    assert value["false_alarms"]["micro"]["spans"] == 2
    assert {k: v["spans"] for k, v in value["false_alarms"]["labels"].items()} == {"B": 2, "C": 0}
    assert value["surfaces"] == [{"label": "B", "surface": "bb", "spans": 2, "doc_id": "d0"}]
    report = tmp_path / "report.html"
    printed = orbat(*arguments, "--report", report).out
    assert "10 documents have none" in printed
    assert ">bb</td><td>2</td>" in report.read_text()


def test_what_contradicts_the_option_is_refused(
    refused: Callable[..., str], ordinary: tuple[Path, Path], tmp_path: Path
) -> None:
    documents, predictions = ordinary
    arguments = ("evaluate", "--predictions", predictions)
    gated = refused(*arguments, documents, "--false-alarms", "A", "--gate", "F1=0.9")
    assert gated.startswith("--gate needs gold")
    write_json_lines(
        tmp_path / "gold.jsonl",
        [json.loads(line) for line in predictions.read_text().splitlines()],
    )
    message = refused(*arguments, tmp_path / "gold.jsonl", "--false-alarms", "A")
    assert "document 'd0' has a gold span with the label A" in message
