"""The progress of an adjudication round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Example
from ..overview.pace import measure_pace
from ..session.folder import is_session
from ..session.status import AnnotatorStatus, measure_status
from .question_project import find_project, question_link
from .questions import read_questions


def measure_progress(
    client: DoccanoClient, folder: Path, *, on_progress: OnProgress = ignore_progress
) -> list[AnnotatorStatus]:
    """Measure the progress of every annotator of a session, or of the adjudicator of a round.

    The documents of an adjudicator are questions; documents to annotate by hand come after them.

    Args:
        client: an administrator's connection.
        folder: the folder of a session or of an adjudication round.
        on_progress: called for each document that was read.

    Raises:
        InputError: if the folder is neither on the connected server.
        ServerError: if the server does not answer, or the questions were deleted.
    """
    questions = measure_questions(client, folder, on_progress=on_progress)
    if questions is None:
        return measure_status(client, folder, on_progress=on_progress)
    if is_session(folder):
        return [questions, *measure_status(client, folder, on_progress=on_progress)]
    return [questions]


def measure_questions(
    client: DoccanoClient, folder: Path, *, on_progress: OnProgress = ignore_progress
) -> AnnotatorStatus | None:
    """Measure the progress of the adjudicator of a round; None if the folder holds no round.

    The arguments and errors are those of :func:`measure_progress`.
    """
    project = find_project(client, folder)
    return None if project is None else _measure_questions(client, folder, project, on_progress)


def _measure_questions(
    client: DoccanoClient, folder: Path, project: int, on_progress: OnProgress
) -> AnnotatorStatus:
    asked = {question.id for question in read_questions(folder)}
    examples = [e for e in client.examples(project) if e.upload_name in asked]
    times = _read_confirmations(client, project, examples, on_progress)
    members = [m.username for m in client.members(project) if m.username != client.user.username]
    return AnnotatorStatus(
        f"{', '.join(members)} (questions)",
        documents=len(examples),
        confirmed=sum(example.is_confirmed for example in examples),
        waiting=0,
        per_hour=measure_pace(times),
        last=max(times, default=None),
        member=bool(members),
        link=question_link(client, project),
    )


def _read_confirmations(
    client: DoccanoClient, project: int, examples: Sequence[Example], on_progress: OnProgress
) -> list[datetime]:
    """Return when the confirmed examples of a project were confirmed."""
    times: list[datetime] = []
    for number, example in enumerate(examples, start=1):
        if example.is_confirmed:
            times += [state.confirmed_at for state in client.states(project, example.id)]
        on_progress(Progress("Reading the questions", number, len(examples)))
    return times
