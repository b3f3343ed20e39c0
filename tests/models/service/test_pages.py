"""The pages of a service in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.models.service.conftest import Served

pytestmark = pytest.mark.browser

ARTICLE = (
    "😀 Brigade hands over\n\nLt. Gen. Ann Doe took command of the 3rd Infantry Division.\n"
    "<b onclick='x'>Gen. Ben Roe</b> & others"
)


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """A page that may load nothing from elsewhere and log no error."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    requested: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    yield page
    page.close()
    assert [url for url in requested if not url.startswith((served.url, "data:"))] == []
    # Chrome reports an answer with 413 by itself.
    assert [message for message in messages if "413" not in message] == []


def test_a_pasted_article_is_marked(
    page: Any, served: Served, screenshot: Callable[..., None]
) -> None:
    page.goto(served.url)
    page.get_by_label("Article").fill(ARTICLE)
    page.get_by_role("button", name="Mark entities").click()
    page.locator("mark").first.wait_for()
    marks = page.locator("mark").evaluate_all(
        "marks => marks.map(m => [m.firstChild.data, m.querySelector('small').textContent])"
    )
    assert marks == [
        ["Lt. Gen.", "RANK"],
        ["3rd Infantry Division", "UNIT"],
        ["Gen.", "RANK"],
    ]
    # The article is shown as text, and unchanged but for the labels.
    shown = page.locator("#marked").evaluate(
        "e => { e.querySelectorAll('small').forEach(s => s.remove()); return e.textContent }"
    )
    assert shown == ARTICLE
    assert page.locator("#status").inner_text() == "3 entities"
    assert page.locator("mark").first.evaluate("m => m.style.backgroundColor")
    screenshot(page, "service-page", full_page=True)


def test_a_refusal_is_shown(page: Any, served: Served) -> None:
    page.goto(served.url)
    page.get_by_label("Article").evaluate("e => { e.value = 'a'.repeat(2001) }")
    page.get_by_role("button", name="Mark entities").click()
    page.get_by_text("text: 2001 characters; send at most 2000").wait_for()
    assert page.locator("#status").evaluate("e => e.className") == "problem"


def test_the_documentation_lists_every_path_and_a_real_answer(
    page: Any, served: Served, screenshot: Callable[..., None]
) -> None:
    page.goto(f"{served.url}/docs")
    headings = page.locator("h2 code").all_inner_texts()
    paths = served.client.get("/openapi.json").json()["paths"]
    assert {heading.split()[1] for heading in headings} == set(paths)
    assert '"text": "3rd Infantry Division"' in page.locator("#answer").inner_text()
    screenshot(page, "service-docs", full_page=True)
