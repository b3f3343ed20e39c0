"""Span constraints: where mentions may begin and end, and whether their brackets are balanced.

The constraints are learned from gold spans. Mentions that a model predicts against them are made
valid: they lose the punctuation and invisible characters at their edges, and what lies beyond an
unbalanced bracket.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .mentions import Mention

_CLOSERS = {"(": ")", "[": "]", "{": "}", "（": "）", "［": "］", "【": "】"}
_OPENERS = {closer: opener for opener, closer in _CLOSERS.items()}
_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "‘": "’", "'": "'’", "’": "’", "‚": "‘’"}
"""The marks that may close a quotation, by the mark that opens it."""
_BRACKET = re.compile("[" + re.escape("".join([*_CLOSERS, *_OPENERS])) + "]")
_QUOTE = re.compile("[" + re.escape("".join({*_QUOTES, *"".join(_QUOTES.values())})) + "]")
_MIN_SHARE = 0.001
"""Share of gold spans from which something counts as allowed: rarer cases may be errors."""


@dataclass(frozen=True)
class SpanConstraints:
    """Which mentions are valid.

    A mention begins with a letter or digit and ends with one, or with a combining mark. So it has
    no white space or invisible characters at its edges.

    Attributes:
        start: other characters that a mention may begin with.
        end: other characters that a mention may end with. A closing bracket needs its opening one.
        balanced: whether the brackets in a mention must be balanced.

    A mention may also begin and end with a quotation mark whose partner is in it, unless the two
    enclose the mention: `Operation "Lafiya Dole"` is valid.
    """

    start: str = ""
    end: str = "."
    balanced: bool = True

    def apply(self, text: str, mentions: Iterable[Mention]) -> list[Mention]:
        """Return mentions of a text made valid; those without any valid part are dropped.

        Args:
            text: the text.
            mentions: mentions of the text in order, without overlaps. Valid ones are not changed.
        """
        mentions = list(mentions)
        valid = []
        for index, mention in enumerate(mentions, start=1):
            limit = mentions[index].start if index < len(mentions) else len(text)
            bounds = self.narrow(text, mention.start, mention.end, limit)
            if bounds is not None:
                valid.append(mention._replace(start=bounds[0], end=bounds[1]))
        return valid

    def narrow(self, text: str, start: int, end: int, limit: int) -> tuple[int, int] | None:
        """Return the valid span for a span of a text; None if it contains no letter or digit.

        Args:
            text: the text.
            start: first code point of the span.
            end: code point after the last.
            limit: code point before which the valid span must end. It may include a closing
                bracket or quotation mark that follows the span.
        """
        if self._is_plain(text, start, end):
            return start, end
        end = self._close(text, start, end, limit)
        while True:
            trimmed = self._trim(text, start, end)
            if trimmed is None:
                return None
            unbalanced = list(_unbalanced_brackets(text, *trimmed)) if self.balanced else []
            if not unbalanced and trimmed == (start, end):
                return trimmed
            start, end = _longest_part(text, *trimmed, unbalanced)

    def _is_plain(self, text: str, start: int, end: int) -> bool:
        """Return whether a span is valid at first sight, as almost all are."""
        return (
            start < end
            and text[start].isalnum()
            and (_is_word_end(text, end) or text[end - 1] in self.end)
            and _BRACKET.search(text, start, end) is None
            and _QUOTE.search(text, start, end) is None
        )

    def _close(self, text: str, start: int, end: int, limit: int) -> int:
        """Return the end of a span after a bracket or quotation mark that closes one inside it."""
        if end >= limit:
            return end
        mark = text[end]
        if mark in _OPENERS and mark in self.end:
            opened = [text[index] for index in _unbalanced_brackets(text, start, end)]
            return end + 1 if opened == [_OPENERS[mark]] else end
        if _QUOTE.match(mark) and (end + 1 == len(text) or not text[end + 1].isalnum()):
            pairs = _quote_pairs(text, start, end + 1)
            return end + 1 if end in pairs.values() else end
        return end

    def _trim(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """Return a span without what may not be at its edges; None if no letter is left."""
        while start < end:
            pairs = _quote_pairs(text, start, end)
            if start in pairs and pairs[start] == end - 1:
                start, end = start + 1, end - 1
            elif not (_is_word(text[start]) or text[start] in self.start or start in pairs):
                start += 1
            elif not (
                _is_word_end(text, end) or text[end - 1] in self.end or end - 1 in pairs.values()
            ):
                end -= 1
            elif any(_is_word(character) for character in text[start:end]):
                return start, end
            else:
                return None
        return None


def learn_span_constraints(spans: Iterable[str]) -> SpanConstraints:
    """Return the constraints that gold spans obey, but for rare exceptions.

    Args:
        spans: the texts of gold spans.
    """
    first, last = Counter[str](), Counter[str]()
    count = unbalanced = 0
    for span in spans:
        if not span:
            continue
        count += 1
        pairs = _quote_pairs(span, 0, len(span))
        if not _is_word(span[0]) and 0 not in pairs:
            first[span[0]] += 1
        if not _is_word_end(span, len(span)) and len(span) - 1 not in pairs.values():
            last[span[-1]] += 1
        unbalanced += any(True for _ in _unbalanced_brackets(span, 0, len(span)))
    if not count:
        return SpanConstraints()

    def common(characters: Counter[str]) -> str:
        return "".join(sorted(c for c, n in characters.items() if n >= _MIN_SHARE * count))

    return SpanConstraints(common(first), common(last), unbalanced < max(1, _MIN_SHARE * count))


def _is_word(character: str) -> bool:
    """Return whether a character is a letter or digit; superscript digits are not."""
    return character.isalnum() and unicodedata.category(character) != "No"


def _is_word_end(text: str, end: int) -> bool:
    """Return whether a span ends with a letter or digit, combining marks included."""
    while end > 0 and unicodedata.category(text[end - 1])[0] == "M":
        end -= 1
    return end > 0 and _is_word(text[end - 1])


def _unbalanced_brackets(text: str, start: int, end: int) -> Iterator[int]:
    """Yield the positions of the brackets in a span that have no partner in it."""
    opened: list[int] = []
    for match in _BRACKET.finditer(text, start, end):
        if match[0] in _CLOSERS:
            opened.append(match.start())
        elif opened and _CLOSERS[text[opened[-1]]] == match[0]:
            opened.pop()
        else:
            yield match.start()
    yield from opened


def _quote_pairs(text: str, start: int, end: int) -> dict[int, int]:
    """Return the positions of the closing quotation marks in a span by those of their openers.

    A mark opens a quotation before a letter or digit that it does not join to another, and closes
    one after a character that is not white space. So apostrophes inside words are neither.
    """
    pairs: dict[int, int] = {}
    opened: int | None = None
    for match in _QUOTE.finditer(text, start, end):
        index, mark = match.start(), match[0]
        after_word = index > start and not text[index - 1].isspace()
        inside_word = index > start and text[index - 1].isalnum()
        before_word = index + 1 < end and text[index + 1].isalnum()
        if opened is not None and mark in _QUOTES[text[opened]] and after_word and not before_word:
            pairs[opened] = index
            opened = None
        elif opened is None and mark in _QUOTES and before_word and not inside_word:
            opened = index
    return pairs


def _longest_part(text: str, start: int, end: int, cuts: Sequence[int]) -> tuple[int, int]:
    """Return the part of a span between some characters that has the most letters and digits."""
    bounds = [start - 1, *sorted(cuts), end]
    parts = [(a + 1, b) for a, b in itertools.pairwise(bounds)]
    return max(parts, key=lambda part: sum(map(_is_word, text[part[0] : part[1]])))
