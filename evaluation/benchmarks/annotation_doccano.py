"""Replays an annotation pass by mouse on doccano's own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ...corpus.document import Span
from .annotation_edits import Task, bare, list_edits, overlapping
from .annotation_hand import Hand, Point, settled

TOP, BOTTOM = 130, 760
"""Between these the text is in sight in a viewport of 768 pixels: doccano's toolbars lie above."""

_NOWHERE = (0.0, 0.0, 0.0)

# The page keeps lines that it does not show far above the others, and one for measuring.
_LINES = """const lines = [...document.querySelectorAll('svg text')].filter(text =>
  text.getBoundingClientRect().top > -5000);
const texts = lines.filter(text => text.id.includes(':'));
const labels = lines.filter(text => !text.id);
const bounds = text => text.id.split(':').map(Number);
"""

_CHARACTER = f"""offset => {{
  {_LINES}
  const text = texts.find(text => bounds(text)[0] <= offset && offset < bounds(text)[1]);
  if (!text || !text.getComputedTextLength()) return null;
  const spot = text.getExtentOfChar(offset - bounds(text)[0]);
  const frame = text.getScreenCTM();
  return [spot.x + frame.e, spot.y + frame.f + spot.height / 2, spot.width];
}}"""

_DRAWN = f"""() => {{
  {_LINES}
  return [Math.min(...texts.map(t => bounds(t)[0])), Math.max(...texts.map(t => bounds(t)[1]))];
}}"""

_LABELS = f"""() => {{
  {_LINES}
  return labels.map(text => {{
    const box = text.getBoundingClientRect();
    return [text.textContent.trim(), box.left + box.width / 2, box.top + box.height / 2, box.left];
  }});
}}"""

_SETTLED = settled(
    "[...document.querySelectorAll('svg text, svg line')]"
    ".map(part => part.getBoundingClientRect().top).join()",
    8,
)
"""The page moves lines for some frames after the spans have changed."""


