"""Upload documents to the annotators' projects, and verify what arrived."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...corpus.document import Document, check_spans
from ...corpus.files import write_documents
from ...corpus.labels import LabelSet
from ...errors import InputError
from ..doccano.client import DOCUMENT, DoccanoClient, ExportedExample, UploadRow
from ..utf16 import Utf16Offsets
from .accounts import ensure_account
from .assignment import assign
from .folder import Report, Session, is_session, open_here

UPLOAD_ROUNDS = 2
EXPORT_FROM = 25
"""So many documents are verified by one export instead of a request each."""
EXPORT_SIZE = 500_000_000
"""Characters that an export may hold in the server's memory."""


def push(
    doccano: DoccanoClient,
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


def _ensure_project(
    doccano: DoccanoClient, session: Session, annotator: str, guidelines: str
) -> Session:
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
            **({"review": document.meta["review"]} if "review" in document.meta else {}),
        },
    )


def _push_to(
    doccano: DoccanoClient,
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


def _open_documents(doccano: DoccanoClient, project: int, pushed: Container[str]) -> int:
    examples = doccano.examples(project)
    return sum(not each.is_confirmed for each in examples if each.upload_name in pushed)


def _missing(
    doccano: DoccanoClient, project: int, wanted: dict[str, UploadRow], labels: LabelSet
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
    doccano: DoccanoClient, project: int, wanted: dict[str, UploadRow]
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


def _is_touched(doccano: DoccanoClient, project: int, example: int) -> bool:
    spans = doccano.spans(project, example)
    touched = any(span.user != doccano.user.id for span in spans)
    return touched or bool(doccano.states(project, example))
