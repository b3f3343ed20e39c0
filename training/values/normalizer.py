"""Finding the values of a document's mentions in the value tables and in the text around them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from .context import Context, CueTable, Evidence, first_compatible
from .designation import name_key, part_numbers
from .name_parser import CACHED_NAMES, NameParser
from .norm import Norm
from .repeats import Draft, MentionLike, resolve_repeats
from .tables import Entry, LabelValues, ValueTables

_NAME_AFTER = re.compile(
    r"(?:\s{1,9}(?:(?:[^\W\d_]\.)+|[^\W\d_a-z][\w’'-]*|al|de|van|von|bin|el))+"
)
_SLUG = re.compile(r"[\W_]+")


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
        # Names repeat, within a document and between documents.
        self._look_up = lru_cache(CACHED_NAMES)(self._look_up_uncached)
        self._names = NameParser(table, spellings)

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
            resolve_repeats(text, drafts)
        # The majority counts what is known of all mentions, so it is read after the last one.
        for draft in drafts:
            self._settle_strong(draft, context)
        for draft in drafts:
            self._add_weak_evidence(draft, context)
        return [self._decide(draft, context) for draft in drafts]

    def _draft(self, text: str, mention: MentionLike, end: int, context: Context) -> Draft:
        """Look a mention up, and collect the words directly around it."""
        covered = text[mention.start : mention.end]
        match = _NAME_AFTER.match(text, mention.end) if self.table.repeats else None
        person = tuple(match[0].split()) if match else ()
        evidence = [
            Evidence(field, parsed[0], "the mention's words", True)
            for field, parsed in self._names.parse(covered).items()
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
        return Draft(mention, covered, keys, person, after, end, entries, evidence)

    def _look_up_uncached(self, name: str) -> tuple[Entry, ...]:
        """Return the entries of a name, or of its singular."""
        key = " ".join(self._key(name))
        entries = self._by_key.get(key) or self._by_key.get(key.removesuffix("s")) or []
        return tuple(entries)

    def _settle_strong(self, draft: Draft, context: Context) -> None:
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
                and not self._names.is_generic(draft.text)
            ):
                context.settle(start, end, field, options[0], known=True)

    def _add_weak_evidence(self, draft: Draft, context: Context) -> None:
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

    def _decide(self, draft: Draft, context: Context) -> Norm:
        """Narrow the entries by the evidence, and settle each field."""
        table = self.table
        values: dict[str, tuple[str, ...]] = {}
        open_values: dict[str, tuple[str, ...]] = {}
        reasons: dict[str, str] = {}
        entries = self._narrow(draft, context)
        source = f"{table.source}: '{entries[0].name}'" if entries else ""
        if draft.reason:
            source = f"{source}, {draft.reason}"
        parsed = self._names.parse(draft.text)
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

    def _narrow(self, draft: Draft, context: Context) -> tuple[Entry, ...]:
        """Return the entries that agree with the evidence.

        By the first context field, entities of the same name are told apart.
        """
        entries = draft.entries
        for field in self.table.context:
            is_partial = field in self.table.partial
            tells_apart = not is_partial and field == self.table.context[0]
            is_common = tells_apart and self._names.is_generic(draft.text)
            for item in (item for item in draft.evidence if item.field == field):
                agreeing = tuple(e for e in entries if item.value in e.values.get(field, ()))
                if agreeing:
                    entries = agreeing
                    break
                if is_partial and item.strong:
                    # A country that the entries do not list; weaker evidence names another one.
                    break
                if tells_apart and (item.strong or is_common):
                    # An entity of another country.
                    return ()
            else:
                if is_common:
                    entries = tuple(
                        entry
                        for entry in entries
                        if any(
                            context.is_most_frequent(field, value)
                            for value in entry.values.get(field, ())
                        )
                    )
        return entries

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


def _slug(value: str) -> str:
    return _SLUG.sub("-", value.lower()).strip("-")
