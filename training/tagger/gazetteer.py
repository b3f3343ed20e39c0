"""The gazetteer: known phrases and token patterns, whose matches are features of the network."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import compress
from typing import Any

from .patterns import PatternMatcher, without_case
from .words import find_words, lower_case

_MATCH_MODES = ("exact", "caseless", "before_name")
_PATTERN_FIELDS = ("patterns", "classes")
EXCEPTION = "O"
"""Label of the patterns for what is not a mention; matches that overlap theirs are dropped."""
_MIN_ACRONYM_LENGTH = 5
"""Length from which acronyms are found in text without case. Many shorter ones are words too."""


class Gazetteer:
    """Finds known phrases and patterns in a text. Of overlapping matches the longest is kept.

    Matches never cross a line break. Patterns of the label :data:`EXCEPTION` find what is not a
    mention, such as "Attorney General": other matches that overlap theirs are dropped.

    Args:
        phrases: phrases by label, by match mode. `exact` compares case, `caseless` does not,
            `before_name` compares case and requires a capitalized word after the phrase.
        patterns: token patterns; see :class:`PatternMatcher`.
        classes: token classes of the patterns, if known; see :attr:`PatternMatcher.classes`.

    Raises:
        ValueError: if a pattern is not supported.
    """

    def __init__(
        self,
        phrases: Mapping[str, Mapping[str, Iterable[str]]],
        patterns: Sequence[Mapping[str, Any]] = (),
        classes: Iterable[Sequence[int]] = (),
    ) -> None:
        self._patterns = list(patterns)
        self._matcher = PatternMatcher(self._patterns, classes)
        self._phrases = {
            mode: {label: sorted(texts) for label, texts in sorted(phrases.get(mode, {}).items())}
            for mode in _MATCH_MODES
        }
        self._exact, self._caseless = _PhraseTable(), _PhraseTable()
        for mode, labels in self._phrases.items():
            for label, texts in labels.items():
                for text in texts:
                    form = text.lower() if mode == "caseless" else text
                    words = tuple(form[start:end] for start, end in find_words(form).tolist())
                    if words:
                        table = self._caseless if mode == "caseless" else self._exact
                        table.add(words, label, before_name=mode == "before_name")

    def __bool__(self) -> bool:
        labels = {pattern["label"] for pattern in self._patterns}
        return bool(self._exact.lengths or self._caseless.lengths or labels - {EXCEPTION})

    def find(
        self, text: str, bounds: Sequence[Sequence[int]], caseless: Sequence[bool] = ()
    ) -> list[tuple[int, int, str]]:
        """Return start and end in code points and label of each match, in order.

        Args:
            text: the text.
            bounds: start and end of its words; see :func:`orbat.training.tagger.words.find_words`.
            caseless: whether each word belongs to text without case; none does by default. There,
                phrases are compared without case. Those that are often common words are not found:
                short acronyms, and phrases that match only before a name.
        """
        if not any(caseless):
            return longest_spans(text, self.candidates(text, bounds))
        cased = [not value for value in caseless]
        spans = self.find(_mask(text, compress(bounds, caseless)), list(compress(bounds, cased)))
        lowered = _mask(lower_case(text), compress(bounds, cased))
        spans += self._without_case.find(lowered, list(compress(bounds, caseless)))
        return sorted(spans)

    def candidates(self, text: str, bounds: Sequence[Sequence[int]]) -> list[tuple[int, int, str]]:
        """Return all matches that no exception overlaps; they may overlap. See :meth:`find`."""
        words = [text[start:end] for start, end in bounds]
        lowered = [word.lower() for word in words]
        spans = self._matcher.find(text) if self._patterns else []
        for table, forms in ((self._exact, words), (self._caseless, lowered)):
            lengths, phrases = table.lengths, table.phrases
            for start in [index for index, first in enumerate(forms) if first in lengths]:
                for end in (start + length for length in lengths[forms[start]]):
                    if end > len(words):
                        continue
                    for label, before_name in phrases.get(tuple(forms[start:end]), ()):
                        if not before_name or (end < len(words) and words[end].istitle()):
                            spans.append((bounds[start][0], bounds[end - 1][1], label))
        return _without_exceptions(text, spans)

    @cached_property
    def _without_case(self) -> Gazetteer:
        """The gazetteer for text without case, in lower case."""
        phrases = {
            label: {text for text in texts if not _is_short_acronym(text)}
            for label, texts in self._phrases["exact"].items()
        }
        for label, texts in self._phrases["caseless"].items():
            phrases.setdefault(label, set()).update(texts)
        return Gazetteer({"caseless": phrases}, [without_case(entry) for entry in self._patterns])

    def to_bytes(self, *, classes: bool = False) -> bytes:
        """Return phrases and patterns as JSON.

        Args:
            classes: whether to add the classes of the tokens seen so far, which speed up the first
                matches of a gazetteer that is read from the JSON.
        """
        value: dict[str, Any] = {**self._phrases, "patterns": self._patterns}
        if classes:
            value["classes"] = self._matcher.classes
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Gazetteer:
        """Read the JSON of :meth:`to_bytes`.

        Raises:
            ValueError: if it is not a gazetteer, or a pattern is not supported.
        """
        value: Any = json.loads(content)
        if not isinstance(value, dict) or not set(value) <= {*_MATCH_MODES, *_PATTERN_FIELDS}:
            raise ValueError("not a gazetteer")
        return cls(value, *(value.get(field, ()) for field in _PATTERN_FIELDS))


class _PhraseTable:
    """Phrases, for lookup by their words.

    Attributes:
        lengths: by first word, the numbers of words in phrases that start with it.
        phrases: by words, the labels of the phrase, each with whether a name must follow.
    """

    def __init__(self) -> None:
        self.lengths: dict[str, set[int]] = defaultdict(set)
        self.phrases: dict[tuple[str, ...], set[tuple[str, bool]]] = defaultdict(set)

    def add(self, words: tuple[str, ...], label: str, *, before_name: bool) -> None:
        """Add a phrase."""
        self.lengths[words[0]].add(len(words))
        self.phrases[words].add((label, before_name))


def _is_short_acronym(text: str) -> bool:
    return len(text) < _MIN_ACRONYM_LENGTH and text.isalpha() and text.isupper()


def _mask(text: str, bounds: Iterable[Sequence[int]]) -> str:
    """Replace words by line breaks, which matches do not cross."""
    characters = list(text)
    for start, end in bounds:
        characters[start:end] = "\n" * (end - start)
    return "".join(characters)


def _without_exceptions(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Drop the exceptions, and the spans that overlap them."""
    exceptions = [span for span in spans if span[2] == EXCEPTION]
    if not exceptions:
        return spans
    taken = bytearray(len(text))
    for start, end, _ in exceptions:
        taken[start:end] = b"\1" * (end - start)
    return [span for span in spans if span[2] != EXCEPTION and not any(taken[span[0] : span[1]])]


def longest_spans(text: str, spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the longest of overlapping spans, in order of position.

    Spans that cross a line break are dropped. Of equally long ones the first is kept, and of those
    at the same position the one with the first label in alphabetical order.
    """
    taken = bytearray(len(text))
    kept = []
    for start, end, label in sorted(set(spans), key=lambda span: (span[0] - span[1], span)):
        # A taken span is at least as long, so one that overlaps covers the start or the end.
        if not (taken[start] or taken[end - 1]) and "\n" not in text[start:end]:
            taken[start:end] = b"\1" * (end - start)
            kept.append((start, end, label))
    return sorted(kept)
