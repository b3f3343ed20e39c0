"""The record that all commands exchange: documents and spans, and their validation."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError, did_you_mean
from .json_values import check_encoding, check_json
from .reading.bounded import MAX_SPANS, check_length


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labeled part of a document's text.

    Spans are compared by their offsets and label only.

    Attributes:
        start: offset of the first character, in Unicode code points.
        end: offset after the last character (exclusive).
        label: a label name.
        annotator: the annotator who made the span, if known.
        score: the confidence of the model that made the span, from 0 to 1.
        note: free text.
        norm: the values of the mention, as :meth:`orbat.training.values.norm.Norm.to_json` gives
            them; None if it has none.
    """

    start: int
    end: int
    label: str
    annotator: str | None = field(default=None, compare=False)
    score: float | None = field(default=None, compare=False)
    note: str | None = field(default=None, compare=False)
    norm: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its spans and metadata.

    The constructor does not validate; use :func:`parse_document` for data from outside.

    Attributes:
        id: unique within a corpus.
        text: never changed after ingestion.
        spans: sorted by position, without overlaps.
        meta: JSON values by name, such as `title`, `source`, `date` and `provenance`.
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def with_spans(self, spans: Iterable[Span]) -> Document:
        """Return a copy of the document with other spans, sorted by position."""
        return dataclasses.replace(self, spans=tuple(sorted(spans)))


def possible_ids(document: Document) -> Iterator[str]:
    """Yield the document's id, then ids with a suffix from the text's hash, without an end."""
    yield document.id
    doc_id = f"{document.id}-{hashlib.sha256(document.text.encode()).hexdigest()[:8]}"
    while True:
        yield doc_id
        doc_id += "-again"


def unused_id(document: Document, is_used: Callable[[str], bool]) -> str:
    """Return the document's id or, if it is used, the id with a suffix from the text's hash."""
    return next(doc_id for doc_id in possible_ids(document) if not is_used(doc_id))


_MAX_OFFSET = 2**31 - 1
_MAX_SCORE = sys.float_info.max
_SPAN_FIELDS = {"start", "end", "label", "annotator", "score", "note", "norm"}
NORM_FIELDS = {"id", "values", "open", "reasons"}
"""The fields of a span's values."""
_DOCUMENT_FIELDS = {"id", "text", "spans", "meta"}


def parse_document(
    record: object,
    location: str,
    labels: Iterable[str] | None = None,
    *,
    text_required: bool = True,
    spans_required: bool = False,
    overlaps_allowed: bool = False,
) -> Document:
    """Validate a decoded JSON record and return its document.

    Args:
        record: the decoded value, of any type.
        location: file and line of the record, for messages.
        labels: the allowed label names; None allows any.
        text_required: False allows records without `text`, such as recorded annotations; their
            spans cannot be checked against it.
        spans_required: True refuses records without `spans`: they have not been annotated.
        overlaps_allowed: True allows spans that overlap, for callers that choose among them.

    Raises:
        InputError: if the record is invalid, or cannot be written as JSON in UTF-8; the message
            names the location and the field.
    """
    if not isinstance(record, dict):
        raise InputError(f"{location}: not a JSON object; write one document per line")
    unknown = sorted(set(record) - _DOCUMENT_FIELDS)
    if unknown:
        raise InputError(f"{location}: unknown field '{unknown[0]}'; move it into 'meta'")
    doc_id = record.get("id")
    if not isinstance(doc_id, str) or not doc_id.strip():
        raise InputError(f"{location}: field 'id' must be a string that is not empty")
    check_encoding(doc_id, "'id'", location)
    text = _parse_text(record, doc_id, location, text_required)
    meta = record.get("meta", {})
    if not isinstance(meta, dict):
        raise InputError(f"{location}: field 'meta' of '{doc_id}' must be an object")
    check_json(meta, "meta", location)
    if spans_required and "spans" not in record:
        raise InputError(
            f"{location}: document '{doc_id}' has no field 'spans', so it is not annotated; "
            'annotate it, or write "spans": [] if it has no entity'
        )
    records = record.get("spans", [])
    if not isinstance(records, list):
        raise InputError(f"{location}: field 'spans' of '{doc_id}' must be a list")
    document = Document(doc_id, text, (), meta)
    spans = [parse_span(span, f"{location}: spans[{i}]") for i, span in enumerate(records)]
    if "text" in record:
        check_spans(document, spans, location, labels, overlaps_allowed=overlaps_allowed)
    else:
        _check_labels(spans, location, labels)
        _check_order(document, spans, location)
        if not overlaps_allowed:
            _check_overlaps(document, spans, location)
    return document.with_spans(spans)


def _parse_text(record: dict[str, Any], doc_id: str, location: str, required: bool) -> str:
    text = record.get("text")
    if text is None and not required:
        return ""
    if not isinstance(text, str):
        raise InputError(f"{location}: field 'text' of '{doc_id}' is missing or not a string")
    check_length(text, f"{location}: field 'text' of '{doc_id}'")
    check_encoding(text, f"'text' of '{doc_id}'", location)
    return text


