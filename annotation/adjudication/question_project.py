"""The doccano project in which an adjudicator answers questions.

    FOLDER/question-project.json  the server and the project

Each question is an example of a text classification project. Each answer is a category with its
key. The project has the label set's span types, too, for the colors of the labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...corpus.document import Span
from ...corpus.files import write_json
from ...corpus.labels import Label, LabelSet
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, ServerError
from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Example, UploadRow
from ..guide import with_keys
from ..session.accounts import ensure_account
from ..session.folder import ROUND_FILE, is_session
from .question_meta import withdrawn
from .questions import ANOTHER, NOTHING, Question, read_questions, write_questions

QUESTIONS_FORMAT = 2
_KEYS = (
    "Press the number of the right answer, 0 for no span, or x if none of them is right; on "
    "doccano's own page press Enter then."
)
_MAX_META = 2_500_000
"""Bytes of metadata that a change may have: doccano refuses requests over 2.6 MB but no upload."""
_COLORS = ("#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf", "#ff7f0e")


def ask(
    client: DoccanoClient,
    folder: Path,
    adjudicator: str,
    questions: Sequence[Question],
    labels: LabelSet,
    *,
    guidelines: str = "",
    on_progress: OnProgress = ignore_progress,
) -> tuple[str, int]:
    """Upload questions for the adjudicator, except those that were asked before.

    The metadata of the others, the guidelines and the labels are brought up to date.

    Args:
        client: a connection with an administrator's account.
        folder: the folder of the adjudication round.
        adjudicator: the account that answers; created if it is missing.
        questions: all questions of the round.
        labels: the label set.
        guidelines: Markdown, shown to the adjudicator.
        on_progress: called before and after the upload.

    Returns:
        The address of the first question, and the number of new questions.

    Raises:
        InputError: if the folder belongs to another server.
        ServerError: if the server fails, or does not store a question unchanged.
    """
    folder = Path(folder)
    asked = {question.id: question for question in read_questions(folder)}
    new = [question for question in questions if question.id not in asked]
    option_count = max((len(question.options) for question in (*asked.values(), *new)), default=0)
    shown_guidelines = with_keys(labels, guidelines, _KEYS)
    project = _ensure_project(client, folder, option_count, labels, shown_guidelines)
    client.add_member(project, ensure_account(client, folder, adjudicator).id)
    if new:
        _upload(client, project, new, on_progress)
        write_questions(folder, [*asked.values(), *new])
    _update_meta(client, project, {**asked, **{question.id: question for question in questions}})
    return question_link(client, project), len(new)


def question_link(client: DoccanoClient, project: int) -> str:
    """Return the address at which the questions of a project are answered."""
    if client.has_page:
        return f"{client.public_url}/orbat/adjudicate/{project}"
    return f"{client.public_url}/projects/{project}/text-classification?page=1"


def _upload(
    client: DoccanoClient,
    project: int,
    questions: Sequence[Question],
    on_progress: OnProgress,
) -> None:
    uploaded = {example.upload_name for example in client.examples(project)}
    rows = [
        UploadRow(name=question.id, text=question.text, meta=dict(question.meta))
        for question in questions
        if question.id not in uploaded
    ]
    on_progress(Progress("Uploading questions", 0, len(rows)))
    if rows:
        client.upload(project, rows, project_type="DocumentClassification")
    stored = {example.upload_name: example.text for example in client.examples(project)}
    for question in questions:
        if stored.get(question.id) != question.text:
            raise ServerError(
                f"{client.url}: question '{question.id}' was not stored as uploaded; "
                "run the command again"
            )
    on_progress(Progress("Uploading questions", len(rows), len(rows)))


def _update_meta(client: DoccanoClient, project: int, questions: Mapping[str, Question]) -> None:
    """Make doccano's metadata those of the questions; questions without any are withdrawn."""
    changed: list[tuple[Example, dict[str, Any]]] = []
    for example in client.examples(project):
        question = questions.get(example.upload_name)
        if question is not None:
            meta = dict(question.meta) or withdrawn(question.doc_id)
            if example.meta != {"meta": meta}:
                changed.append((example, meta))
    for example, meta in changed:
        if len(json.dumps(meta, ensure_ascii=False).encode()) < _MAX_META:
            client.set_meta(project, example.id, meta)


