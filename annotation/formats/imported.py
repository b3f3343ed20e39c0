"""What readers of foreign formats yield, and the one place that makes documents of it.

Readers only take a file apart. :class:`Importer` checks what they found, so that a document of any
format keeps the rules of :func:`orbat.corpus.document.parse_document`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...corpus.document import Document, parse_document, parse_span, trim_span
from ...errors import InputError
from ..utf16 import Utf16Offsets
from .conversion_report import ConversionReport
from .overlaps import OverlapPolicy, keep_longest, refuse_overlaps
from .source_tokens import Offsets, with_source_tokens

OffsetUnit = Literal["code points", "utf-16"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a source whose format leaves room.

    Attributes:
        text_column: the name of the field or column with the text; None for the usual ones.
        token_column: the name or number (from 1) of the column with the tokens.
        tag_column: likewise of the tags.
        separator: the characters between columns; None for tabs if there are any, else blanks.
        layer: the annotation layer or type to read, where a file has several.
        predictions: read a model's predictions where a task has no annotations.
        annotator: read the annotations of this annotator only.
        by_annotator: the annotations of several annotators of a document are all wanted.
        overlaps: what becomes of spans that overlap.
        spans_required: refuse records of orbat that have not been annotated.
    """

    text_column: str | None = None
    token_column: str | None = None
    tag_column: str | None = None
    separator: str | None = None
    layer: str | None = None
    predictions: bool = False
    annotator: str | None = None
    by_annotator: bool = False
    spans_required: bool = False
    overlaps: OverlapPolicy = "longest"


DEFAULT_OPTIONS = ReadOptions()


@dataclass(slots=True)
class ImportedSpan:
    """A span as a file has it; values are checked later and may be of any type.

    Attributes:
        start: offset of the first character, in the document's unit.
        end: offset after the last character.
        label: the label name.
        quote: the text of the span according to the file; None if the file does not say.
        where: the position of the span, such as `FILE:3: spans[2]`; "" for the document's.
        annotator: as in :class:`~orbat.corpus.document.Span`, like the next three.
        score: the confidence.
        note: free text.
        norm: the values of the mention.
    """

    start: Any
    end: Any
    label: Any
    quote: Any = None
    where: str = ""
    annotator: str | None = None
    score: Any = None
    note: Any = None
    norm: Any = None


@dataclass(slots=True)
class ImportedDocument:
    """A document as a file has it.

    Attributes:
        where: the position, for messages, such as `FILE:3` or `FILE: task 3`.
        id: the document's id, a string or a number; None to number the document.
        text: the text; anything but a string is refused.
        spans: the spans.
        meta: a JSON value; None for none. A value that is no object becomes the field `meta`.
        annotator: who annotated the document, if the file says so.
        part: the split or file within the source; ids need to be unique in it only.
        units: units of the offsets. Of several, the first one is used in which all quotes match.
        sentences: the tokens of each sentence, in code points; None if the source tells none.
    """

    where: str
    id: Any
    text: Any
    spans: Iterable[ImportedSpan] = ()
    meta: Any = None
    annotator: str | None = None
    part: str = ""
    units: Sequence[OffsetUnit] = ("code points",)
    sentences: Sequence[Sequence[Offsets]] | None = None


