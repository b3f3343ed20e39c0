"""A labelling session: documents pushed to annotators' projects and pulled back with their spans.

    SESSION/session.json            server, label set, each annotator's project, who labels what
    SESSION/accounts.json           passwords of accounts made here, readable by the owner only
    SESSION/pushed/ANNOTATOR.jsonl  documents as verified on the server, with the spans suggested
    SESSION/history/ANNOTATOR.jsonl every version that was ever pulled

Each annotator has a collaborative doccano project of their own: they see and may change the
suggestions, do not see each other's work, and the administrator's token reads all of it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...corpus.document import Document, Span, check_spans, trim
from ...corpus.files import read_documents, write_documents, write_json
from ...corpus.labels import LabelSet
from ...errors import InputError
from ..doccano.client import (
    DOCUMENT,
    Doccano,
    Example,
    ExampleSpan,
    ExportedExample,
    UploadRow,
    User,
)
from ..utf16 import Utf16Offsets
from .assignment import Assignment, assign
from .history import Changes, Mark, Version, add_versions

SUGGESTED = "suggested"
"""Note of a pulled span that stands as it was suggested."""
UPLOAD_ROUNDS = 2
EXPORT_FROM = 25
"""So many documents are verified by one export instead of a request each."""
EXPORT_SIZE = 500_000_000
"""Characters that an export may hold in the server's memory."""
FORMAT = 2

Report = Callable[[str, int, int], None]
"""Called with what is being done, how many are done and how many there are."""


@dataclass(frozen=True)
class Session:
    """A labelling session as its folder records it.

    Attributes:
        folder: where it is recorded.
        url: the doccano server.
        labels: the label set.
        projects: each annotator's project id.
        assignments: who labels which document.
    """

    folder: Path
    url: str
    labels: LabelSet
    projects: dict[str, int]
    assignments: Assignment

    def save(self) -> None:
        """Write `session.json`."""
        write_json(
            self.folder / "session.json",
            {
                "format": FORMAT,
                "url": self.url,
                "labels": self.labels.model_dump(by_alias=True),
                "projects": self.projects,
                "assignments": self.assignments,
            },
        )

    def pushed(self, annotator: str) -> list[Document]:
        """Return the documents verified on the server for an annotator, with their suggestions."""
        path = self.folder / "pushed" / f"{annotator}.jsonl"
        return list(read_documents(path)) if path.is_file() else []

    def password(self, annotator: str) -> str | None:
        """Return the password of an account that this session made."""
        return password_of(self.folder, annotator)

    def link(self, annotator: str, number: int = 1) -> str:
        """Return the address of one of an annotator's documents, counted from 1."""
        project = self.projects[annotator]
        return f"{self.url}/projects/{project}/sequence-labeling?page={number}"


def is_session(folder: Path) -> bool:
    """Whether a labelling session has been begun in a folder."""
    return (Path(folder) / "session.json").is_file()


def open_session(folder: Path) -> Session:
    """Read a session folder.

    Raises:
        InputError: if the folder is not one.
    """
    path = Path(folder) / "session.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise InputError(
                f"{folder}: a session of another version of orbat; pull with that, begin a new one"
            )
        return Session(
            Path(folder),
            value["url"],
            LabelSet.model_validate(value["labels"]),
            {str(name): int(project) for name, project in value["projects"].items()},
            value["assignments"],
        )
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise InputError(
            f"{folder}: not a labelling session; make one with orbat annotate push"
        ) from error


def open_here(doccano: Doccano, folder: Path) -> Session:
    """Read the folder of a session that is on the connected server.

    Raises:
        InputError: if the folder is no session, or its server is another.
    """
    session = open_session(folder)
    if session.url != doccano.url:
        raise InputError(f"{folder}: this session is on {session.url}; connect to that with --url")
    return session


def push(
    doccano: Doccano,
    folder: Path,
    documents: Sequence[Document],
    annotators: Sequence[str],
    labels: LabelSet,
    *,
    overlap: float = 1.0,
    batch: int | None = None,
    guidelines: str = "",
    alive: Callable[[], bool] = lambda: True,
    report: Report = lambda what, done, total: None,
) -> Session:
    """Put documents, with the spans that they carry as suggestions, before the annotators.

    Makes what is missing: projects, labels, accounts, documents. What is there already stays as
    it is, so that pushing twice changes nothing and pushing after a failure completes the work.
    Every new document is read back and its text and spans are compared; damaged ones are deleted
    and uploaded again.

    Documents are shared by all annotators or dealt out among them; who has which is written down
    before the first is uploaded and never changes. With a batch size, pushing again hands out
    more as annotators confirm what they have.

    Args:
        doccano: an administrator's connection.
        folder: the session folder; made if new.
        documents: what to label.
        annotators: account names.
        labels: the label set; an existing session must have the same.
        overlap: share of the documents that all annotators get, from 0 to 1; each of the others
            has one annotator.
        batch: most documents that lie open before an annotator; None for all.
        guidelines: Markdown, shown inside doccano.
        alive: whether the server's worker lives, where that can be known.
        report: told of progress.

    Raises:
        InputError: if the documents cannot be pushed, the server fails, or what it holds differs
            from what was sent.
    """
    folder = Path(folder)
    _check_pushable(documents, annotators, labels)
    if not doccano.user.is_superuser:
        raise InputError(
            f"{doccano.url}: '{doccano.user.username}' is no administrator; "
            "push with an account that may make projects and users"
        )
    if is_session(folder):
        session = open_here(doccano, folder)
        if session.labels != labels:
            raise InputError(f"{folder}: was begun with another label set; use a new folder")
    else:
        session = Session(folder, doccano.url, labels, {}, {})
    if not doccano.worker_is_alive():
        raise InputError(
            f"{doccano.url}: doccano's worker does not answer, uploads would wait for ever; "
            "start it with orbat annotate up (or doccano task)"
        )
    plan = assign([d.id for d in documents], annotators, overlap, session.assignments)
    session = replace(session, assignments=plan)
    for annotator in annotators:
        session = _ensure_project(doccano, session, annotator, guidelines)
        own = [d for d in documents if plan[d.id] in (None, annotator)]
        _push_to(doccano, session, annotator, own, batch, alive, report)
    return session


