"""The JSON of other annotation tools: doccano, Label Studio and Prodigy.

doccano: https://doccano.github.io/doccano/; Label Studio:
https://labelstud.io/guide/task_format; Prodigy: https://prodi.gy/docs/api-interfaces#ner.
doccano and Label Studio count UTF-16 units, for a browser makes their spans; Prodigy counts code
points.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.files import open_atomic, read_json_lines, write_json_lines
from ...errors import InputError
from ..utf16 import Utf16Offsets
from .conversion_report import (
    ConversionReport,
    assemble,
    check_quote,
    count_lost_marks,
    from_browser,
)

_DOCCANO = {"id", "text", "data", "label", "labels", "entities", "relations", "Comments"}
_DOCCANO |= {"comments", "upload_name", "example_uuid", "filename"}


def read_doccano(path: Path, losses: ConversionReport) -> Iterator[Document]:
    """Read a JSONL export of doccano.

    A document is called by `upload_name`, else by the id that orbat put into its meta, else by
    doccano's number. Relations and comments are left out. Exports of doccano 1.2 and older, whose
    labels are numbers, are refused.

    Args:
        path: the file.
        losses: counts what is left out.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    for where, record in read_json_lines(path):
        text = _text(record, where, "text", "data")
        for name, kind in (("relations", "relations"), ("Comments", "comments")):
            losses[kind] += len(record.get(name) or record.get(name.lower()) or ())
        offsets, spans = Utf16Offsets(text), []
        entries: list[Any] = next(
            (record[name] for name in ("label", "labels", "entities") if record.get(name)), []
        )
        if "annotations" in record:
            raise InputError(
                f"{where}: an export of doccano 1.2 or older, whose labels are numbers; "
                "export as 'JSONL (text label)'"
            )
        for place, entry in enumerate(entries):
            start, end, label = _doccano_entry(entry, f"{where}: label[{place}]")
            start, end = from_browser(offsets, start, end, f"{where}: label[{place}]")
            spans.append(Span(start, end, label))
        rest = {key: value for key, value in record.items() if key not in _DOCCANO}
        # The upload asks for one nested object, which comes back as it went.
        meta = rest.pop("meta", None)
        meta = {**rest, **meta} if isinstance(meta, dict) else rest
        identity = record.get("upload_name") or meta.get("document") or record.get("id") or where
        if meta.get("document") == identity:
            del meta["document"]
        yield assemble(str(identity), text, spans, meta, losses)


def _doccano_entry(entry: Any, where: str) -> tuple[Any, Any, str]:
    if isinstance(entry, dict):
        entry = (entry.get("start_offset"), entry.get("end_offset"), entry.get("label"))
    if not isinstance(entry, list | tuple) or len(entry) < 3 or not isinstance(entry[2], str):
        raise InputError(f'{where}: not [start, end, "label"]; export sequence labels as JSONL')
    return entry[0], entry[1], entry[2]


def _text(record: Any, where: str, *names: str) -> str:
    found = (
        next((record[name] for name in names if name in record), None)
        if (isinstance(record, dict))
        else None
    )
    if not isinstance(found, str):
        raise InputError(f"{where}: no field '{names[0]}' with a text; check --from")
    return found


def write_doccano(path: Path, documents: Iterable[Document], losses: ConversionReport) -> int:
    """Write JSONL that doccano imports; count the documents."""

    def record(document: Document) -> dict[str, Any]:
        count_lost_marks(document, losses)
        offsets = Utf16Offsets(document.text)
        return {
            "text": document.text,
            "label": [
                [offsets.to_units(span.start), offsets.to_units(span.end), span.label]
                for span in document.spans
            ],
            # One object in every row: doccano cannot import rows of different keys.
            "meta": {**document.meta, "document": document.id},
            "upload_name": document.id,
        }

    return write_json_lines(path, map(record, documents))


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
        text = _text(record, where, "text")
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
        text = _text(data, where, "text")
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