def _ensure_project(
    client: DoccanoClient, folder: Path, option_count: int, labels: LabelSet, guidelines: str
) -> int:
    """Return the project of a folder's questions, with a category for each answer."""
    project = find_project(client, folder)
    if project is None:
        if is_session(folder):
            raise InputError(f"{folder}: is a labeling session; name another folder for the round")
        name = f"{folder.absolute().name} · conflicts"[:100]
        project = client.create_project(
            name, "Conflicts to resolve", guidelines, project_type="DocumentClassification"
        ).id
        record = {"format": QUESTIONS_FORMAT, "url": client.url, "project": project}
        write_json(folder / ROUND_FILE, record)
    else:
        client.set_guidelines(project, guidelines)
    answers = [
        Label(name=str(number), key=str(number), color=_COLORS[(number - 1) % len(_COLORS)])
        for number in range(1, min(option_count, 9) + 1)
    ]
    answers += [
        Label(name=NOTHING, key="0", color="#7f7f7f"),
        Label(name=ANOTHER, key="x", color="#d62728"),
    ]
    client.ensure_category_types(project, answers)
    client.ensure_span_types(project, labels.labels)
    return project


def find_project(client: DoccanoClient, folder: Path) -> int | None:
    """Return the project of a folder's questions; None before the first question.

    Raises:
        InputError: if the folder belongs to another server, or another version of orbat.
        ServerError: if the project was deleted.
    """
    if (folder / "choices.json").is_file():
        raise InputError(
            f"{folder}: created with an older version of orbat (choices.json); finish the round "
            "with that version, or use a new folder"
        )
    path = folder / ROUND_FILE
    if not path.is_file():
        return None
    record = read_json_object(path)
    if record.get("format") != QUESTIONS_FORMAT:
        raise InputError(
            f"{path}: format {record.get('format')}, expected {QUESTIONS_FORMAT}; use a new folder"
        )
    project, url = record.get("project"), record.get("url")
    if not isinstance(project, int):
        raise InputError(f"{path}: names no project; restore the file, or use a new folder")
    if url not in (client.url, client.public_url):
        raise InputError(
            f"{folder}: its questions are on {url}; connect to it with --url, or, if its server is "
            f"at {client.url} now, run orbat annotate move {folder} --url {client.url}"
        )
    if client.project(project) is None:
        raise ServerError(
            f"{client.url}: project {project} with the adjudicator's questions was deleted; "
            "restore the server's data, or use a new folder"
        )
    return project


def read_answers(
    client: DoccanoClient, folder: Path, *, on_progress: OnProgress = ignore_progress
) -> dict[str, tuple[Span, ...] | None]:
    """Return the spans chosen for each answered question, by question id.

    Questions without exactly one answer, or not confirmed, are skipped. The value is None if the
    adjudicator chose to annotate the document by hand.

    Args:
        client: a connection with an administrator's account.
        folder: the folder of the adjudication round.
        on_progress: called after each question.

    Raises:
        InputError: if the folder belongs to another server.
        ServerError: if the project or a question was deleted in doccano.
    """
    project = find_project(client, Path(folder))
    if project is None:
        return {}
    asked = {question.id: question for question in read_questions(folder)}
    categories = {category.id: category.text for category in client.category_types(project)}
    answers: dict[str, tuple[Span, ...] | None] = {}
    stored: set[str] = set()
    for number, example in enumerate(client.examples(project), start=1):
        stored.add(example.upload_name)
        question = asked.get(example.upload_name)
        on_progress(Progress("Reading answers", number, len(asked)))
        if question is None or not example.is_confirmed:
            continue
        meanings: dict[str, tuple[Span, ...] | None] = {NOTHING: (), ANOTHER: None}
        meanings |= {str(n): spans for n, spans in enumerate(question.options, start=1)}
        chosen = [categories.get(label, "") for label in client.categories(project, example.id)]
        if len(chosen) == 1 and chosen[0] in meanings:
            answers[question.id] = meanings[chosen[0]]
    deleted = next((question_id for question_id in asked if question_id not in stored), None)
    if deleted is not None:
        raise ServerError(
            f"{client.url}: question '{deleted}' was deleted from project {project}; restore "
            "doccano's data, or use a new folder"
        )
    return answers
