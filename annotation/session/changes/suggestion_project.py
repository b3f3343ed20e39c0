"""The suggestions in an annotator's project: replaced document by document, and recorded.

SESSION/suggesting.jsonl   the documents whose suggestions are being replaced; the last one may be
                           incomplete on the server
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ....corpus.document import Document, document_to_json, parse_document
from ....corpus.output.atomic import name_full_disk
from ....corpus.output.locks import lock_folder
from ....corpus.reading.json_files import decode_json
from ....errors import InputError, ServerError
from ....ui import OnProgress, ignore_progress
from ...doccano.client import DoccanoClient
from ...doccano.work import Work, read_example
from ..folder import Session, open_session
from ..history import add_versions, suggestions_of
from ..reading import Reading, read_session
from ..upload import to_row

JOURNAL = "suggesting.jsonl"


@dataclass(frozen=True)
class SuggestionProject:
    """The project of an annotator, in which suggestions are replaced.

    Attributes:
        client: an administrator's connection, whose spans are the suggestions.
        journal: records each document before it is written.
        annotator: account name.
        id: the project's id.
        labels: the ids of its labels by name.
    """

    client: DoccanoClient
    journal: Path
    annotator: str
    id: int
    labels: Mapping[str, int]

    @classmethod
    def open(cls, client: DoccanoClient, session: Session, annotator: str) -> SuggestionProject:
        """Return the project of an annotator."""
        project = session.projects[annotator]
        labels = {span_type.text: span_type.id for span_type in client.span_types(project)}
        return cls(client, session.folder / JOURNAL, annotator, project, labels)

    def is_untouched(self, work: Work, pushed: Document) -> bool:
        """Return whether a document has its suggestions and nothing else."""
        return not self._is_begun(work) and self._keys(work) == self._wanted(pushed)

    def complete(self, old: Document, new: Document) -> None:
        """Complete a replacement that was interrupted, unless somebody has begun the document."""
        both = self._wanted(old) | self._wanted(new)
        for example in self.client.examples(self.id):
            if example.upload_name == new.id:
                work = self._read(example.id)
                if not self._is_begun(work) and self._keys(work) <= both:
                    self.write(example.id, new)

    def replace(self, reading: Reading, new: Document) -> bool:
        """Replace the suggestions of a document, unless somebody has begun it since."""
        if not self.is_untouched(self._read(reading.example), reading.pushed):
            return False
        _append(self.journal, {"annotator": self.annotator, "document": document_to_json(new)})
        self.write(reading.example, new)
        return True

    def write(self, example: int, new: Document) -> None:
        """Make the suggestions of a document equal to its spans, and check that they are.

        Raises:
            ServerError: if doccano does not store them.
        """
        row, missing = to_row(new), self._wanted(new)
        for span in self.client.spans(self.id, example):
            key = (span.start_offset, span.end_offset, span.label)
            if key in missing:
                missing.discard(key)
            elif span.user == self.client.user.id:
                self.client.delete_span(self.id, example, span.id)
        for start, end, label in sorted(missing):
            self.client.create_span(self.id, example, start, end, label)
        self.client.set_meta(self.id, example, row.meta)
        if not self._wanted(new) <= self._keys(self._read(example)):
            raise ServerError(
                f"{self.client.url}: project {self.id}: doccano did not store the suggestions of "
                f"'{new.id}'; run the command again"
            )

    def _read(self, example: int) -> Work:
        return read_example(self.client, self.id, example)

    def _is_begun(self, work: Work) -> bool:
        return work.is_begun({self.client.user.id})

    def _keys(self, work: Work) -> set[tuple[int, int, int]]:
        return {(span.start_offset, span.end_offset, span.label) for span in work.spans}

    def _wanted(self, document: Document) -> set[tuple[int, int, int]]:
        # Of a label that was deleted in doccano, no span has the id.
        return {
            (start, end, self.labels.get(label, -1)) for start, end, label in to_row(document).spans
        }


def _append(path: Path, record: object) -> None:
    with name_full_disk(path), path.open("ab") as file:
        file.write(f"{json.dumps(record)}\n".encode())
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def locked_session(
    client: DoccanoClient, folder: Path, on_progress: OnProgress = ignore_progress
) -> Iterator[Session]:
    """Lock the folder of a session on the connected server, and complete interrupted suggestions.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        on_progress: called for each document that is read.

    Raises:
        InputError: if the folder is not a session on the connected server, another process works in
            it, or it is damaged.
        ServerError: if the server fails, or the session was changed in doccano.
    """
    # Before the lock, which would be made in any folder.
    open_session(folder, client)
    with lock_folder(folder):
        session = open_session(folder, client)
        complete_suggestions(client, session, on_progress)
        yield session


def complete_suggestions(
    client: DoccanoClient, session: Session, on_progress: OnProgress = ignore_progress
) -> None:
    """Complete and record the suggestions that an interrupted call has left.

    Every command that changes or records the session calls it first: the new suggestions must
    never pass for the work of annotators. Without a journal, it does nothing.

    Args:
        client: an administrator's connection.
        session: the session, whose folder is locked.
        on_progress: called for each document that is read.

    Raises:
        InputError: if the journal is damaged.
        ServerError: if the server fails, or the session was changed in doccano.
    """
    if (session.folder / JOURNAL).is_file():
        for annotator, new in _read_journal(session)[-1:]:
            old = next((d for d in session.pushed(annotator) if d.id == new.id), None)
            if old is not None:
                SuggestionProject.open(client, session, annotator).complete(old, new)
        record_suggestions(client, session, on_progress)


def _read_journal(session: Session) -> list[tuple[str, Document]]:
    """Return the documents of the journal with their new suggestions, by annotator."""
    path = session.folder / JOURNAL
    entries = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        where = f"{path}:{number}"
        record = decode_json(line, where)
        if not isinstance(record, dict) or record.get("annotator") not in session.projects:
            raise InputError(f"{where}: not a document of an annotator; delete the line")
        entries.append((record["annotator"], parse_document(record.get("document"), where)))
    return entries


def record_suggestions(client: DoccanoClient, session: Session, on_progress: OnProgress) -> None:
    """Record the suggestions of the journal as pushed and in the history, and remove it."""
    if not (session.folder / JOURNAL).is_file():
        return
    new: dict[str, dict[str, Document]] = {}
    for annotator, document in _read_journal(session):
        new.setdefault(annotator, {})[document.id] = document
    for annotator, documents in new.items():
        pushed = session.pushed(annotator)
        session.record_pushed(annotator, [documents.get(d.id, d) for d in pushed])
    readings = read_session(client, session, on_progress)
    for annotator, documents in new.items():
        versions = [r.version for r in readings[annotator] if r.document.id in documents]
        suggestions = suggestions_of(annotator, session.pushed(annotator))
        add_versions(session.folder, annotator, versions, suggestions)
    (session.folder / JOURNAL).unlink()
