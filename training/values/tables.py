"""The compiled value tables of a label set, as they are stored with a model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

VALUES_FORMAT = 1
"""Version of the JSON of :meth:`ValueTables.to_bytes`."""


@dataclass(frozen=True)
class Entry:
    """A known entity or grade.

    Attributes:
        name: the name by which reasons call it.
        keys: how texts write it, as comparable words with a space between them; the first one is
            the key of the name.
        values: possible values by field; a field that is missing is unknown.
    """

    name: str
    keys: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Word:
    """A word or phrase inside mentions that says the value of a field."""

    phrase: str
    field: str
    value: str


@dataclass(frozen=True)
class Cue:
    """A phrase of the text that says something of the mentions around it.

    Attributes:
        phrase: the phrase, compared with case.
        field: the field.
        value: its value.
        kind: `member` for a phrase that names a force or its people ("Royal Navy", "Polish"),
            `place` for one that is as often a location ("Poland"), which counts only directly
            before a mention and in the majority of a document.
    """

    phrase: str
    field: str
    value: str
    kind: str = "member"


@dataclass(frozen=True)
class LabelValues:
    """How the mentions of a label get values.

    Attributes:
        entries: known entities or grades.
        source: name of the file with the entries, for reasons.
        fields: all fields, in order of output.
        context: the fields that the surroundings of a mention may settle.
        partial: those of them whose lists in the entries are not complete, so that a value outside
            them is no contradiction.
        excluded: values that no mention has, such as NATO as the country of a rank.
        weak: the context fields that the sentence and the majority of the document may settle.
        words: phrases inside mentions, in order of precedence.
        last: fields of which the last word in the first part of a mention counts; of other fields
            the first row of `words`.
        generic: words that do not make a name distinctive: an entry whose forms have only such
            words and a number needs a context that agrees.
        number: the field of a designation's numbers; None for none.
        head: the field of a name without its head words; None for none.
        head_words: these words.
        edition: the field of a year or number at the end of a name; None for none.
        repeats: whether a mention may be a short form of an earlier, longer one ("the general").
        id: the fields that make an identifier.
    """

    entries: tuple[Entry, ...] = ()
    source: str = ""
    fields: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()
    last: tuple[str, ...] = ()
    generic: tuple[str, ...] = ()
    number: str | None = None
    head: str | None = None
    head_words: tuple[str, ...] = ()
    edition: str | None = None
    repeats: bool = False
    id: tuple[str, ...] = ()


@dataclass(frozen=True)
class ValueTables:
    """The value tables of a label set.

    Attributes:
        labels: tables by label. Labels are worked on in this order, so that the units of a text
            are known when its ranks are.
        cues: phrases around mentions.
        spellings: words that are compared as other words, such as "armoured" as "armored".
    """

    labels: Mapping[str, LabelValues] = field(default_factory=dict)
    cues: tuple[Cue, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the tables as JSON."""
        labels = {
            label: {
                **vars(table),
                "entries": [[e.name, e.keys, e.values] for e in table.entries],
                "words": [[w.phrase, w.field, w.value] for w in table.words],
            }
            for label, table in self.labels.items()
        }
        value = {
            "format": VALUES_FORMAT,
            "labels": labels,
            "cues": [[c.phrase, c.field, c.value, c.kind] for c in self.cues],
            "spellings": dict(self.spellings),
        }
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> ValueTables:
        """Read the JSON of :meth:`to_bytes`.

        Raises:
            ValueError: if it is not the JSON of value tables.
        """
        value: Any = json.loads(content)
        if not isinstance(value, dict) or value.get("format") != VALUES_FORMAT:
            raise ValueError("not the value tables of this version")
        try:
            return cls(
                {label: _read_table(table) for label, table in value["labels"].items()},
                tuple(Cue(*row) for row in value["cues"]),
                value["spellings"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("the value tables are damaged") from error


def _read_table(table: Mapping[str, Any]) -> LabelValues:
    lists: dict[str, Any] = {
        name: _tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
    lists["entries"] = tuple(
        Entry(name, _tuple(keys), {f: _tuple(v) for f, v in values.items()})
        for name, keys, values in table["entries"]
    )
    lists["words"] = tuple(Word(*row) for row in table["words"])
    return LabelValues(**lists)


def _tuple(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)
