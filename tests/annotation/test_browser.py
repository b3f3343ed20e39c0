"""Annotation and adjudication in a real browser, on doccano's own page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.session.accounts import read_password
from orbat.annotation.session.folder import Session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.labels import load_guidelines, load_labels
from orbat.training.baselines.rules import RuleTagger
from tests.annotation.hard_texts import HARD_TEXTS
from tests.conftest import Orbat, Running

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
    password = session.password(annotator)
    assert password
    log_in_as(page, session.url, annotator, password)


def log_in_as(page: Any, url: str, name: str, password: str) -> None:
    page.goto(f"{url}/auth")
    page.locator("input[type=password]").wait_for()
    page.locator("input").first.fill(name)
    page.locator("input[type=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects**")


def drag_over(page: Any, text: str, phrase: str) -> None:
    """Select a phrase with the mouse, from its first to its last character."""
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
    (suggested,) = RuleTagger.from_file(None, labels.names).tag([document])
    marked = [TEXT[s.start : s.end] for s in suggested.spans]
    assert marked == ["Lt. Gen.", "Defence Secretary", "Operation Inherent Resolve"]
    with doccano.connect() as connection:
        guidelines = load_guidelines(labels)
        session = push(
            connection,
            tmp_path / "june",
            [suggested],
            ["doccano-reader"],
            labels,
            guidelines=guidelines,
        ).session
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    log_in(page, session, "doccano-reader")
    page.goto(session.link("doccano-reader", has_page=False))
    # doccano draws each suggestion below its text, with its label.
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
    screenshot(page, "doccano")
    page.close()

    with doccano.connect() as connection:
        (back,) = pull(connection, tmp_path / "june").annotation_sets["doccano-reader"]
    start = TEXT.index("Sahel Watch")
    added = Span(start, start + len("Sahel Watch"), "UNIT")
    assert back.text == TEXT
    assert back.spans == tuple(sorted([*suggested.spans, added]))
    assert [span.note for span in back.spans].count(None) == 1
    assert back.meta["annotation"]["confirmed"] is True


_UNDERLINES = """() => [...document.querySelectorAll('svg text[id]')].flatMap(text =>
  [...text.parentElement.querySelectorAll('line')].map(line => {
    const first = Number(text.id.split(':')[0]);
    const left = line.x1.baseVal.value - 2.5, right = line.x2.baseVal.value + 2.5;
    const inside = [];
    for (let i = 0; i < text.getNumberOfChars(); i++) {
      const box = text.getExtentOfChar(i);
      // Combining marks have no width and belong to the letter before.
      if (box.width > 0 && box.x >= left - 1 && box.x + box.width <= right + 1) inside.push(i);
    }
    return inside.length ? text.textContent.slice(inside[0], inside.at(-1) + 1) : '';
  }))"""


def test_underlined_phrases_were_pushed_and_selected_phrases_are_pulled(
    doccano: Running, browser: Any, tmp_path: Path, screenshot: Callable[..., None]
) -> None:
    labels = load_labels()
    sent = []
    for number, (text, phrase, _) in enumerate(HARD_TEXTS):
        start = text.index(phrase)
        sent.append(Document(f"hard{number}", text, (Span(start, start + len(phrase), "RANK"),)))
    with doccano.connect() as connection:
        session = push(connection, tmp_path / "hard", sent, ["hardy"], labels).session
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    log_in(page, session, "hardy")
    key = next(label.key for label in labels.labels if label.name == "UNIT")
    for number, (text, phrase, selected) in enumerate(HARD_TEXTS, start=1):
        page.goto(session.link("hardy", has_page=False, number=number))
        page.locator("svg line").first.wait_for(state="attached")
        assert page.evaluate(_UNDERLINES) == [phrase], text
        page.keyboard.press(str(key))
        with page.expect_response(
            lambda r: "/spans" in r.url and r.request.method == "POST"
        ) as posted:
            drag_over(page, text, selected)
        assert posted.value.status == 201
        if number == 2:
            screenshot(page, "emoji")
    page.close()
    with doccano.connect() as connection:
        back = pull(connection, tmp_path / "hard").annotation_sets["hardy"]
    for document, (text, phrase, selected) in zip(back, HARD_TEXTS, strict=True):
        assert document.text == text
        marked = [(text[s.start : s.end], s.label) for s in document.spans]
        assert marked == [(phrase, "RANK"), (selected, "UNIT")]


def test_one_key_resolves_a_conflict(
    doccano: Running,
    orbat: Orbat,
    browser: Any,
    tmp_path: Path,
    screenshot: Callable[..., None],
) -> None:
    start = TEXT.index("Sahel Watch")
    long, short = Span(start - 4, start + 11, "UNIT"), Span(start, start + 11, "UNIT")
    write_documents(tmp_path / "a.jsonl", [Document("raven", TEXT, (long,))])
    write_documents(tmp_path / "b.jsonl", [Document("raven", TEXT, (short,))])
    folder = tmp_path / "round"
    arguments = (
        *("annotate", "adjudicate", tmp_path / "a.jsonl", tmp_path / "b.jsonl"),
        *("--policy", "manual", "--session", folder, "--output", tmp_path / "gold.jsonl"),
        *("--adjudicator", "judge"),
    )
    asked = orbat(*arguments, env=doccano.env)
    assert asked.code == 0, asked.err
    project = re.search(r"/orbat/adjudicate/([0-9]+)$", asked.out, re.MULTILINE)
    assert project
    password = read_password(doccano.url, folder, "judge")
    assert password
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    log_in_as(page, doccano.url, "judge", password)
    page.goto(f"{doccano.url}/projects/{project[1]}/text-classification?page=1")
    page.get_by_text("UNIT “Sahel Watch”").wait_for()
    with page.expect_response(lambda r: "/categories" in r.url and r.request.method == "POST"):
        page.keyboard.press("2")
    with page.expect_response(lambda r: "/states" in r.url and r.request.method == "POST"):
        page.keyboard.press("Enter")
    page.get_by_text("100%").wait_for()
    screenshot(page, "doccano-conflict")
    page.close()
    assert orbat(*arguments, env=doccano.env).code == 0
    (gold,) = read_documents(tmp_path / "gold.jsonl")
    assert gold.spans == (short,)
