"""Several readings of a document become one gold reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from annotation.matching import group_overlapping
from corpus.document import Document, Span
from corpus.errors import InputError

POLICIES = ("majority", "either", "trust:NAME", "doccano")


@dataclass(frozen=True)
class Conflict:
    """Spans of a document that not all readings share, where they touch each other.

    Attributes:
        spans: each disputed span with the names of the readings that have it.
    """

    spans: tuple[tuple[Span, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Comparison:
    """A document as all readings have it: agreed spans, and conflicts in order of position."""

    document: Document
    agreed: tuple[Span, ...]
    conflicts: tuple[Conflict, ...]


def _bare(span: Span) -> Span:
    return Span(span.start, span.end, span.label)


def compare_readings(readings: dict[str, Document]) -> Comparison:
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
    return Comparison(replace(document, spans=()), agreed, conflicts)


def settle(conflict: Conflict, policy: str, readings: int) -> list[Span]:
    """Settle a conflict by policy.

    Args:
        conflict: spans in dispute.
        policy: `majority` keeps spans that more than half of the readings have, `either` every
            span (of overlapping ones the one that most readings have, then the longest),
            `trust:NAME` those of one reading.
        readings: number of readings.

    Raises:
        InputError: for another policy.
    """
    kind, _, name = policy.partition(":")
    if kind == "trust":
        return [span for span, holders in conflict.spans if name in holders]
    if kind == "majority":
        return [span for span, holders in conflict.spans if 2 * len(holders) > readings]
    if kind != "either":
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
    if kind == "trust" and name not in names:
        raise InputError(f"policy '{policy}': no reading '{name}'; there are {', '.join(names)}")
    if kind != "trust" and policy not in POLICIES:
        raise InputError(f"unknown policy '{policy}'; choose one of {', '.join(POLICIES)}")


def is_confirmed(document: Document) -> bool:
    """Whether its annotator has finished the document; records without the mark count as such."""
    annotation = document.meta.get("annotation")
    return not (isinstance(annotation, dict) and annotation.get("confirmed") is False)


def make_gold(comparison: Comparison, policy: str, names: Sequence[str]) -> Document:
    """Return the gold document: agreed spans, and conflicts settled by policy.

    `meta.adjudication` records the readings, the policy and the number of conflicts.
    """
    spans = list(comparison.agreed)
    for conflict in comparison.conflicts:
        spans += settle(conflict, policy, len(names))
    return as_gold(comparison, spans, policy, names)


def as_gold(
    comparison: Comparison, spans: Iterable[Span], decided_by: str, names: Sequence[str]
) -> Document:
    """Return the document with these spans as gold, and how it came to be in its meta."""
    meta = {key: value for key, value in comparison.document.meta.items() if key != "annotation"}
    meta["adjudication"] = {
        "readings": list(names),
        "conflicts": len(comparison.conflicts),
        "decided_by": decided_by if comparison.conflicts else "agreement",
    }
    document = replace(comparison.document, meta=meta)
    return document.with_spans(_bare(span) for span in spans)


def for_third_pass(comparison: Comparison) -> Document:
    """Return a conflicting document to put before an adjudicator.

    It carries the agreed spans and, of the disputed ones, those that policy `either` keeps as
    suggestions; `meta.readings` says in words who read what.
    """
    spans = list(comparison.agreed)
    words = {}
    text = comparison.document.text
    for number, conflict in enumerate(comparison.conflicts, 1):
        spans += settle(conflict, "either", 0)
        words[f"conflict {number}"] = " | ".join(
            f"{' + '.join(holders)}: {span.label} “{text[span.start : span.end]}” at {span.start}"
            for span, holders in conflict.spans
        )
    meta = {**comparison.document.meta, "readings": words}
    return replace(comparison.document, meta=meta).with_spans(spans)
