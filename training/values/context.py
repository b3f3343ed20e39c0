"""What the text around a mention says of its country and service.

Evidence is ordered by strength: words inside a mention, words directly before or after it, the
same person named before, the sentence, and the majority of the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .tables import Cue

_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+")
_GAP_BEFORE = re.compile(
    r"(?:['’]s?)?[\s-]*(?:(?:the|then|retired|former|acting|own|new|,)\s+)*[\s\"“]*", re.IGNORECASE
)
_GAP_AFTER = re.compile(r"(?:\s*,\s*|\s+)(?:of\s+)?(?:the\s+)?", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?:[a-z0-9)]{3}[.!?][\"”’)]*|[.!?][\"”])\s+(?=[\"“A-Z0-9])|\n+")
MIN_MAJORITY = 0.75
"""Share of the votes from which the most frequent value of a document counts."""
MIN_VOTES = 2
PLACE_VOTE = 0.25
"""Vote of a place name, where a word that names a force or its people has one vote."""


class Found(NamedTuple):
    """A cue in a text: start and end in code points, field, value and kind."""

    start: int
    end: int
    field: str
    value: str
    kind: str


class Evidence(NamedTuple):
    """A value that the text suggests for a field of a mention.

    Attributes:
        field: the field.
        value: the value.
        reason: the words that suggest it.
        strong: whether they belong to the mention for sure; evidence of the sentence and of the
            document does not.
    """

    field: str
    value: str
    reason: str
    strong: bool


class CueTable:
    """Finds cues in a text. Of overlapping ones the longest is kept.

    Args:
        cues: the cues.
    """

    def __init__(self, cues: Iterable[Cue]) -> None:
        lengths: dict[str, set[int]] = defaultdict(set)
        self._cues: dict[tuple[str, ...], list[Cue]] = defaultdict(list)
        for cue in cues:
            words = tuple(_WORD.findall(cue.phrase))
            if words:
                lengths[words[0]].add(len(words))
                self._cues[words].append(cue)
        self._lengths = {word: sorted(numbers, reverse=True) for word, numbers in lengths.items()}

    def find(self, text: str) -> list[Found]:
        """Return the cues of a text in order. A phrase with several fields gives several."""
        words = _WORD.findall(text)
        first = [index for index, word in enumerate(words) if word in self._lengths]
        if not first:
            return []
        bounds = [match.span() for match in _WORD.finditer(text)]
        found, covered = [], 0
        for index in first:
            if index < covered:
                continue
            for length in self._lengths[words[index]]:
                cues = self._cues.get(tuple(words[index : index + length]))
                if cues is not None and index + length <= len(words):
                    start, end = bounds[index][0], bounds[index + length - 1][1]
                    found += [Found(start, end, cue.field, cue.value, cue.kind) for cue in cues]
                    covered = index + length
                    break
        return found


class Context:
    """The cues of a document, and the values that its mentions have got so far.

    Args:
        text: the text.
        cues: finds cues.
        spans: start and end of the mentions.
    """

    def __init__(self, text: str, cues: CueTable, spans: Iterable[tuple[int, int]]) -> None:
        self._text = text
        self._cues = cues.find(text)
        self._starts = [cue.start for cue in self._cues]
        self._borders = [0, *(m.end() for m in _SENTENCE_END.finditer(text)), len(text)]
        self._spans = sorted(spans)
        self._settled: list[Found] = []
        self._votes: dict[str, Counter[str]] = defaultdict(Counter)
        for cue in self._cues:
            self._votes[cue.field][cue.value] += 1 if cue.kind == "member" else PLACE_VOTE  # type: ignore[assignment]

    def settle(self, start: int, end: int, field: str, value: str) -> None:
        """Record a value of a mention, as evidence for later ones."""
        self._settled.append(Found(start, end, field, value, "member"))
        self._votes[field][value] += 1

    def inside(self, start: int, end: int) -> list[Found]:
        """Return the cues inside a span."""
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end)
        return [cue for cue in self._cues[first:last] if cue.end <= end]

    def near(self, start: int, end: int) -> list[Evidence]:
        """Return the evidence of words inside a mention and directly before and after it."""
        found = self.inside(start, end)
        found += self._chain_before(start)
        found += self._chain_after(end)
        return [_evidence(self._text, cue, strong=True) for cue in found]

    def _chain_before(self, start: int) -> list[Found]:
        chain: list[Found] = []
        border = start
        for cue in reversed(self._cues[: bisect_left(self._starts, start)]):
            same = bool(chain) and cue.start == chain[-1].start
            if cue.end > border and not same:
                continue
            if not same and not _GAP_BEFORE.fullmatch(self._text[cue.end : border]):
                break
            chain.append(cue)
            border = cue.start
        return chain

    def _chain_after(self, end: int) -> list[Found]:
        """Return the cues of "of the Nigerian Army" after a mention, outside other mentions."""
        chain: list[Found] = []
        border = end
        for cue in self._cues[bisect_left(self._starts, end) :]:
            same = bool(chain) and cue.start == chain[-1].start
            if not same and not _GAP_AFTER.fullmatch(self._text[border : cue.start]):
                break
            if any(start <= cue.start < stop for start, stop in self._spans):
                break
            chain.append(cue)
            border = cue.end
        return chain

    def sentence(self, start: int, end: int, field: str) -> Evidence | None:
        """Return the evidence of the sentence.

        The next settled mention after it counts first, then all cues if they agree.
        """
        index = bisect_left(self._borders, start + 1)
        left = self._borders[max(index - 1, 0)]
        right = max(self._borders[min(index, len(self._borders) - 1)], end)
        mine = [f for f in self._settled if f.field == field and left <= f.start < right]
        after = sorted(f for f in mine if f.start >= end)
        if after:
            return _evidence(self._text, after[0], strong=False)
        cues = [f for f in self._cues if f.field == field and left <= f.start < right]
        named = [f for f in (*cues, *mine) if f.kind == "member"]
        if named and len({f.value for f in (*cues, *named)}) == 1:
            nearest = min(named, key=lambda f: abs(f.start - start))
            return _evidence(self._text, nearest, strong=False)
        return None

    def majority(self, field: str) -> Evidence | None:
        """Return the value that most cues and settled mentions of the document have."""
        votes = self._votes[field]
        total = sum(votes.values())
        if not votes:
            return None
        value, count = votes.most_common(1)[0]
        if count < MIN_VOTES or count < MIN_MAJORITY * total:
            return None
        share = f"{count / total:.0%}"
        return Evidence(field, value, f"{value} has {share} of the document's cues", strong=False)

    def supports(self, field: str, value: str) -> bool:
        """Return whether anything in the document has this value."""
        return self._votes[field][value] > 0

    def is_silent(self, field: str) -> bool:
        """Return whether nothing in the document has a value of this field."""
        return not self._votes[field]


def _evidence(text: str, cue: Found, *, strong: bool) -> Evidence:
    words = " ".join(text[cue.start : cue.end].split())
    return Evidence(cue.field, cue.value, f"'{words}' at {cue.start}", strong)


def first_compatible(
    evidence: Sequence[Evidence], field: str, options: Iterable[str]
) -> Evidence | None:
    """Return the strongest evidence for a field whose value is an option; any value if none are.

    Args:
        evidence: in order of strength.
        field: the field.
        options: the allowed values; none for all.
    """
    allowed = set(options)
    for item in evidence:
        if item.field == field and (not allowed or item.value in allowed):
            return item
    return None
