"""What an annotator sees on orbat's annotation page: words, spans, the selection, places."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...corpus.document import Span
from .annotation_edits import bare
from .annotation_hand import Point

_SPANS = """() => [...document.querySelectorAll('#text mark.span')].map(mark =>
  [Number(mark.dataset.start), Number(mark.dataset.end), mark.dataset.label])"""

_LOCATE = """
const nodes = [];
const walker = document.createTreeWalker(document.getElementById('text'), NodeFilter.SHOW_TEXT);
for (let at = 0, node; (node = walker.nextNode()); at += node.length) nodes.push([at, node]);
const locate = offset => {
  const [at, node] = nodes.findLast(([at]) => at <= offset);
  return [node, offset - at];
};
const rangeOf = (start, end) => {
  const range = document.createRange();
  range.setStart(...locate(start));
  const [node, offset] = locate(end - 1);
  range.setEnd(node, offset + 1);
  return range;
};
"""

_SELECTION = """() => {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const before = document.createRange();
  before.setStart(document.getElementById('text'), 0);
  before.setEnd(range.startContainer, range.startOffset);
  const start = before.toString().length;
  return [start, start + range.toString().length];
}"""

# The words and the abbreviations among them are those of the page's own module.
_WORDS = f"""async () => {{
  const main = document.querySelector('script[type=module]').src;
  const {{ Words }} = await import(new URL('editing/words.js', main).href);
  {_LOCATE}
  const text = document.getElementById('text').textContent;
  if (globalThis.readText !== text) {{
    globalThis.readText = text;
    globalThis.readWords = new Words(text);
  }}
  const words = globalThis.readWords;
  words.learn([...document.querySelectorAll('#text mark.span')].map(mark =>
    ({{ start: Number(mark.dataset.start), end: Number(mark.dataset.end) }})));
  return Array.from({{ length: words.count }}, (_, index) => {{
    const [start, end] = words.bounds(index);
    const [box] = rangeOf(start, end).getClientRects();
    return [start, end, words.isCandidate(index), box.left, box.right, box.top + scrollY];
  }});
}}"""

_PLACE = f"""([start, end]) => {{
  {_LOCATE}
  const boxes = rangeOf(start, end).getClientRects();
  const first = boxes[0], last = boxes[boxes.length - 1];
  return [first.left, (first.top + first.bottom) / 2, last.right, (last.top + last.bottom) / 2];
}}"""

_IS_IN_SIGHT = """points => points.every(([x, y]) =>
  document.elementFromPoint(x, y)?.closest('#text'))"""


@dataclass(frozen=True)
class Word:
    """A word of the page: its offsets, and where it lies in the document's pixels."""

    start: int
    end: int
    is_candidate: bool
    left: float
    right: float
    top: float


class ArticleView:
    """The open article of the page.

    Args:
        page: the browser's page.
        text: the text of the article, without characters outside the Basic Multilingual Plane.
    """

    def __init__(self, page: Any, text: str) -> None:
        self.page = page
        self.text = text
        page.wait_for_function(
            "text => document.getElementById('text')?.textContent === text", arg=text
        )

    def spans(self) -> tuple[Span, ...]:
        """Return the spans that are shown."""
        return bare(Span(start, end, label) for start, end, label in self.page.evaluate(_SPANS))

    def suggestions(self) -> tuple[Span, ...]:
        """Return the spans that are shown as suggestions which nobody has touched."""
        found = self.page.evaluate(_SPANS.replace("mark.span", "mark.span.suggestion"))
        return bare(Span(start, end, label) for start, end, label in found)

    def selection(self) -> tuple[int, int] | None:
        """Return start and end of the selected words."""
        found = self.page.evaluate(_SELECTION)
        return tuple(found) if found else None

    def words(self) -> list[Word]:
        """Return the words that the cursor moves through."""
        return [Word(*word) for word in self.page.evaluate(_WORDS)]

    def ends(self, start: int, end: int) -> tuple[Point, Point]:
        """Return points inside the first and the last letter of a part of the text."""
        left, top, right, bottom = self.page.evaluate(_PLACE, [start, end])
        return (left + 1, top), (right - 1, bottom)

    def is_in_sight(self, *points: Point) -> bool:
        """Return whether nothing covers these points of the text."""
        return bool(self.page.evaluate(_IS_IN_SIGHT, list(points)))

    def screen(self) -> float:
        """Return the height of the text that is in sight, less two lines."""
        height: float = self.page.evaluate(
            """() => innerHeight - document.getElementById('header').getBoundingClientRect().bottom
              - 2 * parseFloat(getComputedStyle(document.getElementById('text')).lineHeight)"""
        )
        return height

    def is_at_end(self) -> bool:
        """Return whether the end of the text is in sight."""
        length = len(self.text.rstrip())
        return self.is_in_sight(self.ends(length - 1, length)[1])


def word_at(words: Sequence[Word], offset: int) -> int:
    """Return the index of the first word that ends behind an offset."""
    return bisect_right([word.end for word in words], offset)


def occurrences(text: str, words: Sequence[Word], phrase: str) -> list[tuple[int, int]]:
    """Return every occurrence of a phrase that does not begin or end inside a word."""

    def is_inside(offset: int) -> bool:
        index = word_at(words, offset)
        return index < len(words) and words[index].start < offset < words[index].end

    found = ((match.start(), match.start() + len(phrase)) for match in _find(text, phrase))
    return [place for place in found if not any(map(is_inside, place))]


def _find(text: str, phrase: str) -> list[re.Match[str]]:
    return list(re.finditer(f"(?={re.escape(phrase)})", text))
