"""Replay recorded annotations through the server, as their annotators."""

from __future__ import annotations

from collections.abc import Iterable

from ...corpus.document import Document
from ...errors import InputError
from ..doccano.client import DoccanoClient
from .folder import Report, Session
from .push import to_row


def replay(
    doccano: DoccanoClient,
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
    with DoccanoClient(doccano.url, annotator, password) as own:
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
