"""Label Studio's JSON (https://labelstud.io/guide/task_format).

Offsets count UTF-16 code units, because a browser makes the spans.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.files import open_atomic
from ...errors import InputError
from ..utf16 import Utf16Offsets
from .conversion_report import (
    ConversionReport,
    assemble,
    check_quote,
    count_lost_marks,
    from_browser,
    read_text,
)


def read_label_studio(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read Label Studio's JSON or JSON-MIN export of a text labelling project.

    Of several annotations of a task the ground truth counts, else the newest; cancelled ones do
    not, and a task without any takes its newest prediction. Relations and regions of other kinds
    are left out.

    Args:
        path: the file.
        losses: counts what is left out.

    Raises:
        InputError: naming the file and task that cannot be read.
    """
    try:
        tasks = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: broken JSON ({error}); export as JSON") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise InputError(f"{path}: not a list of tasks; export as JSON")
    for number, task in enumerate(tasks, start=1):
        where = f"{path}: task {task.get('id', number)}"
        data = task.get("data", task)
        text = read_text(data, where, "text")
        spans = [
            span
            for region in _regions(task, losses)
            for span in _label_studio_spans(region, text, where, losses)
        ]
        meta = {**(task.get("meta") or {}), **(data.get("meta") or {})}
        identity = data.get("document") or task.get("id") or number
        yield assemble(str(identity), text, spans, meta, losses)


def _regions(task: dict[str, Any], losses: ConversionReport) -> list[Any]:
    if "annotations" not in task and "predictions" not in task:
        return [{"type": "labels", "value": value} for value in task.get("label") or ()]
    answers = [each for each in task.get("annotations") or () if not each.get("was_cancelled")]
    losses["cancelled annotations"] += len(task.get("annotations") or ()) - len(answers)
    answers = answers or list(task.get("predictions") or ())
    if not answers:
        return []
    losses["further annotations of a task"] += len(answers) - 1
    best = max(answers, key=lambda a: (bool(a.get("ground_truth")), str(a.get("updated_at") or "")))
    return list(best.get("result") or ())


def _label_studio_spans(
    region: Any, text: str, where: str, losses: ConversionReport
) -> Iterator[Span]:
    kind = region.get("type")
    if kind != "labels":
        losses["relations" if kind == "relation" else "regions of other kinds"] += 1
        return
    value = region.get("value") or {}
    labels = value.get("labels") or []
    place = f"{where}: region {region.get('id', '')}".rstrip()
    start, end = from_browser(Utf16Offsets(text), value.get("start"), value.get("end"), place)
    if value.get("text"):
        check_quote(text, (start, end, ""), str(value["text"]), place)
    losses["second labels of a region"] += max(len(labels) - 1, 0)
    losses["regions without a label"] += not labels
    for label in labels[:1]:
        yield Span(start, end, str(label), score=region.get("score"))


def write_label_studio(path: Path, documents: Iterable[Document], losses: ConversionReport) -> int:
    """Write tasks that Label Studio imports, for a `<Labels name="label" toName="text">`."""
    tasks = []
    for document in documents:
        count_lost_marks(document, losses, ("score",))
        offsets = Utf16Offsets(document.text)
        result = [
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
        tasks.append(
            {
                "data": {"text": document.text, "document": document.id},
                "meta": dict(document.meta),
                "annotations": [{"result": result}],
            }
        )
    with open_atomic(path) as file:
        file.write(json.dumps(tasks, ensure_ascii=False, indent=1).encode() + b"\n")
    return len(tasks)
