"""What annotators have still to read: the documents that they have not confirmed, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median_low

from ....corpus.document import Document
from ...doccano.client import DoccanoClient
from ..folder import Session
from .assignment import count_words


def add_words(session: Session, documents: Sequence[Document]) -> Session:
    """Return a session that knows the words of documents, and of all that were pushed before."""
    known = session.words
    # Sessions of an earlier format know none.
    earlier = [] if set(session.assignments) <= set(known) else session.documents()
    new = {d.id: count_words(d.text) for d in (*earlier, *documents) if d.id not in known}
    return replace(session, words={**known, **new})


def unconfirmed_ids(client: DoccanoClient, session: Session, annotator: str) -> set[str]:
    """Return the ids of an annotator's documents that are not confirmed, uploaded or not."""
    assigned = session.assigned(annotator)
    if annotator not in session.projects or not assigned:
        return assigned
    examples = client.examples(session.projects[annotator])
    return assigned - {example.upload_name for example in examples if example.is_confirmed}


def measure_load(
    client: DoccanoClient, session: Session, annotators: Iterable[str]
) -> dict[str, int]:
    """Return the words that each annotator has still to read."""
    typical = typical_words(session)
    return {
        name: sum(session.words.get(id_, typical) for id_ in unconfirmed_ids(client, session, name))
        for name in annotators
    }


def typical_words(session: Session) -> int:
    """Return the words of the median document, for those of sessions of an earlier format."""
    return median_low(session.words.values()) if session.words else 1
