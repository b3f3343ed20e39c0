"""Label Studio's JSON and JSON-MIN (https://labelstud.io/guide/export).

Offsets count code points; the quotes show whether an older version counted UTF-16 units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....errors import InputError
from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ReadOptions
from ..sources import open_source
from .label_studio_regions import (
    UNITS,
    FieldChoice,
    Region,
    TextField,
    is_region_value,
    read_regions,
    text_of,
    without_field,
)
from .records import count_of, list_of_objects, read_records

_ADVICE = "export as JSON or JSON-MIN, not as CSV, TSV or CONLL2003"
_MINIMAL_FIELDS = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"}
"""Fields of JSON-MIN that are neither data nor results."""


@dataclass(frozen=True)
class _Annotation:
    """What one annotator, or a model, says about a task."""

    annotator: str | None
    result: list[dict[str, Any]]
    time: str
    is_ground_truth: bool


@dataclass(frozen=True)
class _Task:
    where: str
    id: Any
    data: Mapping[str, Any]
    meta: Any
    annotations: list[_Annotation]
    predictions: list[_Annotation]
    cancelled: int
    drafts: int


def read_label_studio(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read Label Studio's export of a text labeling project, one task at a time.

    The text is the field of the data in which the quotes of the regions stand. Of HTML, it is
    the text between the tags. Of an annotator's annotations of a task, the newest is used. Without
    a choice of annotators, ground truths are used in place of the others. Cancelled annotations,
    relations, and results that label no part of a text are dropped, and tasks that nobody
    annotated.

    Args:
        path: a JSON file, a JSON Lines file of tasks, or a folder or zip archive of such files.
        options: the text field, the annotators, and whether predictions are used for tasks that
            nobody annotated.
        report: records what is dropped.

    Raises:
        InputError: naming the file and task that cannot be read, or the fields of which one is
            the text.
    """
    with open_source(path, (".json", ".jsonl"), report) as files:
        for file, part in files:
            choice, newest = _survey(file)
            field = choice.find(options.text_column)
            if field is None:
                names = ", ".join(sorted({found.path for found in choice.present}))
                raise InputError(
                    f"{file}: the text may be in any of the fields {names}; name it with "
                    "--text-column"
                )
            number = 0
            for task in _read_tasks(file):
                current = []
                for annotation in task.annotations:
                    number += 1
                    if newest[_key(task, annotation)][1] == number:
                        current.append(annotation)
                report.drop("cancelled annotations", task.cancelled)
                report.drop("drafts of annotations", task.drafts)
                report.drop("earlier annotations of a task", len(task.annotations) - len(current))
                if not task.annotations:
                    current = _choose_prediction(task, options, report)
                for annotation in _choose(current, options, report):
                    yield _to_document(task, annotation, part, field, choice, report)


def _survey(file: Path) -> tuple[FieldChoice, dict[tuple[str, str | None], tuple[str, int]]]:
    """Find the text field, and each annotator's newest annotation of each task by its number."""
    choice = FieldChoice.empty()
    newest: dict[tuple[str, str | None], tuple[str, int]] = {}
    others, has_regions, number = ConversionReport(), False, 0
    for task in _read_tasks(file):
        regions: list[Region] = []
        for annotation in task.annotations:
            regions += read_regions(annotation.result, task.where, others)
        for prediction in task.predictions:
            regions += read_regions(prediction.result, task.where, ConversionReport())
        has_regions = has_regions or bool(regions)
        choice.add(task.data, regions)
        for annotation in task.annotations:
            number += 1
            key = _key(task, annotation)
            newest[key] = max(newest.get(key, ("", 0)), (annotation.time, number))
    if others.dropped and not has_regions:
        kinds = ", ".join(others.describe_dropped())
        raise InputError(f"{file}: no labels of parts of a text, only {kinds}; check the project")
    return choice, newest


def _key(task: _Task, annotation: _Annotation) -> tuple[str, str | None]:
    return (task.where if task.id is None else str(task.id), annotation.annotator)


def _choose_prediction(
    task: _Task, options: ReadOptions, report: ConversionReport
) -> list[_Annotation]:
    if options.predictions and task.predictions:
        report.drop("other predictions of a task", len(task.predictions) - 1)
        return [max(task.predictions, key=lambda prediction: prediction.time)]
    predicted = ", but a model (read with --predictions)" if task.predictions else ""
    report.drop(f"tasks that nobody annotated{predicted}")
    return []


