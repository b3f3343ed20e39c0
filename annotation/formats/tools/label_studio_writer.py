"""Writing tasks for Label Studio; see :mod:`orbat.annotation.formats.tools.label_studio`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.output.atomic import open_atomic
from ..conversion_report import ConversionReport, drop_span_fields
from ..write_options import WriteOptions


def write_label_studio(
    path: Path, documents: Iterable[Document], report: ConversionReport, options: WriteOptions
) -> int:
    """Write tasks for a Label Studio project with `<Labels name="label" toName="text">`.

    Returns:
        The document count.
    """
    tasks = [_to_task(document, report) for document in documents]
    with open_atomic(path) as file:
        file.write(json.dumps(tasks, ensure_ascii=False, indent=1).encode() + b"\n")
    return len(tasks)


def _to_task(document: Document, report: ConversionReport) -> dict[str, Any]:
    drop_span_fields(document, report, ("score", "note"))
    regions = [
        {
            "id": f"{span.start}-{span.end}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": span.start,
                "end": span.end,
                "text": document.text[span.start : span.end],
                "labels": [span.label],
            },
            **({} if span.score is None else {"score": span.score}),
            **({} if span.note is None else {"meta": {"text": [span.note]}}),
        }
        for span in document.spans
    ]
    return {
        "data": {"text": document.text, "document": document.id},
        "meta": dict(document.meta),
        "annotations": [{"result": regions}],
    }
