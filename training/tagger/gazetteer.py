"""What a gazetteer finds in a text, as the network is told of it.

Training and the installed model share this file: a model wheel carries a copy of it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .patterns import PatternFinder
from .words import find_words

_PATTERNS = ("patterns", "classes")
_WAYS = ("exact", "caseless", "before_name")


class Gazetteer:
    """Finds known phrases and patterns in a text; of those that overlap the longest.

    None crosses a line break.

    Args:
        phrases: for each way of matching, phrases by label. `exact` compares as written,
            `caseless` ignores case, `before_name` compares as written and asks for a capitalised
            word behind the phrase.
        patterns: token patterns; see :class:`training.patterns.PatternFinder`.
        classes: classes of tokens that they tell apart, where they are known.

    Raises:
        ValueError: if a pattern cannot be used.
    """

    def __init__(
        self,
        phrases: Mapping[str, Mapping[str, Iterable[str]]],
        patterns: Sequence[Mapping[str, Any]] = (),
        classes: Iterable[Sequence[int]] = (),
    ) -> None:
        self._patterns = list(patterns)
        self._pattern_finder = PatternFinder(self._patterns, classes)
        self._phrases = {
            way: {label: sorted(texts) for label, texts in sorted(phrases.get(way, {}).items())}
            for way in _WAYS
        }
        self._exact, self._caseless = _Table(), _Table()
        for way, labels in self._phrases.items():
            for label, texts in labels.items():
                for text in texts:
                    form = text.lower() if way == "caseless" else text
                    words = tuple(form[a:b] for a, b in find_words(form).tolist())
                    if words:
                        table = self._caseless if way == "caseless" else self._exact
                        table.add(words, label, before_name=way == "before_name")

    def __bool__(self) -> bool:
        return bool(self._exact.lengths or self._caseless.lengths or self._patterns)

    def find(self, text: str, bounds: Sequence[Sequence[int]]) -> list[tuple[int, int, str]]:
        """Return start and end of each phrase in code points, and its label, in order.

        Args:
            text: the text.
            bounds: start and end of its words; see :func:`training.tagging.find_words`.
        """
        words = [text[a:b] for a, b in bounds]
        lowered = [word.lower() for word in words]
        found = self._pattern_finder.find(text) if self._patterns else []
        for table, forms in ((self._exact, words), (self._caseless, lowered)):
            lengths, phrases = table.lengths, table.phrases
            for place in [place for place, first in enumerate(forms) if first in lengths]:
                for end in (place + length for length in lengths[forms[place]]):
                    if end > len(words):
                        continue
                    for label, before_name in phrases.get(tuple(forms[place:end]), ()):
                        if not before_name or (end < len(words) and words[end].istitle()):
                            found.append((bounds[place][0], bounds[end - 1][1], label))
        return longest_spans(text, found)

    def to_bytes(self, *, classes: bool = False) -> bytes:
        """Return the phrases and patterns as JSON.

        Args:
            classes: whether the classes of the tokens met so far go with them: who reads them
                need not find them anew.
        """
        value: dict[str, Any] = {**self._phrases, "patterns": self._patterns}
        if classes:
            value["classes"] = self._pattern_finder.classes
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Gazetteer:
        """Read what :meth:`to_bytes` gave.

        Raises:
            ValueError: if it is no such JSON.
        """
        value: Any = json.loads(content)
        if not isinstance(value, dict) or not set(value) <= {*_WAYS, *_PATTERNS}:
            raise ValueError("not a gazetteer")
        return cls(value, *(value.get(part, ()) for part in _PATTERNS))


class _Table:
    """Phrases that are looked up word by word.

    Attributes:
        lengths: by first word how many words the phrases have that begin with it.
        phrases: by their words the phrases' labels, each with whether a name must follow.
    """

    def __init__(self) -> None:
        self.lengths: dict[str, set[int]] = defaultdict(set)
        self.phrases: dict[tuple[str, ...], set[tuple[str, bool]]] = defaultdict(set)

    def add(self, words: tuple[str, ...], label: str, *, before_name: bool) -> None:
        """Take a phrase."""
        self.lengths[words[0]].add(len(words))
        self.phrases[words].add((label, before_name))


def longest_spans(text: str, found: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the longest of those that overlap, in order of position.

    What goes over a line break is left out.
    """
    taken = bytearray(len(text))
    spans = []
    for start, end, label in sorted(set(found), key=lambda f: (f[0] - f[1], f)):
        # What is shorter lies inside what is taken, or reaches into it at an end.
        if not (taken[start] or taken[end - 1]) and "\n" not in text[start:end]:
            taken[start:end] = b"\1" * (end - start)
            spans.append((start, end, label))
    return sorted(spans)
