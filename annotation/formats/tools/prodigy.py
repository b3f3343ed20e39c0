"""Prodigy's JSONL (https://prodi.gy/docs/api-interfaces#ner).

Offsets count code points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ....corpus.document import Document
from ....corpus.files import write_json_lines
from ..conversion_report import ConversionReport, drop_span_fields
from ..imported import ImportedDocument, ReadOptions
from ..sources import open_source
from ..write_options import WriteOptions
from .prodigy_spans import read_spans
from .records import count_of, read_records

_ADVICE = "export with prodigy db-out"
_ANONYMOUS = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
"""The name of a session that the annotator did not name: its time."""
_SPAN_VIEWS = {None, "ner", "ner_manual", "spans", "spans_manual", "relations", "blocks", "review"}
_FIELDS = {"id", "text", "spans", "tokens", "relations", "answer", "accept", "options", "meta"}
_FIELDS |= {"label", "config", "html", "versions", "view_id"}

_Key = tuple[str, str, str | None]
"""Part of the source, id or text, and annotator."""


def read_prodigy(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a JSONL export of Prodigy (`db-out`).

    The annotator is `_annotator_id` or `_session_id`, with the name of the dataset that Prodigy
    puts in front; a session's time is no name. Of an annotator's answers to the same text, the
    newest counts. Tasks without id get the same id if they have the same text. Rejected and
    ignored tasks, tasks without spans, and binary answers are dropped: a binary answer judges one
    span, and leaves open what else the text contains.

    Args:
        path: the file, or a folder or zip archive of such files.
        options: `text_column` names the field with the text, `layer` one of several groups of
            spans.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    stem = Path(path).name.partition(".")[0]
    with open_source(path, (".jsonl", ".json"), report) as files:
        newest: dict[_Key, tuple[float, int]] = {}
        for number, (_, part, task) in enumerate(_read_whole_texts(files, options, None)):
            key, time = _key(task, part, options), task.get("_timestamp")
            moment = (float(time) if isinstance(time, int | float) else 0.0, number)
            newest[key] = max(newest.get(key, moment), moment)
        ids: dict[str, str] = {}
        for number, (where, part, task) in enumerate(_read_whole_texts(files, options, report)):
            key = _key(task, part, options)
            if newest[key][1] != number:
                report.drop("earlier answers to the same text")
                continue
            answer = task.get("answer", "accept")
            if answer != "accept":
                report.drop(f"tasks answered '{answer}'")
                continue
            numbered = ids.setdefault(key[1], f"{stem}-{len(ids) + 1}")
            yield _to_document(task, where, part, numbered, options, report)


def _read_whole_texts(
    files: Iterable[tuple[Path, str]], options: ReadOptions, report: ConversionReport | None
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield position, part and fields of the tasks whose answer is about all spans of a text."""
    for file, part in files:
        for where, task in read_records(file, _ADVICE):
            kind = _other_kind(task)
            if kind is None:
                yield where, part, task
            elif report is not None:
                report.drop(kind)


def _other_kind(task: dict[str, Any]) -> str | None:
    """Return what a task is, if it is not about all spans of a text."""
    view, spans = task.get("_view_id"), task.get("spans")
    view = view if isinstance(view, str) else None
    if view not in _SPAN_VIEWS and not spans:
        return f"tasks of the view '{view}'"
    if "spans" not in task and task.keys() & {"accept", "options", "label"}:
        return "tasks that classify texts"
    if not task.keys() & {"spans", "answer"}:
        return "tasks that nobody annotated"
    if task.get("_is_binary") is True or (view == "ner" and "_is_binary" not in task):
        return "binary answers, which judge one span each"
    return None


def _key(task: dict[str, Any], part: str, options: ReadOptions) -> _Key:
    doc_id = _own_id(task)
    text = task.get(options.text_column or "text")
    return part, str(text if doc_id is None else doc_id), _annotator(task)


def _own_id(task: dict[str, Any]) -> Any:
    """Return the task's id, which may be among the metadata; None without one."""
    meta = task.get("meta")
    found = task.get("id")
    return meta.get("id") if found is None and isinstance(meta, dict) else found


def _annotator(task: dict[str, Any]) -> str | None:
    name = task.get("_annotator_id") or task.get("_session_id")
    if not isinstance(name, str) or _ANONYMOUS.fullmatch(name):
        return None
    return name


def _to_document(
    task: dict[str, Any],
    where: str,
    part: str,
    numbered: str,
    options: ReadOptions,
    report: ConversionReport,
) -> ImportedDocument:
    for name in ("relations", "versions"):
        report.drop(name, count_of(task.get(name)))
    report.drop("choices", count_of(task.get("accept")))
    doc_id = _own_id(task)
    text_field = options.text_column or "text"
    meta = {
        name: value
        for name, value in task.items()
        if name not in _FIELDS and name != text_field and not name.startswith("_")
    }
    given = task.get("meta")
    if isinstance(given, dict):
        meta |= {k: v for k, v in given.items() if k != "id" or v != doc_id}
    elif given is not None:
        meta["meta"] = given
    spans = read_spans(task, where, options.layer)
    return ImportedDocument(
        *(where, numbered if doc_id is None else doc_id, task.get(text_field), spans, meta),
        annotator=_annotator(task),
        part=part,
        units=("code points", "utf-16"),
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
