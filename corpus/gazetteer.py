"""Gazetteers: lists of phrases and token patterns, named by a TOML file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import InputError, first_error
from .files import read_json_lines, read_toml
from .inner_files import InnerFile, find_inner
from .value_lists import CueList, ValueList, read_strings

DEFAULT_GAZETTEER = Path(__file__).parent / "label_set" / "gazetteer" / "gazetteer.toml"
_MIN_RECASED_LENGTH = 5
"""Length from which a phrase of the kind `name` is also matched in lower case and in capitals."""
EXCEPTION_LABEL = "O"
"""Label of patterns for what is not a mention; they are read for any label set."""


class PhraseList(BaseModel):
    """An entry `[[phrases]]` of a gazetteer file.

    Attributes:
        file: JSON Lines beside the gazetteer file.
        label: the label of the phrases.
        fields: the fields whose strings are phrases.
        match: `exact` compares case; `caseless` ignores it; `name` compares it, and adds the
            phrase in lower case and in capitals.
        ambiguous: the field of the phrases that match only before a capitalized word.
        excluded: the field of the phrases that are not matched, as they are mostly something else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: InnerFile
    label: str
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    match: Literal["exact", "caseless", "name"] = "exact"
    ambiguous: str | None = None
    excluded: str | None = None


class PatternList(BaseModel):
    """An entry `[[patterns]]` of a gazetteer file.

    Attributes:
        file: JSON Lines beside the gazetteer file, each with a label and a pattern in the syntax
            of spaCy's Matcher. The label `O` is for what is not a mention, such as "Attorney
            General": other matches that overlap it are dropped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: InnerFile


class GazetteerFile(BaseModel):
    """The contents of a gazetteer file.

    Attributes:
        phrases: the lists of phrases.
        patterns: the lists of token patterns.
        values: how the mentions of labels get values.
        context: the cues around mentions that settle values.
        spellings: words that names are compared with in another spelling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: tuple[PhraseList, ...] = ()
    patterns: tuple[PatternList, ...] = ()
    values: tuple[ValueList, ...] = ()
    context: CueList | None = None
    spellings: dict[str, str] = {}


@dataclass(frozen=True)
class Phrases:
    """The phrases of a gazetteer, by label, grouped by how they are matched.

    Attributes:
        exact: compared with case.
        caseless: compared without case.
        before_name: compared with case, and only directly before a capitalized word.
    """

    exact: dict[str, set[str]]
    caseless: dict[str, set[str]]
    before_name: dict[str, set[str]]


def load_phrases(gazetteer: Path | None = None, labels: Iterable[str] | None = None) -> Phrases:
    """Read the phrases of a gazetteer.

    Args:
        gazetteer: a TOML file; None reads the gazetteer that ships with orbat.
        labels: phrases of other labels are skipped; None reads all.

    Raises:
        InputError: if a file is missing or invalid.
    """
    path = Path(gazetteer or DEFAULT_GAZETTEER)
    allowed = None if labels is None else set(labels)
    phrases = Phrases(defaultdict(set), defaultdict(set), defaultdict(set))
    for phrase_list in read_gazetteer_file(path).phrases:
        if allowed is None or phrase_list.label in allowed:
            _add_phrases(phrases, phrase_list, find_inner(path.parent, phrase_list.file))
    for label, forms in phrases.before_name.items():
        forms -= phrases.exact[label]
    return phrases


def _add_phrases(phrases: Phrases, phrase_list: PhraseList, path: Path) -> None:
    label = phrase_list.label
    for location, entry in read_json_lines(path):
        if not isinstance(entry, dict):
            raise InputError(f"{location}: not a JSON object; write one entry per line")
        forms = {
            form for name in phrase_list.fields for form in _strings(entry, name, location)
        } - _strings(entry, phrase_list.excluded, location)
        ambiguous = forms & _strings(entry, phrase_list.ambiguous, location)
        if phrase_list.match == "caseless":
            phrases.caseless[label] |= forms
            continue
        unambiguous = forms - ambiguous
        phrases.exact[label] |= unambiguous
        phrases.before_name[label] |= ambiguous
        if phrase_list.match == "name":
            long = {form for form in unambiguous if len(form) >= _MIN_RECASED_LENGTH}
            lower = {form.lower() for form in long if form.istitle()}
            phrases.exact[label] |= lower | {form.upper() for form in long}


def _strings(entry: dict[str, Any], name: str | None, location: str) -> set[str]:
    """Return the strings of a field of an entry; none without a name."""
    return set(read_strings(entry.get(name), location, name)) if name else set()


def iterate_patterns(
    gazetteer: Path | None = None, labels: Iterable[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the location (`file:line`) and the entry of each token pattern of a gazetteer.

    Args:
        gazetteer: a TOML file; None reads the gazetteer that ships with orbat.
        labels: patterns of other labels are skipped, except exceptions; None reads all.

    Raises:
        InputError: if a file is missing or invalid.
    """
    path = Path(gazetteer or DEFAULT_GAZETTEER)
    allowed = None if labels is None else set(labels)
    for pattern_list in read_gazetteer_file(path).patterns:
        for location, entry in read_json_lines(find_inner(path.parent, pattern_list.file)):
            if not (isinstance(entry, dict) and isinstance(entry.get("label"), str)) or (
                not isinstance(entry.get("pattern"), list)
            ):
                raise InputError(f"{location}: no usable pattern; give label and pattern")
            if allowed is None or entry["label"] in allowed | {EXCEPTION_LABEL}:
                yield location, entry


def gazetteer_files(gazetteer: Path | None = None) -> list[Path]:
    """Return the paths of a gazetteer file and of the lists that it names.

    Args:
        gazetteer: a TOML file; None for the gazetteer that ships with orbat.

    Raises:
        InputError: if the gazetteer file is missing or invalid, or a list is a link that leads out
            of its folder.
    """
    path = Path(gazetteer or DEFAULT_GAZETTEER)
    contents = read_gazetteer_file(path)
    names = [entry.file for entry in contents.phrases] + [e.file for e in contents.patterns]
    names += [name for entry in contents.values for name in (entry.file, entry.words) if name]
    names += [contents.context.file] if contents.context else []
    return [path, *(find_inner(path.parent, name) for name in dict.fromkeys(names))]


def read_gazetteer_file(path: Path) -> GazetteerFile:
    """Read a gazetteer file, without the lists that it names.

    Raises:
        InputError: if it is missing or invalid.
    """
    try:
        return GazetteerFile.model_validate(read_toml(path))
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error)}") from error
