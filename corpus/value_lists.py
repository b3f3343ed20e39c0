"""The values that a gazetteer declares: known entities, words and cues, read from its files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..errors import InputError
from .files import read_json_lines
from .inner_files import InnerFile, find_inner
from .reading.bounded import read_bytes

KINDS = ("member", "place")
"""The kinds of cues: names of a force or its people, and names that are as often a location."""
ENTITY_COLUMNS = ("document", "start", "end", "text", "label", "score", "id")
"""The first columns of a table of entities, whose names no field may have."""
_SEPARATOR = ";"
"""Between several values in a cell of a CSV file."""


class CueList(BaseModel):
    """The table `[context]` of a gazetteer file.

    Attributes:
        file: CSV beside the gazetteer file: phrase, field, value and kind (`member` or `place`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: InnerFile


class ValueList(BaseModel):
    """An entry `[[values]]` of a gazetteer file; `gazetteer.toml` describes its keys.

    Attributes:
        label: the label whose mentions get values.
        fields: the fields of the values, and the fields of an entry that hold them.
        file: the entries: JSON Lines or CSV beside the gazetteer file; None for none.
        forms: the fields of an entry by which mentions are looked up.
        context: the fields that the text around a mention may settle.
        partial: those of them whose lists in the entries are not complete.
        excluded: values that no mention has, such as NATO as the country of a rank.
        weak: those of them that the sentence and the majority of the document may settle.
        words: CSV of words inside mentions: phrase, field, value; None for none.
        last: fields of which the last word counts.
        generic: words that do not make a name distinctive.
        number: the field of the numbers of a name.
        head: the field of a name without its head words.
        head_words: the head words.
        edition: the field of a year or number at the end of a name.
        repeats: whether a mention may be a short form of an earlier one.
        id: the fields that make the identifier.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    fields: Annotated[dict[str, str], Field(min_length=1)]
    file: InnerFile | None = None
    forms: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    words: InnerFile | None = None
    last: tuple[str, ...] = ()
    generic: tuple[str, ...] = ()
    number: str | None = None
    head: str | None = None
    head_words: tuple[str, ...] = ()
    edition: str | None = None
    repeats: bool = False
    id: tuple[str, ...] = ()

    def error(self) -> str | None:
        """Return what is wrong with the names of fields; None if nothing is."""
        for name in self.fields:
            if name in ENTITY_COLUMNS:
                return f"'fields' has '{name}', the name of another column; rename it"
        named = {
            "context": self.context,
            "partial": self.partial,
            "weak": self.weak,
            "last": self.last,
            "number": (self.number,),
            "head": (self.head,),
            "edition": (self.edition,),
            "id": self.id,
        }
        for key, names in named.items():
            for field in names:
                if field is not None and field not in self.fields:
                    return f"'{key}' names '{field}', which 'fields' does not have"
        return None


def read_entries(
    folder: Path, values: ValueList
) -> Iterator[tuple[str, tuple[str, ...], dict[str, tuple[str, ...]]]]:
    """Yield the name, the forms and the values by field of each entry of a value list.

    Raises:
        InputError: if the file is missing or broken, or an entry has no name or values that are
            not strings.
    """
    if values.file is None:
        return
    if not values.forms:
        raise InputError(f"{folder / values.file}: 'forms' is empty; name the fields with forms")
    for location, entry in _read_rows(find_inner(folder, values.file)):
        names = [read_strings(entry.get(name), location, name) for name in values.forms]
        if not names[0]:
            raise InputError(f"{location}: no '{values.forms[0]}'; give the entry's name")
        found = {
            field: read_strings(entry.get(source), location, source)
            for field, source in values.fields.items()
        }
        forms = tuple(form for group in names for form in group)
        yield names[0][0], forms, {field: strings for field, strings in found.items() if strings}


def read_words(folder: Path, values: ValueList) -> Iterator[tuple[str, str, str]]:
    """Yield phrase, field and value of the words inside a label's mentions, in order.

    Raises:
        InputError: if the file is missing or broken, or a line names an unknown field.
    """
    if values.words is None:
        return
    for location, row in _read_csv(find_inner(folder, values.words), ("phrase", "field", "value")):
        if row["field"] not in values.fields:
            raise InputError(
                f"{location}: unknown field '{row['field']}'; the list has "
                f"{', '.join(values.fields)}"
            )
        yield row["phrase"], row["field"], row["value"]


def read_cues(folder: Path, cues: CueList | None) -> Iterator[tuple[str, str, str, str]]:
    """Yield phrase, field, value and kind of the cues around mentions.

    Raises:
        InputError: if the file is missing or broken, or a kind is unknown.
    """
    if cues is None:
        return
    columns = ("phrase", "field", "value", "kind")
    for location, row in _read_csv(find_inner(folder, cues.file), columns):
        if row["kind"] not in KINDS:
            raise InputError(f"{location}: unknown kind '{row['kind']}'; use {' or '.join(KINDS)}")
        yield row["phrase"], row["field"], row["value"], row["kind"]


def _read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield location and fields of the entries of a JSON Lines or CSV file."""
    if path.suffix == ".csv":
        yield from _read_csv(path, ())
        return
    for location, entry in read_json_lines(path):
        if not isinstance(entry, dict):
            raise InputError(f"{location}: not a JSON object; write one entry per line")
        yield location, entry


def _read_csv(path: Path, columns: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield location and cells of the lines of a CSV file with a header.

    Raises:
        InputError: if the file is missing or broken, lacks a column, or a cell of one is empty.
    """
    try:
        content = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8; save it as UTF-8") from error
    reader = csv.DictReader(io.StringIO(content, newline=""))
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path}: no column '{missing[0]}'; add it to the first line")
        for row in reader:
            location = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise InputError(f"{location}: the number of cells differs from the first line")
            empty = [name for name in columns if not row[name].strip()]
            if empty:
                raise InputError(f"{location}: column '{empty[0]}' is empty; fill it in")
            yield location, {name: cell.strip() for name, cell in row.items()}
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: invalid CSV ({error})") from error


def read_strings(value: Any, location: str, name: str) -> tuple[str, ...]:
    """Return the strings of a field: a string, a list of them, or several in a cell of a CSV.

    Raises:
        InputError: naming the location and the field, if it is anything else.
    """
    if value is None or value == "":
        return ()
    values = value.split(_SEPARATOR) if isinstance(value, str) and ".csv:" in location else value
    values = [values] if isinstance(values, str) else values
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise InputError(f"{location}: field '{name}' must be a string or a list of strings")
    return tuple(item.strip() for item in values if item.strip())
