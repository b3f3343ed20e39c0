"""orbat's own JSON Lines; see :mod:`orbat.corpus.document`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document, check_spans, parse_document, parse_span
from ...corpus.files import read_json_lines, write_documents
from ...errors import InputError
from ..adjudication.annotation_sets import annotator_of
from .conversion_report import ConversionReport
from .imported import ImportedDocument, ImportedSpan, ReadOptions
from .sources import open_source
from .write_options import WriteOptions


def read_jsonl(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read JSON Lines files of documents. Only here, their spans may overlap."""
    with open_source(path, (".jsonl", ".jsonl.gz")) as files:
        for file, part in files:
            first_seen: dict[str, str] = {}
            for location, record in read_json_lines(file):
                document = _parse(record, location, options.spans_required)
                if document.id in first_seen:
                    raise InputError(
                        f"{location}: duplicate id '{document.id}' (first seen at "
                        f"{first_seen[document.id]}); ids must be unique in a file"
                    )
                first_seen[document.id] = location
                yield from_document(document, location, part)


def _parse(record: object, location: str, spans_required: bool) -> Document:
    """Return the document of a record, whose spans are checked one by one."""
    spans = record.get("spans") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(spans, list):
        return parse_document(record, location, spans_required=spans_required)
    document = parse_document({**record, "spans": []}, location)
    parsed = [parse_span(span, f"{location}: spans[{i}]") for i, span in enumerate(spans)]
    for span in parsed:
        check_spans(document, [span], location)
    return document.with_spans(parsed)


def from_document(document: Document, where: str, part: str = "") -> ImportedDocument:
    """Return a document in the form that readers yield."""
    spans = [
        ImportedSpan(
            *(span.start, span.end, span.label),
            annotator=span.annotator,
            score=span.score,
            note=span.note,
            norm=span.norm,
        )
        for span in document.spans
    ]
    return ImportedDocument(
        *(f"{where}: document '{document.id}'", document.id, document.text, spans),
        meta=dict(document.meta),
        annotator=annotator_of(document),
        part=part,
    )


def write_jsonl(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write a JSON Lines file; return the document count."""
    return write_documents(path, documents)
