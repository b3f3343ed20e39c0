"""Short forms of a rank: "Gen. Doe" and "the general" after "Lt. Gen. Ann Doe"."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .context import Evidence
from .tables import Entry


class MentionLike(Protocol):
    """A mention: start and end in code points, and label."""

    @property
    def start(self) -> int:
        """First code point."""

    @property
    def end(self) -> int:
        """Code point after the last."""

    @property
    def label(self) -> str:
        """The label's name."""


@dataclass
class Draft:
    """A mention on its way to a :class:`Norm`.

    Attributes:
        mention: the mention.
        text: its text.
        keys: keys of the names of its entries, or of its text if it has none.
        person: words of the name that follows it.
        after: where the text behind the mention and this name begins.
        next: where the next mention of the label begins.
        entries: the entries that it may be.
        evidence: what the context says of it, the strongest first.
        reason: why it has the entries of another mention; empty if it has its own.
    """

    mention: MentionLike
    text: str
    keys: frozenset[str]
    person: tuple[str, ...]
    after: int
    next: int
    entries: tuple[Entry, ...]
    evidence: list[Evidence]
    reason: str = ""


_Persons = defaultdict[str, defaultdict[frozenset[str], list[Draft]]]
"""The mentions with a person's name, by the last word of the name and by keys."""


class _Longer(NamedTuple):
    """The mentions that a bare one may shorten.

    Attributes:
        drafts: the mentions, in order.
        starts: their first code points.
        entries: all their entries.
        is_one_rank: whether they have one rank, and no person has the bare one as such.
        is_known: whether all have entries.
    """

    drafts: list[Draft]
    starts: list[int]
    entries: tuple[Entry, ...]
    is_one_rank: bool
    is_known: bool


def resolve_repeats(text: str, drafts: Sequence[Draft]) -> None:
    """Give short forms the entries of the longer ones that they repeat.

    "Gen. Doe" repeats "Lt. Gen. Ann Doe", and "the general" does so if all persons with such a
    rank have the same one. Any other bare "general" may mean the grade itself, and keeps its
    own entries too.
    """
    named = [draft for draft in drafts if draft.person]
    persons: _Persons = defaultdict(lambda: defaultdict(list))
    for draft in named:
        persons[_last_name(draft.person)][draft.keys].append(draft)
    _share_between_mentions(persons)
    longer_of: dict[frozenset[str], _Longer] = {}
    for draft in drafts:
        if draft.person:
            continue
        if draft.keys not in longer_of:
            longer_of[draft.keys] = _find_longer(draft.keys, named, persons)
        longer = longer_of[draft.keys]
        if not longer.drafts:
            continue
        definite = text[: draft.mention.start][-4:].lower() == "the "
        if definite and longer.is_one_rank:
            index = bisect_left(longer.starts, draft.mention.start)
            other = longer.drafts[max(index - 1, 0)]
            _take(draft, other, "short for the mention at")
            draft.evidence += [item for item in other.evidence if item.strong]
        elif longer.is_known:
            every = (*draft.entries, *longer.entries)
            draft.entries = tuple({id(entry): entry for entry in every}.values())
        else:
            draft.entries = ()


def _share_between_mentions(persons: _Persons) -> None:
    """Give all mentions of a person the longest rank, and what is known of any of them."""
    for ranks in persons.values():
        known = {
            keys: _distinct(item for draft in drafts for item in draft.evidence if item.strong)
            for keys, drafts in ranks.items()
        }
        firsts = {keys: drafts[0] for keys, drafts in ranks.items()}
        own_entries = {keys: draft.entries for keys, draft in firsts.items()}
        for keys, drafts in ranks.items():
            longer = [other for other in ranks if _extends(other, keys)]
            related = [*longer, *(other for other in ranks if other & keys)]
            shared = _distinct(item for other in related for item in known[other])
            for draft in drafts:
                draft.evidence = _distinct((*draft.evidence, *shared))
                if longer:
                    _take(draft, firsts[longer[0]], "same name as at")
                    draft.entries = own_entries[longer[0]]


def _take(draft: Draft, other: Draft, reason: str) -> None:
    draft.entries = other.entries
    draft.reason = f"{reason} {other.mention.start}"


def _find_longer(keys: frozenset[str], named: Sequence[Draft], persons: _Persons) -> _Longer:
    """Return the mentions with a person's name that a bare mention with some keys may shorten."""
    drafts = [
        d for d in named if _ends_with(d.keys, keys) or (not d.entries and _extends(d.keys, keys))
    ]
    is_own_rank = any(
        rank & keys and not any(_ends_with(other, rank) for other in ranks)
        for ranks in persons.values()
        for rank in ranks
    )
    entries = {id(entry): entry for draft in drafts for entry in draft.entries}
    return _Longer(
        drafts,
        [draft.mention.start for draft in drafts],
        tuple(entries.values()),
        not is_own_rank and len({draft.keys for draft in drafts}) == 1,
        all(draft.entries for draft in drafts),
    )


def _distinct(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the first item of evidence for each field and value, in order."""
    found: dict[tuple[str, str, bool], Evidence] = {}
    for item in evidence:
        found.setdefault((item.field, item.value, item.strong), item)
    return list(found.values())


def _ends_with(longer: Iterable[str], shorter: Iterable[str]) -> bool:
    """Return whether one of the longer names ends with one of the shorter ones."""
    return any(name.endswith(f" {end}") for name in longer for end in shorter)


def _extends(longer: Iterable[str], shorter: Iterable[str]) -> bool:
    """Return whether one of the longer names begins or ends with one of the shorter ones."""
    return _ends_with(longer, shorter) or any(
        name.startswith(f"{start} ") for name in longer for start in shorter
    )


def _last_name(person: Sequence[str]) -> str:
    """Return the last word of a name in lower case, to compare "DOE" with "Doe's"."""
    return person[-1].lower().removesuffix("'s").removesuffix("’s").strip(".,")
