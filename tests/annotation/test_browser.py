"""An annotator at work in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.labels import load_guidelines, load_labels
from annotation.prelabelling import RuleTagger
from annotation.session import Session, pull, push
from corpus.document import Document, Span
from tests.conftest import Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

TEXT = (
    "😀 Brigade hands over at Kidal\n\n"
    "Lt. Gen. Ann Doe took leave of the Sahel Watch on Friday. The Defence Secretary thanked "
    "the soldiers for their part in Operation Inherent Resolve.\n"
)

_POINT = """([start]) => {
  for (const text of document.querySelectorAll('svg text[id]')) {
    const [first, last] = text.id.split(':').map(Number);
    if (start < first || start >= last) continue;
    const spot = text.getExtentOfChar(start - first);
    const frame = text.getScreenCTM();
    return [spot.x + frame.e, spot.y + frame.f + spot.height / 2, spot.width];
  }
  return null;
}"""


def log_in(page: Any, session: Session, annotator: str) -> None:
    page.goto(f"{session.url}/auth")
    page.locator("input[type=password]").wait_for()
    page.locator("input").first.fill(annotator)
    page.locator("input[type=password]").fill(session.password(annotator))
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects**")


def drag_over(page: Any, text: str, phrase: str) -> None:
    """Mark a phrase with the mouse, from its first to its last character."""
    units = len(text[: text.index(phrase)].encode("utf-16-le")) // 2
    left, top, _ = page.evaluate(_POINT, [units])
    right, bottom, width = page.evaluate(_POINT, [units + len(phrase) - 1])
    page.mouse.move(left + 1, top)
    page.mouse.down()
    page.mouse.move((left + right) / 2, (top + bottom) / 2, steps=5)
    page.mouse.move(right + width - 1, bottom, steps=5)
    page.mouse.up()


def test_an_annotator_adds_a_span_and_confirms(
    doccano: Running, browser: Any, tmp_path: Path, screenshot: Callable[..., None]
) -> None:
    labels = load_labels()
    document = Document("raven", TEXT)
    (suggested,) = RuleTagger(labels=labels.names).tag([document])
    marked = [TEXT[s.start : s.end] for s in suggested.spans]
    assert marked == ["Lt. Gen.", "Defence Secretary", "Operation Inherent Resolve"]
    with doccano.connect() as connection:
        guidelines = load_guidelines(labels)
        session = push(
            connection, tmp_path / "june", [suggested], ["reader"], labels, guidelines=guidelines
        )
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    log_in(page, session, "reader")
    page.goto(session.link("reader"))
    # The suggestions are drawn below their text, each with its label.
    page.locator("svg text:not([id])").nth(2).wait_for()
    shown = page.locator("svg text:not([id])").all_text_contents()
    assert sorted(shown) == ["OPERATION", "RANK", "ROLE"]
    screenshot(page, "suggestions")

    key = next(label.key for label in labels.labels if label.name == "UNIT")
    page.keyboard.press(str(key))
    with page.expect_response(lambda r: "/spans" in r.url and r.request.method == "POST") as posted:
        drag_over(page, TEXT, "Sahel Watch")
    assert posted.value.status == 201
    page.locator("svg text:not([id])").get_by_text("UNIT", exact=True).wait_for()
    with page.expect_response(lambda r: "/states" in r.url and r.request.method == "POST"):
        page.keyboard.press("Enter")
    page.get_by_text("100%").wait_for()
    screenshot(page, "annotation")
    page.close()

    with doccano.connect() as connection:
        (back,) = pull(connection, tmp_path / "june").readings["reader"]
    start = TEXT.index("Sahel Watch")
    added = Span(start, start + len("Sahel Watch"), "UNIT")
    assert back.text == TEXT
    assert back.spans == tuple(sorted([*suggested.spans, added]))
    assert [span.note for span in back.spans].count(None) == 1
    assert back.meta["annotation"]["confirmed"] is True
