"""Counts the steps of a backtracking matcher of regular expressions, as `re` is one.

Time cannot show how the work grows with a text: it differs from run to run. The number of steps is
always the same. The matcher tries the same alternatives in the same order as `re`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]
_constants: Any = re._constants  # type: ignore[attr-defined]

MAX_STEPS = 200_000
"""From here on, the growth is taken for exponential."""
_SIZES = (16, 32, 64)
_MAX_BOUND = 4
"""Bounded repeats are counted as no longer than that: what they add is constant."""
_CHARACTERS = "aA1 \n\t_-.<é"
_END = "\0"

Continue = Callable[[int], bool]
Matcher = Callable[[int, Continue], bool]


class _TooManyStepsError(Exception):
    pass


class Steps:
    """Counts the steps that a pattern takes with a text.

    Args:
        pattern: the pattern, of strings or bytes.

    Attributes:
        count: the steps of the last call of :meth:`run`.
        matches: start and end of the matches that it found.
    """

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self._flags = pattern.flags
        self.tree = _parser.parse(pattern.pattern, pattern.flags)
        self._text = ""
        self.count = 0
        self.matches: list[tuple[int, int]] = []
        self._match = self._sequence(self.tree)

    def run(self, text: str, how: str) -> int:
        """Return the number of steps.

        Args:
            text: the text; for a pattern of bytes, one of characters up to U+00FF.
            how: `match`, `fullmatch` or `search`, which seeks all matches.
        """
        self._text, self.count, self.matches = text, 0, []
        position = 0
        try:
            while position <= len(text):
                start = position

                def end_here(end: int, start: int = start) -> bool:
                    if how == "fullmatch" and end < len(text):
                        return False
                    self.matches.append((start, end))
                    return True

                is_match = self._match(start, end_here)
                if how != "search":
                    break
                position = max(self.matches[-1][1], start + 1) if is_match else start + 1
        except _TooManyStepsError:
            pass
        return self.count

    def _step(self) -> None:
        self.count += 1
        if self.count > MAX_STEPS:
            raise _TooManyStepsError

    def _sequence(self, items: Any) -> Matcher:
        matchers = [self._item(operator, argument) for operator, argument in items]

        def match(position: int, then: Continue, index: int = 0) -> bool:
            if index == len(matchers):
                return then(position)
            return matchers[index](position, lambda end: match(end, then, index + 1))

        return matchers[0] if len(matchers) == 1 else match

    def _item(self, operator: Any, argument: Any) -> Matcher:
        name = str(operator)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return self._character(self.accepts(operator, argument))
        if name == "SUBPATTERN":
            return self._sequence(argument[3])
        if name == "BRANCH":
            branches = [self._sequence(branch) for branch in argument[1]]
            return lambda position, then: any(branch(position, then) for branch in branches)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, body = argument
            if high is not _constants.MAXREPEAT:
                low, high = min(low, _MAX_BOUND), min(high, _MAX_BOUND)
            repeat = self._repeat(self._sequence(body), low, high, is_lazy=name == "MIN_REPEAT")
            return self._atomic(repeat) if name == "POSSESSIVE_REPEAT" else repeat
        if name == "ATOMIC_GROUP":
            return self._atomic(self._sequence(argument))
        if name in ("ASSERT", "ASSERT_NOT"):
            return self._assertion(argument, is_wanted=name == "ASSERT")
        if name == "AT":
            return lambda position, then: self._is_at(str(argument), position) and then(position)
        raise NotImplementedError(name)

    def _character(self, accepts: Callable[[str], bool]) -> Matcher:
        def match(position: int, then: Continue) -> bool:
            self._step()
            text = self._text
            return position < len(text) and accepts(text[position]) and then(position + 1)

        return match

    def _repeat(self, body: Matcher, low: int, high: int, *, is_lazy: bool) -> Matcher:
        def match(position: int, then: Continue, count: int = 0) -> bool:
            self._step()

            def again(end: int) -> bool:
                return (end > position or count < low) and match(end, then, count + 1)

            if count < low:
                return body(position, again)
            if is_lazy:
                return then(position) or (count < high and body(position, again))
            return (count < high and body(position, again)) or then(position)

        return match

    def _atomic(self, inner: Matcher) -> Matcher:
        def match(position: int, then: Continue) -> bool:
            ends: list[int] = []
            inner(position, lambda end: not ends.append(end))  # type: ignore[func-returns-value]
            return bool(ends) and then(ends[0])

        return match

    def _assertion(self, argument: Any, *, is_wanted: bool) -> Matcher:
        direction, items = argument
        inner = self._sequence(items)
        width = items.getwidth()[0] if direction < 0 else 0

        def match(position: int, then: Continue) -> bool:
            start = position - width
            is_found = start >= 0 and inner(start, lambda end: True)
            return is_found == is_wanted and then(position)

        return match

    def _is_at(self, where: str, position: int) -> bool:
        self._step()
        text = self._text
        before, after = text[max(position - 1, 0) : position], text[position : position + 1]
        if where in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            is_line = where == "AT_BEGINNING" and self._flags & re.M
            return position == 0 or bool(is_line and before == "\n")
        if where in ("AT_END", "AT_END_STRING"):
            is_line = where == "AT_END" and self._flags & re.M
            is_last = where == "AT_END" and text[position:] == "\n"
            return not after or is_last or bool(is_line and after == "\n")
        is_boundary = bool(re.match(r"\w", before)) != bool(re.match(r"\w", after))
        return is_boundary == (where == "AT_BOUNDARY")

    def accepts(self, operator: Any, argument: Any) -> Callable[[str], bool]:
        """Return which characters an item accepts that is one character wide."""
        # The item alone, as a pattern, is matched by `re` itself.
        tree = _parser.SubPattern(self.tree.state, [(operator, argument)])
        compiled = re._compiler.compile(tree, self._flags)  # type: ignore[attr-defined]
        known: dict[str, bool] = {}

        def accept(character: str) -> bool:
            if character not in known:
                known[character] = compiled.match(character) is not None
            return known[character]

        return accept


def growth(pattern: re.Pattern[Any], how: str) -> str:
    """Return what makes a pattern take more than linear time; empty if nothing was found.

    Texts are made for each unlimited repeat of the pattern: what comes before it, then many times
    what it repeats, one character, or all of it together, then an end that does not match. Their
    length is doubled twice; the steps must not grow faster.

    Args:
        pattern: the pattern.
        how: how it is used; see :meth:`Steps.run`.
    """
    steps = Steps(pattern)
    is_text = isinstance(pattern.pattern, str)
    for start, pump, end in dict.fromkeys(_attacks(steps)):
        texts = [start + pump * size + end for size in _SIZES]
        if not is_text:
            texts = [text.encode("latin-1", "replace").decode("latin-1") for text in texts]
        small, middle, large = (steps.run(text, how) for text in texts)
        if large > MAX_STEPS or large - middle > 3 * (middle - small):
            return f"{start!r} + {pump!r} * n + {end!r}: {small}, {middle}, {large} steps"
    return ""


def _attacks(steps: Steps) -> Iterator[tuple[str, str, str]]:
    characters = [*_literals(steps.tree), *_CHARACTERS]
    for start, bodies in _repeats(steps, steps.tree, ""):
        pumps = [
            *bodies,
            *(first + second for first, second in pairwise(bodies)),
            *(start + body for body in bodies[:2]),
            *(start and [start]),
            *characters,
            *(bodies[0] + character for character in characters[:12]),
        ]
        for pump in filter(None, pumps):
            for end in ("", _END):
                yield start, pump, end
                yield "", pump, end


def _repeats(steps: Steps, items: Any, start: str) -> Iterator[tuple[str, list[str]]]:
    """Yield, for each unlimited repeat, a text that leads to it, and texts that it repeats."""
    for operator, argument in items:
        name = str(operator)
        if name.endswith("_REPEAT"):
            if argument[1] is _constants.MAXREPEAT or argument[1] > _MAX_BOUND:
                yield start, list(islice(_samples(steps, argument[2]), 6))
            yield from _repeats(steps, argument[2], start)
        for inner in _children(name, argument):
            yield from _repeats(steps, inner, start)
        start += next(_item_samples(steps, operator, argument), "")


def _children(name: str, argument: Any) -> list[Any]:
    if name == "BRANCH":
        return list(argument[1])
    return {"SUBPATTERN": lambda: [argument[3]], "ATOMIC_GROUP": lambda: [argument]}.get(
        name, list
    )()


def _samples(steps: Steps, items: Any) -> Iterator[str]:
    """Yield some texts that a sequence matches: each item varies while the others stay."""
    if not items:
        yield ""
        return
    first = [next(_item_samples(steps, *item), "") for item in items]
    yield "".join(first)
    for index, item in enumerate(items):
        for other in islice(_item_samples(steps, *item), 1, 6):
            yield "".join([*first[:index], other, *first[index + 1 :]])


def _item_samples(steps: Steps, operator: Any, argument: Any) -> Iterator[str]:
    name = str(operator)
    if name == "LITERAL":
        yield chr(argument)
    elif name in ("NOT_LITERAL", "ANY", "IN"):
        accepts = steps.accepts(operator, argument)
        candidates = [*_literals([(operator, argument)]), *_CHARACTERS, *_literals(steps.tree)]
        yield from dict.fromkeys(filter(accepts, candidates))
    elif name.endswith("_REPEAT"):
        low, _, body = argument
        for sample in islice(_samples(steps, body), 4):
            yield sample * max(low, 1)
        if low == 0:
            yield ""
    elif name == "BRANCH":
        for branch in argument[1]:
            yield from islice(_samples(steps, branch), 2)
    elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
        yield from _samples(steps, _children(name, argument)[0])


def _literals(items: Any) -> list[str]:
    """Return the characters that a pattern names, those at the ends of ranges too."""
    found: list[str] = []

    def visit(value: Any) -> None:
        if isinstance(value, tuple) and len(value) == 2 and str(value[0]).endswith("LITERAL"):
            found.append(chr(value[1]))
        elif isinstance(value, tuple) and value and str(value[0]) == "RANGE":
            found.append(chr(value[1][0]))
        elif isinstance(value, list | tuple) or hasattr(value, "data"):
            for item in value:
                visit(item)

    visit(items)
    return list(dict.fromkeys(found))[:20]
