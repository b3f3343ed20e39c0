"""A labelling session: documents pushed to annotators' projects and pulled back with their spans.

    SESSION/session.json           server, label set, and each annotator's project
    SESSION/accounts.json          passwords of accounts made here, readable by the owner only
    SESSION/pushed/ANNOTATOR.jsonl documents as verified on the server, with the spans suggested

Each annotator has a collaborative doccano project of their own: they see and may change the
suggestions, do not see each other's work, and the administrator's token reads all of it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from annotation.doccano import Doccano, Example, ExampleSpan, UploadRow
from annotation.labels import LabelSet
from annotation.offsets import Utf16Offsets
from corpus.document import Document, Span, check_spans, trim
from corpus.errors import InputError
from corpus.files import read_documents, write_documents, write_json

SUGGESTED = "suggested"
"""Note of a pulled span that stands as it was suggested."""
UPLOAD_ROUNDS = 2
FORMAT = 1

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
    """

    folder: Path
    url: str
    labels: LabelSet
    projects: dict[str, int]

    def save(self) -> None:
        """Write `session.json`."""
        write_json(
            self.folder / "session.json",
            {
                "format": FORMAT,
                "url": self.url,
                "labels": self.labels.model_dump(by_alias=True),
                "projects": self.projects,
            },
        )

    def pushed(self, annotator: str) -> list[Document]:
        """Return the documents verified on the server for an annotator, with their suggestions."""
        path = self.folder / "pushed" / f"{annotator}.jsonl"
        return list(read_documents(path)) if path.is_file() else []

    def password(self, annotator: str) -> str | None:
        """Return the password of an account that this session made."""
        return _read_accounts(self.folder).get(annotator)

    def link(self, annotator: str) -> str:
        """Return the address of an annotator's first document."""
        return f"{self.url}/projects/{self.projects[annotator]}/sequence-labeling?page=1"


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
        return Session(
            Path(folder),
            value["url"],
            LabelSet.model_validate(value["labels"]),
            {str(name): int(project) for name, project in value["projects"].items()},
        )
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise InputError(
            f"{folder}: not a labelling session; make one with orbat annotate push"
        ) from error


