"""doccano's JSONL (https://doccano.github.io/doccano/).

Offsets count UTF-16 code units, because a browser makes the spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.files import read_json_lines, write_json_lines
from ...errors import InputError
from ..utf16 import Utf16Offsets
from .conversion_report import (
    ConversionReport,
    assemble,
    count_lost_marks,
    from_browser,
    read_text,
)

_DOCCANO = {"id", "text", "data", "label", "labels", "entities", "relations", "Comments"}
_DOCCANO |= {"comments", "upload_name", "example_uuid", "filename"}


def read_doccano(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a JSONL export of doccano.

    A document is called by `upload_name`, else by the id that orbat put into its meta, else by
    doccano's number. Relations and comments are left out. Exports of doccano 1.2 and older, whose
    labels are numbers, are refused.

    Args:
        path: the file.
        losses: counts what is left out.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    for where, record in read_json_lines(path):
        text = read_text(record, where, "text", "data")
        for name, kind in (("relations", "relations"), ("Comments", "comments")):
            losses[kind] += len(record.get(name) or record.get(name.lower()) or ())
        offsets, spans = Utf16Offsets(text), []
        entries: list[Any] = next(
            (record[name] for name in ("label", "labels", "entities") if record.get(name)), []
        )
        if "annotations" in record:
            raise InputError(
                f"{where}: an export of doccano 1.2 or older, whose labels are numbers; "
                "export as 'JSONL (text label)'"
            )
        for place, entry in enumerate(entries):
            start, end, label = _doccano_entry(entry, f"{where}: label[{place}]")
            start, end = from_browser(offsets, start, end, f"{where}: label[{place}]")
            spans.append(Span(start, end, label))
        rest = {key: value for key, value in record.items() if key not in _DOCCANO}
        # The upload asks for one nested object, which comes back as it went.
        meta = rest.pop("meta", None)
        meta = {**rest, **meta} if isinstance(meta, dict) else rest
        identity = record.get("upload_name") or meta.get("document") or record.get("id") or where
        if meta.get("document") == identity:
            del meta["document"]
        yield assemble(str(identity), text, spans, meta, losses)


def _doccano_entry(entry: Any, where: str) -> tuple[Any, Any, str]:
    if isinstance(entry, dict):
        entry = (entry.get("start_offset"), entry.get("end_offset"), entry.get("label"))
    if not isinstance(entry, list | tuple) or len(entry) < 3 or not isinstance(entry[2], str):
        raise InputError(f'{where}: not [start, end, "label"]; export sequence labels as JSONL')
    return entry[0], entry[1], entry[2]


def write_doccano(path: Path, documents: Iterable[Document], losses: ConversionReport) -> int:
    """Write JSONL that doccano imports; count the documents."""

    def record(document: Document) -> dict[str, Any]:
        count_lost_marks(document, losses)
        offsets = Utf16Offsets(document.text)
        return {
            "text": document.text,
            "label": [
                [offsets.to_units(span.start), offsets.to_units(span.end), span.label]
                for span in document.spans
            ],
            # One object in every row: doccano cannot import rows of different keys.
            "meta": {**document.meta, "document": document.id},
            "upload_name": document.id,
        }

    return write_json_lines(path, map(record, documents))
