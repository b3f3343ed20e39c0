"""Prodigy's JSONL (https://prodi.gy/docs/api-interfaces#ner).

Offsets count code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.files import read_json_lines, write_json_lines
from ....errors import InputError
from ..conversion_report import ConversionReport, drop_span_fields
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from ..write_options import WriteOptions


def read_prodigy(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a JSONL export of Prodigy (`db-out`).

    Rejected and ignored tasks are dropped, and relations.

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
        if record.get("answer", "accept") != "accept":
            report.drop(f"tasks answered '{record['answer']}'")
            continue
        report.drop("relations", len(record.get("relations") or ()))
        spans = [
            _parse_span(entry, f"{where}: spans[{index}]")
            for index, entry in enumerate(record.get("spans") or ())
        ]
        meta = record.get("meta")
        doc_id = record.get("id")
        if doc_id is None and isinstance(meta, dict):
            doc_id = meta.pop("id", None)
        yield ImportedDocument(where, doc_id, record.get("text"), spans, meta)


def _parse_span(entry: Any, where: str) -> ImportedSpan:
    fields = entry if isinstance(entry, dict) else {}
    return ImportedSpan(
        fields.get("start"), fields.get("end"), fields.get("label"), fields.get("text"), where
    )


def write_prodigy(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write JSONL that Prodigy loads with `ner.manual`; return the document count."""

    def to_record(document: Document) -> dict[str, Any]:
        drop_span_fields(document, report)
        return {
            "text": document.text,
            "spans": [
                {"start": span.start, "end": span.end, "label": span.label}
                for span in document.spans
            ],
            "meta": dict(document.meta),
            "id": document.id,
            "answer": "accept",
        }

    return write_json_lines(path, map(to_record, documents))