def parse_span(record: object, location: str) -> Span:
    """Validate a decoded JSON record of a span and return it; the text is not needed.

    Args:
        record: the decoded value, of any type.
        location: the position of the record, for messages.

    Raises:
        InputError: naming the location and the field that is wrong.
    """
    if not isinstance(record, dict):
        raise InputError(f"{location}: not an object; write start, end and label")
    unknown = sorted(set(record) - _SPAN_FIELDS)
    if unknown:
        raise InputError(f"{location}: unknown field '{unknown[0]}'; remove it")
    for name in ("start", "end"):
        if not isinstance(record.get(name), int) or isinstance(record.get(name), bool):
            raise InputError(f"{location}: field '{name}' must be an integer")
        if not -_MAX_OFFSET <= record[name] <= _MAX_OFFSET:
            raise InputError(f"{location}: field '{name}' is out of range")
    if not isinstance(record.get("label"), str) or not record["label"]:
        raise InputError(f"{location}: field 'label' must be a string that is not empty")
    for name in ("annotator", "note"):
        if not isinstance(record.get(name), str | None):
            raise InputError(f"{location}: field '{name}' must be a string")
    for name in ("label", "annotator", "note"):
        check_encoding(record.get(name) or "", f"'{name}'", location)
    score = record.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float | None):
        raise InputError(f"{location}: field 'score' must be a number")
    if score is not None and not -_MAX_SCORE <= score <= _MAX_SCORE:
        raise InputError(f"{location}: field 'score' must be a finite number")
    norm = record.get("norm")
    if norm is not None and not (isinstance(norm, dict) and set(norm) == NORM_FIELDS):
        raise InputError(
            f"{location}: field 'norm' must be an object with {', '.join(sorted(NORM_FIELDS))}"
        )
    if norm is not None:
        check_json(norm, "norm", location)
    return Span(**record)


def trim_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Return offsets without the white space at both ends; start >= end if nothing is left."""
    covered = text[start:end]
    return start + len(covered) - len(covered.lstrip()), end - len(covered) + len(covered.rstrip())


def check_spans(
    document: Document,
    spans: Iterable[Span],
    location: str,
    labels: Iterable[str] | None = None,
    *,
    overlaps_allowed: bool = False,
) -> None:
    """Check that a document may have the spans.

    Args:
        document: the document.
        spans: in any order.
        location: where the spans come from, for messages.
        labels: the allowed label names; None allows any.
        overlaps_allowed: whether spans may overlap.

    Raises:
        InputError: if a span is empty, out of range, has white space at an end, has an unknown
            label or overlaps another span, or if there are more than
            :data:`.reading.bounded.MAX_SPANS`.
    """
    spans = list(spans)
    if len(spans) > MAX_SPANS:
        raise InputError(
            f"{location}: '{document.id}' has {len(spans):,} spans, more than {MAX_SPANS:,}; "
            "split it"
        )
    _check_labels(spans, location, labels)
    _check_order(document, spans, location)
    for span in spans:
        if span.end > len(document.text):
            raise InputError(
                f"{_name(span, document, location)} is out of range; the text has "
                f"{len(document.text)} characters (offsets count Unicode code points)"
            )
        start, end = trim_span(document.text, span.start, span.end)
        if (start, end) != (span.start, span.end):
            fix = f"use {start}-{end}" if start < end else "remove it"
            raise InputError(
                f"{_name(span, document, location)} begins or ends with white space; {fix}"
            )
    if not overlaps_allowed:
        _check_overlaps(document, spans, location)


def _name(span: Span, document: Document, location: str) -> str:
    return f"{location}: span {span.start}-{span.end} {span.label} of '{document.id}'"


def _check_order(document: Document, spans: Iterable[Span], location: str) -> None:
    for span in spans:
        if span.start >= span.end:
            name = _name(span, document, location)
            raise InputError(f"{name} is empty; end must be greater than start")
        if span.start < 0:
            raise InputError(
                f"{_name(span, document, location)} is out of range; offsets begin at 0"
            )


def _check_labels(spans: Iterable[Span], location: str, labels: Iterable[str] | None) -> None:
    if labels is None:
        return
    allowed = list(labels)
    for span in spans:
        if span.label not in allowed:
            raise InputError(
                f"{location}: unknown label '{span.label}'{did_you_mean(span.label, allowed)}; the "
                f"label set has {', '.join(allowed)} (another set: --labels FILE; to train also "
                "--labels auto)"
            )


def _check_overlaps(document: Document, spans: Iterable[Span], location: str) -> None:
    ordered = sorted(spans)
    for left, right in itertools.pairwise(ordered):
        if right.start < left.end:
            raise InputError(
                f"{location}: spans {left.start}-{left.end} {left.label} and "
                f"{right.start}-{right.end} {right.label} of '{document.id}' overlap; keep one "
                "(orbat train and orbat evaluate do with --flatten longest)"
            )


def document_to_json(document: Document) -> dict[str, Any]:
    """Return the document as a JSON object, one line of a JSON Lines file."""
    spans = []
    for span in document.spans:
        record: dict[str, Any] = {"start": span.start, "end": span.end, "label": span.label}
        for name in ("annotator", "score", "note", "norm"):
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
