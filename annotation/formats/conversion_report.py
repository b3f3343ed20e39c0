"""What a change of form cannot keep: counted by kind, never dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ...corpus.document import Document, Span, trim
from ...errors import InputError
from ..utf16 import Utf16Offsets

ConversionReport = Counter[str]
"""How many things of each kind could not be kept."""

Found = tuple[int, int, str]
"""Start, end and label of an annotation as another tool has it, in code points."""


def count_lost_meta(document: Document, losses: ConversionReport, kept: Iterable[str] = ()) -> None:
    """Count a document whose meta, beside the fields kept, the form has no place for."""
    if set(document.meta) - set(kept):
        losses["documents' meta"] += 1


def count_lost_marks(
    document: Document, losses: ConversionReport, kept: Iterable[str] = ()
) -> None:
    """Count the spans' annotators, scores and notes that the form has no place for."""
    for name in {"annotator", "score", "note"} - set(kept):
        marked = sum(getattr(span, name) is not None for span in document.spans)
        if marked:
            losses[f"{name}s of spans"] += marked


def refuse_spaces(document: Document, holder: str) -> None:
    """Refuse a document with a label that has a space, which the form would take for its end.

    Raises:
        InputError: naming document and label.
    """
    for span in document.spans:
        if len(span.label.split()) != 1:
            raise InputError(
                f"document '{document.id}': {holder} have no spaces, label '{span.label}' has; "
                "rename it"
            )


def assemble(
    identity: str, text: str, spans: Iterable[Span], meta: dict[str, Any], losses: ConversionReport
) -> Document:
    """Build a document of the spans that the record allows; of those that overlap the longest."""
    kept: list[Span] = []
    distinct = {(span.start, span.end, span.label): span for span in spans}
    for _, span in sorted(distinct.items(), key=lambda item: (item[0][0] - item[0][1], item[0])):
        start, end = trim(text, span.start, span.end)
        if start >= end:
            losses["blank annotations"] += 1
        elif any(start < other.end and other.start < end for other in kept):
            losses["overlapping annotations"] += 1
        else:
            kept.append(replace(span, start=start, end=end))
    return Document(identity, text, tuple(sorted(kept)), meta)


def check_quote(text: str, found: Found, quote: str, where: str) -> None:
    """Refuse an annotation whose quoted text is not what stands at its offsets.

    Raises:
        InputError: naming both texts.
    """
    start, end, _ = found
    there = text[start:end]
    # re3d writes quotation marks and spaces another way than its texts do, brat line breaks.
    if not 0 <= start < end <= len(text) or _letters(there) != _letters(quote):
        raise InputError(
            f"{where}: '{quote[:40]}' does not stand at {start} to {end} of its text "
            f"('{there[:40]}' does); offsets and text do not belong together"
        )


def _letters(text: str) -> list[str]:
    return [character for character in text if character.isalnum()]


def from_browser(offsets: Utf16Offsets, start: object, end: object, where: str) -> tuple[int, int]:
    """Return the code point offsets of an annotation that a browser made in UTF-16 units.

    Raises:
        InputError: if they are no offsets into the text.
    """
    try:
        first, last = int(str(start)), int(str(end))
        if first >= last:
            raise ValueError(f"{first} to {last} is empty")
        return offsets.to_code_points(first), offsets.to_code_points(last)
    except ValueError as error:
        raise InputError(f"{where}: {error}; mend or remove the annotation") from error


def read_text(record: Any, where: str, *names: str) -> str:
    """Return the text of a record, from the first of the fields that it has.

    Raises:
        InputError: if there is none.
    """
    found = (
        next((record[name] for name in names if name in record), None)
        if (isinstance(record, dict))
        else None
    )
    if not isinstance(found, str):
        raise InputError(f"{where}: no field '{names[0]}' with a text; check --from")
    return found
