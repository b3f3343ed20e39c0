"""Marking by mouse and by keyboard alone on the annotation page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.session.folder import Session
from orbat.corpus.document import Document
from tests.annotation.page.driver import (
    PHONE,
    AnnotatorPage,
    OpenArticle,
    articles_of,
    push_documents,
    span_of,
)
from tests.conftest import Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

TEXT = (
    "😀 Brigade hands over at Kidal\n\n"
    "Lt. Gen. Ann Doe took leave of the Sahel Watch on Friday. The Defence Secretary thanked "
    "the Sahel Watch and the 7th Signal Regiment for Operation Inherent Resolve.\n\n"
    "Nobody at the Sahel Watches or in Sahelwatch was hurt; the Sahel Watch goes on.\n"
)
NAMES = (
    *("mouse", "click", "widen", "letters", "keys", "extend", "every", "undo", "enter one"),
    *("enter two", "wrapped", "phone", "cyrillic", "repeated", "signs"),
    *("quick drags", "right click", "double enter", "after it"),
)
SUGGESTED = ("Defence Secretary", "ROLE"), ("Inherent Resolve", "OPERATION")
WRAPPED = "He leads the Joint Special\nOperations Command of the army.\n"
REPEATED = "İzmir: Alpha Bravo Alpha met Alpha Bravo Alpha Bravo Alpha.\n"
QUICK = ("Alpha two", "Bravo three", "Charlie four", "Delta five")
LINES = "".join(f"{phrase} marched on. {'They went on and on. ' * 20}\n\n" for phrase in QUICK)
OTHER_TEXTS = {"wrapped": WRAPPED, "repeated": REPEATED, "signs": "?! —\n\n", "quick drags": LINES}
DOUBLE_ENTER = """() => {
  const title = document.getElementById('title');
  const enter = () => {
    window.sent = [...(window.sent ?? []), title.textContent];
    const key = new KeyboardEvent('keydown', {key: 'Enter', bubbles: true});
    document.getElementById('text').dispatchEvent(key);
  };
  // The second one comes as soon as the next article is shown.
  new MutationObserver((_, observer) => { observer.disconnect(); enter(); }).observe(
    title, {childList: true, characterData: true, subtree: true});
  enter();
}"""


@pytest.fixture(scope="module")
def session(doccano: Running, tmp_path_factory: pytest.TempPathFactory) -> Session:
    suggestions = tuple(span_of(TEXT, phrase, label) for phrase, label in SUGGESTED)
    documents = [Document(name, OTHER_TEXTS.get(name, TEXT), (), {"title": name}) for name in NAMES]
    documents = [
        document.with_spans(suggestions) if document.text == TEXT else document
        for document in documents
    ]
    folder = tmp_path_factory.mktemp("marking") / "june"
    return push_documents(doccano, folder, documents, "marker")


@pytest.fixture
def at(browser: Any, session: Session) -> Iterator[OpenArticle]:
    """Open the article with a name."""
    with articles_of(browser, session, "marker", NAMES) as open_article:
        yield open_article


def test_a_drag_snaps_to_words_and_is_saved(at: OpenArticle, doccano: Running) -> None:
    page = at("mouse")
    assert page.page.evaluate("document.getElementById('text').textContent") == TEXT
    page.press("u").drag("ahel Watc")
    assert ("UNIT", "Sahel Watch") in page.spans
    # With nothing selected, a key chooses the label of the next drags.
    page.press("r").drag("Ann Doe")
    assert ("RANK", "Ann Doe") in page.spans
    page.press("Control+z", "r").press("u").drag("Watches")
    page.press("Control+z").drag("Friday").press("a")
    page.wait_for_notice("0 more occurrences marked")
    page.press("Control+z", "Control+z")
    page.press("Escape").drag("7th Signal Regimen").press("u")
    assert ("UNIT", "7th Signal Regiment") in page.spans
    page.press("Escape").double_click("Kidal")
    assert page.selection == "Kidal"
    page.press("r")
    page.wait_until_saved()
    stored = page.stored(doccano, "mouse")
    assert sorted((s.start, s.end, s.label) for s in stored.spans) == page.offsets
    assert span_of(TEXT, "Sahel Watch", "UNIT") in stored.spans
    assert span_of(TEXT, "Kidal", "RANK") in stored.spans


def test_drags_one_right_after_the_other_are_all_marked(at: OpenArticle) -> None:
    page = at("quick drags").press("u")
    for phrase in QUICK:
        page.drag(phrase, wait=False)
    assert page.spans == [("UNIT", phrase) for phrase in QUICK]


def test_a_right_click_removes_a_span(at: OpenArticle) -> None:
    page = at("right click")
    page.click("Inherent", button="right")
    assert page.spans == [("ROLE", "Defence Secretary")]
    page.press("Control+z")
    assert len(page.spans) == 2
    page.click("Friday", button="right")
    page.page.keyboard.press("Escape")
    # The button that was released elsewhere does not make the next click one on the article.
    page.click("Inherent")
    assert (page.selection, len(page.spans)) == ("Inherent Resolve", 2)


def test_a_click_selects_a_span_that_keys_change(at: OpenArticle, doccano: Running) -> None:
    page = at("click")
    page.click("Defence Secretary")
    assert page.selection == "Defence Secretary"
    page.press("r")
    assert ("RANK", "Defence Secretary") in page.spans
    page.click("Inherent").press("Delete")
    assert page.spans == [("RANK", "Defence Secretary")]
    page.click("Kidal").press("u")
    page.page.mouse.click(5, 700)
    assert page.selection == ""
    page.wait_until_saved()
    stored = page.stored(doccano, "click")
    assert [(TEXT[s.start : s.end], s.label) for s in stored.spans] == [
        ("Kidal", "UNIT"),
        ("Defence Secretary", "RANK"),
    ]


def test_a_drag_over_a_span_widens_narrows_or_replaces_it(
    at: OpenArticle,
) -> None:
    page = at("widen")
    page.drag("Operation Inh")
    assert ("OPERATION", "Operation Inherent Resolve") in page.spans
    page.drag("Secretary")
    assert ("ROLE", "Secretary") in page.spans
    page.press("Escape", "Escape", "u").drag("Operation", to="Resolve")
    assert ("UNIT", "Operation Inherent Resolve") in page.spans
    assert len(page.spans) == 2


def test_alt_selects_letters(at: OpenArticle) -> None:
    page = at("letters")
    page.page.keyboard.down("Alt")
    page.drag("Watch", occurrence=2)
    page.page.keyboard.up("Alt")
    page.press("u")
    assert page.spans[-1] == ("UNIT", "Watch")


def test_words_are_marked_by_keyboard_alone(at: OpenArticle, doccano: Running) -> None:
    page = at("keys")
    page.press("ArrowRight", "ArrowRight")
    assert page.selection == "hands"
    page.press("Control+ArrowRight")
    assert page.selection == "Kidal"
    page.press("Control+ArrowRight", "Shift+ArrowRight")
    assert page.selection == "Lt. Gen."
    page.press("r", "Control+ArrowDown")
    assert page.selection == "Nobody"
    page.press("ArrowUp", "Escape", "/")
    page.page.keyboard.type("signal")
    page.press("Enter")
    assert page.selection == "Signal"
    page.press("Escape", "/")
    page.page.keyboard.type("7th")
    page.press("Enter", "Shift+ArrowRight", "Shift+ArrowRight", "u")
    page.press("Tab", "Control+Shift+ArrowLeft")
    assert page.spans == [
        ("RANK", "Lt. Gen."),
        ("ROLE", "Defence Secretary"),
        ("UNIT", "7th Signal Regiment"),
        ("OPERATION", "Operation Inherent Resolve"),
    ]
    page.wait_until_saved()
    stored = page.stored(doccano, "keys")
    assert [(s.start, s.end, s.label) for s in stored.spans] == page.offsets


def test_borders_move_by_words_and_letters(at: OpenArticle) -> None:
    page = at("extend")
    page.press("Tab", "Shift+ArrowRight")
    assert ("ROLE", "Defence Secretary thanked") in page.spans
    # Blanks are passed over.
    page.press("Shift+ArrowLeft", "Alt+Shift+ArrowRight")
    assert ("ROLE", "Defence Secretary t") in page.spans
    page.press("Alt+Shift+ArrowLeft")
    assert ("ROLE", "Defence Secretary") in page.spans
    page.press("Control+Alt+Shift+ArrowLeft")
    assert ("ROLE", "e Defence Secretary") in page.spans
    page.press("Control+Alt+Shift+ArrowRight")
    assert ("ROLE", "Defence Secretary") in page.spans


def test_keys_do_no_harm_where_there_are_no_words(at: OpenArticle) -> None:
    page = at("signs")
    errors: list[Any] = []
    page.page.on("pageerror", lambda error: errors.append(error))
    page.drag("?!").press("Shift+ArrowRight", "Control+Shift+ArrowLeft", "Alt+Shift+ArrowRight")
    page.press("ArrowRight", "ArrowDown", "Control+ArrowDown", "Control+ArrowRight", "Tab", "u")
    assert page.spans == [("UNIT", "?! —")]
    page.press("Alt+Shift+ArrowRight")
    assert page.spans == [("UNIT", "?! —")]
    assert errors == []


def test_articles_are_passed_as_fast_as_keys_are_pressed(at: OpenArticle) -> None:
    page = at("mouse").press("Alt+ArrowRight", "Alt+ArrowRight", "Alt+ArrowRight")
    page.wait_for_title("letters").press("Alt+ArrowLeft", "Alt+ArrowLeft").wait_for_title("click")


def test_all_occurrences_are_marked_and_removed(at: OpenArticle) -> None:
    page = at("every")
    page.click("Sahel").press("Shift+ArrowRight", "u", "a")
    page.wait_for_notice("2 more occurrences marked")
    assert page.spans.count(("UNIT", "Sahel Watch")) == 3
    page.press("Control+z")
    assert page.spans.count(("UNIT", "Sahel Watch")) == 1
    page.press("Control+y", "Shift+Delete")
    page.wait_for_notice("3 spans removed")
    assert ("UNIT", "Sahel Watch") not in page.spans


def test_occurrences_that_overlap_each_other_are_not_both_marked(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("repeated")
    page.drag("Alpha Bravo Alpha").press("u", "a")
    page.wait_for_notice("1 more occurrences marked; 1 overlap another span.").wait_until_saved()
    spans = page.stored(doccano, "repeated").spans
    assert [REPEATED[span.start : span.end] for span in spans] == ["Alpha Bravo Alpha"] * 2
    # The letter İ is longer in lower case.
    page.press("Escape", "/")
    page.page.keyboard.type("bravo")
    page.press("Enter")
    assert page.selection == "Bravo"


def test_every_change_can_be_undone_and_redone(at: OpenArticle, doccano: Running) -> None:
    page = at("undo")
    before = page.offsets
    states = [before]
    for keys in (("Tab", "r"), ("Delete",), ("Control+ArrowRight", "u"), ("Shift+ArrowRight",)):
        page.press(*keys)
        states.append(page.offsets)
    for state in reversed(states[:-1]):
        page.press("Control+z")
        assert page.offsets == state
    page.press("Control+z")
    assert page.offsets == before
    for state in states[1:]:
        page.press("Control+y")
        assert page.offsets == state
    page.wait_until_saved()
    stored = page.stored(doccano, "undo")
    assert [(s.start, s.end, s.label) for s in stored.spans] == states[-1]


def test_enter_confirms_and_opens_the_next_open_article_at_its_top(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("enter one", {"width": 1366, "height": 300})
    page.page.evaluate("window.scrollTo(0, 200)")
    page.press("Enter").wait_for_title("enter two")
    assert page.page.evaluate("window.scrollY") == 0
    assert page.suggestions == ["Defence Secretary", "Inherent Resolve"]
    page.press("Alt+ArrowLeft").wait_for_title("enter one")
    assert page.suggestions == []
    page.wait_until_saved()
    assert page.stored(doccano, "enter one").meta["annotation"]["confirmed"]
    page.press("Shift+Enter").wait_until_saved()
    assert not page.stored(doccano, "enter one").meta["annotation"]["confirmed"]


def test_a_double_enter_confirms_one_article(at: OpenArticle, doccano: Running) -> None:
    page = at("double enter")
    page.page.evaluate(DOUBLE_ENTER)
    page.wait_for_title("after it").wait_until_saved()
    assert page.page.evaluate("() => sent") == ["double enter", "after it"]
    stored = page.all_stored(doccano)
    assert stored["double enter"].meta["annotation"]["confirmed"]
    assert not stored["after it"].meta["annotation"]["confirmed"]


def test_a_span_across_a_line_break_is_one_element(at: OpenArticle) -> None:
    page = at("wrapped")
    page.press("u").drag("Joint Special", to="Command")
    assert page.spans == [("UNIT", "Joint Special\nOperations Command")]
    assert page.page.evaluate("document.getElementById('text').textContent") == WRAPPED


def test_an_article_is_annotated_with_a_finger(at: OpenArticle) -> None:
    page = at("phone", PHONE, has_touch=True, is_mobile=True)
    page.page.locator("mark", has_text="Defence Secretary").tap()
    page.page.get_by_role("button", name="RANK").tap()
    assert ("RANK", "Defence Secretary") in page.spans
    page.page.locator("mark", has_text="Inherent Resolve").tap()
    page.page.locator("#remove").tap()
    assert page.spans == [("RANK", "Defence Secretary")]
    box = page.page.locator("#confirm").bounding_box()
    assert box["y"] + box["height"] <= PHONE["height"]
    assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_keys_work_on_a_keyboard_without_latin_letters(at: OpenArticle) -> None:
    page = at("cyrillic")
    page.click("Kidal")
    for key, code in (("г", "KeyU"), ("ф", "KeyA")):
        page.page.evaluate(
            "([key, code]) => document.dispatchEvent("
            "new KeyboardEvent('keydown', {key, code, bubbles: true}))",
            [key, code],
        )
    assert ("UNIT", "Kidal") in page.spans
    page.wait_for_notice("0 more occurrences marked")


def test_the_link_of_a_finished_project_shows_its_first_article(
    browser: Any, doccano: Running, tmp_path: Path
) -> None:
    documents = [Document(name, TEXT, (), {"title": name}) for name in ("a", "b")]
    session = push_documents(doccano, tmp_path / "june", documents, "done")
    page = AnnotatorPage(browser, session, "done").open().wait_for_title("a")
    page.press("Enter").wait_for_title("b").press("Enter")
    page.wait_for_notice("All articles are confirmed").wait_until_saved()
    page.open().wait_for_title("a").wait_for_notice("All articles are confirmed")
    page.press("Alt+ArrowRight").wait_for_title("b")
    page.close()
