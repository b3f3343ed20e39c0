"""The report of a conversion, and functions that several formats share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ...corpus.document import Document, Span, trim_span
from ...errors import InputError
from ..utf16 import Utf16Offsets


@dataclass
class ConversionReport:
    """The result of a conversion.

    Attributes:
        documents: the number of documents written.
        dropped: the number of dropped items by kind, such as `relations`.
    """

    documents: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def drop(self, kind: str, count: int = 1) -> None:
        """Record that items of a kind were dropped."""
        if count:
            self.dropped[kind] += count


def drop_meta(document: Document, report: ConversionReport, kept: Iterable[str] = ()) -> None:
    """Record that a document's metadata are dropped, unless all fields are among those kept."""
    if set(document.meta) - set(kept):
        report.drop("document metadata")


def drop_span_fields(
    document: Document, report: ConversionReport, kept: Iterable[str] = ()
) -> None:
    """Record which of the spans' annotators, scores, notes and norms are dropped."""
    for name in {"annotator", "score", "note", "norm"} - set(kept):
        report.drop(f"span {name}s", sum(getattr(s, name) is not None for s in document.spans))


def refuse_spaces(document: Document, subject: str) -> None:
    """Refuse a document with a label that contains a space, for formats that split at spaces.

    Raises:
        InputError: naming document and label.
    """
    for span in document.spans:
        if len(span.label.split()) != 1:
            raise InputError(
                f"document '{document.id}': {subject} cannot contain spaces, but label "
                f"'{span.label}' does; rename it"
            )


def assemble(
    doc_id: str, text: str, spans: Iterable[Span], meta: dict[str, Any], report: ConversionReport
) -> Document:
    """Build a document with valid spans.

    Spans are trimmed. Blank spans are dropped, and of overlapping spans all but the longest.
    """
    kept: list[Span] = []
    distinct = {(span.start, span.end, span.label): span for span in spans}
    for _, span in sorted(distinct.items(), key=lambda item: (item[0][0] - item[0][1], item[0])):
        start, end = trim_span(text, span.start, span.end)
        if start >= end:
            report.drop("blank annotations")
        elif any(start < other.end and other.start < end for other in kept):
            report.drop("overlapping annotations")
        else:
            kept.append(replace(span, start=start, end=end))
    return Document(doc_id, text, tuple(sorted(kept)), meta)


def check_quote(text: str, start: int, end: int, quote: str, where: str) -> None:
    """Refuse an annotation whose quoted text differs from the text at its offsets.

    Raises:
        InputError: naming both texts.
    """
    actual = text[start:end]
    # re3d normalizes quotation marks and spaces in its quotes, brat line breaks.
    if not 0 <= start < end <= len(text) or _letters(actual) != _letters(quote):
        raise InputError(
            f"{where}: expected '{quote[:40]}' at {start}-{end}, but the text has "
            f"'{actual[:40]}'; check that the offsets belong to this text"
        )


def _letters(text: str) -> list[str]:
    return [character for character in text if character.isalnum()]


def from_browser(offsets: Utf16Offsets, start: object, end: object, where: str) -> tuple[int, int]:
    """Convert the offsets of an annotation from UTF-16 code units to code points.

    Raises:
        InputError: if they are not offsets into the text.
    """
    try:
        first, last = int(str(start)), int(str(end))
        if first >= last:
            raise ValueError(f"{first} to {last} is empty")
        return offsets.to_code_points(first), offsets.to_code_points(last)
    except ValueError as error:
        raise InputError(f"{where}: {error}; correct or remove the annotation") from error


def read_text(record: Any, where: str, *fields: str) -> str:
    """Return the text of a JSON record, from the first of these fields that the record has.

    Raises:
        InputError: if there is no such field, or it holds no string.
    """
    names = (name for name in fields if name in record) if isinstance(record, dict) else iter(())
    text = next((record[name] for name in names), None)
    if not isinstance(text, str):
        raise InputError(f"{where}: no field '{fields[0]}' with a text; check --from")
    return text


def file_name(doc_id: str) -> str:
    """Return a document id as a relative path without suffix; unsafe characters become `_`."""
    parts = [re.sub(r"[^\w.@+=,-]", "_", part)[:100] for part in doc_id.split("/")]
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)
