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
from .conversion_report import (
    ConversionReport,
    assemble,
    count_lost_marks,
    read_text,
)


def read_prodigy(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a JSONL export of Prodigy (`db-out`).

    Rejected and ignored tasks are left out, and relations.

    Args:
        path: the file.
        losses: counts what is left out.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    for number, (where, record) in enumerate(read_json_lines(path), start=1):
        text = read_text(record, where, "text")
        if record.get("answer", "accept") != "accept":
            losses[f"tasks answered '{record['answer']}'"] += 1
            continue
        losses["relations"] += len(record.get("relations") or ())
        spans = []
        for place, entry in enumerate(record.get("spans") or ()):
            try:
                span = Span(int(entry["start"]), int(entry["end"]), str(entry["label"]))
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{where}: spans[{place}] lacks start, end or label; mend it"
                ) from error
            if not 0 <= span.start < span.end <= len(text):
                raise InputError(
                    f"{where}: spans[{place}] {span.start}-{span.end} is empty or beyond the "
                    f"text of {len(text)} characters; mend it"
                )
            spans.append(span)
        meta = dict(record.get("meta") or {})
        identity = record.get("id") or meta.pop("id", None) or f"{path.stem}-{number}"
        yield assemble(str(identity), text, spans, meta, losses)


def write_prodigy(path: Path, documents: Iterable[Document], losses: ConversionReport) -> int:
    """Write JSONL that Prodigy loads with `ner.manual`; count the documents."""

    def record(document: Document) -> dict[str, Any]:
        count_lost_marks(document, losses)
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

    return write_json_lines(path, map(record, documents))
