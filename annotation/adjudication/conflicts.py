"""Several readings of a document become one gold reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...corpus.document import Document, Span
from ...errors import InputError
from ...evaluation.span_alignment import group_overlapping

POLICIES = ("majority", "union", "prefer:NAME", "manual")


@dataclass(frozen=True)
class Conflict:
    """Spans of a document that not all readings share, where they touch each other.

    Attributes:
        spans: each disputed span with the names of the readings that have it.
    """

    spans: tuple[tuple[Span, tuple[str, ...]], ...]


@dataclass(frozen=True)
class AnnotationComparison:
    """A document as its readings have it.

    Attributes:
        document: the document, without spans.
        readings: names of those that read it.
        agreed: spans that all of them have.
        conflicts: the others, in order of position.
    """

    document: Document
    annotators: tuple[str, ...]
    agreed: tuple[Span, ...]
    conflicts: tuple[Conflict, ...]


def _bare(span: Span) -> Span:
    return Span(span.start, span.end, span.label)


def compare_annotations(readings: dict[str, Document]) -> AnnotationComparison:
    """Part the spans of one document into those that all readings share and those in dispute.

    Args:
        readings: the same document by the name of each reading.
    """
    holders: dict[Span, list[str]] = {}
    for name, document in readings.items():
        for span in document.spans:
            holders.setdefault(_bare(span), []).append(name)
    agreed = tuple(sorted(s for s, names in holders.items() if len(names) == len(readings)))
    disputed = [s for s, names in holders.items() if len(names) < len(readings)]
    conflicts = tuple(
        Conflict(tuple((span, tuple(holders[span])) for span in group))
        for group in group_overlapping(disputed)
    )
    document = next((d for d in readings.values() if d.text), next(iter(readings.values())))
    return AnnotationComparison(replace(document, spans=()), tuple(readings), agreed, conflicts)


def resolve(conflict: Conflict, policy: str, readings: Sequence[str]) -> list[Span]:
    """Settle a conflict by policy.

    Args:
        conflict: spans in dispute.
        policy: `majority` keeps spans that more than half of the readings have, `union` every
            span (of overlapping ones the one that most readings have, then the longest),
            `prefer:NAME` those of one reading, and the majority's where it did not read.
        readings: names of the readings of this document.

    Raises:
        InputError: for another policy.
    """
    kind, _, name = policy.partition(":")
    if kind == "prefer" and name in readings:
        return [span for span, holders in conflict.spans if name in holders]
    if kind in ("majority", "prefer"):
        return [span for span, holders in conflict.spans if 2 * len(holders) > len(readings)]
    if kind != "union":
        raise InputError(f"unknown policy '{policy}'; choose one of {', '.join(POLICIES)}")
    kept: list[Span] = []
    for span, _holders in sorted(
        conflict.spans, key=lambda entry: (-len(entry[1]), entry[0].start - entry[0].end, entry[0])
    ):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return kept


def check_policy(policy: str, names: Iterable[str]) -> None:
    """Refuse a policy that does not exist or trusts a reading that is not there.

    Raises:
        InputError: naming the choices.
    """
    kind, _, name = policy.partition(":")
    names = list(names)
    if kind == "prefer" and name not in names:
        raise InputError(f"policy '{policy}': no reading '{name}'; there are {', '.join(names)}")
    if kind != "prefer" and policy not in POLICIES:
        raise InputError(f"unknown policy '{policy}'; choose one of {', '.join(POLICIES)}")


def is_confirmed(document: Document) -> bool:
    """Whether its annotator has finished the document; records without the mark count as such."""
    annotation = document.meta.get("annotation")
    return not (isinstance(annotation, dict) and annotation.get("confirmed") is False)


def make_gold(comparison: AnnotationComparison, policy: str) -> Document:
    """Return the gold document: agreed spans, and conflicts settled by policy."""
    spans = list(comparison.agreed)
    for conflict in comparison.conflicts:
        spans += resolve(conflict, policy, comparison.annotators)
    return gold_document(comparison, spans, policy)


def gold_document(
    comparison: AnnotationComparison, spans: Iterable[Span], decided_by: str
) -> Document:
    """Return the document with these spans as gold, and how it came to be.

    `meta.adjudication` names the readings, who or which policy decided, and under `decisions`,
    for each conflict, what each reading has there and what gold has; spans as start, end and
    label. Changes where all agreed are decisions too.
    """
    spans = sorted(map(_bare, spans))
    meta = {key: value for key, value in comparison.document.meta.items() if key != "annotation"}
    decisions, elsewhere = [], set(spans) ^ set(comparison.agreed)
    for conflict in comparison.conflicts:
        start = min(span.start for span, _ in conflict.spans)
        end = max(span.end for span, _ in conflict.spans)
        kept = [span for span in elsewhere if span.start < end and start < span.end]
        elsewhere -= set(kept)
        decisions.append(
            {
                "annotations": {
                    name: [_triple(span) for span, holders in conflict.spans if name in holders]
                    for name in comparison.annotators
                },
                "gold": [_triple(span) for span in sorted(kept) if span in spans],
            }
        )
    for span in sorted(elsewhere):
        agreed = [_triple(span)] if span in comparison.agreed else []
        gold = [_triple(span)] if span in spans else []
        decisions.append(
            {"annotations": dict.fromkeys(comparison.annotators, agreed), "gold": gold}
        )
    meta["adjudication"] = {
        "annotators": list(comparison.annotators),
        "conflicts": len(comparison.conflicts),
        "decided_by": decided_by if decisions else "agreement",
        "decisions": decisions,
    }
    return replace(comparison.document, meta=meta, spans=tuple(spans))


def _triple(span: Span) -> list[int | str]:
    return [span.start, span.end, span.label]


def adjudicator_document(comparison: AnnotationComparison) -> Document:
    """Return a conflicting document to put before an adjudicator.

    It carries the agreed spans and, of the disputed ones, those that policy `union` keeps as
    suggestions; `meta.readings` says in words who read what.
    """
    spans = list(comparison.agreed)
    words = {}
    text = comparison.document.text
    for number, conflict in enumerate(comparison.conflicts, 1):
        spans += resolve(conflict, "union", comparison.annotators)
        words[f"conflict {number}"] = " | ".join(
            f"{' + '.join(holders)}: {span.label} “{text[span.start : span.end]}” at {span.start}"
            for span, holders in conflict.spans
        )
    meta = {**comparison.document.meta, "review": words}
    return replace(comparison.document, meta=meta).with_spans(spans)
