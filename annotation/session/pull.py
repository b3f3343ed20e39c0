"""Pull: read the annotators' documents from doccano, and record them in the history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ...corpus.document import Document, Span, check_spans, trim_span
from ...corpus.files import read_documents, write_documents
from ...corpus.labels import LabelSet
from ...corpus.output.locks import lock_folder
from ...errors import InputError, ServerError
from ...ui import DataTable, OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Example, ExampleSpan
from ..doccano.work import Work, read_work
from ..quality.control_records import control_folder, read_control_gold
from ..utf16 import Utf16Offsets
from .folder import Session, open_session
from .guidelines import GuidelineLog, read_guideline_log
from .history import ChangeCounts, Version, VersionSpan, add_versions, suggestions_of

SUGGESTED = "suggested"
"""Note of a pulled span that is equal to a suggestion."""


@dataclass(frozen=True)
class PulledSummary:
    """One annotator's annotation set in numbers.

    Attributes:
        annotator: account name.
        documents: number of documents.
        confirmed: number of confirmed documents.
        spans: number of spans.
        as_suggested: number of spans that are equal to a suggestion.
        file: where the annotation set was written.
    """

    annotator: str
    documents: int
    confirmed: int
    spans: int
    as_suggested: int
    file: str


@dataclass(frozen=True)
class Pulled:
    """The result of a pull.

    Attributes:
        annotation_sets: the documents of each annotator, in the order of pushing.
        files: where each annotation set was written.
        changes: changes since the last pull, by annotator.
        warnings: spans that need a review, one line each.
        new_comments: comments on documents that were not in the files before, one line each.
    """

    annotation_sets: dict[str, list[Document]]
    files: dict[str, Path]
    changes: dict[str, ChangeCounts]
    warnings: tuple[str, ...]
    new_comments: tuple[str, ...]

    @property
    def summaries(self) -> tuple[PulledSummary, ...]:
        """Each annotator's annotation set in numbers."""
        return tuple(
            PulledSummary(
                annotator,
                documents=len(documents),
                confirmed=sum(d.meta["annotation"]["confirmed"] for d in documents),
                spans=sum(len(d.spans) for d in documents),
                as_suggested=sum(s.note == SUGGESTED for d in documents for s in d.spans),
                file=str(self.files[annotator]),
            )
            for annotator, documents in self.annotation_sets.items()
        )

    def to_json(self) -> list[dict[str, Any]]:
        """Return the summary and the changes of each annotator as JSON objects."""
        return [
            {**vars(summary), "changes": vars(self.changes[summary.annotator])}
            for summary in self.summaries
        ]