def _check_pushable(
    documents: Sequence[Document], annotators: Sequence[str], labels: LabelSet
) -> None:
    if not documents:
        raise InputError("no documents to push; give at least one")
    if not annotators or any(not name.strip() or "/" in name for name in annotators):
        raise InputError("name the annotators, such as --annotators first,second")
    for document in documents:
        if not document.text:
            raise InputError(f"document '{document.id}' has no text; remove it")
        if len(document.id) > 250:
            raise InputError(f"id '{document.id[:40]}…' is longer than 250 characters; shorten it")
        check_spans(document, document.spans, "push", labels.names)


def _ensure_project(doccano: Doccano, session: Session, annotator: str, guidelines: str) -> Session:
    name = f"{session.folder.absolute().name} · {annotator}"[:100]
    project = None
    if annotator in session.projects:
        project = doccano.project(session.projects[annotator])
        if project is None:
            raise InputError(
                f"{doccano.url}: project {session.projects[annotator]} of '{annotator}' is gone; "
                "restore the server's data or push to a new session folder"
            )
    else:
        # A push that was killed may have made the project without recording it.
        empty = (p for p in doccano.projects(name) if not any(True for _ in doccano.examples(p.id)))
        project = next(empty, None)
    if project is None:
        project = doccano.create_project(name, session.labels.name, guidelines)
    if not project.collaborative_annotation or project.grapheme_mode:
        raise InputError(
            f"{doccano.url}: project {project.id} must be collaborative and without grapheme mode; "
            "set it so in its settings"
        )
    session = replace(session, projects={**session.projects, annotator: project.id})
    session.save()
    doccano.ensure_span_types(project.id, session.labels.labels)
    doccano.add_member(project.id, ensure_account(doccano, session.folder, annotator).id)
    return session


def ensure_account(doccano: Doccano, folder: Path, name: str) -> User:
    """Return an account, made if new with a password that the session's folder keeps."""
    user = doccano.find_user(name)
    if user is None:
        password = secrets.token_urlsafe(9)
        # Recorded first: an account whose password nobody knows could not be mended by API.
        _write_account(folder, name, password)
        user = doccano.create_user(name, password)
    return user


def password_of(folder: Path, name: str) -> str | None:
    """Return the password of an account that a session's folder keeps; None if it made none."""
    return _read_accounts(folder).get(name)


def _accounts_file(folder: Path) -> Path:
    return folder / "accounts.json"


def _read_accounts(folder: Path) -> dict[str, str]:
    try:
        accounts: dict[str, str] = json.loads(_accounts_file(folder).read_text(encoding="utf-8"))
    except OSError:
        return {}
    return accounts


def _write_account(folder: Path, annotator: str, password: str) -> None:
    accounts = {**_read_accounts(folder), annotator: password}
    path = _accounts_file(folder)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(accounts, file, indent=2)
    draft.rename(path)


def to_row(document: Document) -> UploadRow:
    """Return a document as doccano takes it: offsets in UTF-16 units."""
    offsets = Utf16Offsets(document.text)
    return UploadRow(
        name=document.id,
        text=document.text,
        spans=[
            (offsets.to_units(span.start), offsets.to_units(span.end), span.label)
            for span in document.spans
        ],
        meta={
            DOCUMENT: document.id,
            **({"readings": document.meta["readings"]} if "readings" in document.meta else {}),
        },
    )


