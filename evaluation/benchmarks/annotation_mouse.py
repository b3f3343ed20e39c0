"""Replays an annotation pass by mouse on orbat's annotation page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from ...corpus.document import Span
from .annotation_edits import Edit, Spans, Task, bare, list_edits, overlapping, same_words
from .annotation_hand import Hand
from .annotation_page import ArticleView, Word, occurrences, word_at


class Step(NamedTuple):
    """Something that the annotator does: `place` is a part of the text, `label` the key's label."""

    kind: Literal["drag", "letters", "click", "label", "remove", "remove all", "mark all", "clear"]
    place: tuple[int, int] = (0, 0)
    label: str = ""


@dataclass(frozen=True)
class State:
    """What the page shows: the spans, the selected words and the label that a drag gives.

    `added` is the span that the last step added while nothing was selected.
    """

    spans: Spans
    selection: tuple[int, int] | None = None
    armed: str | None = None
    added: Span | None = None

    @property
    def target(self) -> Span | None:
        """The span that a key acts on."""
        if self.selection is None:
            return None
        start, end = self.selection
        return next((s for s in self.spans if s.start <= start and end <= s.end), None)


class Rules:
    """What the page does with each step, as the annotator knows it."""

    def __init__(self, text: str, words: Sequence[Word]) -> None:
        self._text = text
        self._words = words

    def after(self, state: State, step: Step) -> State:
        """Return what the page shows after a step."""
        target = state.target or (state.added if step.kind == "mark all" else None)
        state = replace(state, added=None)
        if step.kind in ("drag", "letters"):
            return self._after_drag(state, *step.place)
        if step.kind == "click":
            return replace(state, selection=step.place)
        if step.kind == "clear":
            is_selected = state.selection is not None
            return replace(state, selection=None, armed=state.armed if is_selected else None)
        if step.kind == "label" and state.selection is None:
            return replace(state, armed=None if state.armed == step.label else step.label)
        if step.kind == "label" and target:
            return _put(state, target, Span(target.start, target.end, step.label))
        if step.kind == "label" and state.selection:
            return _put(state, None, Span(*state.selection, step.label))
        if target is None:
            return state
        if step.kind == "remove":
            return replace(state, spans=bare(s for s in state.spans if s != target))
        if step.kind == "remove all":
            same = same_words(self._text, state.spans, target)
            return replace(state, spans=bare(s for s in state.spans if s not in same))
        phrase = self._text[target.start : target.end]
        places = occurrences(self._text, self._words, phrase)
        free = [place for place in places if not overlapping(state.spans, *place)]
        added = (Span(*place, target.label) for place in free)
        return replace(state, spans=bare((*state.spans, *added)))

    def _after_drag(self, state: State, start: int, end: int) -> State:
        touched = overlapping(state.spans, start, end)
        if len(touched) == 1 and state.armed in (None, touched[0].label):
            (span,) = touched
            if not (span.start <= start and end <= span.end):
                start, end = min(start, span.start), max(end, span.end)
            return _put(state, span, Span(start, end, span.label))
        if state.armed is None:
            return replace(state, selection=(start, end))
        new = Span(start, end, state.armed)
        return replace(_put(state, None, new), selection=None, added=new)

    def drag(self, start: int, end: int) -> Step:
        """Return the step that selects a part of the text: a drag over words, or over letters."""
        first, last = word_at(self._words, start), word_at(self._words, end - 1)
        words = self._words
        cuts_first = first < len(words) and words[first].start < start
        # A drag that ends before the period of an abbreviation leaves the period out.
        cuts_last = last < len(words) and words[last].start < end < _run_end(
            words[last], self._text
        )
        return Step("letters" if cuts_first or cuts_last else "drag", (start, end))


def _run_end(word: Word, text: str) -> int:
    return word.end - 1 if text[word.end - 1] == "." else word.end


def _put(state: State, old: Span | None, new: Span) -> State:
    others = [s for s in state.spans if s != old and not overlapping([s], new.start, new.end)]
    return replace(state, spans=bare((*others, new)), selection=(new.start, new.end))


