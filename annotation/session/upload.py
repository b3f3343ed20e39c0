"""Upload documents to an annotator's project, and verify them on the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...corpus.document import Document
from ...corpus.metadata import UNKNOWN_VALUE, document_date, document_source
from ...errors import ServerError
from ...ui import OnProgress, Progress
from ..doccano.client import DoccanoClient
from ..doccano.records import DOCUMENT_KEY, ExportedExample, UploadRow
from ..doccano.work import read_example
from ..utf16 import Utf16Offsets
from .folder import Session

UPLOAD_ROUNDS = 2
"""Number of uploads until missing documents are an error."""
EXPORT_THRESHOLD = 25
"""In projects with more examples, one export verifies all instead of a request for each."""
SCORE_DIGITS = 4
MAX_EXPORT_SIZE = 500_000_000
"""Most characters that an export may need in the server's memory."""


def to_row(document: Document) -> UploadRow:
    """Return a document as doccano imports it, with offsets in UTF-16 units.

    Of its meta, what the annotation page shows is uploaded: title, source and date as far as they
    are known, and `review`, notes for the annotator. `suggestions` are the spans as
    `[start, end, label]` or `[start, end, label, score]`: doccano keeps neither the confidence of
    spans nor those that were deleted.
    """
    offsets = Utf16Offsets(document.text)
    spans = [
        (offsets.to_units(span.start), offsets.to_units(span.end), span.label)
        for span in document.spans
    ]
    known = {
        "suggestions": [
            [*row] if span.score is None else [*row, round(span.score, SCORE_DIGITS)]
            for row, span in zip(spans, document.spans, strict=True)
        ],
        "review": document.meta.get("review"),
    }
    meta: dict[str, object] = {DOCUMENT_KEY: document.id, **describe_source(document)}
    meta |= {key: value for key, value in known.items() if value}
    return UploadRow(name=document.id, text=document.text, spans=spans, meta=meta)


def describe_source(document: Document) -> dict[str, str]:
    """Return the title, source and date of a document as far as they are known."""
    source = document_source(document)
    known = {
        "title": str(document.meta.get("title") or ""),
        "source": "" if source == UNKNOWN_VALUE else source,
        "date": document_date(document),
    }
    return {key: value for key, value in known.items() if value}


def upload_to(
    client: DoccanoClient,
    session: Session,
    annotator: str,
    documents: Sequence[Document],
    on_progress: OnProgress,
    *,
    limit: int | None = None,
) -> None:
    """Upload the documents that an annotator does not have yet, and record them.

    Args:
        client: an administrator's connection.
        session: the session, whose folder is locked.
        annotator: account name.
        documents: the documents that they are to have.
        on_progress: called with the number of verified documents.
        limit: most documents to upload; None for all.

    Raises:
        ServerError: as :func:`upload_verified`.
    """
    pushed = session.pushed(annotator)
    known = {document.id for document in pushed}
    new = [document for document in documents if document.id not in known][:limit]
    task = f"Uploading to {annotator}"
    upload_verified(client, session.projects[annotator], new, task=task, on_progress=on_progress)
    if new:
        session.record_pushed(annotator, [*pushed, *new])


def upload_verified(
    client: DoccanoClient,
    project: int,
    documents: Sequence[Document],
    *,
    task: str,
    on_progress: OnProgress,
) -> None:
    """Upload the documents that a project lacks, until it holds all of them exactly.

    Documents whose text or spans arrived damaged are deleted and uploaded again, unless somebody
    has begun to work on them.

    Args:
        client: an administrator's connection.
        project: the project's id.
        documents: the documents that the project must contain.
        task: name of the task in progress reports.
        on_progress: called with the number of verified documents.

    Raises:
        ServerError: if documents are still missing after :data:`UPLOAD_ROUNDS` uploads, or the
            worker stopped.
    """
    rows = {document.id: to_row(document) for document in documents}
    failure: ServerError | None = None
    for _ in range(UPLOAD_ROUNDS):
        missing = _find_missing(client, project, rows)
        on_progress(Progress(task, len(rows) - len(missing), len(rows)))
        if not missing:
            break
        try:
            client.upload(project, [rows[name] for name in missing])
        except ServerError as error:
            failure = error
            if not client.worker_is_running():
                raise
    else:
        missing = _find_missing(client, project, rows)
    if missing:
        raise failure or ServerError(
            f"{client.url}: {len(missing)} documents did not arrive as sent, the first is "
            f"'{missing[0]}'; push again to complete"
        )
    on_progress(Progress(task, len(rows), len(rows)))


def _find_missing(client: DoccanoClient, project: int, rows: Mapping[str, UploadRow]) -> list[str]:
    """Delete damaged and duplicate documents; return the names of those that must be uploaded."""
    if not rows:
        return []
    complete: set[str] = set()
    damaged: list[int] = []
    for stored in _stored_examples(client, project, rows):
        row = rows[stored.name]
        same_spans = sorted(stored.spans) == sorted(row.spans)
        # Never delete an annotator's work: then other spans are changes, not damage.
        if (
            stored.text == row.text
            and row.name not in complete
            and (same_spans or read_example(client, project, stored.id).is_begun({client.user.id}))
        ):
            complete.add(row.name)
        else:
            damaged.append(stored.id)
    client.delete_examples(project, damaged)
    return [name for name in rows if name not in complete]


def _stored_examples(
    client: DoccanoClient, project: int, rows: Mapping[str, UploadRow]
) -> Iterator[ExportedExample]:
    """Yield the examples of a project that have the name of a row."""
    # An export holds the text once for each span in memory.
    size = sum(len(row.text) * (len(row.spans) + 1) for row in rows.values())
    if size < MAX_EXPORT_SIZE and client.count_examples(project) > EXPORT_THRESHOLD:
        yield from (example for example in client.export(project) if example.name in rows)
        return
    label_names = {span_type.id: span_type.text for span_type in client.span_types(project)}
    for example in client.examples(project):
        if example.upload_name in rows:
            spans = [
                (span.start_offset, span.end_offset, label_names.get(span.label, ""))
                for span in client.spans(project, example.id)
            ]
            yield ExportedExample(example.id, example.upload_name, example.text, spans)
