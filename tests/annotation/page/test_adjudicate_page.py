"""Adjudication in a real browser, on the page of our own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from orbat.annotation.adjudication.annotation_sets import read_annotation_set
from orbat.annotation.adjudication.conflicts import compare_annotation_sets
from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.session.accounts import read_password
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.replay import replay
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from tests.conftest import ARTICLES, Orbat, Outcome, Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

DESKTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
LABELS = """
name = "hostile"
guidelines = "labels.md"
[[labels]]
name = "UNIT"
key = "u"
color = "#1f77b4"
description = "a unit"

[[labels]]
name = "<i>ROLE</i>"
key = "r"
color = "#2ca02c"
description = "a role"
"""
UNIT, ROLE = "UNIT", "<i>ROLE</i>"
GUIDELINES = "# Guidelines\n\n## UNIT\n\nWithout the article *the*.\n\n<script>alert(1)</script>\n"
FILLER = (
    "The ministry gave no further details of the exercise, which lasts until the autumn.\n\n" * 20
)
RAVEN = (
    f"😀 Brigade hands over 😀\n\n{FILLER}"
    "Lt. Gen. Ann Doe 👨‍👩‍👧 took leave of the Sahel Watch at <b>Camp Lion</b> on Friday. "
    f"The Defence Secretary thanked the 2nd Wing.\n\n{FILLER}"
    "A parade of the Red Company closed the day.\n"
)
OWL = "שלום 🇫🇷 The 3rd Wing of the Air Force flew over Kidal, and the Navy watched.\n"


def span(text: str, words: str, label: str) -> Span:
    start = text.index(words)
    return Span(start, start + len(words), label)


def annotated(doc_id: str, text: str, comment: str, *spans: tuple[str, str]) -> Document:
    meta = {
        "title": f"The <b>{doc_id}</b>",
        "source": "Army News",
        "date": "2026-06-01",
        "annotation": {"confirmed": True, "comments": [{"by": None, "text": comment}]},
    }
    marked = [span(text, words, label) for words, label in spans]
    return Document(doc_id, text, (), meta).with_spans(marked)


ANN = [
    annotated(
        *("raven", RAVEN, "<img src=x onerror=alert(1)>"),
        *(("the Sahel Watch", UNIT), ("Defence Secretary", ROLE), ("2nd Wing", UNIT)),
        *(("Red Company", UNIT), ("<b>Camp Lion</b>", UNIT)),
    ),
    annotated("owl", OWL, "fine", ("3rd Wing", UNIT), ("Air Force", ROLE)),
]
BEN = [
    annotated(
        *("raven", RAVEN, "Is Sahel Watch a unit?"),
        *(("Sahel Watch", UNIT), ("Defence Secretary", UNIT), ("2nd Wing", UNIT)),
        *(("the Red Company", UNIT),),
    ),
    annotated("owl", OWL, "fine", ("The 3rd Wing", UNIT), ("Air Force", UNIT)),
]


@dataclass
class Adjudication:
    """A round of adjudication, and the command that begins, continues and ends it."""

    run: Callable[[], Outcome]
    folder: Path
    gold: Path
    url: str
    adjudicator: str

    @property
    def project(self) -> int:
        record = json.loads((self.folder / "question-project.json").read_text())
        return int(record["project"])

    @property
    def page(self) -> str:
        return f"{self.url}/orbat/adjudicate/{self.project}"

    @property
    def password(self) -> str:
        password = read_password(self.url, self.folder, self.adjudicator)
        assert password
        return password

    def connect(self) -> DoccanoClient:
        return DoccanoClient(self.url, self.adjudicator, self.password)

    def log_in(self, page: Any) -> None:
        page.locator("dialog input").first.fill(self.adjudicator)
        page.locator("dialog input[type=password]").fill(self.password)
        page.keyboard.press("Enter")
        page.locator("dialog").wait_for(state="detached")

    def answers(self) -> dict[str, str]:
        """Return the confirmed answers, by document and conflict."""
        with self.connect() as client:
            names = {category.id: category.text for category in client.category_types(self.project)}
            return {
                example.upload_name.rpartition("-")[0]: names[label]
                for example in client.examples(self.project)
                if example.is_confirmed
                for label in client.categories(self.project, example.id)
            }


Begin = Callable[..., Adjudication]


@pytest.fixture
def begin(orbat: Orbat, doccano: Running, tmp_path: Path) -> Begin:
    def start(
        ann: Sequence[Document], ben: Sequence[Document], *, own_labels: bool = True
    ) -> Adjudication:
        write_documents(tmp_path / "ann.jsonl", ann)
        write_documents(tmp_path / "ben.jsonl", ben)
        (tmp_path / "labels.toml").write_text(LABELS)
        (tmp_path / "labels.md").write_text(GUIDELINES)
        folder, gold = tmp_path / "round", tmp_path / "gold.jsonl"
        # The server is shared, and accounts are not created twice.
        adjudicator = f"judge-{uuid.uuid4().hex[:8]}"

        def run() -> Outcome:
            return orbat(
                *("annotate", "adjudicate", tmp_path / "ann.jsonl", tmp_path / "ben.jsonl"),
                *("--policy", "manual", "--session", folder, "--output", gold),
                *("--adjudicator", adjudicator),
                *(("--labels", tmp_path / "labels.toml") if own_labels else ()),
                env=doccano.env,
            )

        begun = run()
        assert begun.code == 0, begun.err
        return Adjudication(run, folder, gold, doccano.url, adjudicator)

    return start


def open_page(browser: Any, viewport: dict[str, int], **options: Any) -> Any:
    """Return a page in a context of its own, which fails if a script of an article runs."""
    page = browser.new_context(viewport=viewport, **options).new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    return page


def shown_spans(page: Any) -> list[list[Any]]:
    """Return the spans in the article, as their words, label and offsets in code points."""
    return list(
        page.locator("#text mark").evaluate_all(
            "marks => marks.map(({textContent, dataset: {label, start, end}}) => "
            "[textContent, label, Number(start), Number(end)])"
        )
    )


def wait_until_saved(page: Any) -> None:
    page.locator("body[data-state=saved]").wait_for()


def is_in_sight(page: Any) -> bool:
    """Return whether the conflict in focus is between the header and the readings."""
    return bool(
        page.evaluate(
            """() => {
              const box = (selector) => document.querySelector(selector).getBoundingClientRect();
              const {top, bottom} = box("#text .current");
              return top > box("#header").bottom && bottom < box("#readings").top;
            }"""
        )
    )


def check_accessibility(page: Any) -> None:
    found = Axe().run(page).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert serious == [], [(rule["id"], rule["nodes"][0]["html"]) for rule in serious]


def test_conflicts_are_resolved_by_keyboard(
    begin: Begin, browser: Any, screenshot: Callable[..., None]
) -> None:
    adjudication = begin(ANN, BEN)
    page = open_page(browser, DESKTOP)
    page.goto(adjudication.page)
    page.locator("dialog input").first.wait_for()
    adjudication.log_in(page)
    readings, progress, press = (
        page.locator("#readings"),
        page.locator("#progress"),
        page.keyboard.press,
    )
    page.get_by_text("Conflict 1 of 6 · article 1 of 2 · 6 open").wait_for()
    assert page.locator("#text").text_content() == RAVEN
    shown = shown_spans(page)
    assert [words for words, *_ in shown] == [
        *("the Sahel Watch", "<b>Camp Lion</b>", "Defence Secretary", "2nd Wing"),
        "the Red Company",
    ]
    assert all(RAVEN[start:end] == words for words, _, start, end in shown)
    assert [label for _, label, *_ in shown] == ["", "", "", UNIT, ""]
    assert is_in_sight(page)
    words = readings.locator("mark").all_text_contents()
    assert words == ["the Sahel Watch", "Sahel Watch"]
    lines = readings.locator(".reading .words").all_text_contents()
    assert lines[0] == lines[1]
    assert "👨‍👩‍👧 took leave of the Sahel Watch at <b>Camp Lion</b>" in lines[0]

    # Texts, labels and comments are never HTML, and the annotators have no names.
    assert page.locator("#text b, #readings b, #readings i, #comments img, #title b").count() == 0
    assert "<img src=x onerror=alert(1)>" in readings.inner_text()
    assert "Annotator A" in readings.inner_text()
    assert page.locator(".names").count() == 0
    press("n")
    assert page.locator(".names").all_text_contents() == ["ann", "ben"]
    assert "ben: Is Sahel Watch a unit?" in readings.inner_text()
    press("n")
    press("g")
    assert "Without the article the." in page.locator(".ruling").inner_text()
    assert page.locator("#panel script").count() == 0
    assert is_in_sight(page)
    check_accessibility(page)
    # A color that is changing has any contrast.
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    check_accessibility(page)
    page.emulate_media(color_scheme="light")
    press("g")

    press("2")
    page.get_by_text("Conflict 2 of 6").wait_for()
    assert readings.locator("mark").all_text_contents() == ["<b>Camp Lion</b>"]
    press("2")  # There is no second reading.
    assert "Conflict 2 of 6" in progress.inner_text()
    press("0")
    assert readings.locator("mark").evaluate_all("all => all.map(m => m.dataset.label)") == [
        *(ROLE, UNIT),
    ]
    press("1")
    assert "Conflict 4 of 6" in progress.inner_text()
    assert is_in_sight(page)
    wait_until_saved(page)
    assert list(adjudication.answers().values()) == ["2", "no span", "1"]
    press("Backspace")
    assert "Conflict 3 of 6" in progress.inner_text()
    wait_until_saved(page)
    assert list(adjudication.answers().values()) == ["2", "no span"]
    press("Control+y")
    press("Control+z")
    press("x")
    page.get_by_text("comes back for marking by hand").wait_for()
    press("1")
    page.get_by_text("article 2 of 2").wait_for()
    assert page.locator("#title").inner_text() == "The <b>owl</b>"
    assert page.locator("#text").text_content() == OWL
    press("ArrowDown")  # Look at the first reading in the article, then choose the second.
    assert ["3rd Wing", UNIT] in [span[:2] for span in shown_spans(page)]
    press("ArrowDown")
    press("Enter")
    press("2")
    page.get_by_text("All conflicts are answered. 1 article comes back").wait_for()
    wait_until_saved(page)

    # An answered conflict shows its answer and can be changed.
    press("ArrowLeft")
    chosen = readings.locator("[aria-pressed=true]")
    assert chosen.get_attribute("data-answer") == "2"
    press("1")
    wait_until_saved(page)
    assert list(adjudication.answers().values()) == ["2", "no span", "another", "1", "1", "2"]
    page.goto(f"{adjudication.page}/1")
    readings.locator("[data-answer='2'][aria-pressed=true]").wait_for()
    assert ["Sahel Watch", UNIT] in [span[:2] for span in shown_spans(page)]
    page.context.close()

    by_hand = adjudication.run()
    assert "1 of 6 conflicts are open, 1 of them new" in by_hand.out
    marked = Document("raven", RAVEN).with_spans([span(RAVEN, "Red Company", UNIT)])
    replay(open_session(adjudication.folder), adjudication.adjudicator, [marked])
    done = adjudication.run()
    assert done.code == 0, done.err
    gold = {document.id: document.spans for document in read_documents(adjudication.gold)}
    assert gold == {
        "raven": marked.spans,
        "owl": (span(OWL, "3rd Wing", UNIT), span(OWL, "Air Force", UNIT)),
    }
    again = adjudication.run()
    assert again.code == 0, again.err


def test_no_answer_is_lost_or_overwritten(
    begin: Begin, browser: Any, doccano: Running, screenshot: Callable[..., None]
) -> None:
    adjudication = begin(ANN, BEN)
    project, answers = adjudication.project, adjudication.answers
    page = open_page(browser, PHONE, has_touch=True)
    page.goto(adjudication.page)
    page.locator("dialog input").first.wait_for()
    adjudication.log_in(page)
    progress, notices = page.locator("#progress"), page.locator("#notices")

    def tap(key: str) -> None:
        page.locator(f".reading[aria-keyshortcuts='{key}']").tap()

    page.get_by_text("6 open").wait_for()
    assert progress.inner_text() == "1 of 6 · 6 open"
    check_accessibility(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert is_in_sight(page)
    page.locator("#open-guidelines").tap()
    assert is_in_sight(page)
    screenshot(page, "conflict-phone-guidelines")
    page.get_by_role("button", name="Close guidelines").tap()
    assert is_in_sight(page)
    screenshot(page, "conflict-phone")

    # Without a connection work goes on, and a closed tab loses nothing.
    page.context.set_offline(True)
    tap("1")
    notices.get_by_text("The server cannot be reached").wait_for()
    tap("0")
    assert progress.inner_text() == "3 of 6 · 4 open"
    assert page.locator("body").get_attribute("data-state") == "offline"
    assert page.locator("#save-state").inner_text() == "Not stored yet: 2 answers"
    assert answers() == {}
    context = page.context
    page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(adjudication.page)
    notices, progress = page.locator("#notices"), page.locator("#progress")
    page.get_by_text("4 open").wait_for()
    wait_until_saved(page)
    assert list(answers().values()) == ["1", "no span"]

    # A server that fails is asked again.
    full_disk = "**/examples/*/categories"
    failures: list[str] = []

    def fail(route: Any) -> None:
        if route.request.method == "POST" and not failures:
            failures.append(route.request.url)
            route.fulfill(status=500, body="database or disk is full")
        else:
            route.fallback()

    page.route(full_disk, fail)
    tap("1")
    notices.get_by_text("The server failed (error 500)").wait_for()
    wait_until_saved(page)
    assert failures
    assert notices.inner_text() == ""
    assert list(answers().values()) == ["1", "no span", "1"]

    # An answer that arrived although the connection broke is not confirmed twice.
    def lose_answer(route: Any) -> None:
        route.fetch()
        page.unroute("**/states")
        route.abort()

    page.route(
        "**/states",
        lambda route: lose_answer(route) if route.request.method == "POST" else route.fallback(),
    )
    tap("2")
    notices.get_by_text("The server cannot be reached").wait_for()
    wait_until_saved(page)
    assert notices.inner_text() == ""
    assert list(answers().values()) == ["1", "no span", "1", "2"]

    # A second tab is told of answers, and of the first tab.
    other = context.new_page()
    other.goto(f"{adjudication.page}/1")
    other.locator(".reading[data-answer='1'][aria-pressed=true]").wait_for()
    for tab in (page, other):
        tab.get_by_text("open in another tab").wait_for()
    page.goto(f"{adjudication.page}/1")
    page.locator(".reading[aria-pressed=true]").wait_for()
    tap("2")
    other.locator(".reading[data-answer='2'][aria-pressed=true]").wait_for()
    wait_until_saved(page)
    other.close()

    # A session that has ended is renewed in place.
    page.goto(f"{adjudication.page}/5")
    page.get_by_text("2 open").wait_for()
    context.clear_cookies()
    tap("1")
    page.get_by_text("Your session has ended").wait_for()
    adjudication.log_in(page)
    wait_until_saved(page)
    assert list(answers().values()) == ["2", "no span", "1", "2", "1"]

    # What another adjudicator has answered is not overwritten without a word.
    page.get_by_text("1 open").wait_for()
    with doccano.connect() as admin:
        types = {category.text: category.id for category in admin.category_types(project)}
        examples = [example.id for example in admin.examples(project)]

        def answer_elsewhere(number: int, answer: str) -> None:
            admin.create_category(project, examples[number - 1], types[answer])
            admin.confirm(project, examples[number - 1])

        def answer_before(route: Any) -> None:
            if route.request.method == "POST":
                page.unroute("**/states")
                admin.confirm(project, examples[5])
            route.continue_()

        page.route("**/states", answer_before)
        tap("1")
        notices.get_by_text("Conflict 6 was answered on another page at the same moment").wait_for()
        wait_until_saved(page)
        assert list(answers().values())[5] == "1"
        admin.transport.post(f"projects/{project}/examples/{examples[5]}/states", {})
        page.reload()
        page.get_by_text("1 open").wait_for()
        answer_elsewhere(6, "2")
        tap("1")
        conflict = notices.get_by_text("Conflict 6 was answered “2” on another page meanwhile")
        conflict.wait_for()
        assert list(answers().values())[5] == "2"
        notices.get_by_role("button", name="Keep the other").tap()
        wait_until_saved(page)
        page.locator(".reading[data-answer='2'][aria-pressed=true]").wait_for()
        answer_elsewhere(6, "no span")
        tap("1")
        notices.get_by_text("Conflict 6 was answered “no span”").wait_for()
        page.reload()
        notices.get_by_role("button", name="Use mine").tap()
        wait_until_saved(page)
        assert list(answers().values())[5] == "1"

        # So is a question that was deleted.
        admin.delete_examples(project, [examples[5]])
        tap("2")
        notices.get_by_text("Conflict 6 was deleted in doccano").wait_for()
        notices.get_by_role("button", name="Discard").tap()
        wait_until_saved(page)
        admin.delete_project(project)
    page.goto(f"{adjudication.page}/1")
    notices.get_by_text("Ask the lead of the project").wait_for()
    context.close()


def test_old_questions_are_completed(begin: Begin, browser: Any, doccano: Running) -> None:
    """Rounds of earlier versions have no metadata for the page; an annotation set may change."""
    adjudication = begin(ANN[1:], BEN[1:])
    project = adjudication.project
    with doccano.connect() as admin:
        for example in admin.examples(project):
            admin.set_meta(project, example.id, {"document": "owl"})
    page = open_page(browser, DESKTOP)
    page.goto(adjudication.page)
    page.locator("dialog input").first.wait_for()
    adjudication.log_in(page)
    page.get_by_text("2 conflicts lack their articles").wait_for()
    page.get_by_role("button", name="Open doccano's page").click()
    page.wait_for_url(f"**/projects/{project}/text-classification?page=1")

    # The second run completes them, and withdraws the conflict that is there no more.
    changed = annotated("owl", OWL, "fine", ("3rd Wing", UNIT), ("Air Force", UNIT))
    write_documents(adjudication.gold.parent / "ben.jsonl", [changed])
    assert "1 of 1 conflicts are open, 0 of them new" in adjudication.run().out
    page.goto(adjudication.page)
    page.get_by_text("Conflict 1 of 1").wait_for()
    assert page.locator("#readings mark").all_text_contents() == ["Air Force", "Air Force"]
    assert page.locator("#notices").inner_text() == ""

    # A browser that forbids storage keeps nobody from answering.
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})"
    )
    page.reload()
    page.get_by_text("Conflict 1 of 1").wait_for()
    with page.expect_response(lambda response: "/categories" in response.url and response.ok):
        page.keyboard.press("1")
    wait_until_saved(page)
    assert list(adjudication.answers().values()) == ["1"]
    page.context.close()


def test_the_readings_of_two_shipped_articles(
    begin: Begin, browser: Any, screenshot: Callable[..., None]
) -> None:
    texts = {document.id: document for document in read_documents(ARTICLES / "train.jsonl")}
    sets = [
        read_annotation_set(ARTICLES / f"{name}-pass.jsonl", None, texts)
        for name in ("first", "second")
    ]
    passes = [
        [document for document in part.documents if document.id in ("hx-011", "me-005")]
        for part in sets
    ]
    comment = {"text": "Is the place part of the name of a wing?"}
    passes[0] = [
        replace(document, meta={**document.meta, "annotation": {"comments": [comment]}})
        for document in passes[0]
    ]
    comparisons, _, _ = compare_annotation_sets(
        [
            replace(part, documents=tuple(documents))
            for part, documents in zip(sets, passes, strict=True)
        ]
    )
    expected = [
        [
            (comparison.document.text[span.start : span.end], span.label)
            for name in comparison.annotators
            for span in conflict.spans_of(name)
        ]
        for comparison in comparisons
        for conflict in comparison.conflicts
    ]
    assert len(expected) == 6
    adjudication = begin(*passes, own_labels=False)
    page = open_page(browser, {"width": 1280, "height": 800})
    page.goto(adjudication.page)
    page.locator("dialog input").first.wait_for()
    adjudication.log_in(page)
    for number, readings in enumerate(expected, start=1):
        page.get_by_text(f"Conflict {number} of 6").wait_for()
        marks = page.locator("#choices mark")
        shown = marks.evaluate_all("all => all.map(m => [m.textContent, m.dataset.label])")
        assert [tuple(pair) for pair in shown] == readings
        assert is_in_sight(page)
        page.keyboard.press("ArrowRight")
    page.goto(f"{adjudication.page}/2")
    page.get_by_text("Conflict 2 of 6").wait_for()
    page.keyboard.press("g")
    screenshot(page, "conflict")
    page.context.close()
