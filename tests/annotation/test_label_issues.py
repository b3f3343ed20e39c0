"""Label issues: how they are found, ranked and reviewed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from orbat.annotation.audit_sample import measure_sample
from orbat.annotation.label_issues import find_label_issues, review_documents
from orbat.annotation.word_probabilities import WordProbabilities
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_json_lines, write_documents
from orbat.errors import InputError
from tests.conftest import Orbat

TEXT = "Gen. Osei led 4 Wing and Maj. Doe of the Air Staff"
STARTS = {phrase: TEXT.index(phrase) for phrase in ("Gen.", "4 Wing", "Maj.", "Air Staff")}


def mark(phrase: str, label: str) -> Span:
    return Span(STARTS[phrase], STARTS[phrase] + len(phrase), label)


def predict(spans: dict[Span, float]) -> tuple[Document, WordProbabilities]:
    """Predict spans with these probabilities, and no span elsewhere with certainty."""
    starts = [0, 5, 10, 14, 16, 21, 25, 30, 34, 37, 41, 45]
    words = np.array([(s, e) for s, e in zip(starts, [*starts[1:], len(TEXT)], strict=True)])
    values = np.tile([0.98, 0.01, 0.01], (len(words), 1))
    for span, probability in spans.items():
        inside = (words[:, 0] >= span.start) & (words[:, 0] < span.end)
        row = [1 - probability, 0.0, 0.0]
        row[1 + ("RANK", "UNIT").index(span.label)] = probability
        values[inside] = row
    document = Document("d", TEXT, tuple(sorted(spans)))
    return document, WordProbabilities(words, ("RANK", "UNIT"), values)


def test_each_kind_of_error_is_named_and_the_most_likely_comes_first() -> None:
    gold = Document(
        "d",
        TEXT,
        tuple(sorted([mark("Gen.", "UNIT"), mark("Maj.", "RANK"), mark("Air Staff", "UNIT")])),
    )
    prediction = predict(
        {mark("Gen.", "RANK"): 0.99, mark("4 Wing", "UNIT"): 0.9, mark("Maj.", "RANK"): 0.97}
    )
    issues = find_label_issues([gold], [prediction])
    assert [(s.kind, TEXT[(s.gold or s.predicted).start :][:4]) for s in issues] == [
        ("label", "Gen."),
        ("spurious", "Air "),
        ("missed", "4 Wi"),
    ]
    assert [s.error_probability for s in issues] == pytest.approx([1.0, 0.99, 0.9])
    assert issues[1].nll == pytest.approx(-math.log(0.01))
    (document,) = review_documents(issues)
    assert document.spans == gold.spans
    assert document.meta["review"]["issue 1"].startswith("label (100%): gold UNIT 0-4")


def test_a_wrong_boundary_is_scored_on_the_words_between() -> None:
    wide = Span(0, 9, "RANK")
    gold = Document("d", TEXT, (wide,))
    (issue,) = find_label_issues([gold], [predict({mark("Gen.", "RANK"): 0.9})])
    assert issue.kind == "boundary"
    assert issue.error_probability == pytest.approx(0.99)


def test_certain_models_that_gold_contradicts_are_not_believed() -> None:
    certain = {mark(phrase, "RANK"): 1.0 for phrase in ("Gen.", "4 Wing", "Maj.")}
    gold = [Document(f"d{n}", TEXT, tuple(certain)) for n in range(8)]
    gold += [Document(f"e{n}", TEXT, (mark("Gen.", "RANK"),)) for n in range(8)]
    predictions = [predict(certain)] * 16
    issues = find_label_issues(gold, predictions)
    assert {issue.error_probability for issue in issues} == {1.0}
    sample = measure_sample(gold, predictions)
    assert (sample.documents, sample.words) == (16, 4 * 16)
    assert sample.agreement == pytest.approx(5 / 8)
    assert [issue.error_probability for issue in sample.calibrate(issues)] == pytest.approx(
        [5 / 8] * len(issues), abs=0.01
    )
    assert "agree with its gold on 62% of the words in spans (64 words in 16 documents)" in (
        sample.note()
    )


def test_a_certainty_that_is_mostly_right_keeps_a_high_probability() -> None:
    spans = {mark("Gen.", "RANK"): 0.99, mark("4 Wing", "UNIT"): 0.99}
    right = Document("d", TEXT, tuple(spans))
    wrong = Document("w", TEXT, (mark("Gen.", "UNIT"), mark("4 Wing", "UNIT")))
    gold, predictions = [right] * 19 + [wrong], [predict(spans)] * 20
    sample = measure_sample(gold, predictions)
    (issue,) = sample.calibrate(find_label_issues(gold, predictions))
    assert issue.error_probability == pytest.approx(59 / 60, abs=0.01)


@pytest.mark.parametrize("count", [2, 20])
def test_a_sample_that_bears_nothing_is_refused(count: int) -> None:
    gold = [Document("d", TEXT, (mark("Gen.", "RANK"),))] * count
    predictions = [predict({mark("Gen.", "UNIT"): 0.99})] * count
    with pytest.raises(InputError, match=f"{count} documents are too few to audit"):
        measure_sample(gold, predictions)


def test_gold_that_the_model_confirms_has_no_issues() -> None:
    spans = {mark("Gen.", "RANK"): 0.6, mark("4 Wing", "UNIT"): 0.6}
    assert find_label_issues([Document("d", TEXT, tuple(spans))], [predict(spans)]) == []


def test_the_command_lists_issues_and_resumes(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document], refused: Callable[..., str]
) -> None:
    gold = train_articles[::6]
    write_documents(tmp_path / "gold.jsonl", gold)
    arguments = (
        *("annotate", "audit", tmp_path / "gold.jsonl", "--work", tmp_path / "work"),
        *("--recipe", "baseline-linear", "--set", "epochs=4", "--folds", 3, "--top", 40),
        *("--output", tmp_path / "issues.jsonl", "--html", tmp_path / "issues.html"),
    )
    outcome = orbat(*arguments)
    assert outcome.code == 0, outcome.err
    issues = [record for _, record in read_json_lines(tmp_path / "issues.jsonl")]
    assert len(issues) == 40
    probabilities = [issue["error_probability"] for issue in issues]
    assert probabilities == sorted(probabilities, reverse=True)
    spans = {d.id: {(s.start, s.end, s.label) for s in d.spans} for d in gold}
    for issue in issues:
        marked, gold_spans = issue["gold"], spans[issue["document"]]
        assert marked is None or tuple(marked.values()) in gold_spans
        assert issue["predicted"] is None or tuple(issue["predicted"].values()) not in gold_spans
    assert "Likely label errors" in (tmp_path / "issues.html").read_text()
    words = [record for _, record in read_json_lines(tmp_path / "work" / "words.jsonl")]
    assert [record["id"] for record in words] == [document.id for document in gold]
    first = (tmp_path / "issues.jsonl").read_bytes()
    for fold in (1, 2, 3):
        manifest = json.loads((tmp_path / "work" / f"fold-{fold}" / "manifest.json").read_text())
        seen = {e["id"] for part in manifest["documents"].values() for e in part}
        assert seen < {document.id for document in gold}
    assert orbat(*arguments).code == 0
    assert (tmp_path / "issues.jsonl").read_bytes() == first
    assert "cannot be split into 300 folds" in refused(
        *("annotate", "audit", tmp_path / "gold.jsonl", "--work", tmp_path / "other"),
        *("--folds", 300),
    )
    assert "pass both or neither" in refused(*arguments, "--annotators", "ann")
    rules = (*arguments[:3], "--work", tmp_path / "rules", "--recipe", "baseline-rules")
    assert "gives no probabilities of words" in refused(*rules)
