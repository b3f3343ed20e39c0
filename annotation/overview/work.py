"""The work of the annotators as it stands on the server: confirmations, spans and comments.

Reading changes nothing, neither on the server nor in the session folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ...corpus.document import Document, Span
from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Comment, Example
from ..doccano.work import Work, read_work
from ..session.assigning.assignment import count_words
from ..session.assigning.word_load import add_words, typical_words
from ..session.folder import Session
from ..session.history import first_confirmations
from ..session.reading import convert_span
from ..utf16 import Utf16Offsets
from .comments import DocumentComment


@dataclass(frozen=True)
class WorkedDocument:
    """A document in an annotator's project.

    Attributes:
        annotator: whose project it is in.
        document: the document as it was pushed, with its suggestions.
        confirmed_at: when it was confirmed for the first time that is known; None while it is not
            confirmed.
        spans: its spans.
        comments: the comments on it.
        confirmed_again_at: when it was confirmed after it had been reopened; None if it was not.
    """

    annotator: str
    document: Document
    confirmed_at: datetime | None = None
    spans: tuple[Span, ...] = ()
    comments: tuple[Comment, ...] = ()
    confirmed_again_at: datetime | None = None

    @property
    def words(self) -> int:
        """Number of words, at least 1."""
        return count_words(self.document.text)

    @property
    def annotated(self) -> Document:
        """The document with the annotator's spans."""
        return self.document.with_spans(self.spans)


@dataclass(frozen=True)
class ProjectWork:
    """The work in one annotator's project.

    Attributes:
        annotator: account name.
        documents: in the order of the project.
        first_open: number of the first unconfirmed document, counted from 1; 1 if there is none.
        member: False if the annotator was removed from the project.
        paused: True if they may not open the project for now.
        waiting: number of documents assigned to the annotator that are not in the project yet.
        waiting_words: their words.
    """

    annotator: str
    documents: tuple[WorkedDocument, ...]
    first_open: int = 1
    member: bool = True
    paused: bool = False
    waiting: int = 0
    waiting_words: int = 0

    @property
    def confirmed(self) -> list[WorkedDocument]:
        """The confirmed documents, earliest first."""
        done = [(d.confirmed_at, d) for d in self.documents if d.confirmed_at is not None]
        return [document for _, document in sorted(done, key=lambda pair: pair[0])]

    @property
    def comments(self) -> list[DocumentComment]:
        """The comments on all documents."""
        return [
            DocumentComment(c.created_at, c.username, self.annotator, d.document.id, c.text)
            for d in self.documents
            for c in d.comments
        ]


def read_session_work(
    client: DoccanoClient, session: Session, *, on_progress: OnProgress = ignore_progress
) -> list[ProjectWork]:
    """Read the work in each annotator's project, in the order of the session.

    What a pull would refuse, such as offsets outside the text, is left to it and skipped here.

    Args:
        client: an administrator's connection.
        session: the session.
        on_progress: called as documents are read.

    Raises:
        ServerError: if the server does not answer.
    """
    session = add_words(session, ())
    return [_read_project(client, session, name, on_progress) for name in session.projects]


def _read_project(
    client: DoccanoClient, session: Session, annotator: str, on_progress: OnProgress
) -> ProjectWork:
    project = session.projects[annotator]
    pushed = {document.id: document for document in session.pushed(annotator)}
    examples = [e for e in client.examples(project) if e.upload_name in pushed]
    labels = {label.id: label.text for label in client.span_types(project)}
    task = f"Reading the project of {annotator}"
    work = read_work(
        *(client, project, examples),
        on_read=lambda number: on_progress(Progress(task, number, len(examples))),
    )
    earlier = first_confirmations(session.folder, annotator)
    documents = []
    for example in examples:
        # Without an entry, the example was deleted since the list was read.
        done = work.get(example.id, Work())
        spans = tuple(_spans(example, done, labels))
        document = pushed[example.upload_name]
        last = done.state.confirmed_at if done.state else None
        first = last and min(last, earlier.get(document.id, last))
        again = None if last == first else last
        documents.append(WorkedDocument(annotator, document, first, spans, done.comments, again))
    waiting = session.assigned(annotator) - set(pushed)
    typical = typical_words(session)
    return ProjectWork(
        annotator,
        tuple(documents),
        first_open=next((n for n, d in enumerate(documents, 1) if not d.confirmed_at), 1),
        member=annotator in {member.username for member in client.members(project)},
        paused=annotator in session.paused,
        waiting=len(waiting),
        waiting_words=sum(session.words.get(doc_id, typical) for doc_id in waiting),
    )


def _spans(example: Example, work: Work, labels: dict[int, str]) -> Iterator[Span]:
    offsets = Utf16Offsets(example.text)
    for stored in work.spans:
        if stored.label not in labels:
            continue
        with suppress(ValueError):
            if span := convert_span(stored, example.text, offsets, labels):
                yield span


def shared_confirmed(work: Sequence[ProjectWork]) -> dict[str, list[WorkedDocument]]:
    """Return the documents that two or more annotators have confirmed, by id.

    Each has its annotators' versions, the earliest confirmation first.
    """
    by_id: dict[str, list[WorkedDocument]] = {}
    for project in work:
        for document in project.confirmed:
            by_id.setdefault(document.document.id, []).append(document)
    return {
        doc_id: sorted(versions, key=lambda version: str(version.confirmed_at))
        for doc_id, versions in by_id.items()
        if len(versions) > 1
    }
