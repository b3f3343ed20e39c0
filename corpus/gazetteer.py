"""Reading gazetteers: lists of phrases and token patterns, named by a TOML file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import InputError, first_error
from .files import read_json_lines, read_toml

DEFAULT_GAZETTEER = Path(__file__).parent / "label_set" / "gazetteer" / "gazetteer.toml"


class _Phrases(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    label: str
    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    match: Literal["exact", "caseless", "name"] = "exact"
    ambiguous: str | None = None


class _Patterns(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str


class _Gazetteer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: tuple[_Phrases, ...] = ()
    patterns: tuple[_Patterns, ...] = ()


@dataclass(frozen=True)
class Phrases:
    """A gazetteer's phrases by label, by the way they are matched.

    Attributes:
        exact: compared as written.
        caseless: compared without case.
        before_name: compared as written, and only directly before a capitalised word.
    """

    exact: dict[str, set[str]]
    caseless: dict[str, set[str]]
    before_name: dict[str, set[str]]


def load_phrases(gazetteer: Path | None = None, labels: Iterable[str] | None = None) -> Phrases:
    """Read the phrases that a gazetteer file names.

    Args:
        gazetteer: a TOML file; None takes the one that ships with orbat.
        labels: phrases of other labels are left out.

    Raises:
        InputError: if a file of the gazetteer is missing or broken.
    """
    path = Path(gazetteer or DEFAULT_GAZETTEER)
    return _phrases_of(_read_plan(path), path.parent, None if labels is None else set(labels))


def gazetteer_files(gazetteer: Path | None = None) -> list[Path]:
    """Return a gazetteer file and the lists that it names; None takes orbat's own.

    Raises:
        InputError: if the gazetteer file is missing or broken.
    """
    path = Path(gazetteer or DEFAULT_GAZETTEER)
    plan = _read_plan(path)
    names = [each.file for each in plan.phrases] + [each.file for each in plan.patterns]
    return [path, *(path.parent / name for name in names)]


def _phrases_of(gazetteer: _Gazetteer, folder: Path, labels: set[str] | None) -> Phrases:
    found = Phrases(defaultdict(set), defaultdict(set), defaultdict(set))
    for plan in gazetteer.phrases:
        if labels is None or plan.label in labels:
            _add_phrases(found, plan, folder / plan.file)
    for label, texts in found.before_name.items():
        texts -= found.exact[label]
    return found


def load_patterns(
    gazetteer: Path | None = None, labels: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """Read the token patterns that a gazetteer file names, as its lines hold them.

    Args:
        gazetteer: a TOML file; None takes the one that ships with orbat.
        labels: patterns of other labels are left out.

    Raises:
        InputError: if a file of the gazetteer is missing or broken.
    """
    return [entry for _, entry in iterate_patterns(gazetteer, labels)]


def iterate_patterns(
    gazetteer: Path | None = None, labels: Iterable[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield `file:line` and content of each token pattern that a gazetteer file names.

    Args:
        gazetteer: a TOML file; None takes the one that ships with orbat.
        labels: patterns of other labels are skipped.

    Raises:
        InputError: if a file of the gazetteer is missing or broken.
    """
    path = Path(gazetteer or DEFAULT_GAZETTEER)
    names = None if labels is None else set(labels)
    for patterns in _read_plan(path).patterns:
        for where, entry in read_json_lines(path.parent / patterns.file):
            if not isinstance(entry, dict) or not {"label", "pattern"} <= set(entry):
                raise InputError(f"{where}: no usable pattern; give label and pattern")
            if names is None or entry["label"] in names:
                yield where, entry


def _read_plan(path: Path) -> _Gazetteer:
    try:
        return _Gazetteer.model_validate(read_toml(path))
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error)}") from error


def _add_phrases(found: Phrases, plan: _Phrases, path: Path) -> None:
    for _, entry in read_json_lines(path):
        forms = {form for name in plan.fields for form in _texts(entry.get(name))}
        ambiguous = set(_texts(entry.get(plan.ambiguous))) if plan.ambiguous else set()
        if plan.match == "caseless":
            found.caseless[plan.label] |= forms
            continue
        clear = forms - ambiguous
        found.exact[plan.label] |= clear
        found.before_name[plan.label] |= ambiguous
        if plan.match == "name":
            found.exact[plan.label] |= {form.lower() for form in clear if form.istitle()}
            found.exact[plan.label] |= {form.upper() for form in clear if len(form) > 4}


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
