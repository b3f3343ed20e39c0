"""Annotation sets, and the gold documents that are merged from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.adjudication import round as round_module
from orbat.annotation.adjudication.adjudicate import adjudicate
from orbat.annotation.adjudication.annotation_sets import read_annotation_set
from orbat.annotation.adjudication.conflicts import compare_annotations
from orbat.annotation.adjudication.gold import make_gold
from orbat.annotation.adjudication.question_project import read_answers
from orbat.annotation.adjudication.questions import make_questions, read_questions
from orbat.annotation.adjudication.report import conflict_tables
from orbat.annotation.adjudication.round import AdjudicationRound, run_round
from orbat.annotation.agreement.measures import measure_agreement
from orbat.annotation.session.folder import Session
from orbat.corpus.document import Document, Span, check_spans
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from orbat.evaluation.counts import total_counts
from tests.conftest import ARTICLES, Orbat

TEXT = "abcdefghijklmnopqrstuvwxyz"


@st.composite
def annotated(draw: st.DrawFn) -> dict[str, Document]:
    """Valid spans of two to four annotators in one text without white space."""
    result = {}
    for name in ["first", "second", "third", "fourth"][: draw(st.integers(2, 4))]:
        cuts = sorted(draw(st.sets(st.integers(0, len(TEXT)), max_size=8)))
        spans = tuple(
            Span(start, end, draw(st.sampled_from("AB")))
            for start, end in zip(cuts[::2], cuts[1::2], strict=False)
        )
        result[name] = Document("d", TEXT, spans)
    return result


@given(annotated(), st.sampled_from(["majority", "union", "prefer:first", "prefer:second"]))
def test_gold_is_valid_and_keeps_agreed_spans(
    annotations: dict[str, Document], policy: str
) -> None:
    comparison = compare_annotations(annotations)
    gold = make_gold(comparison, policy)
    check_spans(gold, gold.spans, "gold")
    agreed = set.intersection(*(set(document.spans) for document in annotations.values()))
    assert set(comparison.agreed) == agreed
    assert agreed <= set(gold.spans)
    assert set(gold.spans) <= {span for document in annotations.values() for span in document.spans}
    if policy.startswith("prefer:"):
        assert set(gold.spans) == set(annotations[policy.removeprefix("prefer:")].spans)


@given(annotated())
def test_every_other_span_is_in_one_conflict(annotations: dict[str, Document]) -> None:
    comparison = compare_annotations(annotations)
    disputed = [span for conflict in comparison.conflicts for span, _ in conflict.spans]
    union = {span for document in annotations.values() for span in document.spans}
    assert sorted(disputed) == sorted(union - set(comparison.agreed))
    for left, right in zip(comparison.conflicts, comparison.conflicts[1:], strict=False):
        assert max(s.end for s, _ in left.spans) <= min(s.start for s, _ in right.spans)


def test_majority_of_three_decides() -> None:
    a, b = Span(0, 3, "A"), Span(5, 9, "B")
    annotations = {
        "x": Document("d", TEXT, (a, b)),
        "y": Document("d", TEXT, (a,)),
        "z": Document("d", TEXT, (Span(0, 4, "A"),)),
    }
    gold = make_gold(compare_annotations(annotations), "majority")
    assert gold.spans == (a,)
    record = gold.meta["adjudication"]
    assert (record["conflicts"], record["decided_by"]) == (2, "majority")
    assert record["decisions"] == [
        {
            "annotations": {"x": [[0, 3, "A"]], "y": [[0, 3, "A"]], "z": [[0, 4, "A"]]},
            "gold": [[0, 3, "A"]],
        },
        {"annotations": {"x": [[5, 9, "B"]], "y": [], "z": []}, "gold": []},
    ]


def test_documents_of_one_annotator_become_gold_unchanged(orbat: Orbat, tmp_path: Path) -> None:
    shared, single = Document("s", TEXT, (Span(0, 3, "RANK"),)), Document("o", TEXT)
    write_documents(tmp_path / "a.jsonl", [shared, single.with_spans([Span(4, 9, "UNIT")])])
    write_documents(tmp_path / "b.jsonl", [shared])
    outcome = orbat(
        *("annotate", "adjudicate", tmp_path / "a.jsonl", tmp_path / "b.jsonl"),
        *("--output", tmp_path / "gold.jsonl"),
    )
    assert outcome.code == 0, outcome.err
    assert "1 of them have one annotator only, whose spans are gold" in outcome.out
    gold = {d.id: d for d in read_documents(tmp_path / "gold.jsonl")}
    assert gold["o"].spans == (Span(4, 9, "UNIT"),)
    assert gold["o"].meta["adjudication"]["annotators"] == ["a"]


def test_the_report_shows_what_the_guidelines_leave_unclear(orbat: Orbat, tmp_path: Path) -> None:
    text = "The Air Staff and again the Air Staff met 3 Wing."
    first, second = text.index("Air"), text.rindex("Air")
    write_documents(
        tmp_path / "a.jsonl",
        [Document("x", text, (Span(first, first + 9, "UNIT"), Span(second, second + 9, "UNIT")))],
    )
    write_documents(
        tmp_path / "b.jsonl",
        [Document("x", text, (Span(first, first + 9, "ROLE"), Span(42, 48, "UNIT")))],
    )
    outcome = orbat(
        *("annotate", "adjudicate", tmp_path / "a.jsonl", tmp_path / "b.jsonl"),
        *("--policy", "prefer:a", "--output", tmp_path / "g.jsonl"),
        *("--report", tmp_path / "r.html"),
    )
    assert outcome.code == 0, outcome.err
    tables = {t.title: t.rows for t in conflict_tables(read_documents(tmp_path / "g.jsonl"))}
    assert [row[:3] for row in tables["Conflicts by kind"]] == [
        ("UNIT or no span", 2, "UNIT 1, no span 1"),
        ("ROLE or UNIT", 1, "UNIT 1"),
    ]
    assert tables["Phrases with more than one conflict"] == (
        ("Air Staff", 2, "UNIT 2", "ROLE or UNIT 1, UNIT or no span 1"),
    )
    assert tables["Conflicts resolved as each annotator had it"] == (
        ("a", 3, 3, 1.0),
        ("b", 3, 0, 0.0),
    )
    page = (tmp_path / "r.html").read_text()
    assert "Phrases with more than one conflict" in page
    assert "Air Staff" in page


def test_agreement_by_hand() -> None:
    first = Document("d", "a b c d", (Span(0, 1, "A"), Span(2, 3, "B")))
    second = Document("d", "a b c d", (Span(0, 1, "A"), Span(2, 3, "A")))
    (pair,) = measure_agreement({"x": [first], "y": [second]}).pairs
    assert pair.strict[None].f1 == pytest.approx(0.5)
    assert pair.strict["A"].f1 == pytest.approx(2 / 3)
    assert pair.partial[None].f1 == pytest.approx(1.0)
    # Observed 3/4; by chance (1*2 + 1*0 + 2*2) / 16 = 6/16; (12 - 6) / (16 - 6).
    assert pair.kappa[None].value == pytest.approx(0.6)
    assert pair.count_kinds()["label"] == 1
    assert pair.differing == ("d",)


def test_agreement_without_spans_is_undefined() -> None:
    document = Document("d", "text")
    agreement = measure_agreement({"x": [document], "y": [document]})
    (pair,) = agreement.pairs
    assert pair.strict[None].f1 is None
    assert pair.kappa[None].value is None
    assert agreement.alpha[None].value is None


def test_recorded_passes_become_gold(orbat: Orbat, tmp_path: Path) -> None:
    passes = [ARTICLES / "first-pass.jsonl", ARTICLES / "second-pass.jsonl"]
    agreement = orbat("annotate", "agree", *passes, "--json").json()
    assert agreement["documents"] == 412
    assert agreement["strict"]["micro"]["f1"] == pytest.approx(0.995, abs=0.001)
    gold = tmp_path / "gold.jsonl"
    outcome = orbat(
        *("annotate", "adjudicate", *passes, "--texts", ARTICLES / "train.jsonl"),
        *("--output", gold, "--policy", "prefer:first"),
    )
    assert outcome.code == 0, outcome.err
    merged = list(read_documents(gold))
    shipped = {d.id: d for d in read_documents(ARTICLES / "train.jsonl")}
    f1 = total_counts((shipped[d.id], d) for d in merged)[0].f1
    assert f1 is not None
    assert f1 > 0.99
    assert merged[0].meta["adjudication"]["annotators"] == ["first", "second"]


def test_passes_without_texts_can_be_compared(orbat: Orbat, tmp_path: Path) -> None:
    for name, end in (("first", 4), ("second", 5)):
        record = {
            "id": "a",
            "annotator": name,
            "spans": [{"start": 0, "end": end, "label": "RANK"}],
        }
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
    files = [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]
    assert orbat("annotate", "agree", *files, "--json").json()["strict"]["micro"]["f1"] == 0.0
    write_documents(tmp_path / "texts.jsonl", [Document("a", "Gen.X spoke")])
    arguments = ("annotate", "adjudicate", *files, "--texts", tmp_path / "texts.jsonl")
    outcome = orbat(*arguments, "--output", tmp_path / "g.jsonl", "--policy", "prefer:second")
    assert outcome.code == 0, outcome.err
    (gold,) = read_documents(tmp_path / "g.jsonl")
    assert gold.spans == (Span(0, 5, "RANK"),)


def test_adjudication_can_be_called_from_python(tmp_path: Path) -> None:
    span = Span(0, 3, "RANK")
    mark = {"annotation": {"annotator": "a", "confirmed": False}}
    write_documents(tmp_path / "a.jsonl", [Document("x", TEXT, (span,)), Document("open", TEXT)])
    write_documents(tmp_path / "b.jsonl", [Document("x", TEXT), Document("open", TEXT, (), mark)])
    sets = [read_annotation_set(tmp_path / f"{name}.jsonl", None) for name in ("a", "b")]
    sets[1] = replace(sets[1], name="b")
    result = adjudicate(sets, "union")
    assert [(document.id, document.spans) for document in result.gold] == [("x", (span,))]
    assert (result.conflicts, result.single, result.skipped) == (1, 0, ("open",))
    assert len(adjudicate(sets, "union", unconfirmed=True).gold) == 2
    # With a third annotator two have confirmed the document.
    third = replace(sets[0], name="c")
    result = adjudicate([*sets, third], "union")
    assert [document.id for document in result.gold] == ["x", "open"]
    assert result.gold[1].meta["adjudication"]["annotators"] == ["a", "c"]
    assert result.skipped == ()
    with pytest.raises(InputError, match="call adjudicate_manually"):
        adjudicate(sets, "manual")


def test_a_round_waits_for_every_answer_and_every_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps that need doccano are replaced."""
    labels, wide = load_labels(), Span(0, 4, "RANK")
    annotations = {"x": (Span(0, 3, "RANK"),), "y": (wide,)}
    comparisons = [
        compare_annotations({name: Document(i, TEXT, s) for name, s in annotations.items()})
        for i in ("answered", "hand")
    ]
    answered, hand = (make_questions(comparison)[0].id for comparison in comparisons)
    answers: dict[str, tuple[Span, ...] | None] = {answered: (wide,)}
    session = Session(tmp_path, "http://a.test", labels, {"judge": 7}, {})
    pushed: list[Document] = []
    confirmed = False

    def pull(*_: Any, **__: Any) -> Any:
        meta = {"annotation": {"confirmed": confirmed}}
        return SimpleNamespace(annotation_sets={"judge": [Document("hand", TEXT, (), meta)]})

    def push(client: Any, folder: Path, documents: list[Document], *_: Any, **__: Any) -> Any:
        pushed.extend(documents)
        session.save()
        write_documents(session.pushed_path("judge"), documents)
        return SimpleNamespace(session=session)

    monkeypatch.setattr(round_module, "ask", lambda *_, **__: ("http://a.test/questions", 2))
    monkeypatch.setattr(round_module, "read_answers", lambda *_, **__: answers)
    monkeypatch.setattr(round_module, "push", push)
    monkeypatch.setattr(round_module, "pull", pull)

    def run() -> AdjudicationRound:
        client = SimpleNamespace(url="http://a.test", has_page=True, can_invite=False)
        return run_round(client, tmp_path, comparisons, labels, adjudicator="judge")

    assert run() == AdjudicationRound((), 1, 2, ("http://a.test/questions",), None)
    answers[hand] = None
    link = session.link("judge", has_page=True)
    assert run() == AdjudicationRound((), 1, 3, (link,), None)
    assert "x: RANK" in pushed[0].meta["review"]["conflict 1"]
    confirmed = True
    done = run()
    assert (done.open, done.new, done.links) == (0, 2, ())
    assert [(document.id, document.spans) for document in done.gold] == [
        ("answered", (wide,)),
        ("hand", ()),
    ]