def _choose(
    annotations: list[_Annotation], options: ReadOptions, report: ConversionReport
) -> list[_Annotation]:
    truths = [annotation for annotation in annotations if annotation.is_ground_truth]
    if not truths or options.by_annotator or options.annotator is not None:
        return annotations
    report.drop("annotations beside the ground truth", len(annotations) - 1)
    return [max(truths, key=lambda annotation: annotation.time)]


def _to_document(
    task: _Task,
    annotation: _Annotation,
    part: str,
    field: TextField,
    choice: FieldChoice,
    report: ConversionReport,
) -> ImportedDocument:
    regions = list(read_regions(annotation.result, task.where, report))
    spans = [region.span for region in regions if choice.is_of(region, field)]
    report.drop("regions of other texts", len(regions) - len(spans))
    report.drop("HTML markup of texts", int(field.is_html))
    data = without_field(task.data, field)
    doc_id = data.get("document")
    if isinstance(doc_id, str | int) and doc_id != "":
        del data["document"]
    else:
        doc_id = task.id
    for meta in (task.meta, data.pop("meta", None)):
        data |= meta if isinstance(meta, dict) else {} if meta is None else {"meta": meta}
    return ImportedDocument(
        *(task.where, doc_id, text_of(task.data, field), spans, data),
        annotator=annotation.annotator,
        part=part,
        units=UNITS,
    )


def _read_tasks(path: Path) -> Iterator[_Task]:
    for where, record in read_records(path, _ADVICE):
        task_id = record.get("id")
        if isinstance(task_id, str | int):
            where = f"{path}: task {task_id}"
        yield _parse_task(record, where)


def _parse_task(record: dict[str, Any], where: str) -> _Task:
    if isinstance(record.get("task"), dict) and "result" in record:
        # A file of a target storage: an annotation with its task.
        record = {**record["task"], "annotations": [record]}
    data = record.get("data")
    if not isinstance(data, dict):
        return _parse_minimal(record, where)
    name = "completions" if "completions" in record else "annotations"
    found = record.get(name)
    if isinstance(found, list) and any(not isinstance(item, dict) for item in found):
        raise InputError(f"{where}: {name}: ids only; export the annotations too")
    annotations = list_of_objects(found, f"{where}: {name}", _ADVICE)
    submitted = [item for item in annotations if not _is_cancelled(item)]
    predictions = record.get("predictions")
    predicted = predictions if isinstance(predictions, list) else []
    return _Task(
        where,
        record.get("id"),
        data,
        record.get("meta"),
        [_parse_annotation(item, f"{where}: {name}") for item in submitted],
        [
            _parse_annotation(item, f"{where}: predictions")
            for item in predicted
            if isinstance(item, dict)
        ],
        len(annotations) - len(submitted),
        count_of(record.get("drafts")),
    )


def _parse_minimal(record: dict[str, Any], where: str) -> _Task:
    """Return a task of JSON-MIN, whose data and results are fields of one object."""
    data, result = {}, []
    for name, value in record.items():
        if isinstance(value, list) and value and all(map(is_region_value, value)):
            result += [{"value": item, "to_name": name} for item in value]
        elif name not in _MINIMAL_FIELDS:
            data[name] = value
    is_annotated = result or record.keys() & (_MINIMAL_FIELDS - {"id"})
    annotation = _Annotation(
        _read_annotator(record.get("annotator")), result, _read_time(record), False
    )
    annotations = [annotation] if is_annotated else []
    return _Task(where, record.get("id"), data, None, annotations, [], 0, 0)


def _is_cancelled(annotation: Mapping[str, Any]) -> bool:
    # `skipped` and `was_cancelled` of completions, before version 1.0.
    return bool(annotation.get("was_cancelled") or annotation.get("skipped"))


def _parse_annotation(record: Mapping[str, Any], where: str) -> _Annotation:
    by = record.get("completed_by", record.get("model_version"))
    return _Annotation(
        _read_annotator(by),
        list_of_objects(record.get("result"), f"{where}: result", _ADVICE),
        _read_time(record),
        record.get("ground_truth") is True,
    )


def _read_annotator(value: Any) -> str | None:
    """Return a name from an e-mail address, a number, or an object with several of them."""
    if isinstance(value, dict):
        full_name = [value.get(name) for name in ("first_name", "last_name")]
        parts = [name for name in full_name if isinstance(name, str) and name]
        value = value.get("email") or value.get("username") or " ".join(parts) or value.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _read_time(record: Mapping[str, Any]) -> str:
    """Return a text that orders times: ISO times, or seconds in versions before 1.0."""
    value = record.get("updated_at") or record.get("created_at")
    return f"{value:020}" if isinstance(value, int) else str(value or "")
