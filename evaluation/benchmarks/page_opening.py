"""How fast long articles open on orbat's annotation page and doccano's, and how fast keys act."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.files import read_documents
from ...errors import OrbatError
from .common import ARTICLES

# Times count from the navigation. A mark is painted when the frame after its insertion has ended.
_WATCH = """
globalThis.firstMark = new Promise(done => {
  const look = () => {
    if (!document.querySelector(SELECTOR)) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now())));
  };
  const observer = new MutationObserver(look);
  observer.observe(document, { childList: true, subtree: true });
});
"""

_PRESSES = """
globalThis.presses = [];
document.addEventListener('keydown', ({ key, timeStamp }) => {
  if (key === 'Control') return;
  requestAnimationFrame(() => setTimeout(() => presses.push([key, performance.now() - timeStamp])));
}, true);
"""

_SCROLL = """screens => new Promise(done => {
  const frames = [];
  let before = null;
  const step = now => {
    if (before !== null) frames.push(now - before);
    before = now;
    if (frames.length >= screens * 10) return done(frames);
    scrollBy(0, innerHeight / 10);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def join_articles(words: int, suggestions: int) -> Document:
    """Return an article joined from shipped ones, with some of their spans as suggestions.

    Only articles with as many spans a word are used.

    Raises:
        OrbatError: if they are too short.
    """
    text, spans = "", []
    for document in read_documents(ARTICLES / "train.jsonl"):
        if len(document.spans) * words < len(document.text.split()) * suggestions:
            continue
        at = len(text)
        text += document.text.rstrip() + "\n\n"
        spans += [Span(s.start + at, s.end + at, s.label) for s in document.spans]
        if len(text.split()) >= words:
            break
    if len(text.split()) < words:
        raise OrbatError(f"the shipped articles have only {len(text.split())} such words")
    chosen = [spans[n * len(spans) // suggestions] for n in range(suggestions)]
    return Document(f"{words}-words", text, tuple(chosen), {"title": f"{words} words"})


def watch_first_mark(tab: Any, selector: str) -> None:
    """Let a tab measure, on every page that it opens, when the first mark is painted."""
    tab.add_init_script(_WATCH.replace("SELECTOR", repr(selector)))


def first_mark(tab: Any) -> float:
    """Return the milliseconds from the navigation to the first mark of the page in a tab."""
    milliseconds: float = tab.evaluate("() => firstMark")
    return milliseconds


def time_keys(page: Any, repeats: int) -> dict[str, list[float]]:
    """Mark words in the middle of the open article; return the milliseconds until each is painted.

    Returns:
        The times of moving to the next candidate, of marking it, and of removing the mark.
    """
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight / 2)")
    page.evaluate(_PRESSES)
    for _ in range(repeats):
        for key in ("Control+ArrowRight", "u", "Delete"):
            before = page.evaluate("() => presses.length")
            page.keyboard.press(key)
            page.wait_for_function("count => presses.length > count", arg=before)
    found = page.evaluate("() => presses")
    names = {"ArrowRight": "move", "u": "mark", "Delete": "remove"}
    return {
        name: [milliseconds for pressed, milliseconds in found if pressed == key]
        for key, name in names.items()
    }


def time_frames(page: Any, screens: int = 30) -> list[float]:
    """Scroll from the top, a tenth of a screen a frame; return the milliseconds of each frame."""
    page.evaluate("() => scrollTo(0, 0)")
    frames: list[float] = page.evaluate(_SCROLL, screens)
    return frames


def describe(milliseconds: Sequence[float]) -> str:
    """Return median and range."""
    median = statistics.median(milliseconds)
    return f"{median:.0f} ({min(milliseconds):.0f} to {max(milliseconds):.0f})"
