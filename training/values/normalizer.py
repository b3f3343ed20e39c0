"""Finding the values of a document's mentions in the value tables and in the text around them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from .context import Context, CueTable, Evidence, first_compatible
from .designation import name_key, name_parts, part_numbers, tokens
from .norm import Norm
from .tables import Entry, LabelValues, ValueTables, Word

_NAME_AFTER = re.compile(r"(?:\s+(?:(?:[^\W\d_]\.)+|[^\W\d_a-z][\w’'-]*|al|de|van|von|bin|el))+")
_EDITION = re.compile(r"[\s-]+(['’]?\d{2}(?:-\d{1,2})?|(?:19|20)\d{2}(?:-\d{1,2})?|[IVX]{1,4})$")
CACHED_NAMES = 4096
"""Names of each label whose look-up is remembered."""
_SLUG = re.compile(r"[\W_]+")


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


class ValueNormalizer:
    """Gives mentions their values. Thread-safe; texts do not affect each other.

    Args:
        tables: the value tables of the label set.
    """

    def __init__(self, tables: ValueTables) -> None:
        self._spellings = tables.spellings
        self._cues = CueTable(tables.cues)
        self._labels = {
            label: _LabelNormalizer(label, table, tables.spellings)
            for label, table in tables.labels.items()
        }

    def __bool__(self) -> bool:
        return bool(self._labels)

    @property
    def fields(self) -> dict[str, tuple[str, ...]]:
        """The fields of each label's values, in order."""
        return {label: normalizer.table.fields for label, normalizer in self._labels.items()}

    def __call__(self, text: str, mentions: Sequence[MentionLike]) -> list[Norm | None]:
        """Return the values of each mention; None for labels without tables.

        Args:
            text: the text.
            mentions: its mentions, of any labels and in any order.
        """
        norms: list[Norm | None] = [None] * len(mentions)
        if not any(mention.label in self._labels for mention in mentions):
            return norms
        context = Context(text, self._cues, ((m.start, m.end) for m in mentions))
        for label, normalizer in self._labels.items():
            indices = [i for i, mention in enumerate(mentions) if mention.label == label]
            indices.sort(key=lambda i: mentions[i].start)
            found = normalizer.normalize(text, [mentions[i] for i in indices], context)
            for index, norm in zip(indices, found, strict=True):
                norms[index] = norm
        return norms


@dataclass
class _Draft:
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


_Persons = defaultdict[str, defaultdict[frozenset[str], list[_Draft]]]
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

    drafts: list[_Draft]
    starts: list[int]
    entries: tuple[Entry, ...]
    is_one_rank: bool
    is_known: bool


class _WordTable(NamedTuple):
    """The words of a field.

    Attributes:
        rows: row in the file and word, by comparable words.
        longest: the largest number of words in a phrase.
    """

    rows: dict[tuple[str, ...], tuple[int, Word]]
    longest: int


