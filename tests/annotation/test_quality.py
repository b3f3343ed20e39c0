"""Control documents and qualification: adding, hiding, scores, rounds and feedback."""

from __future__ import annotations

import random
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbat.annotation.quality.control_documents import ControlPlan, add_control, interleave
from orbat.annotation.quality.control_records import (
    ControlDocument,
    read_control,
    read_control_gold,
    write_control,
)
from orbat.annotation.quality.feedback import compare_with_gold, render_feedback
from orbat.annotation.quality.qualification_records import (
    read_qualification_texts,
    read_results,
    read_rounds,
)
from orbat.annotation.quality.rulings import items_naming, section_of
from orbat.annotation.quality.scores import score_annotator
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.replay import replay
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.labels import load_guidelines, load_labels
from orbat.errors import InputError
from tests.conftest import Orbat, Running

GOLD = tuple(
    Document(
        f"gold-{n}", f"Gen. Known {n}", (Span(0, 4, "RANK"),), {"title": f"T {n}", "desk": "x"}
    )
    for n in range(40)
)
LABELS = ("RANK", "UNIT")
Control = list[ControlDocument]


def add_to(
    documents: list[Document], share: float, existing: Control, assigned: list[str]
) -> Control:
    plan = ControlPlan(GOLD, share)
    return add_control(
        plan, documents, existing, assigned=assigned, known_texts=set(), labels=LABELS
    )


@settings(max_examples=40)
@given(st.integers(1, 60), st.floats(0.01, 0.5), st.integers(1, 60))
def test_control_documents_have_their_share_in_every_part(
    size: int, share: float, first: int
) -> None:
    documents = [Document(f"n-{n:03d}", f"text {n}", (), {"title": "t"}) for n in range(size)]
    wanted = max(round(size * share / (1 - share)), 1)
    once = add_to(documents, share, [], [])
    assert len(once) == min(wanted, len(GOLD), size)
    mixed = interleave(documents, once)
    assert [d for d in mixed if d in documents] == documents
    hidden = {control.gold.id for control in once}
    assert len({d.id for d in mixed}) == len(mixed) == size + len(once)
    # Ids have the form of the others, and nothing tells the source.
    assert all(d.id.startswith("n-") and d.id[2:].isdigit() for d in mixed)
    assert {tuple(d.meta) for d in mixed if d.id in hidden} <= {("title",)}
    assert all(not d.spans for d in mixed)
    # Parts of equal size have one each.
    places = [documents.index(d) for d in documents for c in once if c.before == d.id]
    for part, place in enumerate(places):
        assert size * part // len(once) <= place < size * (part + 1) // len(once)
    # Again, nothing changes; with more documents, more are added and the first ones stay.
    known = [d.id for d in mixed]
    assert add_to(documents, share, once, known) == once
    more = [*documents, *(Document(f"m-{n}", f"more {n}") for n in range(first))]
    twice = add_to(more, share, once, known)
    assert twice[: len(once)] == once
    rate = share / (1 - share)
    assert len(twice) <= max((size + first) * rate, 1) + 1
    assert {control.before[0] for control in twice[len(once) :]} <= {"m"}
    assert len({control.source for control in twice}) == len(twice)


def test_control_documents_are_never_known_to_the_annotators() -> None:
    documents = [Document("a", GOLD[0].text), Document("b", "text")]
    plan = ControlPlan(GOLD[:3], 0.5)
    known = {GOLD[1].text}
    hidden = add_control(plan, documents, [], assigned=set(), known_texts=known, labels=LABELS)
    assert [control.source for control in hidden] == ["gold-2"]
    assert hidden[0].gold.meta == {}
    with pytest.raises(InputError, match="control document 'gold-0'"):
        add_control(plan, documents, [], assigned=set(), known_texts=known, labels=("UNIT",))
    with pytest.raises(InputError, match=r"--control-share 0\.6: choose more than 0"):
        ControlPlan(GOLD, 0.6)


def test_only_the_owner_reads_which_documents_are_control(tmp_path: Path) -> None:
    assert read_control(tmp_path) == []
    control = ControlDocument("gold-1", "a", GOLD[1])
    write_control(tmp_path, [control])
    assert read_control(tmp_path) == [control]
    folder = tmp_path / "control"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "control.json").stat().st_mode) == 0o600
    (folder / "control.json").write_text('{"documents": [{}]}')
    with pytest.raises(InputError, match=r"control\.json: not a record of control documents"):
        read_control(tmp_path)


GUIDELINES = """# Guide

## UNIT: named elements
Only named ones.
- no: Army Headquarters is a
  staff.

### Spans
Longest.

## RANK
Grades.

## Rulings
- "Staff Colonel" is kept whole.
"""


