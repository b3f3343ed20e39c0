"""Replay recorded annotations in doccano as their annotators, for demos and tests."""

from __future__ import annotations

from collections.abc import Iterable

from ...corpus.document import Document
from ...errors import InputError
from ...evaluation.document_pairs import match_ids
from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..doccano.records import Example
from .folder import Session
from .upload import to_row


def replay(
    session: Session,
    annotator: str,
    documents: Iterable[Document],
    *,
    on_progress: OnProgress = ignore_progress,
) -> int:
    """Log in as an annotator, make their project equal to recorded annotations, and confirm it.

    Spans that are not in the recording are deleted, recorded spans that are missing are added.
    Recorded documents that were not pushed are skipped. Documents whose ids differ are matched by
    their text, see :func:`~orbat.evaluation.document_pairs.match_ids`.

    Args:
        session: the session.
        annotator: an annotator whose account orbat created.
        documents: the annotator's recorded documents.
        on_progress: called for each document.

    Returns:
        The number of documents that were replayed.

    Raises:
        InputError: if the annotator is unknown, orbat did not create their account, or a recorded
            text differs from the pushed one.
        ServerError: if the server fails.
    """
    session.check_annotator(annotator)
    password = session.password(annotator)
    if password is None:
        raise InputError(
            f"the password of '{annotator}' is unknown, because orbat did not create the account, "
            "or it was set later; replay as another annotator"
        )
    project = session.projects[annotator]
    pushed = session.pushed(annotator)
    matched, _ = match_ids({"pushed": pushed, "recorded": list(documents)})
    recorded = {document.id: document for document in matched["recorded"]}
    with DoccanoClient(session.url, annotator, password) as client:
        label_names = {span_type.id: span_type.text for span_type in client.span_types(project)}
        examples = [e for e in client.examples(project) if e.upload_name in recorded]
        for number, example in enumerate(examples, start=1):
            _replay_document(client, project, example, recorded[example.upload_name], label_names)
            on_progress(Progress(f"Replaying {annotator}", number, len(examples)))
    return len(examples)


def _replay_document(
    client: DoccanoClient,
    project: int,
    example: Example,
    document: Document,
    label_names: dict[int, str],
) -> None:
    if document.text != example.text:
        raise InputError(
            f"the recorded text of '{document.id}' differs from the pushed one; "
            "replay the text that was recorded"
        )
    missing = set(to_row(document).spans)
    for span in client.spans(project, example.id):
        key = (span.start_offset, span.end_offset, label_names[span.label])
        if key in missing:
            missing.discard(key)
        else:
            client.delete_span(project, example.id, span.id)
    label_ids = {name: label_id for label_id, name in label_names.items()}
    for start, end, label in sorted(missing):
        client.create_span(project, example.id, start, end, label_ids[label])
    client.confirm(project, example.id)