class _LabelNormalizer:
    """Gives the mentions of one label their values."""

    def __init__(self, label: str, table: LabelValues, spellings: Mapping[str, str]) -> None:
        self.label = label
        self.table = table
        self._spellings = spellings
        self._by_key: dict[str, list[Entry]] = defaultdict(list)
        for entry in table.entries:
            for key in entry.keys:
                self._by_key[key].append(entry)
        self._generic = {spellings.get(word, word) for word in table.generic}
        self._words: list[_WordTable] = []
        for field in dict.fromkeys(word.field for word in table.words):
            rows = enumerate(table.words)
            mine = {
                self._key(word.phrase): (row, word) for row, word in rows if word.field == field
            }
            self._words.append(_WordTable(mine, max(map(len, mine))))
        # Names repeat, within a document and between documents.
        self._look_up = lru_cache(CACHED_NAMES)(self._look_up_uncached)
        self._parse = lru_cache(CACHED_NAMES)(self._parse_uncached)

    def _key(self, text: str) -> tuple[str, ...]:
        return name_key(text, self._spellings)

    def normalize(self, text: str, mentions: Sequence[MentionLike], context: Context) -> list[Norm]:
        """Return the values of mentions of the label, which are in order of position."""
        ends = [*(mention.start for mention in mentions[1:]), len(text)][: len(mentions)]
        drafts = [
            self._draft(text, mention, end, context)
            for mention, end in zip(mentions, ends, strict=True)
        ]
        if self.table.repeats:
            self._resolve_repeats(text, drafts)
        # The majority counts what is known of all mentions, so it is read after the last one.
        for draft in drafts:
            self._settle_strong(draft, context)
        for draft in drafts:
            self._add_weak_evidence(draft, context)
        return [self._decide(draft, context) for draft in drafts]

    def _draft(self, text: str, mention: MentionLike, end: int, context: Context) -> _Draft:
        """Look a mention up, and collect the words directly around it."""
        covered = text[mention.start : mention.end]
        match = _NAME_AFTER.match(text, mention.end) if self.table.repeats else None
        person = tuple(match[0].split()) if match else ()
        evidence = [
            Evidence(field, parsed[0], "the mention's words", True)
            for field, parsed in self._parse(covered).items()
            if field in self.table.context
        ]
        after = match.end() if match else mention.end
        if self.table.context:
            evidence += context.near(mention.start, mention.end, after)
        entries = self._look_up(covered)
        if not entries and self.table.context:
            # Without the country and service before the name: "Nigerian Army 6 Division".
            start = mention.start
            for cue in context.inside(mention.start, mention.end):
                if not text[start : cue.start].strip():
                    start = max(start, cue.end)
            entries = self._look_up(text[start : mention.end])
        keys = frozenset(entry.keys[0] for entry in entries)
        keys = keys or frozenset([" ".join(self._key(covered))])
        evidence = [item for item in evidence if item.value not in self.table.excluded]
        return _Draft(mention, covered, keys, person, after, end, entries, evidence)

    def _look_up_uncached(self, name: str) -> tuple[Entry, ...]:
        """Return the entries of a name, or of its singular."""
        key = " ".join(self._key(name))
        entries = self._by_key.get(key) or self._by_key.get(key.removesuffix("s")) or []
        return tuple(entries)

    def _resolve_repeats(self, text: str, drafts: Sequence[_Draft]) -> None:
        """Give short forms the entries of the longer ones that they repeat.

        "Gen. Doe" repeats "Lt. Gen. Ann Doe", and "the general" does so if all persons with such a
        rank have the same one. Any other bare "general" may mean the grade itself, and keeps its
        own entries too.
        """
        named = [draft for draft in drafts if draft.person]
        persons: _Persons = defaultdict(lambda: defaultdict(list))
        for draft in named:
            persons[_last_name(draft.person)][draft.keys].append(draft)
        self._share_between_mentions(persons)
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
                self._take(draft, other, "short for the mention at")
                draft.evidence += [item for item in other.evidence if item.strong]
            elif longer.is_known:
                every = (*draft.entries, *longer.entries)
                draft.entries = tuple({id(entry): entry for entry in every}.values())
            else:
                draft.entries = ()

    def _share_between_mentions(self, persons: _Persons) -> None:
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
                        self._take(draft, firsts[longer[0]], "same name as at")
                        draft.entries = own_entries[longer[0]]

    @staticmethod
    def _take(draft: _Draft, other: _Draft, reason: str) -> None:
        draft.entries = other.entries
        draft.reason = f"{reason} {other.mention.start}"

    def _settle_strong(self, draft: _Draft, context: Context) -> None:
        """Record what is known of a mention without the sentence and the document."""
        start, end = draft.mention.start, draft.mention.end
        for field in self.table.context:
            options = _options(draft.entries, field)
            evidence = first_compatible(draft.evidence, field, ())
            if evidence is not None:
                context.settle(start, end, field, evidence.value, known=False)
            elif (
                len(options) == 1
                and field not in self.table.partial
                and not self._is_generic(draft.text)
            ):
                context.settle(start, end, field, options[0], known=True)

    def _add_weak_evidence(self, draft: _Draft, context: Context) -> None:
        for field in self.table.weak:
            for weak in (
                context.settled_after(draft.after, draft.next, field),
                context.majority(field),
            ):
                if weak is None or weak.value in self.table.excluded:
                    continue
                # What only the document suggests must be possible at least.
                if field not in self.table.partial or weak.value in _options(draft.entries, field):
                    draft.evidence.append(weak)

    def _decide(self, draft: _Draft, context: Context) -> Norm:
        """Narrow the entries by the evidence, and settle each field."""
        table = self.table
        values: dict[str, tuple[str, ...]] = {}
        open_values: dict[str, tuple[str, ...]] = {}
        reasons: dict[str, str] = {}
        entries = self._narrow(draft, context)
        source = f"{table.source}: '{entries[0].name}'" if entries else ""
        if draft.reason:
            source = f"{source}, {draft.reason}"
        parsed = self._parse(draft.text)
        named = self._named(entries, parsed)
        for field in table.fields:
            known = entries if field in table.context else named
            options = _options(known, field)
            complete = bool(known) and all(entry.values.get(field) for entry in known)
            evidence = None
            if field in table.context:
                allowed = () if field in table.partial else options
                evidence = first_compatible(draft.evidence, field, allowed)
            if field in (table.number, table.edition) or (field == table.head and not options):
                if field in parsed:
                    values[field], reasons[field] = parsed[field], "the mention's words"
            elif field in table.last and parsed.get(field, options) != options and options:
                both = dict.fromkeys((*options, *parsed[field]))
                open_values[field] = tuple(both)
                reasons[field] = f"{source}; the mention's words"
            elif len(options) == 1 and complete and not (evidence and field in table.partial):
                values[field], reasons[field] = options, source
            elif evidence is not None:
                values[field], reasons[field] = (evidence.value,), evidence.reason
            elif options and field not in table.partial:
                open_values[field], reasons[field] = options, source
            elif field in parsed:
                values[field], reasons[field] = parsed[field], "the mention's words"
        return Norm(self._identify(named, values), values, open_values, reasons)

    def _named(
        self, entries: tuple[Entry, ...], parsed: Mapping[str, tuple[str, ...]]
    ) -> tuple[Entry, ...]:
        """Return the entries without those that a mention belongs to.

        "2 RIFLES" is one of the battalions of The Rifles, whose country and service it shares.
        """
        if self.table.number is None or self.table.number not in parsed:
            return entries
        return tuple(entry for entry in entries if part_numbers(entry.name))

    def _narrow(self, draft: _Draft, context: Context) -> tuple[Entry, ...]:
        """Return the entries that agree with the evidence."""
        entries = draft.entries
        for field in self.table.context:
            partial = field in self.table.partial
            for item in draft.evidence:
                if item.field != field:
                    continue
                agreeing = tuple(e for e in entries if item.value in e.values.get(field, ()))
                if agreeing:
                    entries = agreeing
                    break
                if (
                    not partial
                    and field == self.table.context[0]
                    and (item.strong or self._is_generic(draft.text))
                ):
                    # An entity of another country.
                    entries = ()
                    break
            else:
                if not partial and self._is_generic(draft.text) and field == self.table.context[0]:
                    entries = tuple(
                        e
                        for e in entries
                        if any(context.is_most_frequent(field, v) for v in e.values.get(field, ()))
                    )
        return entries

    def _is_generic(self, name: str) -> bool:
        """Return whether a name has only generic words and numbers, so that many forces use it."""
        if not self._generic:
            return False
        found = tokens(name, self._spellings)
        return all(token.is_number or token.key in self._generic for token in found)

    def _parse_uncached(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the values that the words of a mention say."""
        table = self.table
        values: dict[str, tuple[str, ...]] = {}
        found = [item for words in self._words for item in self._find_words(name, words)]
        heads = [(start, end) for start, end, word, _ in found if word.field in table.last]
        parts = name_parts(name, heads) or [(0, len(name))]
        for field in {word.field for _, _, word, _ in found}:
            mine = [(row, s, e, word) for s, e, word, row in found if word.field == field]
            if field in table.last:
                part = next(p for p in parts if any(p[0] <= s < p[1] for _, s, _, _ in mine))
                inside = [item for item in mine if part[0] <= item[1] < part[1]]
                values[field] = (inside[-1][3].value,)
            else:
                values[field] = (min(mine)[3].value,)
        if table.number:
            part = next((p for p in parts if any(p[0] <= s < p[1] for s, _ in heads)), parts[0])
            nouns = [(s - part[0], e - part[0]) for s, e in heads if part[0] <= s < part[1]]
            numbers = part_numbers(name[part[0] : part[1]], nouns)
            if numbers:
                values[table.number] = numbers
        if table.head:
            self._strip_head(name, values)
        return values

    def _find_words(self, name: str, words: _WordTable) -> list[tuple[int, int, Word, int]]:
        """Return start, end, word and row of the words of a field in a name; the longest ones."""
        found = tokens(name, self._spellings)
        result, index = [], 0
        while index < len(found):
            step = 1
            for length in range(min(words.longest, len(found) - index), 0, -1):
                hit = words.rows.get(tuple(t.key for t in found[index : index + length]))
                if hit is not None:
                    start, end = found[index].start, found[index + length - 1].end
                    result.append((start, end, hit[1], hit[0]))
                    step = length
                    break
            index += step
        return result

    def _strip_head(self, name: str, values: dict[str, tuple[str, ...]]) -> None:
        """Set the fields of a name without head words, and of its year or number."""
        table = self.table
        words = "|".join(map(re.escape, sorted(table.head_words, key=len, reverse=True)))
        rest = name
        if table.edition and (match := _EDITION.search(rest)):
            values[table.edition] = (match[1].lstrip("'’"),)
            rest = rest[: match.start()]
        if words:
            border = rf"^(?:{words})\.?:?\s+(?=\S)|\s+(?:{words})$"
            rest = re.sub(border, "", rest, flags=re.IGNORECASE)
        if table.head is not None:
            values[table.head] = (rest.strip("\"“”'‘’ "),)

    def _identify(
        self, entries: tuple[Entry, ...], values: Mapping[str, tuple[str, ...]]
    ) -> str | None:
        """Return the id of the entity; None unless all its parts are settled."""
        if not entries or not self.table.id:
            return None
        parts = [values.get(field, ()) for field in self.table.id]
        if any(len(part) != 1 for part in parts):
            return None
        return "/".join([self.label.lower(), *(_slug(part[0]) for part in parts)])


def _find_longer(keys: frozenset[str], named: Sequence[_Draft], persons: _Persons) -> _Longer:
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


def _options(entries: Iterable[Entry], field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v for entry in entries for v in entry.values.get(field, ())))


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


def _slug(value: str) -> str:
    return _SLUG.sub("-", value.lower()).strip("-")
