"""`evaluate_systems`: the function that the command calls, used from Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import sha256_text, write_documents
from orbat.errors import InputError
from orbat.evaluation.gate import parse_gate
from orbat.evaluation.report.html import render_report
from orbat.evaluation.system_evaluation import evaluate_systems
from orbat.ui import Progress
from tests.evaluation.test_metrics import TEXT

ONE, TWO = Span(0, 2, "A"), Span(3, 5, "B")
GOLD = [Document(f"d{n}", f"{TEXT} {n}", (ONE, TWO), {"desk": "eu"}) for n in range(6)]


class FirstSpan:
    """A model that finds the first gold span of each document; it was trained on one of them."""

    name = "first span"
    labels = ("A", "B")
    family = "first span"
    seen = frozenset([sha256_text(GOLD[0].text)])

    def __init__(self) -> None:
        self.recorded: dict[str, dict[str, Any]] = {}

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        return (d.with_spans([Span(0, 2, "A", score=0.9)]) for d in documents)

    def documents(self, part: str) -> list[Document] | None:
        return GOLD[:1] if part == "train" else None

    def record_evaluation(self, gold: str, result: dict[str, Any]) -> None:
        self.recorded[gold] = result


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    write_documents(tmp_path / "gold.jsonl", GOLD)
    return tmp_path / "gold.jsonl"


def test_a_model_and_a_file_of_predictions_are_compared(gold: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    write_documents(other, [document.with_spans([]) for document in GOLD])
    model, events = FirstSpan(), list[Progress]()
    result = evaluate_systems(
        [model, other],
        gold,
        gates=[parse_gate("recall=0.5"), parse_gate("B.f1=0.1")],
        resamples=100,
        on_progress=events.append,
    )
    assert (result.name, result.gold, result.seen_in_training) == ("first span", "gold.jsonl", 1)
    assert result.evaluation.strict.micro.precision == 1.0
    assert result.evaluation.strict.micro.recall == 0.5
    assert [gate.passed for gate in result.gates] == [True, False]
    assert not result.passed
    (comparison,) = result.comparisons
    assert (comparison.first, comparison.second) == ("first span", str(other))
    assert comparison.wins.first_only == 6
    assert set(result.system_scores) == {"first span", str(other)}
    assert "1 of these 6 documents were used for training" in result.warnings[0]
    assert events[0].completed == 0 and events[0].total == 2


def test_the_result_is_recorded_without_the_comparison_and_serializes(gold: Path) -> None:
    model = FirstSpan()
    result = evaluate_systems([model], gold, where="desk=eu", resamples=100)
    value = result.to_json()
    assert model.recorded == {"gold-desk=eu": value}
    assert json.loads(json.dumps(value))["strict"]["micro"]["recall"] == 0.5
    assert "comparisons" not in value and "gates" not in value
    assert result.gold == "gold.jsonl, desk=eu"
    page = render_report(result, {"A": "#123456"})
    assert "<title>first span on gold.jsonl, desk=eu</title>" in page


def test_annotators_are_the_human_baseline(gold: Path) -> None:
    result = evaluate_systems([FirstSpan()], gold, annotations={"ann": GOLD[:3]}, resamples=100)
    baseline = result.analysis.human_baseline
    assert baseline is not None
    (ann,) = baseline.annotators
    assert (ann.documents, ann.annotator.f1, ann.model.recall) == (3, 1.0, 0.5)


def test_nothing_to_evaluate_is_an_error(gold: Path) -> None:
    with pytest.raises(InputError, match="no system to evaluate"):
        evaluate_systems([], gold)
    with pytest.raises(InputError, match="check --where"):
        evaluate_systems([FirstSpan()], gold, where="desk=us")