class Importer:
    """Makes valid documents of what a reader yields.

    Spans are trimmed, and blank spans are dropped. Spans that contradict the text are rejected.

    Args:
        stem: a document without id is named `STEM-NUMBER`, or `STEM-PART-NUMBER`.
        report: records what is dropped.
        overlaps: whether the longest of spans that overlap is kept, or their document is refused.
    """

    def __init__(
        self, stem: str, report: ConversionReport, overlaps: OverlapPolicy = "longest"
    ) -> None:
        self._stem = stem
        self._report = report
        self._overlaps = overlaps
        self._counts: dict[str, int] = {}

    def to_document(self, imported: ImportedDocument) -> Document:
        """Return the document.

        Its annotator is stored in `meta.annotation.annotator`, and the source's tokens in
        `meta.tokens`.

        Raises:
            InputError: naming the position of an id, text or metadata that cannot be used, or of
                spans that overlap, if they are refused.
        """
        where, text = imported.where, imported.text
        number = self._counts[imported.part] = self._counts.get(imported.part, 0) + 1
        if not isinstance(text, str):
            found = "no text" if text is None else f"a text that is {_kind(text)}"
            raise InputError(f"{where}: {found}; check --from and --text-column")
        meta = self._read_meta(imported.meta, where)
        if imported.annotator is not None:
            annotation = meta.get("annotation")
            meta["annotation"] = {
                **(annotation if isinstance(annotation, dict) else {}),
                "annotator": imported.annotator,
            }
        meta = with_source_tokens(meta, text, imported.sentences, self._report)
        numbered = "-".join(filter(None, (self._stem, imported.part, str(number))))
        doc_id = _read_id(imported.id, numbered, where)
        record = {
            "id": doc_id,
            "text": text,
            "spans": self._read_spans(imported, text, doc_id),
            "meta": meta,
        }
        return parse_document(record, where)

    def _read_spans(
        self, imported: ImportedDocument, text: str, doc_id: str
    ) -> list[dict[str, Any]]:
        spans = list(imported.spans)
        unit = _find_unit(spans, imported.units, text)
        offsets = Utf16Offsets(text) if unit == "utf-16" else None
        records: dict[tuple[int, int, str], dict[str, Any]] = {}
        for span in spans:
            where = span.where or imported.where
            try:
                start, end = _read_offsets(span, text, offsets)
                if not isinstance(span.label, str) or not span.label.strip():
                    raise ValueError(f"the label is {_kind(span.label)}; export names of labels")
            except ValueError as error:
                self._report.reject(where, str(error))
                continue
            start, end = trim_span(text, start, end)
            if start >= end:
                self._report.drop("blank annotations")
                continue
            record = {"start": start, "end": end, "label": span.label}
            record |= {
                name: value
                for name in ("annotator", "score", "note", "norm")
                if (value := getattr(span, name)) is not None
            }
            try:
                parse_span(record, where)
            except InputError as error:
                self._report.reject(where, str(error).removeprefix(f"{where}: "))
                continue
            if records.setdefault((start, end, span.label), record) is not record:
                self._report.drop("repeated annotations")
        if self._overlaps == "refuse":
            refuse_overlaps(records.values(), text, imported.where)
            return list(records.values())
        kept, overlapping = keep_longest(records.values())
        self._report.drop_overlapping(doc_id, overlapping)
        return kept

    def _read_meta(self, value: Any, where: str) -> dict[str, Any]:
        """Return metadata as a JSON object.

        Values that JSON does not know, such as dates of a Parquet file, become strings. NaN and
        infinite numbers become null: in tables NaN stands for a missing value.
        """
        if value is None:
            return {}

        def drop_constant(name: str) -> None:
            self._report.drop(f"{name} values of metadata")

        try:
            encoded = json.dumps(value, default=str)
            value = json.loads(encoded, parse_constant=drop_constant)
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"{where}: the metadata are not JSON ({error})") from error
        return value if isinstance(value, dict) else {"meta": value}


def _read_id(value: Any, numbered: str, where: str) -> str:
    # In tables NaN stands for a missing value.
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        return numbered
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InputError(f"{where}: the id is {_kind(value)}; make it a string or a number")


def _find_unit(spans: Sequence[ImportedSpan], units: Sequence[OffsetUnit], text: str) -> OffsetUnit:
    """Return the first unit in which all quotes match; the first one if there is none."""
    fitting = (unit for unit in units if len(units) == 1 or _are_at_offsets(spans, text, unit))
    return next(fitting, units[0])


def is_quote_at_offsets(span: ImportedSpan, text: str, units: Sequence[OffsetUnit]) -> bool:
    """Return whether a span has a quote that stands at its offsets, in one of the units."""
    has_quote = isinstance(span.quote, str) and bool(_letters(span.quote))
    return has_quote and any(_are_at_offsets([span], text, unit) for unit in units)


def _are_at_offsets(spans: Iterable[ImportedSpan], text: str, unit: OffsetUnit) -> bool:
    offsets = Utf16Offsets(text) if unit == "utf-16" else None
    try:
        for span in spans:
            _read_offsets(span, text, offsets)
    except ValueError:
        return False
    return True


def _read_offsets(span: ImportedSpan, text: str, utf16: Utf16Offsets | None) -> tuple[int, int]:
    """Return the offsets of a span in code points.

    Raises:
        ValueError: if they are not offsets into the text, or its quote is not there.
    """
    start, end = _to_int(span.start), _to_int(span.end)
    if utf16 is not None:
        start, end = utf16.to_code_points(start), utf16.to_code_points(end)
    if not 0 <= start < end <= len(text):
        fault = "is empty" if start == end else f"is not in the text of {len(text)} characters"
        raise ValueError(f"the span {start}-{end} {fault}")
    if isinstance(span.quote, str) and _letters(text[start:end]) != _letters(span.quote):
        raise ValueError(
            f"expected {_short(span.quote)} at {start}-{end}, but the text has "
            f"{_short(text[start:end])}"
        )
    return start, end


def _to_int(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"the offset is {_kind(value)}, not a number of characters")


def _letters(text: str) -> list[str]:
    """Return letters and digits: formats change line breaks, spaces and quotation marks."""
    # Label Studio writes a line break as a backslash and an n.
    return [character for character in text.replace("\\n", " ") if character.isalnum()]


def _kind(value: Any) -> str:
    """Describe a JSON value of the wrong type."""
    if value is None:
        return "missing"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return f"{type(value).__name__} {_short(str(value))}"


def _short(text: str) -> str:
    """Return a text in one line of at most 40 characters, in quotation marks."""
    line = " ".join(text.split())
    return f"'{line[:40]}…'" if len(line) > 40 else f"'{line}'"