def test_guidelines_are_quoted_by_label_and_by_words() -> None:
    assert section_of(GUIDELINES, "unit").startswith("Only named ones.")
    assert section_of(GUIDELINES, "UNIT").endswith("Longest.")
    assert section_of(GUIDELINES, "ROLE") == ""
    assert items_naming(GUIDELINES, "Army  Headquarters") == ["no: Army Headquarters is a staff."]
    assert items_naming(GUIDELINES, "Colonel") == ['"Staff Colonel" is kept whole.']
    assert items_naming(GUIDELINES, "Col") == []
    assert items_naming(GUIDELINES, "is") == []
    labels = load_labels()
    assert all(section_of(load_guidelines(labels), name) for name in labels.names)


def test_feedback_shows_marks_gold_and_rulings() -> None:
    text = "Staff Colonel Lee of Army Headquarters met <b>Gen.</b> Roe."
    gold = Document(
        "d",
        text,
        (Span(0, 13, "RANK", note="a grade of its own"), Span(46, 50, "RANK")),
        {"ruling": "Posts are no ranks."},
    )
    marked = gold.with_spans([Span(6, 13, "RANK"), Span(21, 38, "UNIT"), Span(46, 50, "RANK")])
    feedback = compare_with_gold(gold, marked, {}, GUIDELINES)
    assert feedback.right == 1
    boundary, spurious = feedback.differences
    assert (boundary.kind, boundary.marked, boundary.gold) == ("other boundaries", "RANK", "RANK")
    assert boundary.rulings == (
        "a grade of its own",
        "Posts are no ranks.",
        '"Staff Colonel" is kept whole.',
    )
    assert (spurious.kind, spurious.gold) == ("should not be marked", None)
    assert spurious.rulings[-1] == "no: Army Headquarters is a staff."
    labels = load_labels()
    scores = score_annotator({"d": gold}, [marked], labels.names)
    page = render_feedback("cid", {"d": gold}, [marked], scores, labels, GUIDELINES)
    assert "&lt;b&gt;" in page
    assert "<b>Gen" not in page


