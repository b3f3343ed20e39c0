"""The third pass: conflicts between readings, settled by an adjudicator in doccano."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from annotation.adjudication import Comparison, as_gold, for_third_pass, is_confirmed
from annotation.doccano import Doccano
from annotation.labels import LabelSet
from annotation.session import Report, Session, is_session, open_session, pull, push
from corpus.document import Document

ADJUDICATOR = "adjudicator"


def begin_third_pass(
    doccano: Doccano,
    folder: Path,
    comparisons: Sequence[Comparison],
    labels: LabelSet,
    guidelines: str,
    alive: Callable[[], bool],
    report: Report,
) -> tuple[Session | None, int]:
    """Put the documents with conflicts before the adjudicator.

    Returns:
        The session, None if there is no conflict, and how many documents are new in it.
    """
    disputed = [for_third_pass(each) for each in comparisons if each.conflicts]
    if not disputed:
        return None, 0
    there = open_session(folder).pushed(ADJUDICATOR) if is_session(folder) else []
    session = push(
        doccano,
        folder,
        disputed,
        [ADJUDICATOR],
        labels,
        guidelines=guidelines,
        alive=alive,
        report=report,
    )
    return session, len(session.pushed(ADJUDICATOR)) - len(there)


def finish_third_pass(
    doccano: Doccano,
    folder: Path,
    comparisons: Sequence[Comparison],
    report: Report,
) -> tuple[list[Document], list[str]]:
    """Return gold for all documents, and the ids that the adjudicator has not confirmed.

    A document with conflicts takes all its spans as the adjudicator left them.
    """
    settled: dict[str, Document] = {}
    if any(each.conflicts for each in comparisons):
        settled = {d.id: d for d in pull(doccano, folder, report=report).readings[ADJUDICATOR]}
    gold, open_ids = [], []
    for comparison in comparisons:
        if not comparison.conflicts:
            gold.append(as_gold(comparison, comparison.agreed, ADJUDICATOR))
            continue
        document = settled.get(comparison.document.id)
        if document is None or not is_confirmed(document):
            open_ids.append(comparison.document.id)
        else:
            gold.append(as_gold(comparison, document.spans, ADJUDICATOR))
    return gold, open_ids
