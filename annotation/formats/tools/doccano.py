"""doccano's JSONL (https://doccano.github.io/doccano/).

Offsets count UTF-16 code units, because annotators select spans in a browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.files import read_json_lines, write_json_lines
from ....errors import InputError
from ...utf16 import Utf16Offsets
from ..conversion_report import ConversionReport, drop_span_fields
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from ..write_options import WriteOptions

_SPAN_FIELDS = ("label", "labels", "entities")
_FIELDS = {*_SPAN_FIELDS, "id", "text", "data", "relations", "Comments", "comments"}
_FIELDS |= {"upload_name", "example_uuid", "filename"}


def read_doccano(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a JSONL export of doccano.

    The document id is `upload_name`, else the id in the metadata that orbat uploads, else
    doccano's number. Relations and comments are dropped. Exports of doccano 1.2 and older, whose
    labels are numbers, are refused.

    Args:
        path: the file.
        options: not used.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    for where, record in read_json_lines(path):
        if not isinstance(record, dict):
            raise InputError(f"{where}: not a JSON object; check --from")
        if "annotations" in record:
            raise InputError(
                f"{where}: an export of doccano 1.2 or older, whose labels are numbers; "
                "export as 'JSONL (text label)'"
            )
        report.drop("relations", len(record.get("relations") or ()))
        report.drop("comments", len(record.get("Comments") or record.get("comments") or ()))
        spans = []
        entries: list[Any] = next((record[name] for name in _SPAN_FIELDS if record.get(name)), [])
        for index, entry in enumerate(entries):
            spans.append(_parse_entry(entry, f"{where}: label[{index}]"))
        meta = {key: value for key, value in record.items() if key not in _FIELDS}
        # Metadata are uploaded as one nested object, which doccano exports unchanged.
        nested = meta.pop("meta", None)
        if isinstance(nested, dict):
            meta |= nested
        doc_id = record.get("upload_name") or meta.get("document") or record.get("id")
        if meta.get("document") == doc_id:
            del meta["document"]
        text = record.get("text", record.get("data"))
        yield ImportedDocument(where, doc_id, text, spans, meta, units=("utf-16",))


def _parse_entry(entry: Any, where: str) -> ImportedSpan:
    if isinstance(entry, dict):
        entry = (entry.get("start_offset"), entry.get("end_offset"), entry.get("label"))
    if not isinstance(entry, list | tuple) or len(entry) < 3 or not isinstance(entry[2], str):
        raise InputError(f'{where}: not [start, end, "label"]; export sequence labels as JSONL')
    return ImportedSpan(entry[0], entry[1], entry[2], where=where)


def write_doccano(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write JSONL that doccano imports; return the document count."""

    def to_record(document: Document) -> dict[str, Any]:
        drop_span_fields(document, report)
        offsets = Utf16Offsets(document.text)
        return {
            "text": document.text,
            "label": [
                [offsets.to_units(span.start), offsets.to_units(span.end), span.label]
                for span in document.spans
            ],
            # One nested object, because doccano cannot import rows with different keys.
            "meta": {**document.meta, "document": document.id},
            "upload_name": document.id,
        }

    return write_json_lines(path, map(to_record, documents))
