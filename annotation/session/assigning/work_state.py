"""What an annotator has done with a document: nothing yet, begun, or confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ....corpus.document import Document
from ...doccano.client import DoccanoClient
from ...doccano.records import Example
from ...doccano.work import read_example
from ..folder import Session
from ..history import read_history
from ..upload import to_row


class WorkState(StrEnum):
    """The state of a document in an annotator's hands."""

    WAITING = "not uploaded yet"
    UNTOUCHED = "untouched"
    BEGUN = "begun"
    CONFIRMED = "confirmed"
    CONFIRMED_BEFORE = "confirmed before"


OPEN_STATES = (WorkState.WAITING, WorkState.UNTOUCHED)
"""Documents in these states may go to somebody else: nobody's work is in them."""
BEGUN_STATES = (WorkState.BEGUN, WorkState.CONFIRMED_BEFORE)
"""Documents in these states have work in them, and wait to be confirmed."""


@dataclass(frozen=True)
class WorkReader:
    """Reads from the server what an annotator has done with the documents of their project.

    Attributes:
        client: an administrator's connection.
        project: the annotator's project.
        pushed: the documents as they were uploaded, by id.
        examples: the project's examples when the reader was opened, by document id.
        label_names: the project's labels by id.
        uploaders: the administrators, whose spans are the suggestions, without the annotator.
        confirmed_before: documents that were confirmed when they were pulled.
    """

    client: DoccanoClient
    project: int
    pushed: dict[str, Document]
    examples: dict[str, Example]
    label_names: dict[int, str]
    uploaders: frozenset[int]
    confirmed_before: frozenset[str]

    @classmethod
    def open(cls, client: DoccanoClient, session: Session, annotator: str) -> WorkReader:
        """Return the reader of an annotator's project."""
        project = session.projects[annotator]
        uploaders = (u.id for u in client.users() if u.is_superuser and u.username != annotator)
        return cls(
            client,
            project,
            {document.id: document for document in session.pushed(annotator)},
            {example.upload_name: example for example in client.examples(project)},
            {span_type.id: span_type.text for span_type in client.span_types(project)},
            frozenset(uploaders),
            frozenset(_confirmed(session, annotator)),
        )

    def read(self, doc_id: str) -> WorkState:
        """Return the state of a document as it is on the server now.

        A document counts as begun if its spans are not the suggestions, or somebody has changed or
        accepted one of them, see :meth:`~orbat.annotation.doccano.work.Work.is_begun`.
        """
        document = self.pushed.get(doc_id)
        if document is None:
            return WorkState.WAITING
        listed = self.examples.get(doc_id)
        if listed is None:
            # Deleted in doccano: pull names it, and nothing is known about the work in it.
            return WorkState.BEGUN
        if listed.is_confirmed:
            return WorkState.CONFIRMED
        work = read_example(self.client, self.project, listed.id)
        if work.state is not None:
            return WorkState.CONFIRMED
        if doc_id in self.confirmed_before:
            return WorkState.CONFIRMED_BEFORE
        spans = [(s.start_offset, s.end_offset, self.label_names.get(s.label)) for s in work.spans]
        is_changed = sorted(spans, key=str) != sorted(to_row(document).spans, key=str)
        begun = is_changed or work.is_begun(self.uploaders)
        return WorkState.BEGUN if begun else WorkState.UNTOUCHED


def _confirmed(session: Session, annotator: str) -> Iterator[str]:
    for version in read_history(session.folder, annotator):
        if version.confirmed_by is not None:
            yield version.document