def pull(
    client: DoccanoClient,
    folder: Path,
    *,
    output: Path | None = None,
    control: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Pulled:
    """Read every annotator's documents with their spans, and write them as annotation sets.

    Control documents are left out of the annotation sets, and are written to the session's folder
    of control documents.

    Each span names its annotator, and has the note :data:`SUGGESTED` if it is equal to a
    suggestion. `meta.annotation` records the annotator, whether and when the document was
    confirmed, under which version of the guidelines, and users' comments. White space at the ends
    of spans, which is easily selected with the mouse, is removed. Annotation sets and history are
    written after all projects were read without an error; see :mod:`.history`.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        output: folder for ANNOTATOR.jsonl; `pulled` in the session folder if None.
        control: leave control documents in the annotation sets.
        on_progress: called for each document that was read.

    Raises:
        InputError: if the folder is not a session on the connected server.
        ServerError: if a document or label was changed, duplicated or deleted in doccano, or an
            offset does not exist in the text. Nothing is written then.
    """
    open_session(folder, client)
    with lock_folder(folder):
        session = open_session(folder, client)
        hidden = set() if control else set(read_control_gold(folder))
        return _pull(client, session, output, hidden, on_progress)


def _pull(
    client: DoccanoClient,
    session: Session,
    output: Path | None,
    hidden: Collection[str],
    on_progress: OnProgress,
) -> Pulled:
    usernames = {user.id: user.username for user in client.users()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    annotation_sets: dict[str, list[Document]] = {}
    versions: dict[str, list[Version]] = {}
    suggestions: dict[tuple[str, str], frozenset[tuple[int, int, str]]] = {}
    for annotator in session.projects:
        reader = _ProjectReader.open(client, session, annotator, usernames, now)
        pushed = session.pushed(annotator)
        suggestions |= suggestions_of(annotator, pushed)
        pairs = reader.read_all(pushed, on_progress)
        annotation_sets[annotator] = [document for document, _ in pairs]
        versions[annotator] = [version for _, version in pairs]
    changes = {
        name: add_versions(session.folder, name, new, suggestions) for name, new in versions.items()
    }
    output = Path(output or session.folder / "pulled")
    files = {name: output / f"{name}.jsonl" for name in annotation_sets}
    folders = (output, control_folder(session.folder) / "pulled")
    known = {
        comment
        for folder in folders
        for name in annotation_sets
        for comment in _comments(_read_earlier(folder / f"{name}.jsonl"))
    }
    new_comments = tuple(
        f"{comment.by} on '{comment.document}' of '{comment.annotator}': {comment.text}"
        for documents in annotation_sets.values()
        for comment in _comments(documents)
        if comment not in known
    )
    warnings = _find_line_breaks(annotation_sets)
    for name, documents in annotation_sets.items():
        if hidden:
            control = [document for document in documents if document.id in hidden]
            write_documents(folders[1] / f"{name}.jsonl", control)
            annotation_sets[name] = [d for d in documents if d.id not in hidden]
        write_documents(files[name], annotation_sets[name])
    return Pulled(annotation_sets, files, changes, warnings, new_comments)


class _DocumentComment(NamedTuple):
    """A comment in `meta.annotation` of an annotator's document."""

    annotator: str
    document: str
    by: str
    text: str
    at: str


def _read_earlier(file: Path) -> list[Document]:
    """Return an annotation set of an earlier pull; [] if it is missing or was damaged."""
    try:
        return list(read_documents(file))
    except (OSError, InputError):
        return []


def _comments(documents: Iterable[Document]) -> Iterator[_DocumentComment]:
    for document in documents:
        annotation = document.meta.get("annotation", {})
        for comment in annotation.get("comments", ()):
            written = comment["by"], comment["text"], comment["at"]
            yield _DocumentComment(annotation["annotator"], document.id, *written)


def _find_line_breaks(annotation_sets: Mapping[str, Sequence[Document]]) -> tuple[str, ...]:
    """Return a warning for each span that contains a line break."""
    return tuple(
        f"'{document.id}' of '{annotator}': span {span.start}-{span.end} {span.label} runs across "
        "a line break; check it in doccano"
        for annotator, documents in annotation_sets.items()
        for document in documents
        for span in document.spans
        if len(document.text[span.start : span.end].splitlines()) > 1
    )


@dataclass(frozen=True)
class _ProjectReader:
    """Reads one annotator's documents, as an annotation set and as versions for the history.

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
    ) -> _ProjectReader:
        """Return the reader of an annotator's project, after checking the project's labels."""
        project = session.projects[annotator]
        label_names = _check_labels(client, project, session.labels)
        log = read_guideline_log(session.folder)
        return cls(client, project, annotator, label_names, usernames, now, log)

    def read_all(
        self, pushed: Sequence[Document], on_progress: OnProgress
    ) -> list[tuple[Document, Version]]:
        """Read the pushed documents, in their order."""
        examples = _check_examples(self.client, self.project, pushed)
        task = f"Pulling from {self.annotator}"
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
        return [self._read(document, work[examples[document.id].id]) for document in pushed]

    def _read(self, document: Document, work: Work) -> tuple[Document, Version]:
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
        return Document(document.id, document.text, tuple(sorted(spans)), meta), version

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
        """Convert a span of doccano and trim white space; None if the span is blank."""
        where = f"{_where(self.client, self.project)}, document '{document.id}'"
        if stored.label not in self.label_names:
            raise ServerError(
                f"{where}: a span has a label of another project; delete it in doccano"
            )
        try:
            start = offsets.to_code_points(stored.start_offset)
            end = offsets.to_code_points(stored.end_offset)
        except ValueError as error:
            raise ServerError(f"{where}: {error}; delete the span in doccano") from error
        start, end = trim_span(document.text, start, end)
        return Span(start, end, self.label_names[stored.label]) if start < end else None

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
            "delete it in doccano, or rename it back"
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


def pull_tables(pulled: Pulled) -> list[DataTable]:
    """Return a table of the annotation sets, and one of the changes since the last pull."""
    columns = ("annotator", "documents", "confirmed", "spans", "as suggested", "file")
    rows = tuple(tuple(vars(summary).values()) for summary in pulled.summaries)
    change_rows = tuple(
        (annotator, *vars(changes).values()) for annotator, changes in pulled.changes.items()
    )
    return [
        DataTable("Annotation sets", columns, rows),
        DataTable(
            "Changes since the last pull",
            ("annotator", *vars(ChangeCounts())),
            change_rows,
            note="documents: new versions",
        ),
    ]
