"""Suggestions for annotators: phrases of a gazetteer and token patterns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import InputError, first_error
from .document import Document, Span
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
    path = Path(gazetteer or DEFAULT_GAZETTEER)
    wanted = None if labels is None else set(labels)
    return [entry for _, entry in _patterns_of(_read_plan(path), path.parent, wanted)]


def _patterns_of(
    plan: _Gazetteer, folder: Path, labels: set[str] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    for patterns in plan.patterns:
        for where, entry in read_json_lines(folder / patterns.file):
            if not isinstance(entry, dict) or not {"label", "pattern"} <= set(entry):
                raise InputError(f"{where}: no usable pattern; give label and pattern")
            if labels is None or entry["label"] in labels:
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


class RuleTagger:
    """Finds spans by spaCy's PhraseMatcher and Matcher; where two overlap the longest stays.

    Args:
        gazetteer: a TOML file that names lists of phrases and patterns beside it.
        labels: suggestions of other labels are left out.

    Raises:
        InputError: if a file of the gazetteer is missing or broken.
    """

    def __init__(self, gazetteer: Path | None = None, labels: Iterable[str] | None = None) -> None:
        import spacy
        from spacy.matcher import Matcher, PhraseMatcher

        path = Path(gazetteer or DEFAULT_GAZETTEER)
        self._labels = None if labels is None else set(labels)
        self._nlp = spacy.blank("en")
        self._exact = PhraseMatcher(self._nlp.vocab, attr="ORTH")
        self._caseless = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        self._before_name = PhraseMatcher(self._nlp.vocab, attr="ORTH")
        self._patterns = Matcher(self._nlp.vocab)
        self._pattern_facts: dict[str, tuple[str, int, int]] = {}
        plan = _read_plan(path)
        phrases = _phrases_of(plan, path.parent, self._labels)
        for matcher, texts in (
            (self._exact, phrases.exact),
            (self._caseless, phrases.caseless),
            (self._before_name, phrases.before_name),
        ):
            for label, forms in texts.items():
                if forms:
                    matcher.add(label, list(self._nlp.tokenizer.pipe(sorted(forms))))
        for where, entry in _patterns_of(plan, path.parent, self._labels):
            self._add_pattern(where, entry)

    def _add_pattern(self, where: str, entry: dict[str, Any]) -> None:
        try:
            self._patterns.add(where, [entry["pattern"]])
        except (ValueError, TypeError) as error:
            raise InputError(f"{where}: no usable pattern ({error})") from error
        trim = entry.get("trim_start", 0), entry.get("trim_end", 0)
        self._pattern_facts[where] = (entry["label"], *trim)

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Give documents the rules' spans."""
        for document in documents:
            yield document.with_spans(self.find(document.text))

    def find(self, text: str) -> list[Span]:
        """Return the suggested spans of a text, without overlaps, in order."""
        doc = self._nlp.make_doc(text)
        strings = self._nlp.vocab.strings
        found: set[tuple[int, int, str]] = set()
        for matcher in (self._exact, self._caseless):
            found |= {(start, end, strings[key]) for key, start, end in matcher(doc)}
        for key, start, end in self._before_name(doc):
            if end < len(doc) and doc[end].is_title and not doc[end].is_stop:
                found.add((start, end, strings[key]))
        for key, start, end in self._patterns(doc) if self._pattern_facts else ():
            label, trim_start, trim_end = self._pattern_facts[strings[key]]
            found.add((start + trim_start, end - trim_end, label))
        spans: list[Span] = []
        taken = [False] * len(doc)
        for start, end, label in sorted(found, key=lambda f: (f[0] - f[1], f)):
            if start >= end or any(taken[start:end]):
                continue
            last = doc[end - 1]
            span = Span(doc[start].idx, last.idx + len(last), label)
            covered = text[span.start : span.end]
            if covered != covered.strip() or "\n" in covered:
                continue
            taken[start:end] = [True] * (end - start)
            spans.append(span)
        return sorted(spans)


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
