"""Texts on the annotation page: hard characters, long articles, narrow and dark screens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.session.folder import Session
from orbat.corpus.document import Document
from tests.annotation.hard_texts import HARD_TEXTS
from tests.annotation.page.driver import DESKTOP, PHONE, AnnotatorPage, push_documents, span_of
from tests.conftest import Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

HARD = [
    *HARD_TEXTS,
    ("قائد اللواء 11 في الجيش الوطني", "قائد", "الجيش الوطني"),
    ("第一空挺団 の 陸将補 は 東京 に", "陸将補", "第一空挺団"),
]
PARAGRAPH = (
    "The 2nd Signal Regiment moved to the coast on Friday, and Maj. Gen. Ann Doe spoke of a "
    "quiet winter for the soldiers who keep the roads open in the north of the country. "
)
LONG = "\n\n".join(PARAGRAPH * 5 for _ in range(325))


@pytest.fixture(scope="module")
def session(doccano: Running, tmp_path_factory: pytest.TempPathFactory) -> Session:
    documents = [
        Document(f"hard {number}", text, (span_of(text, phrase, "RANK"),))
        for number, (text, phrase, _) in enumerate(HARD)
    ]
    documents.append(Document("long", LONG, (span_of(LONG, "Maj. Gen.", "RANK"),)))
    return push_documents(doccano, tmp_path_factory.mktemp("reading") / "june", documents, "reader")


@pytest.fixture
def window(browser: Any, session: Session) -> Iterator[AnnotatorPage]:
    page = AnnotatorPage(browser, session, "reader")
    yield page
    page.close()


def test_spans_are_on_the_words_that_were_pushed_and_selected(
    window: AnnotatorPage, doccano: Running
) -> None:
    for number, (text, phrase, selected) in enumerate(HARD):
        window.open(number + 1).wait_for_title(f"hard {number}")
        assert window.page.evaluate("document.getElementById('text').textContent") == text
        assert window.spans == [("RANK", phrase)]
        pushed = span_of(text, phrase, "RANK")
        assert window.offsets == [(pushed.start, pushed.end, "RANK")]
        window.drag(selected).press("u")
        window.wait_until_saved()
    stored = window.all_stored(doccano)
    for number, (text, phrase, selected) in enumerate(HARD):
        assert sorted(stored[f"hard {number}"].spans) == sorted(
            [span_of(text, phrase, "RANK"), span_of(text, selected, "UNIT")]
        )


def test_text_from_right_to_left_runs_from_right_to_left(window: AnnotatorPage) -> None:
    window.open(len(HARD_TEXTS) + 1)
    direction = "getComputedStyle(document.querySelector('#text .block')).direction"
    assert window.page.evaluate(direction) == "rtl"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_article_of_50000_words_can_be_worked_on(
    browser: Any,
    session: Session,
    viewport: dict[str, int],
    tmp_path: Path,
    screenshot: Any,
) -> None:
    assert len(LONG.split()) > 50_000
    page = AnnotatorPage(browser, session, "reader", viewport, color_scheme="dark")
    page.open(len(HARD) + 1).wait_for_title("long")
    page.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.click("Signal", occurrence=1600).press("Shift+ArrowRight", "u")
    assert page.spans[-1] == ("UNIT", "Signal Regiment")
    page.press("a")
    page.wait_for_notice("1624 more occurrences marked")
    page.press("Control+z").wait_until_saved()
    assert len(page.spans) == 2
    assert page.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    characters = page.page.evaluate(
        "document.querySelector('#text .block').getBoundingClientRect().width"
        " / (parseFloat(getComputedStyle(document.getElementById('text')).fontSize) / 2)"
    )
    assert characters <= 85
    screenshot(page.page, f"long-{viewport['width']}")
    page.press("Control+z").wait_until_saved()
    page.close()
