"""The third pass: conflicts between readings, settled by an adjudicator in doccano."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from annotation.adjudication import Comparison, as_gold, for_third_pass, is_confirmed
from annotation.doccano import Doccano
from annotation.labels import LabelSet
from annotation.session import Report, Session, pull, push
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
) -> Session | None:
    """Put the documents with conflicts before the adjudicator; None if there is no conflict."""
    disputed = [for_third_pass(each) for each in comparisons if each.conflicts]
    if not disputed:
        return None
    return push(
        doccano,
        folder,
        disputed,
        [ADJUDICATOR],
        labels,
        guidelines=guidelines,
        alive=alive,
        report=report,
    )


def finish_third_pass(
    doccano: Doccano,
    folder: Path,
    comparisons: Sequence[Comparison],
    names: Sequence[str],
    report: Report,
) -> tuple[list[Document], list[str]]:
    """Return gold for all documents, and the ids that the adjudicator has not confirmed.

    A document with conflicts takes all its spans as the adjudicator left them.
    """
    settled: dict[str, Document] = {}
    if any(each.conflicts for each in comparisons):
        settled = {d.id: d for d in pull(doccano, folder, report=report)[ADJUDICATOR]}
    gold, open_ids = [], []
    for comparison in comparisons:
        if not comparison.conflicts:
            gold.append(as_gold(comparison, comparison.agreed, ADJUDICATOR, names))
            continue
        document = settled.get(comparison.document.id)
        if document is None or not is_confirmed(document):
            open_ids.append(comparison.document.id)
        else:
            gold.append(as_gold(comparison, document.spans, ADJUDICATOR, names))
    return gold, open_ids
