"""Finding the values of a document's mentions in the value tables and in the text around them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from .context import Context, CueTable, Evidence, first_compatible
from .designation import name_key, name_parts, part_numbers, tokens
from .norm import Norm
from .tables import Entry, LabelValues, ValueTables, Word

_NAME_AFTER = re.compile(r"(?:\s+(?:[^\W\d_]\.)*(?:[^\W\d_a-z][\w’'-]*\.?|al|de|van|von|bin|el))+")
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


class _Earlier(NamedTuple):
    """A mention that has its values already.

    Attributes:
        start: its first code point.
        keys: keys of the names of its entries.
        person: words of the name that follows it.
        entries: the entries that it may be.
        evidence: what the context said of it.
    """

    start: int
    keys: frozenset[str]
    person: tuple[str, ...]
    entries: tuple[Entry, ...]
    evidence: tuple[Evidence, ...]


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
    """A mention on its way to a :class:`Norm`."""

    mention: MentionLike
    text: str
    entries: tuple[Entry, ...]
    evidence: list[Evidence]
    reason: str = ""


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
        self._words: dict[tuple[str, ...], list[tuple[int, Word]]] = defaultdict(list)
        for row, word in enumerate(table.words):
            self._words[self._key(word.phrase)].append((row, word))
        self._longest_word = max(map(len, self._words), default=0)
        # Names repeat, within a document and between documents.
        self._look_up = lru_cache(CACHED_NAMES)(self._look_up_uncached)
        self._parse = lru_cache(CACHED_NAMES)(self._parse_uncached)

    def _key(self, text: str) -> tuple[str, ...]:
        return name_key(text, self._spellings)

    def normalize(self, text: str, mentions: Sequence[MentionLike], context: Context) -> list[Norm]:
        """Return the values of mentions of the label, which are in order of position."""
        drafts, earlier = [], list[_Earlier]()
        for mention in mentions:
            draft = self._draft(text, mention, context)
            if self.table.repeats:
                self._repeat(text, draft, earlier)
            drafts.append(draft)
        # The majority counts all local evidence, so it is read after the last mention.
        for draft in drafts:
            for field in self.table.context:
                local = [e for e in draft.evidence if e.field == field and e.strong]
                if local:
                    context.settle(draft.mention.start, draft.mention.end, field, local[0].value)
        norms = []
        for draft in drafts:
            self._add_weak_evidence(draft, context)
            norms.append(self._decide(draft, context))
        return norms

    def _draft(self, text: str, mention: MentionLike, context: Context) -> _Draft:
        """Look a mention up, and collect the words directly around it."""
        covered = text[mention.start : mention.end]
        evidence = [
            Evidence(field, parsed[0], "the mention's words", True)
            for field, parsed in self._parse(covered).items()
            if field in self.table.context
        ]
        evidence += context.near(mention.start, mention.end) if self.table.context else []
        entries = self._look_up(covered)
        if not entries and self.table.context:
            # Without the country and service before the name: "Nigerian Army 6 Division".
            start = mention.start
            for cue in context.inside(mention.start, mention.end):
                if not text[start : cue.start].strip():
                    start = max(start, cue.end)
            entries = self._look_up(text[start : mention.end])
        return _Draft(mention, covered, entries, evidence)

    def _look_up_uncached(self, name: str) -> tuple[Entry, ...]:
        """Return the entries of a name, or of its singular."""
        key = " ".join(self._key(name))
        entries = self._by_key.get(key) or self._by_key.get(key.removesuffix("s")) or []
        return tuple(entries)

    def _repeat(self, text: str, draft: _Draft, earlier: list[_Earlier]) -> None:
        """Take the entries of an earlier mention of the same person, and remember this one.

        "the general" and "Gen. Doe" repeat "Lt. Gen. Ann Doe". A bare one without "the" may mean
        the grade itself and keeps its own entries too.
        """
        mention = draft.mention
        keys = frozenset(entry.keys[0] for entry in draft.entries)
        match = _NAME_AFTER.match(text, mention.end)
        person = tuple(match[0].split()) if match else ()
        longer = [e for e in earlier if _ends_with(e.keys, keys)]
        if person:
            last = person[-1].rstrip(".'’s")
            same = [
                e
                for e in earlier
                if (e.keys & keys or e in longer) and last in [w.rstrip(".'’s") for w in e.person]
            ]
            if same:
                draft.entries = same[-1].entries
                draft.evidence += same[-1].evidence
                draft.reason = f"same name as at {same[-1].start}"
        elif longer:
            definite = text[: mention.start].lower().endswith("the ")
            names = {entry.name for e in longer for entry in e.entries}
            is_own_rank = any(e.person and e.keys & keys and e not in longer for e in earlier)
            if definite and len(names) == 1 and not is_own_rank:
                draft.entries = longer[-1].entries
                draft.evidence += longer[-1].evidence
                draft.reason = f"short for the rank at {longer[-1].start}"
            else:
                draft.entries += tuple(entry for e in longer for entry in e.entries)
        keys = frozenset(entry.keys[0] for entry in draft.entries)
        strong = tuple(e for e in draft.evidence if e.strong)
        earlier.append(_Earlier(mention.start, keys, person, draft.entries, strong))

    def _add_weak_evidence(self, draft: _Draft, context: Context) -> None:
        mention = draft.mention
        for field in self.table.context:
            for weak in (
                context.sentence(mention.start, mention.end, field),
                context.majority(field),
            ):
                if weak is not None:
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
        for field in table.fields:
            options = _options(entries, field)
            complete = bool(entries) and all(entry.values.get(field) for entry in entries)
            evidence = None
            if field in table.context:
                allowed = () if field in table.partial else options
                evidence = first_compatible(draft.evidence, field, allowed)
            if field in (table.number, table.edition) or (field == table.head and not options):
                if field in parsed:
                    values[field], reasons[field] = parsed[field], "the mention's words"
            elif len(options) == 1 and complete and not (evidence and field in table.partial):
                values[field], reasons[field] = options, source
            elif evidence is not None:
                values[field], reasons[field] = (evidence.value,), evidence.reason
            elif options and field not in table.partial:
                open_values[field], reasons[field] = options, source
            elif field in parsed:
                values[field], reasons[field] = parsed[field], "the mention's words"
        return Norm(self._identify(entries, values), values, open_values, reasons)

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
                        if any(context.supports(field, v) for v in e.values.get(field, ()))
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
        found = self._find_words(name) if self._words else []
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
            numbers = part_numbers(name[part[0] : part[1]])
            if numbers:
                values[table.number] = numbers
        if table.head:
            self._strip_head(name, values)
        return values

    def _find_words(self, name: str) -> list[tuple[int, int, Word, int]]:
        """Return start, end, word and row of the table's words in a name; the longest ones."""
        found = tokens(name, self._spellings)
        result, index = [], 0
        while index < len(found):
            step = 1
            for length in range(min(self._longest_word, len(found) - index), 0, -1):
                rows = self._words.get(tuple(t.key for t in found[index : index + length]))
                if rows:
                    start, end = found[index].start, found[index + length - 1].end
                    result += [(start, end, word, row) for row, word in rows]
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


def _options(entries: Iterable[Entry], field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v for entry in entries for v in entry.values.get(field, ())))


def _ends_with(longer: Iterable[str], shorter: Iterable[str]) -> bool:
    """Return whether one of the longer names ends with one of the shorter ones."""
    return any(name.endswith(f" {end}") for name in longer for end in shorter)


def _slug(value: str) -> str:
    return _SLUG.sub("-", value.lower()).strip("-")
