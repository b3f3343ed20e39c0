"""The one record: a document with its labelled spans, and the rules that both must keep."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labelled stretch of a document's text.

    Attributes:
        start: offset of the first character, in Unicode code points.
        end: offset behind the last character (exclusive).
        label: a name of the label set in use.
        annotator: who made the span, where known.
        score: the model's confidence from 0 to 1, where a model made the span.
        note: free text.
    """

    start: int
    end: int
    label: str
    annotator: str | None = field(default=None, compare=False)
    score: float | None = field(default=None, compare=False)
    note: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A text, its spans in order of position, and what is known about it.

    Build one from data of unknown quality with :func:`parse_document`; the constructor trusts.
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def with_spans(self, spans: Iterable[Span]) -> Document:
        """Return the same document with other spans, sorted by position."""
        return dataclasses.replace(self, spans=tuple(sorted(spans)))


def unused_id(document: Document, taken: Callable[[str], bool]) -> str:
    """Return the document's id, with a piece of its text's hash behind it where it is taken."""
    identity = document.id
    if taken(identity):
        identity = f"{identity}-{hashlib.sha256(document.text.encode()).hexdigest()[:8]}"
    while taken(identity):
        identity += "-again"
    return identity


_SURROGATE = re.compile("[\ud800-\udfff]")
_SPAN_FIELDS = {"start", "end", "label", "annotator", "score", "note"}
_DOCUMENT_FIELDS = {"id", "text", "spans", "meta"}


def parse_document(
    record: object,
    where: str,
    labels: Iterable[str] | None = None,
    *,
    text_required: bool = True,
) -> Document:
    """Check one decoded JSON record and build its document.

    Args:
        record: the decoded value, of any type.
        where: file and line, put before every message.
        labels: the allowed label names; None allows any.
        text_required: False takes records without `text` (recorded annotation passes); their
            spans are then checked against each other only.

    Raises:
        InputError: with one line naming the place, the field and the mend.
    """
    if not isinstance(record, dict):
        raise InputError(f"{where}: not a JSON object; write one document per line")
    unknown = sorted(set(record) - _DOCUMENT_FIELDS)
    if unknown:
        raise InputError(f"{where}: unknown field '{unknown[0]}'; keep such facts under 'meta'")
    identity = record.get("id")
    if not isinstance(identity, str) or not identity.strip():
        raise InputError(f"{where}: field 'id' must be a text that is not empty")
    text = record.get("text")
    if text is None and not text_required:
        text = ""
    elif not isinstance(text, str):
        raise InputError(f"{where}: field 'text' of '{identity}' is missing or not a text")
    surrogate = _SURROGATE.search(text)
    if surrogate is not None:
        raise InputError(
            f"{where}: field 'text' of '{identity}' has half a surrogate pair at character "
            f"{surrogate.start()}; replace it with U+FFFD"
        )
    meta = record.get("meta", {})
    if not isinstance(meta, dict):
        raise InputError(f"{where}: field 'meta' of '{identity}' must be an object")
    raw_spans = record.get("spans", [])
    if not isinstance(raw_spans, list):
        raise InputError(f"{where}: field 'spans' of '{identity}' must be a list")
    document = Document(identity, text, (), meta)
    spans = [_parse_span(span, f"{where}: spans[{i}]") for i, span in enumerate(raw_spans)]
    if "text" in record:
        check_spans(document, spans, where, labels)
    else:
        _check_labels(spans, where, labels)
        _check_overlaps(document, spans, where)
    return document.with_spans(spans)


def _parse_span(record: object, where: str) -> Span:
    if not isinstance(record, dict):
        raise InputError(f"{where}: not an object; write start, end and label")
    unknown = sorted(set(record) - _SPAN_FIELDS)
    if unknown:
        raise InputError(f"{where}: unknown field '{unknown[0]}'; remove it")
    for name in ("start", "end"):
        if not isinstance(record.get(name), int) or isinstance(record.get(name), bool):
            raise InputError(f"{where}: field '{name}' must be a whole number")
    if not isinstance(record.get("label"), str) or not record["label"]:
        raise InputError(f"{where}: field 'label' must be a text that is not empty")
    for name in ("annotator", "note"):
        if not isinstance(record.get(name), str | None):
            raise InputError(f"{where}: field '{name}' must be a text")
    score = record.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float | None):
        raise InputError(f"{where}: field 'score' must be a number")
    return Span(**record)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a stretch of a text without its outer white space; of a blank one, start >= end."""
    covered = text[start:end]
    return start + len(covered) - len(covered.lstrip()), end - len(covered) + len(covered.rstrip())


def check_spans(
    document: Document, spans: Iterable[Span], where: str, labels: Iterable[str] | None = None
) -> None:
    """Refuse spans that the record does not allow, whoever made them.

    Raises:
        InputError: for a span that is empty, out of range, padded with white space, of an
            unknown label (when `labels` is given) or overlapping another.
    """
    spans = list(spans)
    _check_labels(spans, where, labels)
    for span in spans:
        name = f"{where}: span {span.start}-{span.end} {span.label} of '{document.id}'"
        if span.start >= span.end:
            raise InputError(f"{name} is empty; end must be greater than start")
        if span.start < 0 or span.end > len(document.text):
            raise InputError(
                f"{name} is out of range; the text has {len(document.text)} characters "
                "(offsets count Unicode code points)"
            )
        start, end = trim(document.text, span.start, span.end)
        if (start, end) != (span.start, span.end):
            mend = f"use {start}-{end}" if start < end else "remove it"
            raise InputError(f"{name} is padded with white space; {mend}")
    _check_overlaps(document, spans, where)


def _check_labels(spans: Iterable[Span], where: str, labels: Iterable[str] | None) -> None:
    if labels is None:
        return
    known = list(labels)
    for span in spans:
        if span.label not in known:
            raise InputError(
                f"{where}: unknown label '{span.label}'; the label set has {', '.join(known)} "
                "(another set: --labels FILE)"
            )


def _check_overlaps(document: Document, spans: Iterable[Span], where: str) -> None:
    ordered = sorted(spans)
    for left, right in itertools.pairwise(ordered):
        if right.start < left.end:
            raise InputError(
                f"{where}: spans {left.start}-{left.end} {left.label} and "
                f"{right.start}-{right.end} {right.label} of '{document.id}' overlap; keep one"
            )


def document_to_json(document: Document) -> dict[str, Any]:
    """Return the document as the object that stands on one line of a JSON Lines file."""
    spans = []
    for span in document.spans:
        record: dict[str, Any] = {"start": span.start, "end": span.end, "label": span.label}
        for name in ("annotator", "score", "note"):
            value = getattr(span, name)
            if value is not None:
                record[name] = value
        spans.append(record)
    return {
        "id": document.id,
        "text": document.text,
        "spans": spans,
        "meta": dict(document.meta),
    }
