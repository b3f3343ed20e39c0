"""doccano's JSONL (https://doccano.github.io/doccano/).

Offsets count UTF-16 code units, because annotators select spans in a browser.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.files import write_json_lines
from ....errors import InputError
from ...utf16 import Utf16Offsets
from ..conversion_report import ConversionReport, drop_span_fields
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from ..sources import open_source
from ..write_options import WriteOptions
from .records import count_of, read_records

_ADVICE = "export as JSONL, not as CSV or fastText"
_SPAN_FIELDS = ("label", "labels", "entities", "annotations")
_FIELDS = {*_SPAN_FIELDS, "id", "text", "data", "relations", "Comments", "comments", "cats"}
_FIELDS |= {"upload_name", "example_uuid", "filename", "annotation_approver"}
_SHARED_FILE = "all"
"""Name of the only file of a project in which all annotators share their annotations."""


def read_doccano(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read doccano's export of a project for sequence labeling.

    In a zip archive, and in a folder of files with the same documents, each file but `all.jsonl`
    has the name of its annotator.

    The document id is `upload_name`, else the id in the metadata that orbat uploads, else
    doccano's number. Relations, comments and categories are dropped. Exports of doccano 1.2 and
    older, whose labels are numbers, are refused.

    Args:
        path: a JSONL or JSON file, or a zip archive or folder of such files.
        options: `text_column` names the field with the text.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    with open_source(path, (".jsonl", ".json"), report) as files:
        is_by_annotator = zipfile.is_zipfile(path) or _have_common_documents(files)
        for file, part in files:
            is_shared = not is_by_annotator or file.stem == _SHARED_FILE
            annotator = None if is_shared else file.stem
            for where, record in read_records(file, _ADVICE):
                document = _to_document(record, where, options, report)
                if document is not None:
                    yield replace(document, annotator=annotator, part=part)


def _have_common_documents(files: Sequence[tuple[Path, str]]) -> bool:
    """Return whether a document is in several files."""
    first: dict[tuple[str, str], Path] = {}
    return len(files) > 1 and any(
        first.setdefault((str(record.get("id")), str(_text(record, None))), file) != file
        for file, _ in files
        for _, record in read_records(file, _ADVICE)
    )


def _to_document(
    record: dict[str, Any], where: str, options: ReadOptions, report: ConversionReport
) -> ImportedDocument | None:
    if "spans" in record:
        raise InputError(
            f"{where}: a record with 'spans', not of doccano; read it with --from jsonl"
        )
    report.drop("relations", count_of(record.get("relations")))
    report.drop("comments", count_of(record.get("Comments") or record.get("comments")))
    report.drop("categories of texts", count_of(record.get("cats")))
    if not record.keys() & set(_SPAN_FIELDS):
        report.drop("records that nobody annotated")
        return None
    meta = {key: value for key, value in record.items() if key not in _FIELDS}
    if options.text_column is not None:
        meta.pop(options.text_column, None)
    # Metadata are uploaded as one nested object, which doccano exports unchanged.
    nested = meta.pop("meta", None)
    meta |= nested if isinstance(nested, dict) else {} if nested is None else {"meta": nested}
    doc_id = record.get("upload_name") or meta.get("document") or record.get("id")
    if meta.get("document") == doc_id:
        meta.pop("document", None)
    spans = _read_spans(record, where)
    return ImportedDocument(
        where, doc_id, _text(record, options.text_column), spans, meta, units=("utf-16",)
    )


def _text(record: dict[str, Any], column: str | None) -> Any:
    return record.get("text", record.get("data")) if column is None else record.get(column)


def _read_spans(record: dict[str, Any], where: str) -> list[ImportedSpan]:
    field = next((name for name in _SPAN_FIELDS if record.get(name)), None)
    if field is None:
        return []
    entries = record[field]
    if not isinstance(entries, list):
        raise InputError(f"{where}: {field}: not a list of spans; export sequence labels as JSONL")
    return [_parse_entry(entry, f"{where}: {field}[{i}]") for i, entry in enumerate(entries)]


def _parse_entry(entry: Any, where: str) -> ImportedSpan:
    quote = None
    if isinstance(entry, dict):
        quote = entry.get("text")
        entry = (entry.get("start_offset"), entry.get("end_offset"), entry.get("label"))
    if not isinstance(entry, list | tuple) or len(entry) < 3:
        raise InputError(
            f'{where}: not [start, end, "label"]; only projects for sequence labeling have spans'
        )
    if isinstance(entry[2], int):
        raise InputError(
            f"{where}: a label that is a number, as doccano 1.2 and older write; "
            "export as 'JSONL (text label)'"
        )
    return ImportedSpan(entry[0], entry[1], entry[2], quote, where)


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
