"""orbat's own JSON Lines; see :mod:`orbat.corpus.document`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import read_located_documents, write_documents
from ..adjudication.annotation_sets import annotator_of
from .conversion_report import ConversionReport
from .imported import ImportedDocument, ImportedSpan, ReadOptions
from .sources import open_source
from .write_options import WriteOptions


def read_jsonl(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read JSON Lines files of documents. Only here, their spans may overlap."""
    with open_source(path, (".jsonl", ".jsonl.gz"), report) as files:
        for file, part in files:
            located = read_located_documents(
                file, spans_required=options.spans_required, overlaps_allowed=True
            )
            for location, document in located:
                yield from_document(document, location, part)


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