def push(
    doccano: Doccano,
    folder: Path,
    documents: Sequence[Document],
    annotators: Sequence[str],
    labels: LabelSet,
    *,
    guidelines: str = "",
    alive: Callable[[], bool] = lambda: True,
    report: Report = lambda what, done, total: None,
) -> Session:
    """Put documents, with the spans that they carry as suggestions, before each annotator.

    Makes what is missing: projects, labels, accounts, documents. What is there already stays as
    it is, so that pushing twice changes nothing and pushing after a failure completes the work.
    Every new document is read back and its text and spans are compared; damaged ones are deleted
    and uploaded again.

    Args:
        doccano: an administrator's connection.
        folder: the session folder; made if new.
        documents: what to label.
        annotators: account names.
        labels: the label set; an existing session must have the same.
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
        session = open_session(folder)
        if session.url != doccano.url:
            raise InputError(f"{folder}: this session is on {session.url}; push there")
        if session.labels != labels:
            raise InputError(f"{folder}: was begun with another label set; use a new folder")
    else:
        session = Session(folder, doccano.url, labels, {})
    if not doccano.worker_is_alive():
        raise InputError(
            f"{doccano.url}: doccano's worker does not answer, uploads would wait for ever; "
            "start it with orbat annotate up (or doccano task)"
        )
    for annotator in annotators:
        session = _ensure_project(doccano, session, annotator, guidelines)
        _push_to(doccano, session, annotator, documents, alive, report)
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
    user = doccano.find_user(annotator)
    if user is None:
        password = secrets.token_urlsafe(9)
        # Recorded first: an account whose password nobody knows could not be mended by API.
        _write_account(session.folder, annotator, password)
        user = doccano.create_user(annotator, password)
    doccano.add_member(project.id, user.id)
    return session


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
            "document": document.id,
            **({"readings": document.meta["readings"]} if "readings" in document.meta else {}),
        },
    )


def _push_to(
    doccano: Doccano,
    session: Session,
    annotator: str,
    documents: Sequence[Document],
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
    wanted = {d.id: to_row(d) for d in documents if d.id not in done}
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
    new = [document for document in documents if document.id in wanted]
    if new:
        write_documents(session.folder / "pushed" / f"{annotator}.jsonl", [*done.values(), *new])


def _missing(
    doccano: Doccano, project: int, wanted: dict[str, UploadRow], labels: LabelSet
) -> list[str]:
    """Delete those of the wanted documents that the server holds damaged; name all it lacks."""
    names = {each.id: each.text for each in doccano.span_types(project)}
    whole: set[str] = set()
    damaged: list[int] = []
    for example in doccano.examples(project):
        row = wanted.get(example.upload_name)
        if row is None:
            continue
        found = doccano.spans(project, example.id)
        spans = sorted((s.start_offset, s.end_offset, names.get(s.label, "")) for s in found)
        # What somebody has begun to work on is never deleted.
        begun = example.is_confirmed or any(s.user != doccano.user.id for s in found)
        same = spans == sorted(row.spans)
        if example.text == row.text and (same or begun) and row.name not in whole:
            whole.add(row.name)
        else:
            damaged.append(example.id)
    doccano.delete_examples(project, damaged)
    return [name for name in wanted if name not in whole]


def pull(
    doccano: Doccano, folder: Path, *, report: Report = lambda what, done, total: None
) -> dict[str, list[Document]]:
    """Bring back every annotator's documents with their spans.

    Each span names its annotator, and has the note :data:`SUGGESTED` if it stands as suggested.
    `meta.annotation` says who annotated, whether the document was confirmed, and when. White
    space at the ends of a span, which the mouse easily takes along, is cut off.

    Returns:
        For each annotator the pushed documents, in pushing order.

    Raises:
        InputError: if a document or label was changed or deleted in doccano, or an offset has no
            place in the text.
    """
    session = open_session(folder)
    if session.url != doccano.url:
        raise InputError(f"{folder}: this session is on {session.url}; pull from there")
    result: dict[str, list[Document]] = {}
    for annotator, project in session.projects.items():
        pushed = session.pushed(annotator)
        label_of = {each.id: each.text for each in doccano.span_types(project)}
        unknown = sorted(set(label_of.values()) - set(session.labels.names))
        if unknown:
            raise InputError(
                f"{doccano.url}: project {project} has a label '{unknown[0]}' that the session "
                "does not know; remove it in doccano"
            )
        examples = {example.upload_name: example for example in doccano.examples(project)}
        result[annotator] = []
        for number, document in enumerate(pushed, 1):
            example = examples.get(document.id)
            if example is None:
                raise InputError(
                    f"{doccano.url}: document '{document.id}' was deleted from project {project}; "
                    "restore doccano's data, or push to a new session folder"
                )
            if example.text != document.text:
                raise InputError(
                    f"{doccano.url}: text of '{document.id}' was changed in project {project}; "
                    "its offsets can no longer be trusted: put the old text back"
                )
            result[annotator].append(
                _pull_document(doccano, project, document, example, annotator, label_of)
            )
            report(f"Pulling from {annotator}", number, len(pushed))
    return result


def _pull_document(
    doccano: Doccano,
    project: int,
    document: Document,
    example: Example,
    annotator: str,
    label_of: dict[int, str],
) -> Document:
    offsets = Utf16Offsets(document.text)
    suggested = set(document.spans)
    spans = []
    for found in doccano.spans(project, example.id):
        where = f"{doccano.url}: project {project}, document '{document.id}'"
        span = _read_span(found, document, offsets, label_of, where)
        if span is None:
            continue
        note = SUGGESTED if span in suggested else None
        spans.append(replace(span, annotator=annotator, note=note))
    check_spans(document, spans, f"{doccano.url}: project {project}")
    states = doccano.states(project, example.id)
    annotation: dict[str, Any] = {"annotator": annotator, "confirmed": bool(states)}
    if states:
        annotation["confirmed_at"] = max(s.confirmed_at for s in states).isoformat()
    meta = {**document.meta, "annotation": annotation}
    return Document(document.id, document.text, tuple(sorted(spans)), meta)


def _read_span(
    found: ExampleSpan,
    document: Document,
    offsets: Utf16Offsets,
    label_of: dict[int, str],
    where: str,
) -> Span | None:
    """Convert a span of doccano's, without outer white space; None if nothing else is in it."""
    if found.label not in label_of:
        raise InputError(f"{where}: a span has a label of another project; delete it in doccano")
    try:
        start = offsets.to_code_points(found.start_offset)
        end = offsets.to_code_points(found.end_offset)
    except ValueError as error:
        raise InputError(f"{where}: {error}; delete the span in doccano") from error
    start, end = trim(document.text, start, end)
    return Span(start, end, label_of[found.label]) if start < end else None


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
