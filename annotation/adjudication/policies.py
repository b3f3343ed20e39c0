"""Policies that resolve conflicts without an adjudicator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...corpus.document import Span
from ...errors import InputError
from .conflicts import Conflict

MAJORITY, MANUAL = "majority", "manual"
POLICIES = (MAJORITY, "union", "prefer:NAME", MANUAL)
"""How conflicts are resolved; `manual` asks an adjudicator (:mod:`.round`)."""


def resolve(conflict: Conflict, policy: str, annotators: Sequence[str]) -> list[Span]:
    """Resolve a conflict by a policy.

    Args:
        conflict: the conflicting spans.
        policy: `majority` keeps the spans that more than half of the annotators have, so that two
            annotators settle nothing. `union` keeps every span; of overlapping spans the one with
            the most annotators, then the longest. `prefer:NAME` keeps the spans of one annotator,
            and follows the majority in documents without that annotator.
        annotators: the annotators of the document.

    Raises:
        InputError: for any other policy.
    """
    kind, _, name = policy.partition(":")
    if kind == "prefer" and name in annotators:
        return list(conflict.spans_of(name))
    if kind in (MAJORITY, "prefer"):
        return [span for span, holders in conflict.spans if 2 * len(holders) > len(annotators)]
    if kind != "union":
        raise InputError(f"unknown policy '{policy}'; choose one of {', '.join(POLICIES)}")
    kept: list[Span] = []
    for span, _holders in sorted(
        conflict.spans, key=lambda entry: (-len(entry[1]), entry[0].start - entry[0].end, entry[0])
    ):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return kept


def is_undecided(conflict: Conflict, policy: str, annotators: Sequence[str]) -> bool:
    """Return whether a policy that follows the majority finds none, not even one for no span.

    Two annotators who differ never have a majority.
    """
    if policy in ("union", MANUAL) or resolve(conflict, policy, annotators):
        return False
    if policy.partition(":")[2] in annotators:
        return False
    without = sum(not conflict.spans_of(name) for name in annotators)
    return 2 * without <= len(annotators)


def check_policy(policy: str, annotators: Iterable[str]) -> None:
    """Refuse an unknown policy, or one that prefers an unknown annotator.

    Raises:
        InputError: naming the choices.
    """
    kind, _, name = policy.partition(":")
    annotators = list(annotators)
    if kind == "prefer" and name not in annotators:
        raise InputError(
            f"policy '{policy}': no annotation set '{name}'; choose one of {', '.join(annotators)}"
        )
    if kind != "prefer" and policy not in POLICIES:
        raise InputError(f"unknown policy '{policy}'; choose one of {', '.join(POLICIES)}")
