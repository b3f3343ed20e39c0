"""Gold documents, with a record of how their conflicts were resolved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...corpus.document import Document, Span
from .conflicts import AnnotationComparison
from .policies import resolve


def make_gold(comparison: AnnotationComparison, policy: str) -> Document:
    """Return the gold document: the agreed spans, and the conflicts resolved by a policy."""
    spans = list(comparison.agreed)
    for conflict in comparison.conflicts:
        spans += resolve(conflict, policy, comparison.annotators)
    return gold_document(comparison, spans, policy)


def gold_document(
    comparison: AnnotationComparison, spans: Iterable[Span], decided_by: str
) -> Document:
    """Return a document with gold spans, and the record of the decisions in its metadata.

    `meta.adjudication` holds:

    - `annotators`: their names;
    - `conflicts`: the number of conflicts;
    - `decided_by`: the adjudicator or policy, or `agreement` if there was nothing to decide;
    - `decisions`: for each conflict the spans of each annotator under `annotations`, and the gold
      spans under `gold`, as `[start, end, label]`. A gold span that differs from the agreed spans
      is a decision too.

    Args:
        comparison: the comparison of the annotators.
        spans: the gold spans.
        decided_by: the adjudicator or policy.
    """
    gold = sorted(Span(span.start, span.end, span.label) for span in spans)
    meta = {key: value for key, value in comparison.document.meta.items() if key != "annotation"}
    decisions, changed = [], set(gold) ^ set(comparison.agreed)
    for conflict in comparison.conflicts:
        inside = [s for s in changed if s.start < conflict.end and conflict.start < s.end]
        changed -= set(inside)
        decisions.append(
            {
                "annotations": {
                    name: [_to_json(span) for span in conflict.spans_of(name)]
                    for name in comparison.annotators
                },
                "gold": [_to_json(span) for span in sorted(inside) if span in gold],
            }
        )
    for span in sorted(changed):
        agreed = [_to_json(span)] if span in comparison.agreed else []
        decisions.append(
            {
                "annotations": dict.fromkeys(comparison.annotators, agreed),
                "gold": [_to_json(span)] if span in gold else [],
            }
        )
    meta["adjudication"] = {
        "annotators": list(comparison.annotators),
        "conflicts": len(comparison.conflicts),
        "decided_by": decided_by if decisions else "agreement",
        "decisions": decisions,
    }
    return replace(comparison.document, meta=meta, spans=tuple(gold))


def _to_json(span: Span) -> list[int | str]:
    return [span.start, span.end, span.label]
