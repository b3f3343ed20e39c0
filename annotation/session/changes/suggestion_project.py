"""The suggestions in an annotator's project: replaced document by document, and recorded.

SESSION/suggesting.jsonl   the documents whose suggestions are being replaced; the last one may be
                           incomplete on the server
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ....corpus.document import Document, document_to_json, parse_document
from ....corpus.files import write_documents
from ....corpus.output.atomic import name_full_disk
from ....corpus.reading.json_files import decode_json
from ....errors import InputError, ServerError
from ...doccano.client import DoccanoClient
from ...doccano.work import Work
from ..folder import Session
from ..reading import Reading
from ..upload import to_row

JOURNAL = "suggesting.jsonl"
_ACCEPTED_AFTER = timedelta(seconds=1)
"""A span that was changed later than this after its creation was changed or accepted."""


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
        return self._has_suggestions_only(work) and self._keys(work) == self._wanted(pushed)

    def complete(self, old: Document, new: Document) -> None:
        """Complete a replacement that was interrupted, unless somebody has begun the document."""
        both = self._wanted(old) | self._wanted(new)
        for example in self.client.examples(self.id):
            if example.upload_name == new.id:
                work = self._read(example.id)
                if self._has_suggestions_only(work) and self._keys(work) <= both:
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
        states = self.client.states(self.id, example)
        return Work(
            tuple(self.client.spans(self.id, example)),
            states[-1] if states else None,
            tuple(self.client.comments(self.id, example)),
        )

    def _has_suggestions_only(self, work: Work) -> bool:
        return (
            work.state is None
            and not work.comments
            and all(
                span.user == self.client.user.id
                and span.updated_at - span.created_at < _ACCEPTED_AFTER
                for span in work.spans
            )
        )

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


def read_journal(session: Session) -> list[tuple[str, Document]]:
    """Return the documents of an interrupted call with their new suggestions, by annotator."""
    path = session.folder / JOURNAL
    if not path.is_file():
        return []
    entries = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        where = f"{path}:{number}"
        record = decode_json(line, where)
        if not isinstance(record, dict) or record.get("annotator") not in session.projects:
            raise InputError(f"{where}: not a document of an annotator; delete the line")
        entries.append((record["annotator"], parse_document(record.get("document"), where)))
    return entries


def settle_journal(session: Session) -> None:
    """Record the new suggestions as pushed, and remove the journal."""
    new: dict[str, dict[str, Document]] = {}
    for annotator, document in read_journal(session):
        new.setdefault(annotator, {})[document.id] = document
    for annotator, documents in new.items():
        pushed = [documents.get(d.id, d) for d in session.pushed(annotator)]
        write_documents(session.pushed_path(annotator), pushed)
    (session.folder / JOURNAL).unlink(missing_ok=True)
