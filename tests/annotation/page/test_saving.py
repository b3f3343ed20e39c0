"""Nothing is lost on the annotation page: offline, lost answers, two tabs, expired sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orbat.annotation.session.folder import Session
from orbat.corpus.document import Document
from tests.annotation.page.driver import (
    AnnotatorPage,
    OpenArticle,
    articles_of,
    push_documents,
    span_of,
)
from tests.conftest import Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

TEXT = "The 2nd Wing met the Sahel Watch at Kidal. The Defence Secretary was there."
NAMES = (
    *("offline", "lost answers", "closed tab", "expired", "two tabs", "conflict", "full disk"),
    *("cut off", "two pages", "gone span", "both confirm", "another account", "failing", "others"),
    # An article that is deleted moves those behind it.
    *("changed text", "hostile", "deleted"),
)
SUGGESTION = span_of(TEXT, "Defence Secretary", "ROLE")
HOSTILE = (
    "<img src=x onerror=\"document.title='run'\"> & <b>Gen.</b> &amp; </mark>"
    "<script>document.title='run'</script> \u202eevil\u202c\n"
)


@pytest.fixture(scope="module")
def session(doccano: Running, tmp_path_factory: pytest.TempPathFactory) -> Session:
    documents = [
        Document(name, HOSTILE, (span_of(HOSTILE, "<b>Gen.</b>", "RANK"),), {"title": HOSTILE})
        if name == "hostile"
        else Document(name, TEXT, (SUGGESTION,), {"title": name})
        for name in NAMES
    ]
    return push_documents(doccano, tmp_path_factory.mktemp("saving") / "june", documents, "saver")


@pytest.fixture
def at(browser: Any, session: Session) -> Iterator[OpenArticle]:
    """Open the article with a name."""
    with articles_of(browser, session, "saver", NAMES, titled=False) as open_article:
        yield open_article


def words(document: Document) -> list[tuple[str, str]]:
    return [(document.text[s.start : s.end], s.label) for s in document.spans]


def test_work_done_offline_is_sent_later_in_order(at: OpenArticle, doccano: Running) -> None:
    page = at("offline").wait_for_title("offline")
    page.page.locator("#progress", has_text="of").wait_for()
    page.page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.press("u").drag("2nd Wing")
    page.page.locator("body[data-state=offline]").wait_for()
    page.press("Escape", "Escape").click("Defence Secretary").press("r", "Control+z", "Delete")
    page.drag("Sahel Watch").press("u")
    assert page.spans == [("UNIT", "2nd Wing"), ("UNIT", "Sahel Watch")]
    assert words(page.stored(doccano, "offline")) == [("Defence Secretary", "ROLE")]
    # The next article was read before.
    page.press("Enter").wait_for_title("lost answers")
    page.context.set_offline(False)
    page.wait_until_saved()
    assert page.stored(doccano, "offline").meta["annotation"]["confirmed"]
    assert words(page.stored(doccano, "offline")) == [("2nd Wing", "UNIT"), ("Sahel Watch", "UNIT")]


def test_an_article_that_always_fails_holds_up_no_other(at: OpenArticle, doccano: Running) -> None:
    page = at("failing").wait_for_title("failing")
    with doccano.connect() as connection:
        examples = connection.examples(page.project)
        failing = next(e.id for e in examples if e.upload_name == "failing")
    path = f"**/examples/{failing}/spans*"
    page.page.route(path, lambda route: route.fulfill(status=500, body="broken"))
    page.press("u").drag("2nd Wing")
    page.page.locator("body[data-state=offline]").wait_for()
    page.press("Escape", "Escape", "Alt+ArrowRight").wait_for_title("others")
    page.press("u").drag("Sahel Watch")
    page.wait_for_notice("The server failed (error 500). It is tried again.")
    notice = page.page.locator("#notices").inner_text()
    assert f"Article {NAMES.index('failing') + 1}: " in notice
    assert ("Sahel Watch", "UNIT") in words(page.stored(doccano, "others"))
    assert ("2nd Wing", "UNIT") not in words(page.stored(doccano, "failing"))
    page.page.get_by_role("button", name="Try again").click()
    page.page.unroute(path)
    page.wait_until_saved()
    assert ("2nd Wing", "UNIT") in words(page.stored(doccano, "failing"))
    assert "error 500" not in page.page.locator("#notices").inner_text()


def test_no_span_is_made_twice_when_answers_are_lost(at: OpenArticle, doccano: Running) -> None:
    page = at("lost answers").wait_for_title("lost answers")
    lost = []

    def lose_answer(route: Any) -> None:
        if route.request.method == "GET" or len(lost) >= 6 or route.request.post_data in lost:
            route.continue_()
            return
        lost.append(route.request.post_data)
        route.fetch()
        route.abort()

    page.page.route("**/v1/projects/*/examples/*/s*", lose_answer)
    page.press("u").drag("2nd Wing")
    page.drag("Sahel Watch")
    page.press("Enter")
    page.wait_for_title("closed tab").wait_until_saved()
    assert len(lost) == 3
    stored = page.stored(doccano, "lost answers")
    assert words(stored) == [
        ("2nd Wing", "UNIT"),
        ("Sahel Watch", "UNIT"),
        ("Defence Secretary", "ROLE"),
    ]
    assert stored.meta["annotation"]["confirmed"]


def test_a_closed_tab_loses_nothing(at: OpenArticle, doccano: Running) -> None:
    page = at("closed tab").wait_for_title("closed tab")
    page.page.route("**/spans*", lambda route: route.abort())
    page.press("u").drag("2nd Wing")
    page.page.locator("body[data-state=offline]").wait_for()
    page.page.close()
    assert words(page.stored(doccano, "closed tab")) == [("Defence Secretary", "ROLE")]
    page.page = page.context.new_page()
    # Another article is opened; the work is sent all the same.
    page.open(NAMES.index("expired") + 1).wait_for_title("expired").wait_until_saved()
    assert ("2nd Wing", "UNIT") in words(page.stored(doccano, "closed tab"))


def test_a_tab_that_is_closed_while_it_saves_goes_on_without_a_question(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("cut off").wait_for_title("cut off")
    sent = []

    def give_no_answer(route: Any) -> None:
        if route.request.method == "POST" and len(sent) == 1:
            route.fetch()
        else:
            route.continue_()
        sent.extend([route] if route.request.method == "POST" else [])

    page.page.route("**/spans", give_no_answer)
    page.press("u").drag("2nd Wing").drag("Sahel Watch").drag("Kidal")
    while len(sent) < 2:
        page.page.evaluate("0")
    page.page.close()
    page.page = page.context.new_page()
    page.open(NAMES.index("cut off") + 1).wait_for_title("cut off")
    page.page.locator("mark", has_text="Kidal").wait_for()
    page.wait_until_saved()
    assert [name for name, _ in words(page.stored(doccano, "cut off"))] == [
        *("2nd Wing", "Sahel Watch", "Kidal", "Defence Secretary"),
    ]


def test_an_open_page_keeps_its_work_to_itself(at: OpenArticle, doccano: Running) -> None:
    page = at("two pages").wait_for_title("two pages")
    page.page.route("**/spans*", lambda route: route.abort())
    page.press("u").drag("2nd Wing").drag("Sahel Watch")
    page.page.locator("body[data-state=offline]").wait_for()
    first, page.page = page.page, page.context.new_page()
    page.open(NAMES.index("conflict") + 1).wait_for_title("conflict").wait_until_saved()
    assert words(page.stored(doccano, "two pages")) == [("Defence Secretary", "ROLE")]
    first.close()
    page.page.locator("body[data-state=saving]").wait_for()
    page.wait_until_saved()
    assert len(page.stored(doccano, "two pages").spans) == 3


def test_a_span_that_was_deleted_elsewhere_is_asked_about(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("gone span").wait_for_title("gone span")
    with doccano.connect() as connection:
        examples = connection.examples(page.project)
        example = next(e for e in examples if e.upload_name == "gone span")
        [span] = connection.spans(page.project, example.id)
        path = f"projects/{page.project}/examples/{example.id}/spans/{span.id}"
        connection.transport.delete(path)
    page.click("Defence Secretary").press("u")
    dialog = page.page.locator("dialog[open]")
    dialog.get_by_text("was changed elsewhere").wait_for()
    dialog.get_by_role("button", name="Save the spans of this page").click()
    page.wait_until_saved()
    assert words(page.stored(doccano, "gone span")) == [("Defence Secretary", "UNIT")]


def test_a_confirmation_at_the_same_moment_is_not_taken_back(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("both confirm").wait_for_title("both confirm")
    toggled = []

    def confirm_before(route: Any) -> None:
        if not toggled:
            path = route.request.url.partition("/v1/")[2]
            with doccano.connect() as connection:
                toggled.append(connection.transport.post(path, {}))
        route.continue_()

    page.page.route("**/states", confirm_before)
    page.press("Enter").wait_for_title("another account").wait_until_saved()
    assert toggled
    assert page.stored(doccano, "both confirm").meta["annotation"]["confirmed"]


def test_work_is_not_saved_by_another_account(at: OpenArticle, doccano: Running) -> None:
    page = at("another account").wait_for_title("another account")
    with doccano.connect() as connection:
        connection.create_user("lodger", "of the same browser")
    page.page.route("**/spans*", lambda route: route.abort())
    page.press("u").drag("2nd Wing")
    page.page.locator("body[data-state=offline]").wait_for()
    tab = page.context.new_page()
    tab.goto(f"{doccano.url}/orbat/annotate/999999")
    log_in_anew = """async (account) => {
      const { Api } = await import("/orbat/static/js/api.js");
      await new Api().logIn(...account);
    }"""
    tab.evaluate(log_in_anew, ["lodger", "of the same browser"])
    page.page.unroute("**/spans*")
    page.wait_for_notice("Your account has no access to this project")
    assert words(page.stored(doccano, "another account")) == [("Defence Secretary", "ROLE")]
    tab.evaluate(log_in_anew, ["saver", page.session.password("saver")])
    page.page.reload()
    page.page.locator("mark", has_text="2nd Wing").wait_for()
    page.wait_until_saved()
    assert ("2nd Wing", "UNIT") in words(page.stored(doccano, "another account"))


def test_a_session_that_expires_asks_for_a_login_and_goes_on(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("expired").wait_for_title("expired")
    page.context.clear_cookies()
    page.press("u").drag("2nd Wing")
    page.page.locator("dialog[open] input[type=password]").wait_for()
    # Nothing acts behind the dialog.
    page.press("Tab", "Delete", "Enter")
    page.page.locator("input[name=username]").fill("saver")
    page.page.locator("input[type=password]").fill(page.session.password("saver"))
    page.press("Enter").wait_until_saved()
    assert page.page.locator("dialog[open]").count() == 0
    stored = page.stored(doccano, "expired")
    assert words(stored) == [("2nd Wing", "UNIT"), ("Defence Secretary", "ROLE")]
    assert not stored.meta["annotation"]["confirmed"]


def test_two_tabs_of_an_article_warn_and_follow_each_other(
    at: OpenArticle,
) -> None:
    first = at("two tabs").wait_for_title("two tabs")
    second = first.context.new_page()
    second.goto(first.page.url)
    first.wait_for_notice("open in another tab")
    second.locator("#notices").get_by_text("open in another tab").wait_for()
    first.press("u").drag("2nd Wing").wait_until_saved()
    second.locator("mark", has_text="2nd Wing").wait_for()


def test_spans_that_were_changed_elsewhere_are_not_overwritten_silently(
    at: OpenArticle, doccano: Running, browser: Any
) -> None:
    page = at("conflict").wait_for_title("conflict")
    page.context.set_offline(True)
    page.press("u").drag("2nd Wing")
    page.page.locator("body[data-state=offline]").wait_for()
    elsewhere = AnnotatorPage(browser, page.session, "saver").open(NAMES.index("conflict") + 1)
    elsewhere.press("r").drag("Kidal").wait_until_saved()
    elsewhere.close()
    page.context.set_offline(False)
    dialog = page.page.locator("dialog[open]")
    dialog.get_by_text("changed elsewhere").wait_for()
    assert words(page.stored(doccano, "conflict")) == [
        ("Kidal", "RANK"),
        ("Defence Secretary", "ROLE"),
    ]
    # The keys of somebody who is at work answer nothing.
    page.press("Enter", "Space", "Escape", "Escape", "Enter")
    dialog.get_by_role("button", name="Save the spans of this page").click()
    page.wait_until_saved()
    assert words(page.stored(doccano, "conflict")) == [
        ("2nd Wing", "UNIT"),
        ("Defence Secretary", "ROLE"),
    ]


def test_a_server_that_cannot_write_is_shown_and_tried_again(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("full disk").wait_for_title("full disk")
    broken = {"now": True}

    def refuse(route: Any) -> None:
        if broken["now"] and route.request.method == "POST":
            route.fulfill(status=500, content_type="text/html", body="database or disk is full")
        else:
            route.continue_()

    page.page.route("**/spans", refuse)
    page.press("u").drag("2nd Wing")
    page.page.locator("body[data-state=offline]").wait_for()
    page.page.get_by_text("your work is kept in this browser").wait_for()
    page.drag("Sahel Watch")
    broken["now"] = False
    page.page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_until_saved()
    assert len(page.stored(doccano, "full disk").spans) == 3


def test_a_text_that_changed_is_named_and_the_work_is_kept(
    at: OpenArticle, doccano: Running
) -> None:
    page = at("changed text").wait_for_title("changed text")
    path = f"projects/{page.project}/examples"
    with doccano.connect() as connection:
        example = next(
            e for e in connection.examples(page.project) if e.upload_name == "changed text"
        )
        connection.transport.patch(f"{path}/{example.id}", {"text": "Another text."})
    page.press("u").drag("2nd Wing")
    page.press("Enter")
    page.wait_for_notice("The text of this article was changed on the server")
    assert page.page.locator("body").get_attribute("data-state") == "offline"
    with doccano.connect() as connection:
        connection.transport.patch(f"{path}/{example.id}", {"text": TEXT})
    page.page.get_by_role("button", name="Try again").click()
    page.wait_until_saved()
    assert page.stored(doccano, "changed text").meta["annotation"]["confirmed"]


def test_an_article_that_was_deleted_is_named(at: OpenArticle, doccano: Running) -> None:
    page = at("deleted").wait_for_title("deleted")
    with doccano.connect() as connection:
        example = next(e for e in connection.examples(page.project) if e.upload_name == "deleted")
        connection.delete_examples(page.project, [example.id])
    page.press("u").drag("2nd Wing")
    page.wait_for_notice("This article was deleted on the server")
    assert page.spans == [("UNIT", "2nd Wing"), ("ROLE", "Defence Secretary")]
    page.page.get_by_role("button", name="Discard my changes").click()
    page.wait_for_notice(f"There is no article {len(NAMES)}")
    drafts = "Object.keys(localStorage).filter(key => key.startsWith('orbat-draft'))"
    assert page.page.evaluate(drafts) == []


def test_a_label_or_project_that_was_deleted_is_named(
    browser: Any, doccano: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("gone") / "june"
    session = push_documents(doccano, folder, [Document("gone", TEXT)], "gone")
    project = session.projects["gone"]
    page = AnnotatorPage(browser, session, "gone").open()
    with doccano.connect() as connection:
        unit = next(t for t in connection.span_types(project) if t.text == "UNIT")
        connection.transport.delete(f"projects/{project}/span-types/{unit.id}")
    page.press("ArrowRight", "u")
    page.wait_for_notice("The label UNIT was deleted on the server")
    with doccano.connect() as connection:
        connection.delete_project(project)
    page.page.reload()
    page.wait_for_notice("This project was deleted")
    page.close()


def test_texts_titles_and_labels_are_never_html(at: OpenArticle) -> None:
    page = at("hostile")
    requests: list[str] = []
    page.page.on("request", lambda request: requests.append(request.url))
    page.page.reload()
    page.page.locator("mark").wait_for()
    assert page.spans == [("RANK", "<b>Gen.</b>")]
    assert page.page.evaluate("document.getElementById('text').textContent") == HOSTILE
    assert page.page.locator("#title").text_content() == HOSTILE
    assert page.page.locator("img, #text script, #text b").count() == 0
    assert all(url.startswith(page.session.url) for url in requests)
