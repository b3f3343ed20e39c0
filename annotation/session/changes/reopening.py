"""Reopen confirmed documents that a new ruling of the guidelines touches."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ....errors import InputError
from ....ui import DataTable, OnProgress, Progress, ignore_progress
from ...doccano.client import DoccanoClient
from ..folder import Session
from ..guidelines import GuidelineLog, read_guideline_log
from ..history import add_versions, suggestions_of
from ..reading import Reading, read_session
from .suggestion_project import locked_session

DEFAULT_NOTE = "Please check the article against the guidelines and confirm it again."
CONTEXT = 40
"""Characters of a text that are quoted at each side of the ruling's phrase."""


@dataclass(frozen=True)
class Ruling:
    """A ruling, and which confirmed documents it touches.

    Attributes:
        phrase: what it is about; found in texts whatever the case and white space.
        note: what annotators are told.
        labels: only documents in which the annotator gave one of these labels to the phrase, or to
            a span that overlaps it; empty for all that have the phrase.
        annotators: only documents of these annotators; empty for all.
        documents: only documents with these ids; empty for all.
        before: only documents confirmed before this time, or under an earlier version of the
            guidelines than this number; None for all.
    """

    phrase: str
    note: str = DEFAULT_NOTE
    labels: Collection[str] = ()
    annotators: Collection[str] = ()
    documents: Collection[str] = ()
    before: int | datetime | None = None

    @property
    def comment(self) -> str:
        """The comment on each reopened document."""
        return f"Reopened for the ruling on “{self.phrase}”. {self.note}"

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds the phrase in a text."""
        words = r"\s+".join(map(re.escape, self.phrase.split()))
        return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class ReopenedDocument:
    """A confirmed document that a ruling touches.

    Attributes:
        annotator: whose document.
        document: its id.
        confirmed_at: when it was confirmed, as ISO 8601.
        guidelines: the version of the guidelines under which it was confirmed; None if unknown.
        passage: the text around the phrase.
    """

    annotator: str
    document: str
    confirmed_at: str
    guidelines: int | None
    passage: str


@dataclass(frozen=True)
class Reopened:
    """The result of reopening.

    Attributes:
        documents: the documents that were reopened, or would be.
        settled: number of documents that were reopened for the same ruling before, and confirmed
            again since; they stay confirmed.
        paused: documents of annotators who are paused or removed, and could not confirm them
            again; they stay confirmed.
    """

    documents: tuple[ReopenedDocument, ...]
    settled: int
    paused: tuple[ReopenedDocument, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "documents": [vars(d) for d in self.documents],
            "settled": self.settled,
            "paused": [vars(d) for d in self.paused],
        }


def parse_before(value: str) -> int | datetime:
    """Return the number of a version of the guidelines, or a time; dates begin at midnight UTC.

    Raises:
        InputError: if it is neither.
    """
    if value.isdecimal():
        return int(value)
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(
            f"--before {value}: neither the number of a version of the guidelines nor a date; "
            "write 3 or 2026-06-30"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def reopen(
    client: DoccanoClient,
    folder: Path,
    ruling: Ruling,
    *,
    dry_run: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Reopened:
    """Withdraw the confirmations that a ruling touches, and tell the annotators why.

    Spans are kept, and the confirmed versions are recorded in the history. A comment with the
    ruling is on each document before it is reopened. A call that was interrupted is completed by
    the next, which comments on no document twice and leaves what annotators have confirmed since.
    Documents of paused annotators stay confirmed; when these are back, the same call reopens them.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        ruling: what is reopened.
        dry_run: only find the documents.
        on_progress: called as documents are read and reopened.

    Raises:
        InputError: if the folder is not a session on the connected server, or the ruling names
            nothing, or an unknown label, annotator, document or version.
        ServerError: if the server fails, or the session was changed in doccano.
    """
    with locked_session(client, folder, on_progress) as session:
        log = read_guideline_log(session.folder)
        _check(session, ruling, log)
        touched: list[Reading] = []
        closed: list[Reading] = []
        settled = 0
        for annotator, readings in read_session(client, session, on_progress).items():
            found = [r for r in readings if _is_touched(r, ruling, log)]
            new = [r for r in found if not _is_settled(r, ruling, client.user.username)]
            settled += len(found) - len(new)
            (closed if annotator in session.paused else touched).extend(new)
        result = Reopened(
            tuple(_describe(r, ruling, log) for r in touched),
            settled,
            paused=tuple(_describe(r, ruling, log) for r in closed),
        )
        if not dry_run:
            _record(session, touched)
            for number, reading in enumerate(touched, start=1):
                _reopen(client, session, reading, ruling)
                on_progress(Progress("Reopening", number, len(touched)))
    return result


def _check(session: Session, ruling: Ruling, log: GuidelineLog) -> None:
    if not ruling.phrase.split():
        raise InputError("--ruling is empty; name the words that the ruling is about")
    known = {
        "--label": (ruling.labels, session.labels.names),
        "--annotators": (ruling.annotators, session.projects),
        "--documents": (ruling.documents, session.assignments),
    }
    for option, (names, existing) in known.items():
        unknown = next((name for name in names if name not in existing), None)
        if unknown is not None:
            raise InputError(
                f"{session.folder}: {option} {unknown}: the session has none; check it"
            )
    numbers = [version.number for version in log.versions]
    if isinstance(ruling.before, int) and ruling.before not in numbers:
        raise InputError(
            f"{session.folder}: --before {ruling.before}: no such version of the guidelines; "
            "orbat annotate history --guidelines lists them"
        )


def _is_touched(reading: Reading, ruling: Ruling, log: GuidelineLog) -> bool:
    document, state, annotator = reading.document, reading.work.state, reading.version.annotator
    if state is None or not (
        annotator in (ruling.annotators or [annotator])
        and document.id in (ruling.documents or [document.id])
    ):
        return False
    if isinstance(ruling.before, int):
        # Without a known version it was confirmed before the first that was recorded.
        if (log.at(annotator, state.confirmed_at) or 0) >= ruling.before:
            return False
    elif ruling.before is not None and state.confirmed_at >= ruling.before:
        return False
    places = [match.span() for match in ruling.pattern.finditer(document.text)]
    if not ruling.labels:
        return bool(places)
    spans = [span for span in document.spans if span.label in ruling.labels]
    return any(s.start < end and start < s.end for s in spans for start, end in places)


def _is_settled(reading: Reading, ruling: Ruling, username: str) -> bool:
    """Return whether a document was confirmed after it was reopened for the ruling."""
    state = reading.work.state
    return state is not None and any(
        time < state.confirmed_at for time in _comment_times(reading, ruling, username)
    )


def _comment_times(reading: Reading, ruling: Ruling, username: str) -> list[datetime]:
    return [
        comment.created_at
        for comment in reading.work.comments
        if (comment.username, comment.text) == (username, ruling.comment)
    ]


def _describe(reading: Reading, ruling: Ruling, log: GuidelineLog) -> ReopenedDocument:
    match, text = ruling.pattern.search(reading.document.text), reading.document.text
    assert match is not None
    passage = " ".join(text[max(match.start() - CONTEXT, 0) : match.end() + CONTEXT].split())
    version = reading.version
    number = log.at(version.annotator, version.confirmed_at)
    confirmed_at = version.confirmed_at or ""
    return ReopenedDocument(version.annotator, version.document, confirmed_at, number, passage)


def _record(session: Session, readings: Sequence[Reading]) -> None:
    """Keep the confirmed versions in the history."""
    for annotator in session.projects:
        versions = [r.version for r in readings if r.version.annotator == annotator]
        suggestions = suggestions_of(annotator, session.pushed(annotator))
        add_versions(session.folder, annotator, versions, suggestions)


def _reopen(client: DoccanoClient, session: Session, reading: Reading, ruling: Ruling) -> None:
    project = session.projects[reading.version.annotator]
    # Before the confirmation is withdrawn: an interrupted call finds confirmed documents only.
    if not _comment_times(reading, ruling, client.user.username):
        client.create_comment(project, reading.example, ruling.comment)
    client.reopen(project, reading.example)


def reopened_table(reopened: Reopened) -> DataTable:
    """Return a table of the documents."""
    rows = tuple(
        (d.annotator, d.document, d.confirmed_at[:16], d.guidelines, d.passage)
        for d in reopened.documents
    )
    columns = ("annotator", "document", "confirmed at (UTC)", "guidelines", "passage")
    return DataTable("Documents that the ruling touches", columns, rows)