def plan(state: State, gold: Sequence[Span], rules: Rules, text: str) -> list[Step]:
    """Return the shortest steps that an annotator thinks of for the next edit.

    Every further edit that they make unnecessary counts as an action that is saved. Of equally
    short ones, those are taken that leave the label of the next missing span armed.
    """
    edits = list_edits(state.spans, gold)
    kept = set(bare(gold)) & set(state.spans)
    best: tuple[float, bool, list[Step]] | None = None
    for steps in _options(edits[0], rules, state.spans, text):
        end = state
        for step in steps:
            end = rules.after(end, step)
        left = list_edits(end.spans, gold)
        if edits[0] in left or len(left) >= len(edits) or not kept <= set(end.spans):
            continue
        following = next((edit.new.label for edit in left if edit.new and not edit.old), None)
        saved = len(edits) - len(left) - 1
        cost = (len(steps) - saved, end.armed != following, steps)
        if best is None or cost[:2] < best[:2]:
            best = cost
    assert best, edits[0]
    return best[2]


def _options(edit: Edit, rules: Rules, spans: Spans, text: str) -> Iterator[list[Step]]:
    old, new = edit.old, edit.new
    take = [Step("click", (old.start, old.end))] if old else []
    if old:
        yield [*take, Step("remove")]
        if len(same_words(text, spans, old)) > 1:
            yield [*take, Step("remove all")]
    if new is None:
        return
    key = Step("label", label=new.label)
    place = (new.start, new.end)
    ways = [[rules.drag(*place)]]
    if old and (old.start, old.end) == place:
        ways = [take]
    elif old:
        both = (min(old.start, new.start), max(old.end, new.end))
        ways.append([rules.drag(*both), rules.drag(*place)])
    clear = Step("clear")
    for way in ways:
        for before in ([], [clear], [key], [clear, key], [clear, clear]):
            for after in ([], [key]):
                steps = [*before, *way, *after]
                yield steps
                yield [*steps, Step("mark all")]
                yield [*steps, Step("click", place), Step("mark all")]


class PageMouse:
    """An annotator with a mouse; the other hand presses labels' keys, Delete, a, Esc and Enter."""

    def __init__(self, page: Any, keys: Mapping[str, str]) -> None:
        self.page = page
        self.hand = Hand(page)
        self._keys = keys
        self._armed: str | None = None

    def annotate(self, task: Task) -> None:
        """Annotate the article that is open, and confirm it."""
        view = ArticleView(self.page, task.gold.text)
        while list_edits(view.spans(), task.gold.spans):
            rules = Rules(view.text, view.words())
            state = State(view.spans(), view.selection(), self._armed)
            for step in plan(state, task.gold.spans, rules, view.text):
                state = rules.after(state, step)
                self._do(view, step)
                shown = State(view.spans(), view.selection(), state.armed, state.added)
                assert shown == state, (step, shown, state)
            self._armed = state.armed
        while not view.is_at_end():
            self.hand.scroll(view.screen())
        self.hand.press("Enter")

    def _do(self, view: ArticleView, step: Step) -> None:
        if step.kind in ("drag", "letters", "click"):
            self._show(view, step.place)
        if step.kind == "click":
            first, _ = view.ends(step.place[0], step.place[0] + 1)
            self.hand.click((first[0] + 2, first[1]))
        elif step.kind in ("drag", "letters"):
            self.hand.drag(*view.ends(*step.place), held="Alt" if step.kind == "letters" else "")
        else:
            keys = {"remove": "Delete", "remove all": "Shift+Delete", "mark all": "a"}
            keys["clear"] = "Escape"
            self.hand.press(keys.get(step.kind) or self._keys[step.label])

    def _show(self, view: ArticleView, place: tuple[int, int]) -> None:
        for _ in range(200):
            first, last = view.ends(*place)
            if view.is_in_sight(first, last):
                return
            self.hand.scroll(view.screen() * (1 if last[1] > 300 else -1))
        raise RuntimeError(f"{place} does not come into sight")


def replay_by_mouse(page: Any, tasks: Sequence[Task], keys: Mapping[str, str]) -> Hand:
    """Annotate all articles; the page shows the first one."""
    annotator = PageMouse(page, keys)
    for task in tasks:
        annotator.annotate(task)
    page.wait_for_selector("body[data-state=saved]")
    return annotator.hand
