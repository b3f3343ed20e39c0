"""Read the annotators' projects: their documents, as they are pulled and recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ...corpus.document import Document, Span, check_spans, trim_span
from ...corpus.labels import LabelSet
from ...errors import ServerError
from ...ui import OnProgress, Progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Example, ExampleSpan
from ..doccano.work import Work, read_work
from ..utf16 import Utf16Offsets
from .folder import Session
from .guidelines import GuidelineLog, read_guideline_log
from .history import Version, VersionSpan

SUGGESTED = "suggested"
"""Note of a pulled span that is equal to a suggestion."""


class Reading(NamedTuple):
    """A document of an annotator as it is on the server.

    Attributes:
        document: with the annotator's spans and `meta.annotation`.
        pushed: with the suggestions that it was pushed with.
        version: the same for the history.
        example: its id in doccano.
        work: what doccano has of it.
    """

    document: Document
    pushed: Document
    version: Version
    example: int
    work: Work


def read_session(
    client: DoccanoClient, session: Session, on_progress: OnProgress
) -> dict[str, list[Reading]]:
    """Read the documents of every annotator of a session, in the order of pushing.

    Args:
        client: an administrator's connection.
        session: the session.
        on_progress: called for each document that was read.

    Raises:
        ServerError: if a document or label was changed, duplicated or deleted in doccano, or an
            offset does not exist in the text.
    """
    usernames = {user.id: user.username for user in client.users()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        annotator: ProjectReader.open(client, session, annotator, usernames, now).read_all(
            session.pushed(annotator), on_progress
        )
        for annotator in session.projects
    }


@dataclass(frozen=True)
class ProjectReader:
    """Reads one annotator's documents, as they are pulled and as versions for the history.

    Attributes:
        client: an administrator's connection.
        project: the annotator's project.
        annotator: account name.
        label_names: the project's labels by id.
        usernames: the server's accounts by id.
        now: time of the pull, as ISO 8601.
        guidelines: the versions of the session's guidelines.
    """

    client: DoccanoClient
    project: int
    annotator: str
    label_names: dict[int, str]
    usernames: dict[int, str]
    now: str
    guidelines: GuidelineLog

    @classmethod
    def open(
        cls,
        client: DoccanoClient,
        session: Session,
        annotator: str,
        usernames: dict[int, str],
        now: str,
    ) -> ProjectReader:
        """Return the reader of an annotator's project, after checking the project's labels."""
        project = session.projects[annotator]
        label_names = _check_labels(client, project, session.labels)
        log = read_guideline_log(session.folder)
        return cls(client, project, annotator, label_names, usernames, now, log)

    def read_all(self, pushed: Sequence[Document], on_progress: OnProgress) -> list[Reading]:
        """Read the pushed documents, in their order."""
        examples = _check_examples(self.client, self.project, pushed)
        task = f"Reading from {self.annotator}"
        work = read_work(
            *(self.client, self.project, examples.values()),
            on_read=lambda number: on_progress(Progress(task, number, len(pushed))),
        )
        deleted = next((d.id for d in pushed if examples[d.id].id not in work), None)
        if deleted is not None:
            raise ServerError(
                f"{_where(self.client, self.project)}: document '{deleted}' was deleted in doccano "
                "while it was read; restore doccano's data"
            )
        return [
            self._read(document, examples[document.id].id, work[examples[document.id].id])
            for document in pushed
        ]

    def _read(self, document: Document, example: int, work: Work) -> Reading:
        state = work.state
        spans, version_spans = self._read_spans(document, work.spans)
        meta = {**document.meta, "annotation": self._annotation(work)}
        version = Version(
            document.id,
            self.annotator,
            pulled_at=self.now,
            confirmed_by=self._username(state.confirmed_by) if state else None,
            confirmed_at=state.confirmed_at.isoformat() if state else None,
            spans=tuple(sorted(version_spans, key=lambda span: span.key)),
        )
        pulled = Document(document.id, document.text, tuple(sorted(spans)), meta)
        return Reading(pulled, document, version, example, work)

    def _read_spans(
        self, document: Document, stored_spans: Iterable[ExampleSpan]
    ) -> tuple[list[Span], list[VersionSpan]]:
        offsets = Utf16Offsets(document.text)
        suggestions = set(document.spans)
        spans, version_spans = [], []
        for stored in stored_spans:
            span = self._convert(stored, document, offsets)
            if span is None:
                continue
            note = SUGGESTED if span in suggestions else None
            spans.append(replace(span, annotator=self.annotator, note=note))
            version_spans.append(
                VersionSpan(
                    *(span.start, span.end, span.label),
                    user=self._username(stored.user),
                    created_at=stored.created_at.isoformat(),
                    updated_at=stored.updated_at.isoformat(),
                )
            )
        check_spans(document, spans, _where(self.client, self.project))
        return spans, version_spans

    def _convert(
        self, stored: ExampleSpan, document: Document, offsets: Utf16Offsets
    ) -> Span | None:
        """Convert a span of doccano; None if it is blank."""
        where = f"{_where(self.client, self.project)}, document '{document.id}'"
        if stored.label not in self.label_names:
            raise ServerError(
                f"{where}: a span has a label of another project; delete it in doccano"
            )
        try:
            return convert_span(stored, document.text, offsets, self.label_names)
        except ValueError as error:
            raise ServerError(f"{where}: {error}; delete the span in doccano") from error

    def _annotation(self, work: Work) -> dict[str, Any]:
        """Return `meta.annotation` of a document."""
        annotation: dict[str, Any] = {"annotator": self.annotator, "confirmed": bool(work.state)}
        if work.state:
            annotation["confirmed_at"] = work.state.confirmed_at.isoformat()
            guidelines = self.guidelines.at(self.annotator, work.state.confirmed_at)
            if guidelines:
                annotation["guidelines"] = guidelines
        if work.comments:
            annotation["comments"] = [
                {"by": c.username, "text": c.text, "at": c.created_at.isoformat()}
                for c in work.comments
            ]
        return annotation

    def _username(self, user: int) -> str:
        return self.usernames.get(user, f"user {user}")


def convert_span(
    stored: ExampleSpan, text: str, offsets: Utf16Offsets, label_names: Mapping[int, str]
) -> Span | None:
    """Return a span of doccano in code points and without white space; None if it is blank.

    Args:
        stored: the span.
        text: the text of its document.
        offsets: the offsets of the text.
        label_names: the project's labels by id, among which the span's is.

    Raises:
        ValueError: if an offset does not exist in the text.
    """
    start = offsets.to_code_points(stored.start_offset)
    end = offsets.to_code_points(stored.end_offset)
    start, end = trim_span(text, start, end)
    return Span(start, end, label_names[stored.label]) if start < end else None


def _where(client: DoccanoClient, project: int) -> str:
    return f"{client.url}: project {project}"


def _check_labels(client: DoccanoClient, project: int, labels: LabelSet) -> dict[int, str]:
    """Return the project's labels by id; refuse labels that were changed in doccano."""
    where = _where(client, project)
    label_names = {span_type.id: span_type.text for span_type in client.span_types(project)}
    unknown = sorted(set(label_names.values()) - set(labels.names))
    if unknown:
        raise ServerError(
            f"{where}: label '{unknown[0]}' is not in the session's label set; "
            "rename it back in doccano, or complete orbat annotate labels"
        )
    deleted = sorted(set(labels.names) - set(label_names.values()))
    if deleted:
        raise ServerError(
            f"{where}: label '{deleted[0]}' was deleted in doccano together with its spans; "
            "restore doccano's data; earlier pulls are in the session's history"
        )
    return label_names


def _check_examples(
    client: DoccanoClient, project: int, pushed: Sequence[Document]
) -> dict[str, Example]:
    """Return the examples of the pushed documents; refuse those that were changed in doccano."""
    where = _where(client, project)
    documents = {document.id: document for document in pushed}
    examples: dict[str, Example] = {}
    for example in client.examples(project):
        document = documents.get(example.upload_name)
        if document is None:
            continue
        if document.id in examples:
            raise ServerError(
                f"{where}: document '{document.id}' exists twice; delete the copy without "
                "annotations in doccano"
            )
        if example.text != document.text:
            raise ServerError(
                f"{where}: the text of '{document.id}' was changed in doccano, so its offsets are "
                "invalid; restore the old text"
            )
        examples[document.id] = example
    missing = next((doc_id for doc_id in documents if doc_id not in examples), None)
    if missing is not None:
        raise ServerError(
            f"{where}: document '{missing}' was deleted in doccano; "
            "restore doccano's data, or push to a new session folder"
        )
    return examples
