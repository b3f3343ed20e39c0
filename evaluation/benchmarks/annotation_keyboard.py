"""Replays an annotation pass on orbat's annotation page by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...corpus.document import Span
from .annotation_edits import (
    Edit,
    Task,
    gain_of_marking_all,
    list_edits,
    overlapping,
    same_words,
)
from .annotation_hand import Hand
from .annotation_page import ArticleView, Word, occurrences, word_at

Place = tuple[int, int]
Move = Callable[[Place | None], Place]

FAR = 40
"""The most presses of one key that are considered."""


@dataclass(frozen=True)
class Route:
    """Keys that bring the cursor to a place; letters are typed into the field that `/` opens."""

    keys: tuple[str, ...]
    letters: str = ""

    @property
    def length(self) -> int:
        """Number of key presses."""
        return len(self.keys) + (len(self.letters) + 2 if self.letters else 0)


class Map:
    """Where each key of the page leads, as the annotator sees it on the screen."""

    def __init__(self, view: ArticleView, suggestions: Sequence[Span]) -> None:
        self._text = view.text
        self.words = view.words()
        self.spans = view.spans()
        self._suggestions = suggestions
        self._lines: list[list[int]] = []
        for index, word in enumerate(self.words):
            if not self._lines or abs(self.words[self._lines[-1][0]].top - word.top) > 8:
                self._lines.append([])
            self._lines[-1].append(index)
        self._line_of = {i: n for n, line in enumerate(self._lines) for i in line}

    def routes(self, start: Place | None, goals: Sequence[Place]) -> Iterator[Route]:
        """Return the ways that a person considers to get to one of some places.

        They press one kind of key until they are near, and then another kind of key, or find the
        first letters of the words.
        """
        fine = [("ArrowRight", self._right), ("ArrowLeft", self._left)]
        coarse: list[tuple[str, Move]] = [
            ("Control+ArrowRight", self._next_candidate),
            ("Control+ArrowLeft", self._previous_candidate),
            ("ArrowDown", self._down),
            ("ArrowUp", self._up),
            ("Control+ArrowDown", self._next_paragraph),
            ("Tab", self._next_span),
        ]
        for key, move in coarse:
            place = start
            for count in range(FAR):
                for other, step in (*fine, coarse[0]):
                    near = place
                    for more in range(FAR if count == 0 else 8):
                        if near in goals:
                            yield Route((key,) * count + (other,) * more)
                            break
                        near = step(near)
                place = move(place)
        yield from self._finds(start, goals)

    def best_route(self, start: Place | None, goals: Sequence[Place]) -> Route:
        """Return the shortest route."""
        return min(self.routes(start, goals), key=lambda route: route.length)

    def bounds(self, index: int) -> Place:
        """Return the place that the cursor has at a word: the word, or the span that it is in."""
        word = self.words[max(0, min(index, len(self.words) - 1))]
        inside = overlapping(self.spans, word.start, word.start + 1)
        return (inside[0].start, inside[0].end) if inside else (word.start, word.end)

    def _index(self, place: Place | None) -> int:
        return word_at(self.words, place[0]) if place else 0

    def _right(self, place: Place | None) -> Place:
        return self.bounds(word_at(self.words, place[1]) if place else 0)

    def _left(self, place: Place | None) -> Place:
        return self.bounds(self._index(place) - 1 if place else 0)

    def _next_candidate(self, place: Place | None) -> Place:
        return self.bounds(self._candidate(word_at(self.words, place[1]) if place else 0, 1))

    def _previous_candidate(self, place: Place | None) -> Place:
        return self.bounds(self._candidate(self._index(place) - 1 if place else 0, -1))

    def _candidate(self, index: int, step: int) -> int:
        while 0 <= index < len(self.words):
            word = self.words[index]
            if word.is_candidate and not overlapping(self.spans, word.start, word.start + 1):
                break
            index += step
        return index

    def _down(self, place: Place | None) -> Place:
        return self._line(place, 1)

    def _up(self, place: Place | None) -> Place:
        return self._line(place, -1)

    def _line(self, place: Place | None, step: int) -> Place:
        if place is None:
            return self.bounds(0)
        index = min(self._index(place), len(self.words) - 1)
        number = self._line_of[index] + step
        if not 0 <= number < len(self._lines):
            return self.bounds(index)
        x = self.words[index].left + 2
        line = self._lines[number]
        return self.bounds(next((i for i in line if self.words[i].right > x), line[-1] + 1))

    def _next_paragraph(self, place: Place | None) -> Place:
        index = word_at(self.words, place[1]) if place else 0
        at = self.words[index].start if index < len(self.words) else len(self._text)
        end = self._text.find("\n", at)
        return self.bounds(word_at(self.words, end + 1 if end >= 0 else len(self._text)))

    def _next_span(self, place: Place | None) -> Place:
        spans = self._suggestions or self.spans
        if not spans:
            return self.bounds(0)
        start, end = place or (-1, -1)
        following = (s for s in spans if s.start >= end and s.start > start)
        span = next(following, spans[0])
        return span.start, span.end

    def _finds(self, start: Place | None, goals: Sequence[Place]) -> Iterator[Route]:
        text = self._text.lower()
        for goal in goals:
            for count in range(2, goal[1] - goal[0] + 1):
                letters = text[goal[0] : goal[0] + count]
                found = text.find(letters, start[1] if start else 0)
                if (found if found >= 0 else text.find(letters)) == goal[0]:
                    yield Route((), letters)
                    break


class PageKeyboard:
    """An annotator who never touches the mouse."""

    def __init__(self, page: Any, keys: Mapping[str, str]) -> None:
        self.page = page
        self.hand = Hand(page)
        self._keys = keys

    def annotate(self, task: Task) -> None:
        """Annotate the article that is open, and confirm it."""
        view = ArticleView(self.page, task.gold.text)
        while edits := list_edits(view.spans(), task.gold.spans):
            self._make(view, edits[0], task.gold.spans)
            left = list_edits(view.spans(), task.gold.spans)
            assert edits[0] not in left, edits[0]
        while not view.is_at_end():
            self.hand.read_on()
        self.hand.press("Enter")

    def _make(self, view: ArticleView, edit: Edit, gold: Sequence[Span]) -> None:
        words = view.words()
        if edit.old:
            self._go(view, [(edit.old.start, edit.old.end)])
        if edit.new is None:
            assert edit.old
            same = same_words(view.text, view.spans(), edit.old)
            is_all_wrong = len(same) > 1 and not set(same) & set(gold)
            self.hand.press("Shift+Delete" if is_all_wrong else "Delete")
            return
        new = edit.new
        first = words[word_at(words, new.start)]
        if edit.old is None:
            self._go(view, [(first.start, first.end)])
        self._move_borders(view, words, new)
        if edit.old is None or edit.old.label != new.label:
            self.hand.press(self._keys[new.label])
        places = occurrences(view.text, words, view.text[new.start : new.end])
        if gain_of_marking_all(places, new.label, view.spans(), gold) > 0:
            self.hand.press("a")

    def _go(self, view: ArticleView, goals: Sequence[Place]) -> None:
        """Bring the cursor to one of some places; look again if a key led elsewhere."""
        for _ in range(6):
            place = view.selection()
            if place in goals:
                return
            route = Map(view, view.suggestions()).best_route(place, goals)
            if route.letters:
                self.hand.press("/")
                self.hand.type(route.letters)
                self.hand.press("Enter")
            else:
                self.hand.press(*route.keys)
        raise RuntimeError(f"the cursor does not reach {goals}")

    def _move_borders(self, view: ArticleView, words: Sequence[Word], new: Span) -> None:
        """Move the borders of the selection by words, then by letters."""
        place = view.selection()
        assert place
        end = word_at(words, new.end - 1) - word_at(words, place[1] - 1)
        self._repeat("Shift", end)
        start = word_at(words, new.start) - word_at(words, place[0])
        self._repeat("Control+Shift", start)
        place = view.selection()
        assert place
        self._repeat("Alt+Shift", new.end - place[1])
        self._repeat("Control+Alt+Shift", new.start - place[0])
        assert view.selection() == (new.start, new.end), (view.selection(), new)

    def _repeat(self, held: str, steps: int) -> None:
        arrow = "ArrowRight" if steps > 0 else "ArrowLeft"
        self.hand.press(*[f"{held}+{arrow}"] * abs(steps))


def replay_by_keyboard(page: Any, tasks: Sequence[Task], keys: Mapping[str, str]) -> Hand:
    """Annotate all articles; the page shows the first one."""
    annotator = PageKeyboard(page, keys)
    for task in tasks:
        annotator.annotate(task)
    page.wait_for_selector("body[data-state=saved]")
    return annotator.hand