def test_questions_describe_conflicts_in_utf16_units() -> None:
    comments = {"annotation": {"comments": [{"by": None, "text": "unsure"}, "noise", {"text": ""}]}}
    agreed, border, inner = Span(0, 1, "RANK"), Span(3, 6, "UNIT"), Span(4, 6, "UNIT")
    text = "ab\N{GRINNING FACE}cdefgh"
    annotations = {
        "ann": Document("x", text, (agreed, border), {"title": "T", **comments}),
        "ben": Document("x", text, (agreed, inner, Span(7, 9, "UNIT"))),
        "cid": Document("x", text, (agreed, border)),
    }
    first, second = make_questions(compare_annotations(annotations))
    assert first.meta == {
        "document": "x",
        "conflict": {
            "start": 4,
            "end": 7,
            "readings": [
                {"spans": [[4, 7, "UNIT"]], "annotators": [0, 2]},
                {"spans": [[5, 7, "UNIT"]], "annotators": [1]},
            ],
            "no_span": [],
        },
        "article": {
            "text": text,
            "title": "T",
            "spans": [[0, 1, "RANK"]],
            "annotators": ["ann", "ben", "cid"],
            "comments": [{"by": "ann", "text": "unsure"}],
        },
    }
    assert second.meta["conflict"]["no_span"] == [0, 2]
    # The text of a document is sent once.
    assert "article" not in second.meta


