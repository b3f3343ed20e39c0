"""Conflicts as questions in doccano, each settled by one key.

    FOLDER/choices.json     the project, and how many choices it offers
    FOLDER/questions.jsonl  what was asked, and which spans each choice stands for

A question is an example of a text classification project: the words in dispute, marked in their
context, and below them what the readings have there. The adjudicator picks a reading by its
number, 0 for no span, or x where none is right and the document must be marked by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...corpus.document import Span
from ...corpus.files import read_json_lines, sha256_text, write_json, write_json_lines
from ...corpus.labels import Label
from ...errors import InputError, ServerError
from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import UploadRow
from ..session.accounts import ensure_account
from .conflicts import AnnotationComparison

ANOTHER = "another"
NOTHING = "no span"
_CONTEXT = 300

_COLORS = ("#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf", "#ff7f0e")


@dataclass(frozen=True)
class Question:
    """A conflict put before the adjudicator.

    Attributes:
        name: its id in doccano.
        document: the document's id.
        text: as the adjudicator reads it.
        options: the spans that each choice stands for, in the order of their numbers.
    """

    name: str
    document: str
    text: str
    options: tuple[tuple[Span, ...], ...]


def make_questions(comparison: AnnotationComparison) -> list[Question]:
    """Return a question for each conflict of a document, in order.

    Readings are not named, so that nobody is followed for their name.
    """
    text = comparison.document.text
    questions = []
    for conflict in comparison.conflicts:
        options = dict.fromkeys(
            tuple(span for span, holders in conflict.spans if name in holders)
            for name in comparison.annotators
        )
        marked = [option for option in options if option]
        start = min(span.start for span, _ in conflict.spans)
        end = max(span.end for span, _ in conflict.spans)
        before = text[max(start - _CONTEXT, 0) : start].rpartition("\n\n")[2]
        behind = text[end : end + _CONTEXT].partition("\n\n")[0]
        lines = [f"…{before}⟦{text[start:end]}⟧{behind}…", ""]
        for place, option in enumerate(marked, start=1):
            words = " and ".join(f"{s.label} “{text[s.start : s.end]}”" for s in option)
            lines.append(f"{place}   {words}")
        lines += [f"0   {NOTHING}", "x   none of these: I will mark it in the text"]
        asked = "\n".join(lines)
        # Named by what is asked: when a reading changes, its conflicts are asked anew.
        identity = f"{comparison.document.id[:200]}#{start}-{end}-{sha256_text(asked)[:8]}"
        questions.append(Question(identity, comparison.document.id, asked, tuple(marked)))
    return questions


def ask(
    doccano: DoccanoClient,
    folder: Path,
    adjudicator: str,
    questions: Sequence[Question],
    *,
    on_progress: OnProgress = ignore_progress,
) -> tuple[str, int]:
    """Put questions before the adjudicator; what was asked before is not asked again.

    Returns:
        The address of the first question, and how many are new.

    Raises:
        ServerError: if the server fails, or does not hold what was sent.
    """
    folder = Path(folder)
    asked = {question.name: question for question in read_questions(folder)}
    new = [question for question in questions if question.name not in asked]
    choices = max((len(q.options) for q in (*asked.values(), *new)), default=0)
    project = _ensure_project(doccano, folder, choices)
    doccano.add_member(project, ensure_account(doccano, folder, adjudicator).id)
    if new:
        rows = [UploadRow(name=q.name, text=q.text, meta={"document": q.document}) for q in new]
        there = {example.upload_name for example in doccano.examples(project)}
        missing = [row for row in rows if row.name not in there]
        on_progress(Progress("Uploading questions", 0, len(missing)))
        if missing:
            doccano.upload(project, missing, project_type="DocumentClassification")
        held = {example.upload_name: example.text for example in doccano.examples(project)}
        wrong = next((q for q in new if held.get(q.name) != q.text), None)
        if wrong is not None:
            raise ServerError(
                f"{doccano.url}: question '{wrong.name}' did not arrive as sent; run this again"
            )
        on_progress(Progress("Uploading questions", len(missing), len(missing)))
        _write_questions(folder, [*asked.values(), *new])
    return f"{doccano.url}/projects/{project}/text-classification?page=1", len(new)


def _ensure_project(doccano: DoccanoClient, folder: Path, choices: int) -> int:
    project = _project_of(doccano, folder)
    if project is None:
        name = f"{folder.absolute().name} · conflicts"[:100]
        guide = "Press the number of the reading that is right, 0 for no span, x for none; Enter."
        project = doccano.create_project(
            name, "Conflicts to settle", guide, project_type="DocumentClassification"
        ).id
        write_json(folder / "choices.json", {"url": doccano.url, "project": project})
    labels = [
        Label(name=str(n), key=str(n), color=_COLORS[(n - 1) % len(_COLORS)])
        for n in range(1, min(choices, 9) + 1)
    ]
    labels += [
        Label(name=NOTHING, key="0", color="#7f7f7f"),
        Label(name=ANOTHER, key="x", color="#d62728"),
    ]
    doccano.ensure_category_types(project, labels)
    return project


def _project_of(doccano: DoccanoClient, folder: Path) -> int | None:
    """Return the project of a folder's questions; None before the first."""
    path = folder / "choices.json"
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    project = int(record["project"])
    if record["url"] != doccano.url:
        raise InputError(f"{folder}: its questions are on {record['url']}; connect to that")
    if doccano.project(project) is None:
        raise ServerError(
            f"{doccano.url}: project {project} of the adjudicator's questions is gone; restore the "
            "server's data or begin a new session folder"
        )
    return project


