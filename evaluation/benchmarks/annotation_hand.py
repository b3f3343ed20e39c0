"""An annotator's hand in a real browser: keys, clicks, drags and turns of the wheel, counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .keystrokes import CLICK, DRAG, SECONDS

Point = tuple[float, float]


def settled(state: str, frames: int) -> str:
    """Return a script that waits until an expression has had the same value for some frames."""
    return f"""() => new Promise(done => {{
  let before = '', same = 0;
  const look = () => {{
    const now = {state};
    same = now === before ? same + 1 : 0;
    before = now;
    same < {frames} ? requestAnimationFrame(look) : done();
  }};
  look();
}})"""


_SETTLED = settled("`${scrollY} ${document.documentElement.scrollHeight}`", 5)
"""The wheel moves the page in a later frame, and parts that come into sight are laid out then."""


class Hand:
    """Uses the keyboard and the mouse of a page, and counts what it does.

    Attributes:
        counts: key presses (`keys`), `clicks`, `drags` and `scrolls`. A key pressed while others
            are held counts once; `held` counts how often keys were held.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.counts: Counter[str] = Counter()
        self._held = ""

    @property
    def actions(self) -> int:
        """Keys, clicks and drags together."""
        return self.counts["keys"] + self.counts["clicks"] + self.counts["drags"]

    @property
    def seconds(self) -> float:
        """The time of all actions by the keystroke-level model, without reading and thinking."""
        operators = {"keys": "K", "held": "K", "clicks": CLICK, "drags": DRAG}
        return sum(
            self.counts[name] * sum(SECONDS[letter] for letter in letters)
            for name, letters in operators.items()
        )

    def press(self, *keys: str) -> None:
        """Press keys one after another, such as `Control+ArrowRight`."""
        for key in keys:
            held = key.rpartition("+")[0]
            if held and held != self._held:
                self.counts["held"] += held.count("+") + 1
            self._held = held
            self.counts["keys"] += 1
            if key == "Enter":
                # The page ignores a second one at once; nobody reads an article in that time.
                self.page.locator("body:not([data-opened])").wait_for()
            self.page.keyboard.press(key)

    def type(self, letters: str) -> None:
        """Type into a field."""
        self._held = ""
        self.counts["keys"] += len(letters)
        self.page.keyboard.type(letters)

    def click(self, point: Point, button: str = "left") -> None:
        """Click at a point of the viewport."""
        self._held = ""
        self.counts["clicks"] += 1
        self.page.mouse.click(*point, button=button)

    def drag(self, start: Point, end: Point, held: str = "") -> None:
        """Drag from one point to another, with a key held or none."""
        self._held = ""
        self.counts["drags"] += 1
        if held:
            self.counts["held"] += 1
            self.page.keyboard.down(held)
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
        mouse.move(*end, steps=3)
        mouse.up()
        if held:
            self.page.keyboard.up(held)

    def read_on(self) -> None:
        """Scroll by a screen with the keyboard."""
        self.counts["scrolls"] += 1
        self.page.keyboard.press("PageDown")
        self.page.evaluate(_SETTLED)

    def scroll(self, pixels: float) -> None:
        """Turn the wheel once, by up to a screen."""
        self.counts["scrolls"] += 1
        self.page.mouse.wheel(0, pixels)
        self.page.evaluate(_SETTLED)
