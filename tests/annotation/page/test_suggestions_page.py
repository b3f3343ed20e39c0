"""Suggestions on the annotation page: accepting, rejecting, a second look, asking a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.guide import with_keys
from orbat.annotation.session.folder import Session
from orbat.corpus.document import Document
from orbat.corpus.labels import load_guidelines, load_labels
from orbat.training.baselines.rules import RuleTagger
from tests.annotation.page.driver import (
    AnnotatorPage,
    OpenArticle,
    articles_of,
    push_documents,
    span_of,
)
from tests.conftest import Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

TEXT = (
    "😀 The Sahel Watch met at Kidal. The Defence Secretary and Lt. Gen. Ann Doe spoke about "
    "Operation Inherent Resolve."
)
SUGGESTED = (
    span_of(TEXT, "Sahel Watch", "UNIT", score=0.9),
    span_of(TEXT, "Kidal", "UNIT", score=0.31),
    span_of(TEXT, "Defence Secretary", "ROLE"),
    span_of(TEXT, "Lt. Gen.", "RANK", score=0.97),
)
NAMES = ("one by one", "rejected", "all", "confirmed", "model")


@pytest.fixture(scope="module")
def session(doccano: Running, tmp_path_factory: pytest.TempPathFactory) -> Session:
    documents = [
        Document(name, TEXT, SUGGESTED, {"title": name, "source": "The Wire", "date": "2026-11-02"})
        for name in NAMES
    ]
    return push_documents(
        doccano, tmp_path_factory.mktemp("suggestions") / "june", documents, "chooser"
    )


def test_guidelines_are_read_beside_an_article_with_suggestions(
    browser: Any,
    doccano: Running,
    dev_articles: list[Document],
    tmp_path: Path,
    screenshot: Callable[..., None],
) -> None:
    labels = load_labels()
    documents = [article.with_spans(()) for article in dev_articles[:3]]
    suggested = list(RuleTagger.from_file(None, labels.names).tag(documents))
    guidelines = with_keys(labels, load_guidelines(labels))
    session = push_documents(
        doccano, tmp_path / "june", suggested, "picture", guidelines=guidelines
    )
    page = AnnotatorPage(browser, session, "picture").open()
    page.press("Tab", "Space", "Tab", "Space", "Escape", "u")
    page.page.locator("#open-guidelines").click()
    page.page.locator("#guidelines-panel").get_by_text("UNIT").first.wait_for()
    text, panel = (page.page.locator(name).bounding_box() for name in ("#text", "#panel"))
    assert text["x"] + text["width"] <= panel["x"]
    page.wait_until_saved()
    screenshot(page.page, "annotation")
    page.close()


@pytest.fixture
def at(browser: Any, session: Session) -> Iterator[OpenArticle]:
    """Open the article with a name."""
    with articles_of(browser, session, "chooser", NAMES) as open_article:
        yield open_article


def test_suggestions_are_accepted_one_by_one_for_good(at: OpenArticle) -> None:
    page = at("one by one")
    assert page.page.locator("#source").text_content() == "The Wire · 2026-11-02"
    assert page.suggestions == ["Sahel Watch", "Kidal", "Defence Secretary", "Lt. Gen."]
    scores = [mark.get_attribute("data-score") for mark in page.page.locator("mark").all()]
    assert [score is not None for score in scores] == [True, True, False, True]
    page.press("Tab", "Space")
    assert page.selection == "Kidal"
    page.press("Delete", "Tab")
    page.press("o").wait_until_saved()
    assert page.suggestions == ["Lt. Gen."]
    page.page.reload()
    page.page.locator("#text mark").first.wait_for()
    assert page.suggestions == ["Lt. Gen."]
    assert [span.words for span in page.spans] == ["Sahel Watch", "Defence Secretary", "Lt. Gen."]


def test_the_least_certain_is_first_to_hand_and_rejected_ones_can_be_restored(
    at: OpenArticle,
) -> None:
    page = at("rejected")
    page.page.locator("#open-suggestions").click()
    panel = page.page.locator("#suggestions-panel")
    words = panel.locator("ul[aria-label='Open suggestions'] .words")
    assert words.all_text_contents() == ["Kidal", "Sahel Watch", "Lt. Gen.", "Defence Secretary"]
    panel.get_by_role("button", name="Reject Kidal").click()
    page.wait_until_saved()
    page.page.reload()
    page.page.locator("#text mark").first.wait_for()
    page.page.locator("#open-suggestions").click()
    rejected = panel.locator("ul[aria-label='Rejected suggestions'] .words")
    assert rejected.all_text_contents() == ["Kidal"]
    panel.get_by_role("button", name="Restore Kidal").click()
    assert "Kidal" in page.suggestions
    assert rejected.count() == 0
    page.wait_until_saved()


def test_all_suggestions_are_accepted_at_once_and_it_can_be_undone(
    at: OpenArticle,
) -> None:
    page = at("all")
    page.press("Shift+Space")
    page.wait_for_notice("4 suggestions accepted")
    assert page.suggestions == []
    page.wait_until_saved().press("Control+z")
    assert len(page.suggestions) == 4
    page.wait_until_saved().page.reload()
    page.page.locator("#text mark").first.wait_for()
    assert len(page.suggestions) == 4
    page.double_click("Defence")
    assert page.suggestions == ["Sahel Watch", "Kidal", "Lt. Gen."]


def test_a_confirmed_article_has_no_open_suggestions(at: OpenArticle, doccano: Running) -> None:
    page = at("confirmed")
    page.press("Enter").wait_for_title("model").wait_until_saved()
    page.press("Alt+ArrowLeft").wait_for_title("confirmed")
    assert page.suggestions == []
    assert page.stored(doccano, "confirmed").spans == SUGGESTED


def test_a_model_is_asked_again_and_what_was_deleted_does_not_come_back(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("model")
    answer = {
        "model": "small",
        "spans": [
            *(
                {"label": s.label, "start": s.start + 1, "end": s.end + 1, "score": 0.5}
                for s in (*SUGGESTED, span_of(TEXT, "Operation Inherent Resolve", "OPERATION"))
            ),
            {"label": "PLANET", "start": 3, "end": 6, "score": 0.5},
        ],
    }
    page.page.route("**/orbat/suggest", lambda route: route.fulfill(json=answer))
    page.click("Kidal").press("Delete")
    page.page.locator("#open-suggestions").click()
    page.page.get_by_role("button", name="Ask the model again").click()
    page.wait_for_notice("1 new suggestions")
    assert page.suggestions[-1] == "Operation Inherent Resolve"
    assert "Kidal" not in page.suggestions
    page.wait_until_saved()
    # A suggestion of a model is not saved before it is accepted or the article is confirmed.
    assert len(page.stored(doccano, "model").spans) == 3
    page.press("Enter").wait_until_saved()
    assert len(page.stored(doccano, "model").spans) == 4