def read_questions(folder: Path) -> list[Question]:
    """Return what was asked in a folder."""
    path = Path(folder) / "questions.jsonl"
    if not path.is_file():
        return []
    return [
        Question(
            record["name"],
            record["document"],
            record["text"],
            tuple(tuple(Span(*mark) for mark in option) for option in record["options"]),
        )
        for _, record in read_json_lines(path)
    ]


def _write_questions(folder: Path, questions: Iterable[Question]) -> None:
    def record(question: Question) -> dict[str, Any]:
        options = [[[s.start, s.end, s.label] for s in option] for option in question.options]
        return {**vars(question), "options": options}

    write_json_lines(folder / "questions.jsonl", map(record, questions))


def read_answers(
    doccano: DoccanoClient, folder: Path, *, on_progress: OnProgress = ignore_progress
) -> dict[str, tuple[Span, ...] | None]:
    """Return for each confirmed question with a choice the spans chosen; None for `another`.

    Raises:
        ServerError: if a question or the whole project was deleted in doccano.
    """
    project = _project_of(doccano, Path(folder))
    if project is None:
        return {}
    asked = {question.name: question for question in read_questions(folder)}
    names = {each.id: each.text for each in doccano.category_types(project)}
    answers: dict[str, tuple[Span, ...] | None] = {}
    there: set[str] = set()
    for number, example in enumerate(doccano.examples(project), start=1):
        there.add(example.upload_name)
        question = asked.get(example.upload_name)
        on_progress(Progress("Reading answers", number, len(asked)))
        if question is None or not example.is_confirmed:
            continue
        meanings: dict[str, tuple[Span, ...] | None] = {NOTHING: (), ANOTHER: None}
        meanings |= {str(n): option for n, option in enumerate(question.options, start=1)}
        chosen = [names.get(label, "") for label in doccano.categories(project, example.id)]
        if len(chosen) == 1 and chosen[0] in meanings:
            answers[question.name] = meanings[chosen[0]]
    gone = next((name for name in asked if name not in there), None)
    if gone is not None:
        raise ServerError(
            f"{doccano.url}: question '{gone}' was deleted from project {project}; restore "
            "doccano's data, or begin a new session folder"
        )
    return answers