def test_records_of_older_versions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "choices.json").write_text('{"url": "http://a.test", "project": 1}')
    with pytest.raises(InputError, match="created with an older version of orbat"):
        read_answers(None, tmp_path)
    decisions = [{"readings": {"a": [[0, 3, "RANK"]], "b": []}, "gold": []}]
    old = Document("x", TEXT, (), {"adjudication": {"decided_by": "a", "decisions": decisions}})
    with pytest.raises(InputError, match="document 'x': adjudicated with an older version"):
        conflict_tables([old])


def test_bad_annotation_sets_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    mark = {"annotation": {"annotator": "x", "confirmed": False}}
    write_documents(tmp_path / "a.jsonl", [Document("a", "one two")])
    write_documents(tmp_path / "b.jsonl", [Document("b", "another")])
    write_documents(tmp_path / "changed.jsonl", [Document("a", "one too")])
    write_documents(tmp_path / "open.jsonl", [Document("a", "one two", (), mark)])
    a, gold = tmp_path / "a.jsonl", tmp_path / "gold.jsonl"
    assert "share no document" in refused("annotate", "agree", a, tmp_path / "b.jsonl")
    assert "text of 'a' differs" in refused("annotate", "agree", a, tmp_path / "changed.jsonl")
    adjudicate = ("annotate", "adjudicate", "--output", gold)
    assert "only one annotation set" in refused(*adjudicate, a)
    assert "unknown policy 'best'" in refused(*adjudicate, a, a, "--policy", "best")
    assert "no annotation set 'nobody'" in refused(*adjudicate, a, a, "--policy", "prefer:nobody")
    assert "no document is confirmed" in refused(*adjudicate, a, tmp_path / "open.jsonl")
    assert not gold.exists()


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '{"id": "a"}',
        '{"id": "a", "document": "d", "text": "t", "options": [[[0, "4", "UNIT", 1]]]}',
        '{"id": 1, "document": "d", "text": "t", "options": []}',
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "questions.jsonl").write_text(f"{line}\n")
    with pytest.raises(InputError, match=r"questions\.jsonl:1: not a question"):
        read_questions(tmp_path)
