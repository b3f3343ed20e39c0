"""Drives the annotation page as an annotator would, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from orbat.annotation.session.folder import Session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import LabelSet, load_labels
from tests.conftest import Running

DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}

_BOX = """async ([phrase, occurrence, wait]) => {
  const root = document.getElementById('text');
  let at = -1;
  for (let i = 0; i <= occurrence; i++) at = root.textContent.indexOf(phrase, at + 1);
  if (at < 0) return null;
  const range = document.createRange();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let start = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const end = start + node.data.length;
    if (at >= start && at < end) range.setStart(node, at - start);
    if (at + phrase.length > start && at + phrase.length <= end) {
      range.setEnd(node, at + phrase.length - start);
    }
    start = end;
  }
  const measure = () => {
    if (wait) range.startContainer.parentElement.scrollIntoView({block: 'center'});
    const boxes = range.getClientRects(), first = boxes[0], last = boxes[boxes.length - 1];
    return [first.left, first.top + first.height / 2, last.right, last.top + last.height / 2];
  };
  // Parts that come into sight are laid out in a later frame, which moves the others.
  let box = measure();
  for (let same = 0; wait && same < 3; ) {
    await new Promise(requestAnimationFrame);
    const now = measure();
    same = String(now) === String(box) ? same + 1 : 0;
    box = now;
  }
  return box;
}"""

_SPANS = """() => [...document.querySelectorAll('#text mark')].map(
  mark => [Number(mark.dataset.start), Number(mark.dataset.end), mark.dataset.label])"""


class ShownSpan(NamedTuple):
    """A span as the page shows it: its label and words."""

    label: str
    words: str


class AnnotatorPage:
    """The annotation page of a project, with an annotator logged in.

    Args:
        browser: the browser.
        session: the session.
        annotator: the account.
        viewport: size of the window.
        options: further options of the browser's context.
    """

    def __init__(
        self,
        browser: Any,
        session: Session,
        annotator: str,
        viewport: dict[str, int] = DESKTOP,
        **options: Any,
    ) -> None:
        self.session = session
        self.annotator = annotator
        self.project = session.projects[annotator]
        self.context = browser.new_context(viewport=viewport, **options)
        log_in(self.context, session.url, annotator, session.password(annotator))
        self.page = self.context.new_page()

    def open(self, number: int | None = None) -> AnnotatorPage:
        """Open the article at a position, or the first open one, and wait for its text."""
        place = f"/{number}" if number else ""
        self.page.goto(f"{self.session.url}/orbat/annotate/{self.project}{place}")
        self.page.locator("#text .block").first.wait_for()
        return self

    def press(self, *keys: str) -> AnnotatorPage:
        """Press keys one after another; Enter when the page takes it for another one."""
        for key in keys:
            if key == "Enter":
                self.page.locator("body:not([data-opened])").wait_for()
            self.page.keyboard.press(key)
        return self

    def drag(
        self, phrase: str, occurrence: int = 0, *, to: str | None = None, wait: bool = True
    ) -> AnnotatorPage:
        """Drag over a phrase, or from it to the end of another one.

        Without `wait`, it is dragged over where it is now, whatever the page will draw next.
        """
        left, top, right, bottom = self._box(phrase, occurrence, wait=wait)
        if to is not None:
            _, _, right, bottom = self._box(to)
        mouse = self.page.mouse
        mouse.move(left + 1, top)
        mouse.down()
        mouse.move((left + right) / 2, (top + bottom) / 2, steps=3)
        mouse.move(right - 1, bottom, steps=3)
        mouse.up()
        return self

    def click(self, phrase: str, occurrence: int = 0, button: str = "left") -> AnnotatorPage:
        """Click on the beginning of a phrase."""
        left, top, *_ = self._box(phrase, occurrence)
        self.page.mouse.click(left + 3, top, button=button)
        return self

    def double_click(self, phrase: str, occurrence: int = 0) -> AnnotatorPage:
        """Double-click on the beginning of a phrase."""
        left, top, *_ = self._box(phrase, occurrence)
        self.page.mouse.dblclick(left + 3, top)
        return self

    def _box(
        self, phrase: str, occurrence: int = 0, *, wait: bool = True
    ) -> tuple[float, float, float, float]:
        box = self.page.evaluate(_BOX, [phrase, occurrence, wait])
        assert box is not None, phrase
        return tuple(box)

    @property
    def selection(self) -> str:
        """The selected words."""
        return str(self.page.evaluate("String(getSelection())"))

    @property
    def offsets(self) -> list[tuple[int, int, str]]:
        """Start, end and label of each span on the page, in code points."""
        return [tuple(span) for span in self.page.evaluate(_SPANS)]

    @property
    def spans(self) -> list[ShownSpan]:
        """The spans on the page."""
        marks = self.page.locator("#text mark")
        return [
            ShownSpan(mark.get_attribute("data-label"), mark.text_content()) for mark in marks.all()
        ]

    @property
    def suggestions(self) -> list[str]:
        """The words of the suggestions that nobody has touched."""
        return list(self.page.locator("#text mark.suggestion").all_text_contents())

    def wait_until_saved(self) -> AnnotatorPage:
        """Wait until the server has everything."""
        self.page.locator("body[data-state=saved]").wait_for()
        return self

    def wait_for_title(self, title: str) -> AnnotatorPage:
        """Wait until an article is open."""
        self.page.locator("#title").get_by_text(title, exact=True).wait_for()
        return self

    def wait_for_notice(self, text: str) -> AnnotatorPage:
        """Wait for a notice that contains a text."""
        self.page.locator("#notices").get_by_text(text).first.wait_for()
        return self

    def stored(self, doccano: Running, doc_id: str) -> Document:
        """Return an article as `pull` reads it."""
        return self.all_stored(doccano)[doc_id]

    def all_stored(self, doccano: Running) -> dict[str, Document]:
        """Return the articles as `pull` reads them, by id."""
        with doccano.connect() as connection:
            documents = pull(connection, self.session.folder).annotation_sets[self.annotator]
        return {document.id: document for document in documents}

    def close(self) -> None:
        """Close the window."""
        self.context.close()


OpenArticle = Callable[..., AnnotatorPage]
"""Opens the article with a name: `(name, viewport=DESKTOP, **options of the browser's context)`."""


@contextmanager
def articles_of(
    browser: Any, session: Session, annotator: str, names: Sequence[str], *, titled: bool = True
) -> Iterator[OpenArticle]:
    """Return what opens an annotator's articles by name, and close their pages at the end.

    Args:
        browser: the browser.
        session: the session.
        annotator: the account.
        names: the names of the articles, in their order.
        titled: whether the names are the titles, which are waited for.
    """
    with ExitStack() as pages:

        def open_article(
            name: str, viewport: dict[str, int] = DESKTOP, **options: Any
        ) -> AnnotatorPage:
            page = AnnotatorPage(browser, session, annotator, viewport, **options)
            pages.callback(page.close)
            page.open(names.index(name) + 1)
            return page.wait_for_title(name) if titled else page

        yield open_article


def log_in(context: Any, url: str, name: str, password: str | None) -> None:
    """Log an account in; the cookies are those of the browser's context."""
    answer = context.request.post(
        f"{url}/v1/auth/login/", data={"username": name, "password": password}
    )
    assert answer.ok, answer.text()


def push_documents(
    doccano: Running,
    folder: Path,
    documents: Sequence[Document],
    annotator: str,
    labels: LabelSet | None = None,
    guidelines: str = "",
) -> Session:
    """Push documents, with their spans as suggestions, to an annotator."""
    with doccano.connect() as connection:
        return push(
            *(connection, folder, documents, [annotator], labels or load_labels()),
            guidelines=guidelines,
        ).session


def span_of(text: str, phrase: str, label: str, **fields: Any) -> Span:
    """Return the span of the first occurrence of a phrase."""
    start = text.index(phrase)
    return Span(start, start + len(phrase), label, **fields)
