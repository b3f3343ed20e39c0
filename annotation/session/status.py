"""How far each annotator of a session is, and how fast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from ..doccano.client import DoccanoClient
from .folder import Report, open_here

PAUSE = timedelta(minutes=30)
"""A longer gap between two confirmations is no work on the second."""


@dataclass(frozen=True)
class Progress:
    """One annotator's progress.

    Attributes:
        annotator: account name.
        documents: how many lie before them.
        confirmed: how many they have finished.
        waiting: how many are assigned to them and not handed out yet.
        per_hour: documents confirmed in an hour of work, pauses of more than :data:`PAUSE` left
            out; None before the second confirmation.
        last: when they last confirmed a document; None before.
        member: False where they were removed from their project.
        link: address of their first open document.
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
        """Hours of work left at their pace, on what lies before them and what waits."""
        left = self.documents - self.confirmed + self.waiting
        return left / self.per_hour if self.per_hour else None


def measure_status(
    doccano: DoccanoClient, folder: Path, *, report: Report = lambda what, done, total: None
) -> list[Progress]:
    """Ask the server how far the annotators of a session are.

    Raises:
        InputError: if the folder is no session, or its server does not answer.
    """
    session = open_here(doccano, folder)
    found = []
    for annotator, project in session.projects.items():
        pushed = {document.id for document in session.pushed(annotator)}
        examples = [e for e in doccano.examples(project) if e.upload_name in pushed]
        times = []
        for number, example in enumerate(examples, start=1):
            if example.is_confirmed:
                times += [state.confirmed_at for state in doccano.states(project, example.id)]
            report(f"Asking about {annotator}", number, len(examples))
        first_open = next((n for n, e in enumerate(examples, 1) if not e.is_confirmed), 1)
        assigned = {i for i, owner in session.assignments.items() if owner in (None, annotator)}
        members = {member.username for member in doccano.members(project)}
        found.append(
            Progress(
                annotator,
                len(pushed),
                sum(example.is_confirmed for example in examples),
                len(assigned - pushed),
                measure_pace(times),
                max(times, default=None),
                annotator in members,
                session.link(annotator, first_open),
            )
        )
    return found


def measure_pace(times: Iterable[datetime]) -> float | None:
    """Return confirmations in an hour of work, pauses left out; None for fewer than two."""
    gaps = [later - earlier for earlier, later in pairwise(sorted(times))]
    work = [gap for gap in gaps if gap <= PAUSE]
    total = sum(work, timedelta())
    return len(work) / (total / timedelta(hours=1)) if total else None
