"""The panels and dialogs of the annotation page, in a real browser on a real doccano."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orbat.annotation.session.folder import Session
from orbat.corpus.document import Document
from tests.annotation.page.driver import (
    DESKTOP,
    PHONE,
    AnnotatorPage,
    OpenArticle,
    articles_of,
    push_documents,
    span_of,
)
from tests.conftest import Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

ANNOTATOR = "panelist"
TEXT = "Gen. Ann Doe leads 2 Wing and the 7th Signal Regiment.\n\nThe Defence Secretary came.\n"
SUGGESTED = (
    ("Gen.", "RANK", 0.93),
    ("2 Wing", "UNIT", None),
    ("7th Signal Regiment", "UNIT", 0.41),
    ("Defence Secretary", "ROLE", 0.78),
)
NAMES = ("panels", "comments", "drafts", "unclear", "suggestions", "pace", "long")
GUIDELINES = """# Rules

Read **all** of it, with *great* care.

## UNIT: a named unit
- yes: 7th Signal Regiment
  - and its companies
- no: generic words

## RANK
The rank alone. <script>window.hacked = true</script> <img src=x onerror="window.hacked = true">

| label | ruling |
|---|---|
| ROLE | An office, as `Defence Secretary` |

[rules](https://example.org/rules) [bad](javascript:window.hacked=true)

## Hard cases
- A wing of a house is no UNIT.
- A general strike has no rank.
"""


@pytest.fixture(scope="module")
def session(doccano: Running, tmp_path_factory: pytest.TempPathFactory) -> Session:
    spans = tuple(span_of(TEXT, phrase, label, score=score) for phrase, label, score in SUGGESTED)
    documents = [
        Document(name, TEXT * 60 if name == "long" else TEXT, spans, {"title": name})
        for name in NAMES
    ]
    folder = tmp_path_factory.mktemp("panels") / "june"
    return push_documents(doccano, folder, documents, ANNOTATOR, guidelines=GUIDELINES)


@pytest.fixture
def at(browser: Any, session: Session) -> Iterator[OpenArticle]:
    """Open the article with a name."""
    with articles_of(browser, session, ANNOTATOR, NAMES) as open_article:
        yield open_article


def comments_on(page: AnnotatorPage) -> list[str]:
    """Return the comments that the server has on the article that is open."""
    number = int(page.page.url.rsplit("/", 1)[1])
    api = f"{page.session.url}/v1/projects/{page.project}"
    examples = page.context.request.get(f"{api}/examples?limit=1&offset={number - 1}").json()
    article = examples["results"][0]["id"]
    listed = page.context.request.get(f"{api}/comments?example={article}&limit=100").json()
    return [comment["text"] for comment in listed["results"]]


# -- guidelines -----------------------------------------------------------------------------------


def test_guidelines_are_rendered_and_html_in_them_is_text(at: OpenArticle) -> None:
    page = at("panels").page
    page.locator("#open-guidelines").click()
    guidelines = page.locator("#guidelines-panel .guidelines")
    assert guidelines.locator("h2").all_text_contents() == [
        "UNIT: a named unit",
        "RANK",
        "Hard cases",
    ]
    assert guidelines.locator("li li").all_text_contents() == ["and its companies"]
    assert guidelines.locator("td").all_text_contents() == [
        "ROLE",
        "An office, as Defence Secretary",
    ]
    assert guidelines.locator("strong, em, code").all_text_contents() == [
        "all",
        "great",
        "Defence Secretary",
    ]
    assert "<script>window.hacked = true</script> <img src=x" in guidelines.text_content()
    assert guidelines.locator("script, img").count() == 0
    links = guidelines.locator("a")
    assert links.count() == 1
    assert links.get_attribute("href") == "https://example.org/rules"
    assert links.get_attribute("rel") == "noopener noreferrer"
    assert links.get_attribute("target") == "_blank"
    assert page.evaluate("window.hacked === undefined")


MARKDOWN = {
    "nested": ("- a\n  1. b\n  2. c\n- d", "<ul><li>a<ol start=1><li>b<li>c</ol><li>d</ul>"),
    "loose items": ("- a\n\n- b\n\ntext", "<ul><li>a<li>b</ul><p>text</p>"),
    "wrapped item": ("- a\n  b\nc", "<ul><li>a b c</ul>"),
    "emphasis": ("**a *b*** __c__ _d_", "<p><strong>a <em>b</em></strong>"),
    "no emphasis in names": ("MY_UNIT_NAME 2 * 3 * 4", "<p>MY_UNIT_NAME 2 * 3 * 4</p>"),
    "code": ("`<b>` ``a`b``", "<p><code>&lt;b&gt;</code> <code>a`b</code></p>"),
    "fence": ("```\n<b>*x*\n```", "<pre tabindex=0><code>&lt;b&gt;*x*</code></pre>"),
    "quote": ("> a\n> b", "<blockquote><p>a b</p></blockquote>"),
    "cells": (
        "a|b\n-|-\n`x\\|y`|z",
        "<th scope=col>a</th><th scope=col>b</th></tr></thead>"
        "<tbody><tr><td><code>x|y</code></td><td>z</td>",
    ),
    "escapes": ("\\*a\\* 1\\. &lt;", "<p>*a* 1. &amp;lt;</p>"),
    "heading": ("### a `b` ###", "<h3>a <code>b</code></h3>"),
    "unsafe links": (
        "[a](JAVASCRIPT:x) [b](data:text/html,x) [c](//example.org) <javascript:x>",
        "<p><span>a</span> <span>b</span> <span>c</span> &lt;javascript:x&gt;</p>",
    ),
    "attributes": (
        '[a](https://example.org/"onclick="x)',
        '<a href="https://example.org/%22onclick=%22x"',
    ),
    "bare address": ("see https://example.org/a.", '<a href="https://example.org/a"'),
    "unfinished": ("**a [b](c `d\n```\ne", "<p>**a [b](c `d</p><pre"),
}


REPEATED = ("** a", "*a ", "__a ", " _a", "`a ``b ", "[", "[a](b (x", "![a](", "~_a_b ", "**a*b ")
BLANKS, LETTERS = " " * 200_000, "a" * 200_000
HOSTILE_MARKDOWN = (
    *(part * 100_000 for part in REPEATED),
    *(f"[a]({BLANKS}", f"[a](b{BLANKS}c", f"` {LETTERS}`", f"[a]({LETTERS}", f"` {BLANKS} `"),
)


def test_hostile_markdown_is_rendered_in_linear_time(at: OpenArticle) -> None:
    page = at("panels").page
    for source in HOSTILE_MARKDOWN:
        page.evaluate(
            """async source => {
              const { renderMarkdown } = await import("/orbat/static/js/markdown.js");
              window.rendered = null;
              setTimeout(() => { window.rendered = renderMarkdown(source).textContent.length; });
            }""",
            source,
        )
        # Quadratic time would be hours, and this waits for half a minute.
        page.wait_for_function("window.rendered")


def test_markdown_becomes_elements_without_html(at: OpenArticle) -> None:
    page = at("panels").page
    rendered = page.evaluate(
        """async (sources) => {
          const { renderMarkdown } = await import("/orbat/static/js/markdown.js");
          return sources.map((source) => {
            const place = document.createElement("div");
            place.append(renderMarkdown(source));
            return place.innerHTML;
          });
        }""",
        [source for source, _ in MARKDOWN.values()],
    )
    for (name, (_, expected)), html in zip(MARKDOWN.items(), rendered, strict=True):
        # The expectation leaves out the quotation marks and end tags that HTML can do without.
        plain = re.sub(r'="(\w+)"', r"=\1", html).replace("</li>", "")
        assert expected in plain, name


def test_the_ruling_for_the_armed_label_comes_first(at: OpenArticle) -> None:
    page = at("panels")
    page.page.locator("#open-guidelines").click()
    ruling = page.page.locator("#guidelines-panel .ruling")
    assert ruling.is_hidden()
    page.press("u")
    assert ruling.locator("h2, h3").all_text_contents() == ["On UNIT", "UNIT: a named unit"]
    assert ruling.locator("li").last.text_content() == "A wing of a house is no UNIT."
    assert "strike" not in ruling.text_content()
    page.press("o")
    assert ruling.locator("p").all_text_contents() == ["An office, as Defence Secretary"]
    page.press("p")
    assert "do not name OPERATION" in ruling.text_content()
    page.press("Escape")
    assert ruling.is_hidden()


def test_guidelines_are_searched_by_keys_without_marking(at: OpenArticle) -> None:
    page = at("panels")
    before = page.offsets
    page.press("Alt+g")
    panel = page.page.locator("#guidelines-panel")
    count, current = panel.locator(".hit-count"), panel.locator(".hit.current")
    page.page.keyboard.type("unit")
    assert count.text_content() == "1 of 3"
    assert panel.locator(".hit").all_text_contents() == ["UNIT", "unit", "UNIT"]
    page.press("Enter")
    assert (count.text_content(), current.text_content()) == ("2 of 3", "unit")
    page.press("Shift+Enter", "Shift+Enter")
    assert count.text_content() == "3 of 3"
    panel.locator("input").fill("great care")
    assert current.all_text_contents() == ["great", " care"]
    panel.locator("input").fill("admiral")
    assert (count.text_content(), panel.locator(".hit").count()) == ("no hit", 0)
    page.press("Escape")
    assert panel.locator("input").input_value() == ""
    assert panel.is_visible()
    page.press("Escape")
    assert panel.is_hidden()
    assert page.page.evaluate("document.activeElement.id") == "text"
    assert page.offsets == before


# -- comments -------------------------------------------------------------------------------------


def test_a_comment_that_cannot_be_sent_is_kept_and_sent_later(
    at: OpenArticle,
) -> None:
    page = at("comments")
    page.page.route("**/v1/projects/*/comments*", lambda route: route.abort())
    page.press("Alt+c")
    panel = page.page.locator("#comments-panel")
    panel.locator("textarea").fill("<b>Is</b> 2 Wing a unit?")
    page.press("Control+Enter")
    panel.get_by_text("Not sent yet").wait_for()
    assert panel.locator("textarea").input_value() == "<b>Is</b> 2 Wing a unit?"
    page.page.reload()
    page.wait_for_title("comments")
    page.page.locator("#open-comments").click()
    panel.get_by_text("Not sent yet").wait_for()
    page.page.unroute("**/v1/projects/*/comments*")
    panel.get_by_text("Try now").click()
    panel.locator(".comment-text").wait_for()
    assert panel.locator(".comment-text").all_text_contents() == ["<b>Is</b> 2 Wing a unit?"]
    assert panel.locator("textarea").input_value() == ""
    assert page.page.locator("#open-comments .count").text_content() == "1"
    assert comments_on(page) == ["<b>Is</b> 2 Wing a unit?"]


def test_a_comment_whose_answer_was_lost_is_not_sent_twice(
    at: OpenArticle,
) -> None:
    page = at("unclear")
    sent: list[str] = []

    def lose_answer(route: Any) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        sent.append(route.request.post_data)
        route.fetch()
        route.abort()

    page.page.route("**/v1/projects/*/comments*", lose_answer)
    page.press("Alt+c")
    panel = page.page.locator("#comments-panel")
    for text in ("Same words", "Same words"):
        panel.locator("textarea").fill(text)
        panel.get_by_role("button", name="Send").click()
        panel.get_by_text("Not sent yet").wait_for()
        panel.get_by_text("Try now").click()
        panel.get_by_text("Not sent yet").wait_for(state="hidden")
        panel.locator("textarea:not([readonly])").wait_for()
    # Two comments with the same words are two comments.
    assert len(sent) == 2
    assert comments_on(page) == ["Same words", "Same words"]


def test_a_draft_of_a_comment_stays_with_its_article(at: OpenArticle) -> None:
    page = at("drafts")
    page.press("Alt+c")
    box = page.page.locator("#comments-panel textarea")
    box.fill("To be written")
    page.page.locator("#next").click()
    page.wait_for_title("unclear")
    assert box.input_value() == ""
    page.page.locator("#previous").click()
    page.wait_for_title("drafts")
    assert box.input_value() == "To be written"
    assert comments_on(page) == []


# -- suggestions ----------------------------------------------------------------------------------


def test_suggestions_are_listed_from_the_least_certain(at: OpenArticle) -> None:
    page = at("suggestions")
    page.press("Alt+s")
    panel = page.page.locator("#suggestions-panel")
    opened = panel.locator("li.open")
    assert opened.locator(".words").all_text_contents() == [
        *("7th Signal Regiment", "Defence Secretary", "Gen.", "2 Wing")
    ]
    assert opened.locator(".score").all_text_contents() == ["41%", "78%", "93%", ""]
    assert page.page.locator("#text mark.uncertain").all_text_contents() == ["7th Signal Regiment"]
    # The focus is on the first one: Enter shows it in the text, its buttons follow.
    page.press("Enter")
    assert page.page.locator("#text mark.selected").text_content() == "7th Signal Regiment"
    page.press("Tab", "Enter")
    assert opened.count() == 3
    assert page.page.evaluate("document.activeElement.ariaLabel") == "Accept Defence Secretary"
    panel.get_by_role("button", name="Reject Gen.").click()
    assert panel.locator("li.rejected .words").all_text_contents() == ["Gen."]
    page.wait_until_saved()
    page.page.reload()
    page.wait_for_title("suggestions")
    page.page.locator("#open-suggestions").click()
    panel.get_by_role("button", name="Restore Gen.").click()
    assert panel.locator("li.rejected").count() == 0
    panel.get_by_role("button", name="Accept all 3").click()
    panel.get_by_text("No open suggestion.").wait_for()
    assert sorted(span.words for span in page.spans) == sorted(phrase for phrase, *_ in SUGGESTED)
    assert page.page.locator("#open-suggestions .count").text_content() == ""
    page.wait_until_saved()


# -- dialogs, notices, progress -------------------------------------------------------------------


def test_the_login_stays_until_it_succeeds(browser: Any, session: Session) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(f"{session.url}/orbat/annotate/{session.projects[ANNOTATOR]}/1")
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    name, password = dialog.locator("[name=username]"), dialog.locator("[name=password]")
    assert name.get_attribute("autocomplete") == "username"
    assert password.get_attribute("autocomplete") == "current-password"
    name.fill(ANNOTATOR)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert name.input_value() == ANNOTATOR
    password.fill("wrong")
    page.keyboard.press("Enter")
    dialog.get_by_text("The name or the password is wrong.").wait_for()
    page.route("**/v1/auth/login/", lambda route: route.abort())
    password.fill(session.password(ANNOTATOR))
    page.keyboard.press("Enter")
    dialog.get_by_text("The server cannot be reached.").wait_for()
    page.unroute("**/v1/auth/login/")
    page.keyboard.press("Enter")
    page.locator("#text mark").first.wait_for()
    assert dialog.count() == 0
    page.context.close()


def test_the_key_map_shows_all_keys_and_nothing_acts_behind_it(
    at: OpenArticle,
) -> None:
    page = at("panels")
    page.press("?")
    dialog = page.page.locator("dialog[open]")
    rows = dict(
        zip(
            dialog.locator("dd").all_text_contents(),
            dialog.locator("dt").all_text_contents(),
            strict=True,
        )
    )
    assert (rows["UNIT"], rows["RANK"], rows["ROLE"], rows["OPERATION"]) == tuple("urop")
    assert rows["Undo"] == "Ctrl+Z"
    assert rows["Move the word cursor"] == "←→↑↓"
    page.press("Tab", "u", "Delete", "Alt+ArrowRight", "Alt+g")
    assert dialog.count() == 1
    assert page.page.locator("[aria-pressed=true], #panel:visible").count() == 0
    assert page.page.locator("#title").text_content() == "panels"
    page.press("Escape")
    assert dialog.count() == 0
    assert page.page.evaluate("document.activeElement.id") == "text"
    assert len(page.suggestions) == len(SUGGESTED)


def test_choices_and_notices(at: OpenArticle) -> None:
    page = at("panels")
    ask = """async (text) => {
      const { askChoice } = await import("/orbat/static/js/dialogs.js");
      window.answer = askChoice({ title: "Which?", text, choices: [
        { value: 1, label: "One" }, { value: 2, label: "Two" }] });
    }"""
    page.page.evaluate(ask, "<i>Two</i> versions")
    page.page.get_by_text("<i>Two</i> versions").wait_for()
    # Keys that were pressed for something else answer nothing.
    page.press("Enter", "Space", "Escape", "Escape", "Enter")
    page.page.get_by_text("<i>Two</i> versions").wait_for()
    page.press("Tab", "Tab", "Enter")
    assert page.page.evaluate("() => window.answer") == 2
    texts = page.page.evaluate(
        """async () => {
          const { showNotice, clearNotice } = await import("/orbat/static/js/notices.js");
          showNotice("a", "one");
          const actions = [{ label: "Do", run: () => clearNotice("b") }];
          showNotice("b", "<b>two</b>", { actions });
          showNotice("a", "three", { kind: "error" });
          return [...document.querySelectorAll(".notice p")].map((notice) => notice.textContent);
        }"""
    )
    assert texts == ["three", "<b>two</b>"]
    page.page.locator("#notices").get_by_role("button", name="Do").click()
    assert page.page.locator(".notice").all_text_contents() == ["three"]


def test_pace_leaves_out_pauses(browser: Any, session: Session) -> None:
    page = browser.new_page()
    page.clock.install()
    page.goto(f"{session.url}/orbat/")
    page.evaluate(
        """async () => {
          Object.assign(window, await import("/orbat/static/js/panels/progress.js"));
          window.pace = new Pace("pace");
          pace.startArticle(100);
        }"""
    )
    assert page.evaluate("pace.hoursFor(1000)") is None
    # 90 seconds of work, a pause of an hour, and 30 seconds of work.
    for seconds in (60, 30, 3600, 30):
        page.clock.fast_forward(1000 * seconds)
        page.keyboard.press("Shift")
    page.evaluate("pace.finishArticle()")
    assert page.evaluate("pace.hoursFor(3000)") == pytest.approx(1, rel=0.01)
    page.evaluate("for (let i = 0; i < 60; i++) { pace.startArticle(1); pace.finishArticle(); }")
    assert page.evaluate("JSON.parse(localStorage.getItem('pace')).length") <= 50
    shown = page.evaluate(
        """[2.1, 0.4, 26.4, 0.999, null].map(
          (hours) => progressText({ position: 7, count: 50, confirmed: 12, hours }))"""
    )
    assert shown == [
        "7 of 50, 12 confirmed, 2 h left at your pace",
        "7 of 50, 12 confirmed, 24 min left at your pace",
        "7 of 50, 12 confirmed, 26 h left at your pace",
        "7 of 50, 12 confirmed, 1 h left at your pace",
        "7 of 50, 12 confirmed",
    ]
    page.context.close()


def test_progress_tells_the_time_left_after_the_first_article(
    at: OpenArticle,
) -> None:
    page = at("pace")
    page.page.locator("#progress").get_by_text(f"of {len(NAMES)}").wait_for()
    assert "pace" not in page.page.locator("#progress").text_content()
    page.press("Enter")
    page.wait_for_title("long")
    page.page.locator("#progress").get_by_text(
        re.compile(r"^7 of 7, 1 confirmed, \d+ (min|h) left at your pace$")
    ).wait_for()


# -- look and accessibility -----------------------------------------------------------------------

_BOX = """(selector) => {
  const { left, top, right, bottom } = document.querySelector(selector).getBoundingClientRect();
  return { left, top, right, bottom };
}"""


def test_bars_stay_in_sight_and_panels_cover_nothing(at: OpenArticle) -> None:
    page = at("long").page

    def box(selector: str) -> dict[str, float]:
        found: dict[str, float] = page.evaluate(_BOX, selector)
        return found

    assert box("#header")["bottom"] < 100
    # Label names do not move lines apart: the first block has marks, the second none.
    heights = page.locator("#text .block").evaluate_all(
        "blocks => blocks.slice(0, 3).map(block => block.getBoundingClientRect().height)"
    )
    assert heights[0] == heights[1] == heights[2]
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)
        for panel in ("#open-guidelines", "#open-comments", "#open-suggestions"):
            page.locator(panel).click()
            page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
            labels, confirm, shown = box("#labels"), box("#confirm"), box("#panel")
            assert 0 <= labels["top"] < labels["bottom"] < confirm["top"]
            assert confirm["bottom"] <= viewport["height"]
            if viewport == DESKTOP:
                assert shown["left"] >= box("main")["right"]
            else:
                assert confirm["bottom"] <= shown["top"]
                assert shown["bottom"] - shown["top"] <= viewport["height"] / 2
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            assert box("#text .block:last-child")["bottom"] <= box("#confirm-bar")["top"]
            page.locator("#panel .close:visible").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_f6_leads_through_all_parts_of_the_page(at: OpenArticle) -> None:
    page = at("panels")
    page.page.locator("#open-suggestions").click()
    reached = []
    for _ in range(5):
        page.press("F6")
        reached.append(
            page.page.evaluate("document.activeElement.closest('#panel, main, header > *').id")
        )
    assert reached == ["tools", "labels", "panel", "", ""]
    assert page.page.evaluate("document.activeElement.id") == "text"
    page.press("Shift+F6")
    assert page.page.evaluate("document.activeElement.closest('#confirm-bar') !== null")


STATES: dict[str, Callable[[Any], None]] = {
    "suggestions in the text": lambda page: None,
    "a selected span": lambda page: page.keyboard.press("Tab"),
    "guidelines": lambda page: (
        page.locator("#open-guidelines").click(),
        page.locator("#guidelines-panel input").fill("unit"),
    ),
    "comments": lambda page: (
        page.locator("#open-comments").click(),
        page.locator("#comments-panel textarea").fill("A comment"),
    ),
    "suggestions": lambda page: page.locator("#open-suggestions").click(),
    "keys": lambda page: page.locator("#text").press("?"),
}


def faults(page: Any, state: str) -> list[str]:
    """Return the serious findings of axe-core, in light and dark."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        violations = Axe().run(page).response["violations"]
        found += [
            f"{state}, {scheme}: {violation['id']}: {node['html'][:150]}"
            for violation in violations
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]
    return found


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_has_no_serious_finding(
    at: OpenArticle,
    viewport: dict[str, int],
    screenshot: Callable[..., None],
    request: pytest.FixtureRequest,
) -> None:
    page = at("panels", viewport).page
    found = []
    for state, reach in STATES.items():
        reach(page)
        found += faults(page, state)
        screenshot(page, f"panels-{request.node.callspec.id}-{state.replace(' ', '-')}")
    assert found == []


def test_axe_has_no_serious_finding_in_the_login(browser: Any, session: Session) -> None:
    page = browser.new_page(viewport=DESKTOP)
    page.goto(f"{session.url}/orbat/annotate/{session.projects[ANNOTATOR]}")
    page.locator("dialog[open] [name=username]").fill("nobody")
    page.locator("dialog[open] [name=password]").fill("wrong")
    page.keyboard.press("Enter")
    page.locator("dialog[open] .failure:not(:empty)").wait_for()
    assert faults(page, "login") == []
    page.context.close()
