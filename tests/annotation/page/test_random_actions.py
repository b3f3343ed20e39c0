"""The server holds what the annotation page shows, whatever is done on it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orbat.annotation.session.folder import Session
from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from tests.annotation.page.driver import AnnotatorPage, log_in, push_documents, span_of
from tests.conftest import Running

pytestmark = [pytest.mark.doccano, pytest.mark.browser, pytest.mark.slow]

_PLAIN = "The 2nd Wing met Gen. Bah.\n\nThe 2nd Wing left. Defence Secretary Bah stayed.\n"
_EMOJI = (
    "🚀 Gen. 👩‍👩‍👧 led the 2nd 🇫🇷 Wing; the 2nd 🇫🇷 Wing 🚀🚀 left.\r\n\r\nGen. Ba\u0301h went.\r\n"
)
_HEBREW = "אלוף דוד פיקד על חטיבה 7.\nהאלוף דוד met Col. Smith of the 2nd Wing.\n\n"
_LINES = "Task\nForce\n\nEagle   and\tthe\u00a02nd Wing\n" + "The 2nd Wing and Gen. Bah met. " * 40
DOCUMENTS = (
    Document("plain", _PLAIN, (span_of(_PLAIN, "Defence Secretary", "ROLE"),)),
    Document("emoji", _EMOJI, (span_of(_EMOJI, "2nd 🇫🇷 Wing", "UNIT"),)),
    Document("hebrew", _HEBREW, (span_of(_HEBREW, "Col.", "RANK"),)),
    Document("lines", _LINES, (span_of(_LINES, "Task\nForce\n\nEagle", "UNIT"),)),
    Document("signs", "?!\u0301 — …\n\n"),
)
# More actions and other seeds find more: ORBAT_RANDOM_ACTIONS=300 ORBAT_RANDOM_SEEDS="3 4 5".
ACTIONS = int(os.environ.get("ORBAT_RANDOM_ACTIONS", "80"))
SEEDS = [int(seed) for seed in os.environ.get("ORBAT_RANDOM_SEEDS", "1 2").split()]

_KEYS = (
    *("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Control+ArrowRight", "Control+ArrowLeft"),
    *("Control+ArrowDown", "Control+ArrowUp", "Shift+ArrowRight", "Shift+ArrowLeft"),
    *("Control+Shift+ArrowRight", "Control+Shift+ArrowLeft", "Alt+Shift+ArrowRight"),
    *("Alt+Shift+ArrowLeft", "Control+Alt+Shift+ArrowRight", "Control+Alt+Shift+ArrowLeft"),
    *("u", "r", "o", "p", "u", "r", "Tab", "Shift+Tab", "Delete", "Backspace", "Shift+Delete"),
    *("Space", "Shift+Space", "a", "a", "Control+z", "Control+z", "Control+y", "Escape", "F6"),
    *("Enter", "Shift+Enter", "Alt+ArrowRight", "Alt+ArrowLeft", "Alt+g", "Alt+s", "/", "?"),
)
_POINT = """([x, y]) => {
  const box = document.getElementById('text').getBoundingClientRect();
  const top = document.getElementById('header').getBoundingClientRect().bottom + 4;
  const bottom = Math.min(box.bottom, innerHeight - 70);
  return [box.left + x * box.width, top + y * Math.max(bottom - top, 10)];
}"""
_STATE = """() => ({
  text: document.getElementById('text').textContent,
  title: document.getElementById('title').textContent,
  isConfirmed: document.body.classList.contains('confirmed'),
  dialogs: document.querySelectorAll('dialog').length,
})"""


class Monkey:
    """Acts on a page at random and checks what came of it.

    Args:
        page: the page, with an article open.
        seed: the seed of the actions.
    """

    def __init__(self, page: AnnotatorPage, seed: int) -> None:
        self.page = page
        self.random = random.Random(seed)
        self.history: list[str] = []
        self.errors: list[str] = []
        self.address = page.page.url
        self.account = page.annotator, page.session.password(page.annotator)
        self.failing: dict[str, int] = {"lost": 0, "broken": 0}
        self.documents = {document.id: document for document in DOCUMENTS}
        names = page.page.evaluate(
            "p => fetch(`/v1/projects/${p}/span-types`).then(r => r.json())", page.project
        )
        self.labels = {name["id"]: name["text"] for name in names}
        page.page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.page.route("**/v1/projects/**", self._disturb)

    def _disturb(self, route: Any) -> None:
        if self.failing["broken"]:
            self.failing["broken"] -= 1
            route.fulfill(status=500, content_type="text/html", body="broken")
        elif self.failing["lost"] and route.request.method != "GET":
            self.failing["lost"] -= 1
            route.fetch()
            route.abort()
        else:
            route.continue_()

    def act(self) -> None:
        """Do something."""
        do = self.random.choices(
            [self._key, self._click, self._drag, self._button, self._network, self._travel],
            [60, 10, 15, 7, 4, 4],
        )[0]
        do()

    def _note(self, text: str) -> None:
        self.history.append(text)

    def _key(self) -> None:
        key = self.random.choice(_KEYS)
        self._note(key)
        self.page.press(key)

    def _point(self) -> tuple[float, float]:
        place = [self.random.random(), self.random.random()]
        return tuple(self.page.page.evaluate(_POINT, place))

    def _click(self) -> None:
        point, count = self._point(), self.random.choice([1, 1, 2, 2, 3])
        self._note(f"click {point} {count}")
        self.page.page.mouse.click(*point, click_count=count)

    def _drag(self) -> None:
        start, end, mouse = self._point(), self._point(), self.page.page.mouse
        if self.random.random() < 0.6:
            end = (start[0] + self.random.randint(-150, 150), start[1])
        alt = self.random.random() < 0.3
        self._note(f"drag {start} {end} {alt}")
        if alt:
            self.page.page.keyboard.down("Alt")
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=3)
        mouse.up()
        if alt:
            self.page.page.keyboard.up("Alt")

    def _button(self) -> None:
        buttons = self.page.page.locator(
            "#confirm-bar button:visible:enabled, #labels button:visible, "
            "#tools button:visible:enabled, #panel button:visible:enabled"
        )
        chosen = self.random.randrange(1000)
        names = buttons.all_text_contents()
        if names and not self.page.page.locator("dialog[open]").count():
            index = chosen % len(names)
            self._note(f"button {names[index]}")
            try:
                buttons.nth(index).click(timeout=2000)
            except Exception as error:
                self._note(f"  not clicked: {str(error).splitlines()[0]}")

    def _network(self) -> None:
        kind = self.random.choice(["lost", "broken", "offline", "cookies"])
        self._note(kind)
        if kind in self.failing:
            self.failing[kind] = self.random.randint(1, 4)
        elif kind == "offline":
            self.page.context.set_offline(True)
            for _ in range(self.random.randint(1, 6)):
                self.random.choice([self._key, self._drag])()
            self.page.context.set_offline(False)
            self._note("online")
        else:
            self.page.context.clear_cookies()
            self._drag()
            self._key()
            self._settle()
            # Perhaps nothing was sent that would have asked for a login.
            if all(cookie["name"] != "sessionid" for cookie in self.page.context.cookies()):
                log_in(self.page.context, self.page.session.url, *self.account)

    def _travel(self) -> None:
        kind = self.random.choice(["reload", "back", "forward", "check", "check"])
        self._note(kind)
        if kind == "check":
            self.check()
            return
        if kind == "reload":
            # What is not sent yet is sent after the page is opened again.
            self.failing = dict.fromkeys(self.failing, 0)
            self.page.page.reload()
            self._open()
        else:
            getattr(self.page.page, f"go_{kind}")()
            if "/orbat/" not in self.page.page.url:
                self.page.page.goto(self.address)
                self._open()

    def _open(self) -> None:
        self.page.page.wait_for_function(
            "() => document.querySelector('#text .block, #notices *, dialog[open]')"
        )
        self._settle()

    def _settle(self) -> None:
        """Log in, close dialogs and wait until everything is saved."""
        page = self.page.page
        self.failing = dict.fromkeys(self.failing, 0)
        for _ in range(20):
            if page.locator("dialog[open] input[type=password]").count():
                name, password = self.account
                page.locator("dialog[open] input[name=username]").fill(name)
                page.locator("dialog[open] input[type=password]").fill(password)
                page.keyboard.press("Enter")
                page.locator("dialog[open] input[type=password]").wait_for(state="detached")
            elif page.locator("dialog[open]").count():
                text = page.locator("dialog[open]").inner_text()
                assert "changed elsewhere" not in text
                page.keyboard.press("Escape")
            else:
                page.evaluate("window.dispatchEvent(new Event('online'))")
                page.wait_for_function(
                    "() => document.body.dataset.state === 'saved' ||"
                    " document.querySelector('dialog[open]')",
                    timeout=15000,
                )
                page.wait_for_load_state("networkidle")
                if (
                    page.locator("body[data-state=saved]").count()
                    and not page.locator("dialog[open]").count()
                ):
                    return
        raise AssertionError("the page does not come to rest")

    def check(self) -> None:
        """Assert that the server has what the page shows."""
        self._settle()
        assert not self.errors, self.errors
        if not self.page.page.locator("#text .block").count():
            return
        state = self.page.page.evaluate(_STATE)
        document = self.documents[state["title"]]
        assert state["text"] == document.text
        assert state["dialogs"] == 0
        stored, is_confirmed = self._stored(document)
        assert sorted(self.page.offsets) == stored
        assert state["isConfirmed"] == is_confirmed

    def _stored(self, document: Document) -> tuple[list[tuple[int, int, str]], bool]:
        path = f"{self.page.session.url}/v1/projects/{self.page.project}/examples"
        request = self.page.context.request
        examples = request.get(f"{path}?limit=100").json()["results"]
        example = next(e for e in examples if e["upload_name"] == document.id)
        units = document.text.encode("utf-16-le")

        def points(offset: int) -> int:
            return len(units[: 2 * offset].decode("utf-16-le"))

        spans = request.get(f"{path}/{example['id']}/spans").json()
        return (
            sorted(
                (points(s["start_offset"]), points(s["end_offset"]), self.labels[s["label"]])
                for s in spans
            ),
            example["is_confirmed"],
        )

    def undo_everything(self) -> None:
        """Assert that undo leads back to the spans that an article was opened with."""
        self.page.page.reload()
        self._open()
        if not self.page.page.locator("#text .block").count():
            return
        self.page.page.locator("#text").focus()
        before = self.page.offsets
        for _ in range(15):
            if self.random.random() < 0.3:
                self._drag()
            self.page.press(self.random.choice(["u", "r", "a", "Delete", "ArrowRight", "Tab"]))
        undo = self.page.page.locator("#undo")
        while undo.is_enabled():
            self.page.press("Control+z")
        assert self.page.offsets == before
        self.check()


@pytest.fixture(scope="module")
def session(doccano: Running, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return push_documents(
        doccano, tmp_path_factory.mktemp("random") / "june", DOCUMENTS, "random", load_labels()
    )


@pytest.fixture
def open_page(browser: Any, session: Session) -> Iterator[Callable[[], AnnotatorPage]]:
    page = AnnotatorPage(browser, session, "random")
    page.page.set_default_timeout(15000)
    yield lambda: page.open(1)
    page.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_server_holds_what_the_page_shows_after_random_actions(
    open_page: Callable[[], AnnotatorPage], seed: int
) -> None:
    monkey = Monkey(open_page(), seed)
    try:
        for _ in range(ACTIONS):
            monkey.act()
        monkey.check()
        monkey.undo_everything()
    except Exception:
        print(f"seed {seed}: {monkey.history[-40:]}")
        raise