@pytest.mark.browser
def test_the_feedback_page_fits_a_phone(
    browser: Any, tmp_path: Path, dev_articles: list[Document], screenshot: Any
) -> None:
    labels, chance = load_labels(), random.Random(1)
    gold = {d.id: d for d in dev_articles[:12]}
    marked = [
        d.with_spans(
            replace(s, start=s.start + 1) if chance.random() < 0.2 else s
            for s in d.spans
            if chance.random() < 0.9
        )
        for d in gold.values()
    ]
    scores = score_annotator(gold, marked, labels.names)
    path = tmp_path / "feedback.html"
    html = render_feedback("cid", gold, marked, scores, labels, load_guidelines(labels))
    path.write_text(html, encoding="utf-8")
    requests: list[str] = []
    for width, scheme in ((1100, "light"), (1100, "dark"), (390, "light")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("mark.gold").count() > page.locator("article").count()
        screenshot(page, f"feedback-{width}-{scheme}", full_page=True)
        page.close()
    assert {url.partition(":")[0] for url in requests} == {"file"}


@pytest.mark.doccano
@pytest.mark.slow
def test_control_documents_are_hidden_scored_and_left_out(
    orbat: Orbat,
    doccano: Running,
    tmp_path: Path,
    train_articles: list[Document],
    refused: Callable[..., str],
) -> None:
    folder = tmp_path / "june"
    plain = [Document(f"n-{n:03d}", d.text) for n, d in enumerate(train_articles[:8])]
    write_documents(tmp_path / "d.jsonl", plain)
    write_documents(tmp_path / "gold.jsonl", train_articles[8:12])
    push = (
        *("annotate", "push", tmp_path / "d.jsonl", "--session", folder),
        *("--annotators", "kim", "--control", tmp_path / "gold.jsonl", "--control-share", "0.2"),
    )
    outcome = orbat(*push, env=doccano.env)
    assert outcome.code == 0, outcome.err
    assert "the session has 2 control documents" in outcome.out
    gold = read_control_gold(folder)
    session = open_session(folder)
    pushed = {d.id: d for d in session.pushed("kim")}
    assert (len(pushed), len(gold)) == (10, 2)
    assert all(pushed[doc_id].text == document.text for doc_id, document in gold.items())
    with doccano.connect() as connection:
        stored = {
            e.upload_name: e.meta["meta"] for e in connection.examples(session.projects["kim"])
        }
    assert {frozenset(meta) - {"suggestions"} for meta in stored.values()} == {
        frozenset({"document"})
    }
    again = orbat(*push, env=doccano.env)
    assert again.code == 0, again.err
    assert read_control_gold(folder) == gold
    first, second = gold
    write_documents(tmp_path / "same.jsonl", [Document(first, "Another article of that number.")])
    line = refused(push[0], push[1], tmp_path / "same.jsonl", *push[3:], env=doccano.env)
    assert line == (
        f"{folder}: document '{first}' has the id of a control document that is hidden in this "
        "session; give it another id"
    )
    questions = ("--policy", "manual", "--session", folder, "--output", tmp_path / "g.jsonl")
    sets = []
    for name, spans in (("a", (Span(0, 4, "RANK"),)), ("b", ())):
        sets.append(tmp_path / f"{name}.jsonl")
        write_documents(sets[-1], [Document("x", "Gen. Osei spoke.", spans)])
    line = refused("annotate", "adjudicate", *sets, *questions, env=doccano.env)
    assert line == f"{folder}: is a labeling session; name another folder for the round"
    replay(session, "kim", [gold[first], pushed[second].with_spans(())])
    assert orbat("annotate", "pull", "--session", folder, env=doccano.env).code == 0
    pulled = [d.id for d in read_documents(folder / "pulled" / "kim.jsonl")]
    assert pulled == [d.id for d in plain]
    hidden = list(read_documents(folder / "control" / "pulled" / "kim.jsonl"))
    assert {d.id for d in hidden} == set(gold)
    everything = ("--session", folder, "--control", "--output", tmp_path / "all")
    assert orbat("annotate", "pull", *everything, env=doccano.env).code == 0
    assert len(list(read_documents(tmp_path / "all" / "kim.jsonl"))) == 10
    status = orbat("annotate", "status", "--session", folder, "--json", env=doccano.env)
    [kim] = status.json()["annotators"]
    total = sum(len(document.spans) for document in gold.values())
    assert (kim["control"]["documents"], kim["control"]["gold"]) == (2, total)
    assert kim["control"]["credit"] == len(gold[first].spans)


@pytest.mark.doccano
@pytest.mark.slow
def test_an_annotator_qualifies_in_a_second_round(
    orbat: Orbat,
    refused: Callable[..., str],
    doccano: Running,
    tmp_path: Path,
    train_articles: list[Document],
) -> None:
    folder, gold = tmp_path / "june", train_articles[:4]
    write_documents(tmp_path / "gold.jsonl", gold)
    qualify = (
        *("annotate", "qualify", tmp_path / "gold.jsonl", "--session", folder),
        *("--annotators", "cid", "--documents", "2"),
    )
    begun = orbat(*qualify, env=doccano.env)
    assert begun.code == 0, begun.err
    assert "'cid' marks 2 documents" in begun.out
    assert "/orbat/invitation/" in begun.out
    [first] = read_rounds(folder, "cid")
    assert read_qualification_texts(folder) == {d.text for d in first.gold.values()}
    session = open_session(first.folder)
    assert all(not d.spans for d in session.pushed("cid"))
    one, other = first.gold.values()
    replay(session, "cid", [one])
    waiting = orbat(*qualify, env=doccano.env)
    assert (waiting.code, "not yet, 1 documents are open" in waiting.out) == (1, True)
    replay(session, "cid", [other.with_spans(())])
    [state] = orbat(*qualify, "--json", env=doccano.env).json()
    assert (state["verdict"], state["confirmed"]) == ("another round", 2)
    assert state["scores"]["credit"] == len(one.spans)
    assert "not marked" in Path(state["feedback"]).read_text()
    # What is changed after the round does not count.
    replay(session, "cid", [other])
    assert orbat(*qualify, "--json", env=doccano.env).json() == [state]
    again = orbat(*qualify, "--again", env=doccano.env)
    assert again.code == 0, again.err
    second = read_rounds(folder, "cid")[1]
    assert {d.id for d in (*first.gold.values(), *second.gold.values())} == {d.id for d in gold}
    project = open_session(second.folder).projects["cid"]
    with doccano.connect() as connection:
        types = {label.text: label.id for label in connection.span_types(project)}
        for example in connection.examples(project):
            for span in second.gold[example.upload_name].spans:
                label = types[span.label]
                connection.create_span(project, example.id, span.start, span.end, label)
            connection.confirm(project, example.id)
    passed = orbat(*qualify, env=doccano.env)
    assert passed.code == 0, passed.err
    assert "'cid': passed, strict F1 1.000" in passed.out
    assert not (folder / "pulled").exists()
    assert [(r.annotator, r.number, r.verdict, r.bar) for r in read_results(folder)] == [
        ("cid", 1, "another round", 0.9),
        ("cid", 2, "passed", 0.9),
    ]
    many = ("--annotators", "dot", "--documents", "5")
    line = refused(*qualify[:5], *many, env=doccano.env)
    assert "4 of 4 gold documents are new to 'dot', too few for a round of 5" in line
