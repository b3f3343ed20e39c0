"""Known phrases in a text, as the network is told of them.

Training and the installed model share this file: a model wheel carries a copy of it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from training.tagging import find_words

_WAYS = ("exact", "caseless", "before_name")


class PhraseFinder:
    """Finds the longest known phrases in a text's words; none overlap, none crosses a line break.

    Args:
        phrases: for each way of matching, phrases by label. `exact` compares as written,
            `caseless` ignores case, `before_name` compares as written and asks for a capitalised
            word behind the phrase.
    """

    def __init__(self, phrases: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self._phrases = {
            way: {label: sorted(texts) for label, texts in sorted(phrases.get(way, {}).items())}
            for way in _WAYS
        }
        # By first word: the words of the whole phrase, its label, and whether a name must follow.
        self._exact: dict[str, list[tuple[tuple[str, ...], str, bool]]] = defaultdict(list)
        self._caseless: dict[str, list[tuple[tuple[str, ...], str, bool]]] = defaultdict(list)
        for way, labels in self._phrases.items():
            for label, texts in labels.items():
                for text in texts:
                    form = text.lower() if way == "caseless" else text
                    words = tuple(form[a:b] for a, b in find_words(form).tolist())
                    if words:
                        table = self._caseless if way == "caseless" else self._exact
                        table[words[0]].append((words, label, way == "before_name"))

    def __bool__(self) -> bool:
        return bool(self._exact or self._caseless)

    def find(self, text: str, bounds: Sequence[Sequence[int]]) -> list[tuple[int, int, str]]:
        """Return start and end of each phrase in code points, and its label, in order.

        Args:
            text: the text.
            bounds: start and end of its words; see :func:`training.tagging.find_words`.
        """
        words = [text[a:b] for a, b in bounds]
        lowered = [word.lower() for word in words]
        found: list[tuple[int, int, str]] = []
        for tables, forms in ((self._exact, words), (self._caseless, lowered)):
            for place, first in enumerate(forms):
                for phrase, label, before_name in tables.get(first, ()):
                    end = place + len(phrase)
                    if tuple(forms[place:end]) == phrase and (
                        not before_name or (end < len(words) and words[end].istitle())
                    ):
                        found.append((place, end, label))
        spans: list[tuple[int, int, str]] = []
        taken = [False] * len(words)
        for place, end, label in sorted(found, key=lambda f: (f[0] - f[1], f)):
            start, stop = bounds[place][0], bounds[end - 1][1]
            if not any(taken[place:end]) and "\n" not in text[start:stop]:
                taken[place:end] = [True] * (end - place)
                spans.append((start, stop, label))
        return sorted(spans)

    def to_bytes(self) -> bytes:
        """Return the phrases as JSON."""
        return json.dumps(self._phrases, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> PhraseFinder:
        """Read what :meth:`to_bytes` gave.

        Raises:
            ValueError: if it is no such JSON.
        """
        value: Any = json.loads(content)
        if not isinstance(value, dict) or not set(value) <= set(_WAYS):
            raise ValueError("not a file of phrases")
        return cls(value)