class DoccanoMouse:
    """An annotator with a mouse, whose other hand presses the labels' keys and Enter.

    Nothing on the page selects words with the keyboard. A border cannot be moved, so that such a
    span is deleted and added again. The page shows the first article that is not confirmed; Enter
    confirms it and shows the next.

    Besides the actions, `hand.counts` has the number of drags that did nothing (`missed`).
    """

    def __init__(self, page: Any, keys: Mapping[str, str]) -> None:
        self.page = page
        self.hand = Hand(page)
        self._keys = keys
        self._armed: str | None = None
        self._spans: list[Span] = []

    def annotate(self, task: Task) -> None:
        """Annotate the article that is open, and confirm it."""
        page, text = self.page, task.gold.text
        page.locator("svg text[id*=':']").first.wait_for(state="attached")
        if page.evaluate("() => scrollY") > 0:
            # The page opens an article where the last one was left.
            self.hand.press("Home")
            page.wait_for_function("() => scrollY === 0")
        page.locator('svg text[id^="0:"]', has_text=text[:20]).first.wait_for(state="attached")
        self._spans = list(bare(task.suggested.spans))
        while edits := list_edits(self._spans, task.gold.spans):
            edit = edits[0]
            if (
                edit.old
                and edit.new
                and (edit.old.start, edit.old.end)
                == (
                    edit.new.start,
                    edit.new.end,
                )
            ):
                self._relabel(edit.old, edit.new.label)
            elif edit.old:
                self._delete(edit.old)
            elif edit.new:
                for span in overlapping(self._spans, edit.new.start, edit.new.end):
                    self._delete(span)
                self._add(edit.new)
        self._read_to_the_end(len(text.rstrip()))
        with (
            page.expect_response(lambda r: "/examples?" in r.url and r.request.method == "GET"),
            page.expect_response(lambda r: "/states" in r.url and r.request.method == "POST"),
        ):
            self.hand.press("Enter")
        page.evaluate(_SETTLED)

    def _add(self, span: Span) -> None:
        if span.label != self._armed:
            self.hand.press(self._keys[span.label])
            self._armed = span.label
        self._show(span)
        for attempt in range(4):
            posted = self._drag_over(span, is_backward=attempt % 2 == 1)
            if posted is not None:
                break
            # The browser began the selection at another place of the page. People try again; only
            # the drag that works is counted.
            self.hand.counts["drags"] -= 1
            self.hand.counts["missed"] += 1
            self.page.evaluate("() => getSelection().removeAllRanges()")
            self.page.evaluate(_SETTLED)
        assert posted == (span.start, span.end), (posted, span)
        self._spans.append(span)

    def _drag_over(self, span: Span, is_backward: bool) -> tuple[int, int] | None:
        """Drag over words; return start and end of the span that was stored, or None."""
        from playwright.sync_api import TimeoutError as NothingStored

        left, top, _ = self._character(span.start) or _NOWHERE
        right, bottom, width = self._character(span.end - 1) or _NOWHERE
        ends = [(left + 1, top), (right + width - 1, bottom)]
        try:
            with self._changing("POST", seconds=5) as posted:
                self.hand.drag(*(reversed(ends) if is_backward else ends))
        except NothingStored:
            return None
        stored = posted.value.json()
        return stored["start_offset"], stored["end_offset"]

    def _delete(self, span: Span) -> None:
        self._show(span)
        with self._changing("DELETE"):
            self.hand.click(self._label_of(span), button="right")
        self._spans.remove(span)

    def _relabel(self, span: Span, label: str) -> None:
        self._show(span)
        self.hand.click(self._label_of(span))
        item = self.page.locator(".v-menu__content .v-list-item").filter(has_text=label)
        item.wait_for()
        box = item.bounding_box()
        with self._changing("PATCH"):
            self.hand.click((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
        self._spans[self._spans.index(span)] = Span(span.start, span.end, label)

    @contextmanager
    def _changing(self, method: str, seconds: int = 30) -> Iterator[Any]:
        """Wait until a change is stored, and the page has read and drawn the spans again."""

        def is_spans(response: Any, method: str) -> bool:
            return "/spans" in response.url and response.request.method == method

        with (
            self.page.expect_response(lambda r: is_spans(r, "GET"), timeout=seconds * 1000),
            self.page.expect_response(
                lambda r: is_spans(r, method), timeout=seconds * 1000
            ) as changed,
        ):
            yield changed
        self.page.evaluate(_SETTLED)

    # -- what is in sight ---------------------------------------------------------------------

    def _show(self, span: Span) -> None:
        """Scroll until the words and the label below them are in sight."""
        for _ in range(200):
            first, last = (self._character(at) for at in (span.start, span.end - 1))
            if first and last and first[1] > TOP and last[1] < BOTTOM - 40:
                return
            drawn = self.page.evaluate(_DRAWN)
            is_below = last[1] >= BOTTOM - 40 if last else span.start >= drawn[0]
            self._scroll(1 if is_below else -1)
        raise RuntimeError(f"{span} does not come into sight")

    def _read_to_the_end(self, length: int) -> None:
        while not (last := self._character(length - 1)) or last[1] > BOTTOM:
            self._scroll(1)

    def _scroll(self, direction: int) -> None:
        """Scroll by a screen, less two lines to find the place again."""
        self.hand.scroll(direction * (BOTTOM - TOP - 100))
        self.page.evaluate(_SETTLED)

    def _character(self, offset: int) -> tuple[float, float, float] | None:
        found: tuple[float, float, float] | None = self.page.evaluate(_CHARACTER, offset)
        return found

    def _label_of(self, span: Span) -> Point:
        """Return the place of a span's label, which begins below the first letter of its words."""
        left, top, _ = self._character(span.start) or _NOWHERE
        names = [name for name in self.page.evaluate(_LABELS) if name[0] == span.label]
        _, x, y, _ = min(names, key=lambda name: abs(name[3] - left) + abs(name[2] - top - 26))
        return x, y


def replay_on_doccano(page: Any, tasks: Sequence[Task], keys: Mapping[str, str]) -> Hand:
    """Annotate all articles; the page shows the first one."""
    annotator = DoccanoMouse(page, keys)
    for task in tasks:
        annotator.annotate(task)
    return annotator.hand
