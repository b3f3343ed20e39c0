"""What the text around a mention says of its country and service.

Evidence is ordered by strength: words inside a mention, words directly before or after it, the
same person named before, the sentence, and the majority of the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .tables import Cue

_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+")
_GAP_BEFORE = re.compile(
    r"(?:['’]s?)?[\s-]*(?:(?:the|then|retired|former|acting|own|new)\s+)*(?:[\"“][\s\"“]*)?",
    re.IGNORECASE,
)
_GAP_AFTER = re.compile(r"\s*(?:,|\(|\bof\b(?:\s+the\b)?|,\s+of(?:\s+the\b)?)\s*", re.IGNORECASE)
_GAP_NEXT = re.compile(r"(?:['’]s?)?\s+", re.IGNORECASE)
_SENTENCE_END = re.compile(
    r"(?:(?:[a-z0-9)]{3}|[A-Z]{3})[.!?][\"”’)]*|[.!?][\"”])\s+(?=[\"“A-Z0-9])|\n+"
)
MIN_MAJORITY = 0.8
"""Share of the votes from which the most frequent value of a document counts."""
MIN_VOTES = 4


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
            if index < covered or text[bounds[index][0] - 1 : bounds[index][0]] == "-":
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
        self._spans = sorted(spans)
        self._settled: dict[str, list[Found]] = defaultdict(list)
        self._votes: dict[str, Counter[str]] = defaultdict(Counter)
        for cue in self._cues:
            self._votes[cue.field][cue.value] += 1

    def settle(self, start: int, end: int, field: str, value: str, *, known: bool) -> None:
        """Record a value of a mention, as evidence for later ones.

        Args:
            start: the mention's first code point.
            end: the code point after its last.
            field: the field.
            value: its value.
            known: whether the value tables say so; other values have their cues as votes already.
        """
        insort(self._settled[field], Found(start, end, field, value, "member"))
        if known:
            self._votes[field][value] += 1

    def inside(self, start: int, end: int) -> list[Found]:
        """Return the cues inside a span."""
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end)
        return [cue for cue in self._cues[first:last] if cue.end <= end]

    def near(self, start: int, end: int, after: int) -> list[Evidence]:
        """Return the evidence of words inside a mention and directly before and after it.

        Args:
            start: the mention's first code point.
            end: the code point after its last.
            after: where "directly after" begins: behind the name of a person after the mention.
        """
        found = self._in_name(start, end)
        found += self._chain_before(start)
        found += self._chain_after(after)
        return [_evidence(self._text, cue, strong=True) for cue in found]

    def _in_name(self, start: int, end: int) -> list[Found]:
        """Return the cues inside a mention; places only at its beginning.

        "Latvia" is a location in "Battlegroup Latvia".
        """
        found: list[Found] = []
        border = start
        for cue in self.inside(start, end):
            at_start = not self._text[border : cue.start].strip()
            if at_start or cue.kind == "member":
                found.append(cue)
            if at_start or (found and cue.start == found[-1].start):
                border = max(border, cue.end)
        return found

    def _chain_before(self, start: int) -> list[Found]:
        chain: list[Found] = []
        border = start
        for index in range(bisect_left(self._starts, start) - 1, -1, -1):
            cue = self._cues[index]
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
        for index in range(bisect_left(self._starts, end), len(self._cues)):
            cue = self._cues[index]
            same = bool(chain) and cue.start == chain[-1].start
            between = self._text[border : cue.start]
            gap = (_GAP_NEXT if chain else _GAP_AFTER).fullmatch(between)
            if not same and gap is None:
                break
            if cue.kind == "place" and not chain and between.strip() == ",":
                # A location: "6 Division, Port Harcourt".
                break
            if self._is_in_mention(cue.start):
                break
            chain.append(cue)
            border = cue.end
        return chain

    def _is_in_mention(self, offset: int) -> bool:
        index = bisect_left(self._spans, (offset + 1,)) - 1
        return index >= 0 and offset < self._spans[index][1]

    def settled_after(self, start: int, end: int, field: str) -> Evidence | None:
        """Return the value of the next mention with one after an offset, in the same sentence.

        Args:
            start: where the search begins.
            end: where it ends, if the sentence does not end before.
            field: the field.
        """
        settled = self._settled[field]
        index = bisect_left(settled, (start,))
        if index == len(settled) or settled[index].start >= end:
            return None
        # The end of the sentence may depend on three letters before the offset.
        if _SENTENCE_END.search(self._text, max(start - 3, 0), settled[index].start + 1):
            return None
        return _evidence(self._text, settled[index], strong=False)

    def majority(self, field: str) -> Evidence | None:
        """Return the value that most cues and known mentions of the document have."""
        votes = self._votes[field]
        if not votes:
            return None
        value, count = votes.most_common(1)[0]
        share = count / sum(votes.values())
        if count < MIN_VOTES or share < MIN_MAJORITY:
            return None
        reason = f"{share:.0%} of the document's words that say one"
        return Evidence(field, value, reason, strong=False)

    def is_most_frequent(self, field: str, value: str) -> bool:
        """Return whether no other value of the field has more votes in the document."""
        votes = self._votes[field]
        return votes[value] > 0 and votes[value] == max(votes.values())


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
