"""The measured actions of annotators: the keystroke-level model, and a replayed pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.session.pull import pull
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from orbat.evaluation.benchmarks.annotation_doccano import replay_on_doccano
from orbat.evaluation.benchmarks.annotation_edits import Edit, Task, bare, list_edits
from orbat.evaluation.benchmarks.annotation_hand import Hand, settled
from orbat.evaluation.benchmarks.annotation_keyboard import replay_by_keyboard
from orbat.evaluation.benchmarks.annotation_mouse import replay_by_mouse
from orbat.evaluation.benchmarks.annotation_page import ArticleView
from orbat.evaluation.benchmarks.keystrokes import TASKS, TOOLS, Method, Tool, keystroke_table
from tests.annotation.page.driver import AnnotatorPage, push_documents, span_of
from tests.conftest import Running

TEXT = (
    "Lt. Gen. Ann Doe took leave of the Sahel Watch on Friday, as the Defence Secretary had asked. "
    "The Sahel Watch and the 7th Signal Regiment fought on Operation Inherent Resolve.\n\n"
    "The general of the Sahel Watch said that Colonel Roe of 4/15th Foot had left.\n"
)
SUGGESTED = (
    span_of(TEXT, "Lt. Gen.", "RANK"),
    span_of(TEXT, "Secretary", "UNIT"),
    span_of(TEXT, "Friday", "OPERATION"),
    span_of(TEXT, "Signal Regiment fought", "UNIT"),
    span_of(TEXT, "Inherent Resolve", "OPERATION"),
    span_of(TEXT, "Colonel", "ROLE"),
)
WATCHES = [n for n in range(len(TEXT)) if TEXT.startswith("Sahel Watch", n)]
GOLD = (
    span_of(TEXT, "Lt. Gen.", "RANK"),
    span_of(TEXT, "Defence Secretary", "ROLE"),
    span_of(TEXT, "7th Signal Regiment", "UNIT"),
    span_of(TEXT, "Operation Inherent Resolve", "OPERATION"),
    span_of(TEXT, "Colonel", "RANK"),
    span_of(TEXT, "4/15th Foot", "UNIT"),
    *(Span(start, start + len("Sahel Watch"), "UNIT") for start in WATCHES),
)


def test_seconds_and_actions_follow_from_the_declared_operators() -> None:
    method = Method((("Shift+Right", "MKK"), ("drag", "PBPB"), ("click", "PBB"), ("u", "K")))
    assert method.operators == "MKKPBPBPBBK"
    assert method.seconds == pytest.approx(1.35 + 3 * 0.28 + 3 * 1.10 + 4 * 0.10)
    # The held key is an operator and no action.
    assert method.actions == 4
    table = keystroke_table([Tool("new", "keyboard", {"next": method})]).splitlines()
    assert table[-1] == "| confirm, open the next open article | 5.9 s, 4 |"
    assert table[2] == "| add a span of two words | not possible |"


def test_other_tools_are_declared_with_their_documents() -> None:
    ours = [tool for tool in TOOLS if tool.name == "orbat"]
    assert [set(tool.methods) for tool in ours] == [{key for key, _ in TASKS}] * 2
    for tool in TOOLS:
        assert set(tool.methods) <= {key for key, _ in TASKS}
        assert tool.missing or len(tool.methods) == len(TASKS)
        for key, method in tool.methods.items():
            by_itself = tool.name in ("orbat", "doccano")
            assert bool(method.source) != by_itself or method.remark, (tool.name, key)


def test_edits_correct_the_span_that_shares_most_characters() -> None:
    assert list_edits(GOLD, GOLD) == []
    edits = list_edits(SUGGESTED, GOLD)
    assert Edit(SUGGESTED[1], GOLD[1]) in edits
    assert Edit(SUGGESTED[2], None) in edits
    assert Edit(None, GOLD[5]) in edits
    assert len(edits) == 9


@pytest.mark.doccano
@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    "replay", [replay_by_keyboard, replay_by_mouse, replay_on_doccano], ids=lambda f: f.__name__
)
def test_a_replay_ends_with_the_recorded_spans(
    doccano: Running, browser: Any, tmp_path: Path, replay: Any
) -> None:
    document = Document("replayed", TEXT, (), {"title": "Replayed"}).with_spans(SUGGESTED)
    task = Task(document, document.with_spans(GOLD))
    keys = {label.name: str(label.key) for label in load_labels().labels}
    name = replay.__name__
    session = push_documents(doccano, tmp_path / name, [document], name)
    annotator = AnnotatorPage(browser, session, name)
    if replay is replay_on_doccano:
        address = f"/projects/{session.projects[name]}/sequence-labeling?page=1&isChecked=false"
        annotator.page.goto(f"{session.url}{address}")
    else:
        annotator.open()
    counts = replay(annotator.page, [task], keys).counts
    annotator.close()
    with doccano.connect() as connection:
        (stored,) = pull(connection, session.folder).annotation_sets[name]
    assert bare(stored.spans) == bare(GOLD)
    assert stored.meta["annotation"]["confirmed"] is True
    actions = counts["keys"] + counts["clicks"] + counts["drags"]
    if replay is replay_by_keyboard:
        assert counts["clicks"] == counts["drags"] == 0
    elif replay is replay_by_mouse:
        # Add, widen, shift in two drags, relabel and delete in two actions, add: with the labels'
        # keys and Enter. One key marks the other two watches.
        assert actions <= 17
    else:
        # Three borders cannot be moved: deleted and added again. Every watch is added.
        assert actions >= 17


@pytest.mark.doccano
@pytest.mark.browser
@pytest.mark.slow
def test_a_drag_near_the_bars_does_not_scroll(
    doccano: Running, browser: Any, tmp_path: Path
) -> None:
    text = "\n\n".join(f"The Brigade{n} of the army moved north" for n in range(60)) + "\n"
    session = push_documents(doccano, tmp_path / "bars", [Document("long", text, ())], "dragger")
    annotator = AnnotatorPage(browser, session, "dragger").open().press("u")
    page = annotator.page
    page.mouse.wheel(0, 500)
    page.wait_for_function("() => scrollY === 500")
    view = ArticleView(page, text)
    brigades = [word for word in view.words() if text.startswith("Brigade", word.start)]
    in_sight = [word for word in brigades if view.is_in_sight(*view.ends(word.start, word.end))]
    hand = Hand(page)
    for word in (in_sight[0], in_sight[-1]):
        hand.drag(*view.ends(word.start, word.end))
        # The next drag begins after the page has drawn this one, as a person's does.
        page.evaluate(settled("scrollY", 3))
        assert page.evaluate("() => scrollY") == 500
        assert Span(word.start, word.end, "UNIT") in view.spans()
    annotator.close()
