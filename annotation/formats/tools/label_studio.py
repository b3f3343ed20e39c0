"""Label Studio's JSON (https://labelstud.io/guide/task_format).

Offsets count UTF-16 code units, because annotators select spans in a browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.files import open_atomic
from ....errors import InputError
from ...utf16 import Utf16Offsets
from ..conversion_report import ConversionReport, drop_span_fields
from ..imported import ImportedDocument, ImportedSpan, ReadOptions
from ..write_options import WriteOptions


def read_label_studio(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read Label Studio's JSON or JSON-MIN export of a text labeling project.

    Of several annotations of a task the ground truth is used, else the newest. Cancelled
    annotations are ignored. A task without annotations uses its newest prediction. Relations and
    regions of other types are dropped.

    Args:
        path: the file.
        options: not used.
        report: records what is dropped.

    Raises:
        InputError: naming the file and task that cannot be read.
    """
    for number, task in enumerate(_read_tasks(path), start=1):
        where = f"{path}: task {task.get('id', number)}"
        data = task.get("data", task)
        spans = [
            span
            for region in _regions(task, report)
            for span in _region_spans(region, where, report)
        ]
        meta = {**(task.get("meta") or {}), **(data.get("meta") or {})}
        doc_id = data.get("document") or task.get("id") or number
        yield ImportedDocument(where, doc_id, data.get("text"), spans, meta, units=("utf-16",))


def _read_tasks(path: Path) -> list[dict[str, Any]]:
    try:
        tasks = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: broken JSON ({error}); export as JSON") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise InputError(f"{path}: not a list of tasks; export as JSON")
    return tasks


def _regions(task: dict[str, Any], report: ConversionReport) -> list[Any]:
    """Return the regions of the annotation that :func:`read_label_studio` uses."""
    if "annotations" not in task and "predictions" not in task:
        return [{"type": "labels", "value": value} for value in task.get("label") or ()]
    submitted = list(task.get("annotations") or ())
    candidates = [annotation for annotation in submitted if not annotation.get("was_cancelled")]
    report.drop("cancelled annotations", len(submitted) - len(candidates))
    candidates = candidates or list(task.get("predictions") or ())
    if not candidates:
        return []
    report.drop("other annotations of a task", len(candidates) - 1)
    used = max(
        candidates, key=lambda a: (bool(a.get("ground_truth")), str(a.get("updated_at") or ""))
    )
    return list(used.get("result") or ())


def _region_spans(region: Any, where: str, report: ConversionReport) -> Iterator[ImportedSpan]:
    kind = region.get("type")
    if kind != "labels":
        report.drop("relations" if kind == "relation" else "regions of other types")
        return
    value = region.get("value") or {}
    labels = value.get("labels") or []
    position = f"{where}: region {region.get('id', '')}".rstrip()
    report.drop("additional labels of a region", max(len(labels) - 1, 0))
    report.drop("regions without a label", int(not labels))
    for label in labels[:1]:
        yield ImportedSpan(
            *(value.get("start"), value.get("end"), label, value.get("text"), position),
            score=region.get("score"),
        )


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
    drop_span_fields(document, report, ("score",))
    offsets = Utf16Offsets(document.text)
    regions = [
        {
            "id": f"{span.start}-{span.end}",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": offsets.to_units(span.start),
                "end": offsets.to_units(span.end),
                "text": document.text[span.start : span.end],
                "labels": [span.label],
            },
            **({} if span.score is None else {"score": span.score}),
        }
        for span in document.spans
    ]
    return {
        "data": {"text": document.text, "document": document.id},
        "meta": dict(document.meta),
        "annotations": [{"result": regions}],
    }
