"""Read the annotators' documents back from the server, and keep them in the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span, check_spans, trim
from ...corpus.labels import LabelSet
from ...errors import InputError
from ..doccano.client import DoccanoClient, Example, ExampleSpan
from ..utf16 import Utf16Offsets
from .folder import Report, open_here
from .history import Changes, Mark, Version, add_versions

SUGGESTED = "suggested"
"""Note of a pulled span that stands as it was suggested."""


@dataclass(frozen=True)
class Pulled:
    """What a pull brought.

    Attributes:
        readings: for each annotator the pushed documents, in pushing order.
        changes: what changed since the last pull, by annotator.
        warnings: what a person should look at, a line each.
    """

    readings: dict[str, list[Document]]
    changes: dict[str, Changes]
    warnings: tuple[str, ...]


def pull(
    doccano: DoccanoClient, folder: Path, *, report: Report = lambda what, done, total: None
) -> Pulled:
    """Bring back every annotator's documents with their spans, and keep them in the history.

    Each span names its annotator, and has the note :data:`SUGGESTED` if it stands as suggested.
    `meta.annotation` says who annotated, whether the document was confirmed, when, and what
    users wrote about it. White space at the ends of a span, which the mouse easily takes along,
    is cut off. The history is written when all projects were read without a fault; see
    :mod:`annotation.history`.

    Raises:
        InputError: if a document or label was changed, doubled or deleted in doccano, or an
            offset has no place in the text; the session's folder stays as it was.
    """
    session = open_here(doccano, folder)
    readings: dict[str, list[Document]] = {}
    versions: dict[str, list[Version]] = {}
    name_of = {user.id: user.username for user in doccano.users()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for annotator, project in session.projects.items():
        where = f"{doccano.url}: project {project}"
        pushed = session.pushed(annotator)
        puller = _Puller(
            doccano,
            project,
            annotator,
            _check_labels(doccano, project, session.labels, where),
            name_of,
            now,
        )
        examples = _check_examples(doccano, project, pushed, where)
        pairs = []
        for number, document in enumerate(pushed, 1):
            pairs.append(puller.read(document, examples[document.id]))
            report(f"Pulling from {annotator}", number, len(pushed))
        readings[annotator] = [document for document, _ in pairs]
        versions[annotator] = [version for _, version in pairs]
    changes = {name: add_versions(session.folder, name, found) for name, found in versions.items()}
    warnings = tuple(
        f"'{document.id}' of '{annotator}': span {span.start}-{span.end} {span.label} runs across "
        "a line break; look at it in doccano"
        for annotator, documents in readings.items()
        for document in documents
        for span in document.spans
        if len(document.text[span.start : span.end].splitlines()) > 1
    )
    return Pulled(readings, changes, warnings)


def _check_labels(
    doccano: DoccanoClient, project: int, labels: LabelSet, where: str
) -> dict[int, str]:
    """Return the project's labels by id, refusing any that were changed by hand."""
    label_of = {each.id: each.text for each in doccano.span_types(project)}
    unknown = sorted(set(label_of.values()) - set(labels.names))
    if unknown:
        raise InputError(
            f"{where} has a label '{unknown[0]}' that the session does not know; "
            "remove it in doccano, or give it its old name back"
        )
    gone = sorted(set(labels.names) - set(label_of.values()))
    if gone:
        raise InputError(
            f"{where}: label '{gone[0]}' was deleted there, and its spans with it; "
            "restore doccano's data, what was pulled before is in the history"
        )
    return label_of


def _check_examples(
    doccano: DoccanoClient, project: int, pushed: Sequence[Document], where: str
) -> dict[str, Example]:
    """Return the pushed documents' examples, refusing what was changed behind our back."""
    wanted = {document.id: document for document in pushed}
    found: dict[str, Example] = {}
    for example in doccano.examples(project):
        document = wanted.get(example.upload_name)
        if document is None:
            continue
        if document.id in found:
            raise InputError(
                f"{where}: document '{document.id}' is there twice; delete the one without work"
            )
        if example.text != document.text:
            raise InputError(
                f"{where}: text of '{document.id}' was changed there; its offsets can no longer "
                "be trusted: put the old text back"
            )
        found[document.id] = example
    missing = next((identity for identity in wanted if identity not in found), None)
    if missing is not None:
        raise InputError(
            f"{where}: document '{missing}' was deleted there; "
            "restore doccano's data, or push to a new session folder"
        )
    return found


@dataclass(frozen=True)
class _Puller:
    """Reads one annotator's documents, as readings and as versions for the history."""

    doccano: DoccanoClient
    project: int
    annotator: str
    label_of: dict[int, str]
    name_of: dict[int, str]
    now: str

    def read(self, document: Document, example: Example) -> tuple[Document, Version]:
        where = f"{self.doccano.url}: project {self.project}, document '{document.id}'"
        offsets = Utf16Offsets(document.text)
        suggested = set(document.spans)
        spans, marks = [], []
        for found in self.doccano.spans(self.project, example.id):
            span = self._span(found, document, offsets, where)
            if span is None:
                continue
            note = SUGGESTED if span in suggested else None
            spans.append(replace(span, annotator=self.annotator, note=note))
            times = (found.created_at.isoformat(), found.updated_at.isoformat())
            marks.append(Mark(span.start, span.end, span.label, self._name(found.user), *times))
        check_spans(document, spans, f"{self.doccano.url}: project {self.project}")
        states = self.doccano.states(self.project, example.id) if example.is_confirmed else []
        state = max(states, key=lambda each: each.confirmed_at, default=None)
        confirmed_at = state.confirmed_at.isoformat() if state else None
        annotation: dict[str, Any] = {"annotator": self.annotator, "confirmed": bool(state)}
        if confirmed_at:
            annotation["confirmed_at"] = confirmed_at
        if example.comment_count:
            annotation["comments"] = [
                {"by": each.username, "text": each.text, "at": each.created_at.isoformat()}
                for each in self.doccano.comments(self.project, example.id)
            ]
        meta = {**document.meta, "annotation": annotation}
        version = Version(
            document.id,
            self.annotator,
            self.now,
            self._name(state.confirmed_by) if state else None,
            confirmed_at,
            tuple(sorted(marks, key=lambda mark: mark.place)),
        )
        return Document(document.id, document.text, tuple(sorted(spans)), meta), version

    def _name(self, user: int) -> str:
        return self.name_of.get(user, f"user {user}")

    def _span(
        self, found: ExampleSpan, document: Document, offsets: Utf16Offsets, where: str
    ) -> Span | None:
        """Convert a span of doccano's, without outer white space; None if nothing else is in it."""
        if found.label not in self.label_of:
            raise InputError(
                f"{where}: a span has a label of another project; delete it in doccano"
            )
        try:
            start = offsets.to_code_points(found.start_offset)
            end = offsets.to_code_points(found.end_offset)
        except ValueError as error:
            raise InputError(f"{where}: {error}; delete the span in doccano") from error
        start, end = trim(document.text, start, end)
        return Span(start, end, self.label_of[found.label]) if start < end else None
