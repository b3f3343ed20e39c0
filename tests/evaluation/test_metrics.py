"""Scores: by definition, by hand and against reference libraries."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.evaluation.bootstrap import MIN_DOCUMENTS
from orbat.evaluation.credit import SCORING_SCHEMES
from orbat.evaluation.metrics import Evaluation, evaluate
from orbat.training.tagger.mentions import spans_to_tags
from orbat.training.tagger.words import find_words
from tests.conftest import ROOT, Orbat

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


def evaluate_pairs(
    pairs: list[tuple[Document, Document]], labels: Sequence[str] = (), resamples: int = 2000
) -> Evaluation:
    gold, predicted = ([pair[side] for pair in pairs] for side in (0, 1))
    return evaluate(gold, predicted, labels, resamples=resamples)


@given(corpora)
def test_all_schemes_equal_nervaluate(pairs: list[tuple[Document, Document]]) -> None:
    from nervaluate import Evaluator

    def entities(side: int) -> list[list[dict[str, Any]]]:
        # nervaluate's ends are inclusive: exclusive ones would make neighbors overlap.
        return [
            [{"label": s.label, "start": s.start, "end": s.end - 1} for s in pair[side].spans]
            for pair in pairs
        ]

    theirs = Evaluator(entities(0), entities(1), tags=list(LABELS), loader="dict").evaluate()
    ours = evaluate_pairs(pairs, LABELS, resamples=20)
    for scheme, name in (
        *(("strict", "strict"), ("exact", "exact"), ("partial", "partial")),
        ("type", "ent_type"),
    ):
        expected_scores = {None: theirs["overall"][name]}
        expected_scores.update(
            {label: by_scheme[name] for label, by_scheme in theirs["entities"].items()}
        )
        for label, expected in expected_scores.items():
            scores = ours.schemes[scheme]
            score = scores.labels[label] if label else scores.micro
            assert (score.precision or 0.0) == pytest.approx(expected.precision)
            assert (score.recall or 0.0) == pytest.approx(expected.recall)
            assert (score.f1 or 0.0) == pytest.approx(expected.f1)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(corpora)
def test_strict_scores_equal_seqeval(pairs: list[tuple[Document, Document]]) -> None:
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    result = evaluate_pairs(pairs, LABELS, resamples=20)
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

    for average, ours in (("micro", result.strict.micro.f1), ("macro", result.strict.macro.f1)):
        theirs = f1_score(
            *(sequences(0), sequences(1)),
            mode="strict",
            scheme=IOB2,
            average=average,
            zero_division=0,
        )
        # seqeval returns NaN for the mean over no label.
        assert (ours or 0.0) == pytest.approx(np.nan_to_num(theirs))


@given(corpora)
def test_scores_are_symmetric_and_order_does_not_matter(
    pairs: list[tuple[Document, Document]],
) -> None:
    one = evaluate_pairs(pairs, LABELS, resamples=50)
    turned = evaluate_pairs([(b, a) for a, b in pairs], LABELS, resamples=20)
    for scheme in ("strict", "exact", "partial"):
        a, b = one.schemes[scheme].micro, turned.schemes[scheme].micro
        assert (a.precision, a.recall, a.f1) == (b.recall, b.precision, b.f1)
    assert evaluate_pairs(pairs[::-1], LABELS, resamples=50) == one


@given(corpora)
def test_schemes_are_ordered(pairs: list[tuple[Document, Document]]) -> None:
    scores = evaluate_pairs(pairs, LABELS, resamples=20).schemes
    strict, exact, partial, typed = (scores[s].micro.credit for s in SCORING_SCHEMES)
    assert strict <= exact <= partial
    assert strict <= typed


@given(corpora)
def test_perfect_predictions_score_one_with_a_tight_interval(
    pairs: list[tuple[Document, Document]],
) -> None:
    result = evaluate_pairs([(gold, gold) for gold, _ in pairs * 4], LABELS, resamples=20).strict
    for label, score in {None: result.micro, **result.labels}.items():
        holders = 4 * sum(any(label in (None, s.label) for s in gold.spans) for gold, _ in pairs)
        assert score.f1 == (1.0 if holders else None)
        assert (score.low, score.high) == ((1.0, 1.0) if holders >= MIN_DOCUMENTS else (None, None))


def test_scores_and_interval_by_hand() -> None:
    a, b = Span(0, 2, "A"), Span(3, 5, "A")
    good = (Document("x", TEXT, (a, b)), Document("x", TEXT, (a, b)))
    bad = (Document("y", TEXT, (a,)), Document("y", TEXT, (b,)))
    result = evaluate_pairs([good, bad] * 5, LABELS)
    score = result.strict.labels["A"]
    assert (score.credit, score.predicted, score.gold) == (10, 15, 15)
    assert result.strict.micro.f1 == pytest.approx(2 / 3)
    # Of ten documents drawn, 2 to 8 are bad ones with a probability of 0.95 (binomial).
    assert result.strict.micro.low == pytest.approx(4 / 12)
    assert result.strict.micro.high == pytest.approx(16 / 18)
    assert result.strict.labels["B"].f1 is None
    assert result.strict.labels["B"].low is None
    assert result.strict.macro.f1 == pytest.approx(2 / 3)
    assert (result.documents, result.tokens) == (10, 100)


def test_the_interval_equals_that_of_a_plain_bootstrap(test_articles: list[Document]) -> None:
    """Documents with equal counts are drawn together; the distribution must stay the same."""
    random = np.random.default_rng(1)
    pairs = [(d, d.with_spans(s for s in d.spans if random.random() < 0.8)) for d in test_articles]
    score = evaluate_pairs(pairs, resamples=4000).strict.micro
    counts = np.array([(len(g.spans), len(p.spans)) for g, p in pairs])
    draws = counts[random.integers(0, len(counts), (4000, len(counts)))].sum(axis=1)
    low, high = np.percentile(2 * draws[:, 1] / draws.sum(axis=1), [2.5, 97.5])
    assert score.low == pytest.approx(low, abs=0.005)
    assert score.high == pytest.approx(high, abs=0.005)


def test_neighbors_do_not_count_as_overlapping() -> None:
    gold = Document("x", "abcd", (Span(0, 2, "A"),))
    predicted = Document("x", "abcd", (Span(2, 4, "A"),))
    assert evaluate_pairs([(gold, predicted)]).schemes["partial"].micro.f1 == 0.0


def test_a_label_in_fewer_than_ten_documents_has_no_interval(orbat: Orbat, tmp_path: Path) -> None:
    """Predictions count as well as gold: here the ninth and the tenth document have only those."""
    a, b = Span(0, 2, "A"), Span(3, 5, "B")
    gold = [Document(f"d{n}", TEXT, (a, b) if n < 8 else ()) for n in range(12)]
    predicted = [d.with_spans([a, b] if n < 9 else [a] * (n < 10)) for n, d in enumerate(gold)]
    strict = evaluate_pairs(list(zip(gold, predicted, strict=True))).strict
    assert strict.labels["A"].low is not None
    assert (strict.labels["B"].low, strict.labels["B"].high) == (None, None)
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "pred.jsonl", predicted)
    arguments = ("--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl")
    assert "–: no interval from fewer than 10 documents" in orbat("evaluate", *arguments).out
    gated = orbat("evaluate", *arguments, "--gate", "B.low=0.1")
    assert gated.code == 1
    assert "gate B.low=0.1 failed: undefined" in gated.err


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
    assert {"exact", "partial", "type", "slices", "calibration", "errors"} <= set(value)


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

    assert "document 'x'" in score(Document("other", "Nobody came."))
    assert "document 'more'" in score(Document("x", TEXT), Document("more", TEXT))
    assert "text of 'x' differs" in score(Document("x", TEXT + "!"))
    (tmp_path / "pred.jsonl").write_text(json.dumps({"id": "x", "text": TEXT}) * 2)
    assert "pred.jsonl:1: invalid JSON" in refused(
        "evaluate", "--predictions", tmp_path / "pred.jsonl", gold
    )
    write_documents(tmp_path / "twice.jsonl", [Document("x", TEXT)] * 2)
    assert "ids must be unique" in refused(
        "evaluate", "--predictions", gold, tmp_path / "twice.jsonl"
    )
    (tmp_path / "empty.jsonl").write_text("")
    assert "empty.jsonl: is empty" in refused(
        "evaluate", "--predictions", gold, tmp_path / "empty.jsonl"
    )
    (tmp_path / "odd.jsonl").write_text(
        json.dumps({"id": "x", "text": TEXT, "spans": [{"start": 0, "end": 2, "label": "ODD"}]})
    )
    assert "odd.jsonl:1: unknown label 'ODD'" in refused(
        *("evaluate", "--predictions", tmp_path / "odd.jsonl", gold),
        *("--labels", ROOT / "corpus" / "label_set" / "labels.toml"),
    )
    assert "write orbat evaluate MODEL... GOLD" in refused("evaluate", gold)
    assert "no run folder, wheel file or installed model" in refused("evaluate", "nothing", gold)


def test_scores_without_any_span_are_undefined(orbat: Orbat, tmp_path: Path) -> None:
    write_documents(tmp_path / "gold.jsonl", [Document("x", TEXT), Document("y", TEXT)])
    arguments = ("--predictions", tmp_path / "gold.jsonl", tmp_path / "gold.jsonl")
    value = orbat("evaluate", *arguments, "--json").json()
    assert value["strict"]["micro"]["f1"] is None
    assert value["strict"]["macro"]["f1"] is None
    assert value["calibration"] is None
    assert value["worst_slice"] is None
    outcome = orbat("evaluate", *arguments, "--report", tmp_path / "report.html")
    assert outcome.code == 0, outcome.err
    assert orbat("evaluate", *arguments, "--gate", "F1=0").code == 1


def test_a_label_that_only_predictions_have_is_reported(orbat: Orbat, tmp_path: Path) -> None:
    write_documents(tmp_path / "gold.jsonl", [Document("x", TEXT, (Span(0, 2, "A"),))])
    write_documents(tmp_path / "pred.jsonl", [Document("x", TEXT, (Span(0, 2, "a"),))])
    outcome = orbat("evaluate", "--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl")
    assert outcome.code == 0
    assert "warning: labels predicted but absent from the gold: a" in outcome.err


def test_gates_decide_the_exit_code(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    gold = [Document(f"d{n}", TEXT, (Span(0, 2, "A"), Span(3, 5, "B"))) for n in range(10)]
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "pred.jsonl", [d.with_spans(d.spans[:1]) for d in gold])
    arguments = ("--predictions", tmp_path / "pred.jsonl", tmp_path / "gold.jsonl")

    def gates(*texts: str) -> tuple[object, ...]:
        return ("evaluate", *arguments, *(part for text in texts for part in ("--gate", text)))

    good = orbat(*gates("F1=0.66", "A.recall=1", "A.low=0.9"))
    assert good.code == 0, good.err
    bad = orbat(*gates("F1=0.66", "B.recall=0.01"), "--json")
    assert bad.code == 1
    assert "gate B.recall=0.01 failed: 0.000 < 0.010" in bad.err
    assert [gate["passed"] for gate in bad.json()["gates"]] == [True, False]
    assert "write [LABEL.]METRIC=VALUE" in refused(*gates("F2=0.5"))
    assert "write [LABEL.]METRIC=VALUE" in refused(*gates("F1=90"))
    assert "no label 'C'" in refused(*gates("C.f1=0.5"))


def test_no_document_has_undefined_scores() -> None:
    result = evaluate_pairs([], LABELS)
    assert result.documents == 0
    assert result.strict.micro.f1 is None
    assert result.strict.macro.low is None
