"""The work of the annotators as it stands on the server: confirmations, spans and comments.

Reading changes nothing, neither on the server nor in the session folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ...corpus.document import Document, Span
from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Comment, Example
from ..session.folder import Session
from ..utf16 import Utf16Offsets


@dataclass(frozen=True)
class WorkedDocument:
    """A document in an annotator's project.

    Attributes:
        annotator: whose project it is in.
        document: the document as it was pushed, with its suggestions.
        confirmed_at: when it was confirmed; None while it is open.
        spans: its spans once it is confirmed, if they were read.
        comments: the comments on it, if they were read.
    """

    annotator: str
    document: Document
    confirmed_at: datetime | None = None
    spans: tuple[Span, ...] = ()
    comments: tuple[Comment, ...] = ()

    @property
    def words(self) -> int:
        """Number of words, separated by white space."""
        return len(self.document.text.split())

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


@dataclass
class WorkReader:
    """Reads the work of a session, once or again and again.

    A document that is still confirmed at a later reading is not asked again for the time of its
    confirmation.

    Attributes:
        client: an administrator's connection.
        session: the session.
        contents: whether to read spans and comments, too: two more requests for each document.
    """

    client: DoccanoClient
    session: Session
    contents: bool = False
    _times: dict[int, datetime] = field(default_factory=dict)

    def read(self, on_progress: OnProgress = ignore_progress) -> list[ProjectWork]:
        """Return the work in each annotator's project, in the order of the session.

        Raises:
            ServerError: if the server does not answer.
        """
        return [self._read_project(name, on_progress) for name in self.session.projects]

    def _read_project(self, annotator: str, on_progress: OnProgress) -> ProjectWork:
        project = self.session.projects[annotator]
        pushed = {document.id: document for document in self.session.pushed(annotator)}
        examples = [e for e in self.client.examples(project) if e.upload_name in pushed]
        labels = {label.id: label.text for label in self.client.span_types(project)}
        documents = []
        for number, example in enumerate(examples, start=1):
            document = pushed[example.upload_name]
            documents.append(self._read(annotator, project, example, document, labels))
            on_progress(Progress(f"Reading the project of {annotator}", number, len(examples)))
        waiting = self.session.assigned(annotator) - set(pushed)
        # Sessions of earlier versions did not record the words.
        mean = sum(d.words for d in documents) / len(documents) if documents else 0
        return ProjectWork(
            annotator,
            tuple(documents),
            first_open=next((n for n, e in enumerate(examples, 1) if not e.is_confirmed), 1),
            member=annotator in {member.username for member in self.client.members(project)},
            paused=annotator in self.session.paused,
            waiting=len(waiting),
            waiting_words=round(sum(self.session.words.get(doc_id, mean) for doc_id in waiting)),
        )

    def _read(
        self,
        annotator: str,
        project: int,
        example: Example,
        document: Document,
        labels: dict[int, str],
    ) -> WorkedDocument:
        confirmed_at = self._confirmed_at(project, example)
        if not self.contents:
            return WorkedDocument(annotator, document, confirmed_at)
        spans = self._spans(project, example, labels) if confirmed_at else ()
        comments = self.client.comments(project, example.id) if example.comment_count else ()
        return WorkedDocument(annotator, document, confirmed_at, tuple(spans), tuple(comments))

    def _confirmed_at(self, project: int, example: Example) -> datetime | None:
        if not example.is_confirmed:
            self._times.pop(example.id, None)
            return None
        if example.id not in self._times:
            states = self.client.states(project, example.id)
            if not states:  # Withdrawn since the list was read.
                return None
            self._times[example.id] = max(state.confirmed_at for state in states)
        return self._times[example.id]

    def _spans(self, project: int, example: Example, labels: dict[int, str]) -> Iterator[Span]:
        """Yield the spans; what pull would refuse is left to it, and skipped here."""
        offsets = Utf16Offsets(example.text)
        for stored in self.client.spans(project, example.id):
            try:
                start = offsets.to_code_points(stored.start_offset)
                end = offsets.to_code_points(stored.end_offset)
            except ValueError:
                continue
            if stored.label in labels and start < end:
                yield Span(start, end, labels[stored.label])


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
