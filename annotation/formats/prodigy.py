"""Prodigy's JSONL (https://prodi.gy/docs/api-interfaces#ner).

Offsets count code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.files import read_json_lines, write_json_lines
from ...errors import InputError
from .conversion_report import ConversionReport, assemble, drop_span_fields, read_text


def read_prodigy(path: Path, report: ConversionReport) -> Iterator[Document]:
    """Read a JSONL export of Prodigy (`db-out`).

    Rejected and ignored tasks are dropped, and relations.

    Args:
        path: the file.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    for number, (where, record) in enumerate(read_json_lines(path), start=1):
        text = read_text(record, where, "text")
        if record.get("answer", "accept") != "accept":
            report.drop(f"tasks answered '{record['answer']}'")
            continue
        report.drop("relations", len(record.get("relations") or ()))
        spans = [
            _parse_span(entry, len(text), f"{where}: spans[{index}]")
            for index, entry in enumerate(record.get("spans") or ())
        ]
        meta = dict(record.get("meta") or {})
        doc_id = record.get("id") or meta.pop("id", None) or f"{path.stem}-{number}"
        yield assemble(str(doc_id), text, spans, meta, report)


def _parse_span(entry: Any, length: int, where: str) -> Span:
    try:
        span = Span(int(entry["start"]), int(entry["end"]), str(entry["label"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} lacks start, end or label; correct it") from error
    if not 0 <= span.start < span.end <= length:
        raise InputError(
            f"{where} {span.start}-{span.end} is empty or outside the text of {length} "
            "characters; correct it"
        )
    return span


def write_prodigy(path: Path, documents: Iterable[Document], report: ConversionReport) -> int:
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