def _push_to(
    doccano: Doccano,
    session: Session,
    annotator: str,
    documents: Sequence[Document],
    batch: int | None,
    alive: Callable[[], bool],
    report: Report,
) -> None:
    project = session.projects[annotator]
    done = {document.id: document for document in session.pushed(annotator)}
    for document in documents:
        if document.id in done and done[document.id].text != document.text:
            raise InputError(
                f"{session.folder}: document '{document.id}' was pushed with another text; "
                "give the new text a new id"
            )
    new = [document for document in documents if document.id not in done]
    if batch is not None:
        new = new[: max(batch - _open_documents(doccano, project, done), 0)]
    wanted = {document.id: to_row(document) for document in new}
    what = f"Uploading to {annotator}"
    failure: InputError | None = None
    for _ in range(UPLOAD_ROUNDS):
        missing = _missing(doccano, project, wanted, session.labels)
        report(what, len(wanted) - len(missing), len(wanted))
        if not missing:
            break
        try:
            doccano.upload(project, [wanted[name] for name in missing], alive=alive)
        except InputError as error:
            failure = error
            if not alive():
                raise
    else:
        missing = _missing(doccano, project, wanted, session.labels)
    if missing:
        raise failure or InputError(
            f"{doccano.url}: {len(missing)} documents did not arrive as sent, first "
            f"'{missing[0]}'; push again to complete"
        )
    report(what, len(wanted), len(wanted))
    if new:
        write_documents(session.folder / "pushed" / f"{annotator}.jsonl", [*done.values(), *new])


def _open_documents(doccano: Doccano, project: int, pushed: Container[str]) -> int:
    examples = doccano.examples(project)
    return sum(not each.is_confirmed for each in examples if each.upload_name in pushed)


def _missing(
    doccano: Doccano, project: int, wanted: dict[str, UploadRow], labels: LabelSet
) -> list[str]:
    """Delete those of the wanted documents that the server holds damaged; name all it lacks."""
    if not wanted:
        return []
    whole: set[str] = set()
    damaged: list[int] = []
    for held in _held(doccano, project, wanted):
        row = wanted[held.name]
        same = sorted(held.spans) == sorted(row.spans)
        # What somebody has begun to work on is never deleted.
        if (
            held.text == row.text
            and row.name not in whole
            and (same or _is_touched(doccano, project, held.id))
        ):
            whole.add(row.name)
        else:
            damaged.append(held.id)
    doccano.delete_examples(project, damaged)
    return [name for name in wanted if name not in whole]


def _held(
    doccano: Doccano, project: int, wanted: dict[str, UploadRow]
) -> Iterator[ExportedExample]:
    """Yield what the server holds of the wanted documents."""
    # One export instead of a request each; but it holds texts in memory once for each span.
    size = sum(len(row.text) * (len(row.spans) + 1) for row in wanted.values())
    if size < EXPORT_SIZE and doccano.count_examples(project) > EXPORT_FROM:
        yield from (each for each in doccano.export(project) if each.name in wanted)
        return
    names = {each.id: each.text for each in doccano.span_types(project)}
    for example in doccano.examples(project):
        if example.upload_name in wanted:
            spans = [
                (span.start_offset, span.end_offset, names.get(span.label, ""))
                for span in doccano.spans(project, example.id)
            ]
            yield ExportedExample(example.id, example.upload_name, example.text, spans)


def _is_touched(doccano: Doccano, project: int, example: int) -> bool:
    spans = doccano.spans(project, example)
    touched = any(span.user != doccano.user.id for span in spans)
    return touched or bool(doccano.states(project, example))


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
    doccano: Doccano, folder: Path, *, report: Report = lambda what, done, total: None
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


def _check_labels(doccano: Doccano, project: int, labels: LabelSet, where: str) -> dict[int, str]:
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
    doccano: Doccano, project: int, pushed: Sequence[Document], where: str
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

    doccano: Doccano
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


def replay(
    doccano: Doccano,
    password: str,
    session: Session,
    annotator: str,
    readings: Iterable[Document],
    *,
    report: Report = lambda what, done, total: None,
) -> int:
    """Play a recorded annotation pass through the API as the annotator, and confirm each document.

    Suggestions that the record does not have are deleted, spans that it has and the project lacks
    are added. Documents of the record that were not pushed are left out.

    Args:
        doccano: any connection to the server.
        password: the annotator's.
        session: the session.
        annotator: whose project.
        readings: the recorded documents.

    Returns:
        The number of documents replayed.

    Raises:
        InputError: if a recorded text differs from the pushed one, or the server fails.
    """
    project = session.projects[annotator]
    recorded = {document.id: document for document in readings}
    done = 0
    with Doccano(doccano.url, annotator, password) as own:
        label_ids = {each.text: each.id for each in own.span_types(project)}
        examples = [e for e in own.examples(project) if e.upload_name in recorded]
        for example in examples:
            document = recorded[example.upload_name]
            if document.text != example.text:
                raise InputError(
                    f"recorded pass of '{annotator}': text of '{document.id}' differs from the "
                    "pushed one; replay it on the text that it was recorded on"
                )
            wanted = set(to_row(document).spans)
            names = {value: key for key, value in label_ids.items()}
            for span in own.spans(project, example.id):
                key = (span.start_offset, span.end_offset, names[span.label])
                if key in wanted:
                    wanted.discard(key)
                else:
                    own.delete_span(project, example.id, span.id)
            for start, end, label in sorted(wanted):
                own.create_span(project, example.id, start, end, label_ids[label])
            own.confirm(project, example.id)
            done += 1
            report(f"Replaying {annotator}", done, len(examples))
    return done
