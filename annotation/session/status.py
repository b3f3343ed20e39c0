"""The progress of the annotators of a session: confirmed documents, pace and time left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...ui import DataTable, OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from ..overview.forecast import Forecast, forecast
from ..overview.pace import Pace, measure_pace, measure_work
from ..overview.work import ProjectWork, read_session_work
from .folder import Session, open_session


@dataclass(frozen=True)
class AnnotatorStatus:
    """The progress of one annotator.

    Attributes:
        annotator: account name.
        documents: number of documents in their project.
        confirmed: number of documents that they have confirmed.
        waiting: number of documents assigned to them that are not in their project yet.
        per_hour: documents confirmed per hour of work, without pauses of more than
            :data:`~orbat.annotation.overview.pace.PAUSE`; None before the second confirmation.
        last: time of the last confirmation; None before the first.
        member: False if they were removed from their project.
        link: address that opens their first unconfirmed document.
        paused: True if they may not open the project for now.
        pace: their pace in words; None for the questions of an adjudicator.
        forecast: what is left in words; None for the questions of an adjudicator.
    """

    annotator: str
    documents: int
    confirmed: int
    waiting: int
    per_hour: float | None
    last: datetime | None
    member: bool
    link: str
    paused: bool = False
    pace: Pace | None = None
    forecast: Forecast | None = None

    @property
    def is_done(self) -> bool:
        """Whether they have confirmed all documents that are assigned to them, at least one."""
        return self.confirmed == self.documents > 0 and not self.waiting

    @property
    def hours_left(self) -> float | None:
        """Estimated hours of work left, waiting documents included; None without a pace.

        In words, if they are known: documents differ in length.
        """
        if self.forecast is not None:
            return self.forecast.hours_left
        left = self.documents - self.confirmed + self.waiting
        return left / self.per_hour if self.per_hour else None

    def to_json(self) -> dict[str, Any]:
        """Return the status as a JSON object."""
        last = self.last and str(self.last)
        record = {**vars(self), "last": last, "hours_left": self.hours_left}
        pace, left = record.pop("pace"), record.pop("forecast")
        if pace is not None and left is not None:
            finish = left.finish and str(left.finish)
            record["pace"] = vars(pace)
            record["forecast"] = {**vars(left), "finish": finish}
        return record


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
    work = read_session_work(client, session, on_progress=on_progress)
    now = datetime.now(UTC)
    return [status_of(project, session, now, has_page=client.has_page) for project in work]


def status_of(
    work: ProjectWork, session: Session, now: datetime, *, has_page: bool
) -> AnnotatorStatus:
    """Return the progress of an annotator from the documents of their project.

    Args:
        work: their documents.
        session: the session.
        now: the time of the reading.
        has_page: whether the server has orbat's annotation page.
    """
    confirmed = work.confirmed
    times = [document.confirmed_at for document in confirmed if document.confirmed_at]
    again = [document.confirmed_again_at for document in confirmed if document.confirmed_again_at]
    pace = measure_work(confirmed)
    return AnnotatorStatus(
        work.annotator,
        documents=len(work.documents),
        confirmed=len(confirmed),
        waiting=work.waiting,
        per_hour=measure_pace(times),
        last=max([*times, *again], default=None),
        member=work.member,
        link=session.link(work.annotator, has_page=has_page, number=work.first_open),
        paused=work.paused,
        pace=pace,
        forecast=forecast(work, pace, now),
    )


def status_table(statuses: Sequence[AnnotatorStatus]) -> DataTable:
    """Return a table with a row for each annotator."""
    columns = (
        *("annotator", "documents", "confirmed", "waiting", "words left"),
        *("words per hour", "hours left", "last"),
    )
    rows = tuple(
        (
            *(status.annotator, status.documents, status.confirmed, status.waiting),
            status.forecast and status.forecast.words_left,
            _round(status.pace.words_per_hour if status.pace else None),
            status.hours_left,
            status.last and f"{status.last:%Y-%m-%d %H:%M} UTC",
        )
        for status in statuses
    )
    note = "waiting: assigned, not uploaded yet; pace: without pauses of half an hour or more"
    return DataTable("Progress", columns, rows, note=note)


def _round(value: float | None) -> int | None:
    return None if value is None else round(value)
