"""The progress of the annotators of a session: confirmed documents, pace and time left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...ui import DataTable, OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Example
from .folder import Session, open_session

PAUSE = timedelta(minutes=30)
"""A longer time between two confirmations counts as a pause, not as work."""


@dataclass(frozen=True)
class AnnotatorStatus:
    """The progress of one annotator.

    Attributes:
        annotator: account name.
        documents: number of documents in their project.
        confirmed: number of documents that they have confirmed.
        waiting: number of documents assigned to them that are not in their project yet.
        per_hour: documents confirmed per hour of work, without pauses of more than
            :data:`PAUSE`; None before the second confirmation.
        last: time of the last confirmation; None before the first.
        member: False if they were removed from their project.
        link: address that opens their first unconfirmed document.
    """

    annotator: str
    documents: int
    confirmed: int
    waiting: int
    per_hour: float | None
    last: datetime | None
    member: bool
    link: str

    @property
    def hours_left(self) -> float | None:
        """Estimated hours of work left, waiting documents included; None without a pace."""
        left = self.documents - self.confirmed + self.waiting
        return left / self.per_hour if self.per_hour else None

    def to_json(self) -> dict[str, Any]:
        """Return the status as a JSON object."""
        last = self.last and str(self.last)
        return {**vars(self), "last": last, "hours_left": self.hours_left}


def measure_status(
    client: DoccanoClient, folder: Path, *, on_progress: OnProgress = ignore_progress
) -> list[AnnotatorStatus]:
    """Measure the progress of every annotator of a session.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        on_progress: called for each document that was read.

    Raises:
        InputError: if the folder is not a session on the connected server.
        ServerError: if the server does not answer.
    """
    session = open_session(folder, client)
    return [
        _measure_annotator(client, session, annotator, on_progress)
        for annotator in session.projects
    ]


def _measure_annotator(
    client: DoccanoClient, session: Session, annotator: str, on_progress: OnProgress
) -> AnnotatorStatus:
    project = session.projects[annotator]
    pushed = {document.id for document in session.pushed(annotator)}
    examples = [e for e in client.examples(project) if e.upload_name in pushed]
    task = f"Reading the project of {annotator}"
    times = read_confirmations(client, project, examples, task=task, on_progress=on_progress)
    first_open = next((n for n, e in enumerate(examples, 1) if not e.is_confirmed), 1)
    return AnnotatorStatus(
        annotator,
        documents=len(pushed),
        confirmed=sum(example.is_confirmed for example in examples),
        waiting=len(session.assigned(annotator) - pushed),
        per_hour=measure_pace(times),
        last=max(times, default=None),
        member=annotator in {member.username for member in client.members(project)},
        link=session.link(annotator, has_page=client.has_page, number=first_open),
    )


def read_confirmations(
    client: DoccanoClient,
    project: int,
    examples: Sequence[Example],
    *,
    task: str,
    on_progress: OnProgress = ignore_progress,
) -> list[datetime]:
    """Return when the examples of a project were confirmed.

    Args:
        client: an administrator's connection.
        project: the project's id.
        examples: the examples; only confirmed ones are read.
        task: name of the task in progress reports.
        on_progress: called for each example.
    """
    times: list[datetime] = []
    for number, example in enumerate(examples, start=1):
        if example.is_confirmed:
            times += [state.confirmed_at for state in client.states(project, example.id)]
        on_progress(Progress(task, number, len(examples)))
    return times


def measure_pace(times: Iterable[datetime]) -> float | None:
    """Return the confirmations per hour of work, without pauses; None for fewer than two times."""
    gaps = [later - earlier for earlier, later in pairwise(sorted(times))]
    work = [gap for gap in gaps if gap <= PAUSE]
    total = sum(work, timedelta())
    return len(work) / (total / timedelta(hours=1)) if total else None


def status_table(statuses: Sequence[AnnotatorStatus]) -> DataTable:
    """Return a table with a row for each annotator."""
    columns = ("annotator", "documents", "confirmed", "waiting", "per hour", "hours left", "last")
    rows = tuple(
        (
            *(status.annotator, status.documents, status.confirmed, status.waiting),
            *(status.per_hour, status.hours_left),
            status.last and f"{status.last:%Y-%m-%d %H:%M} UTC",
        )
        for status in statuses
    )
    note = "waiting: assigned, not uploaded yet; per hour: without pauses of half an hour or more"
    return DataTable("Progress", columns, rows, note=note)
