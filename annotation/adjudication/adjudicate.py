"""Merging annotation sets into gold documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...corpus.document import Document
from ...corpus.labels import LabelSet
from ...errors import InputError
from ...evaluation.document_pairs import TextMatches
from ...ui import OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from .annotation_sets import AnnotationSet
from .conflicts import AnnotationComparison, compare_annotation_sets
from .gold import make_gold
from .policies import MAJORITY, MANUAL, check_policy, is_undecided
from .round import AdjudicationRound, run_round


@dataclass(frozen=True)
class Adjudication:
    """The result of an adjudication.

    Attributes:
        gold: the gold documents; empty while conflicts of an adjudication round are open.
        policy: the policy that resolved the conflicts.
        conflicts: the number of conflicts.
        single: the number of documents with one annotator, whose spans are gold unchanged.
        skipped: ids of the documents skipped because fewer than two of their annotators have
            confirmed them, or the only one has not.
        round: the state of the adjudication round; None for other policies than `manual`.
        matches: the documents matched by their text, as their ids differ.
        undecided: the number of conflicts without a majority, whose spans are left out.
    """

    gold: tuple[Document, ...]
    policy: str
    conflicts: int
    single: int
    skipped: tuple[str, ...]
    round: AdjudicationRound | None = None
    matches: TextMatches = field(default_factory=TextMatches)
    undecided: int = 0


def adjudicate(
    annotation_sets: Sequence[AnnotationSet],
    policy: str | None = None,
    *,
    unconfirmed: bool = False,
) -> Adjudication:
    """Merge annotation sets into gold documents, and resolve conflicts by a policy.

    Spans that all annotators of a document have become gold.

    Args:
        annotation_sets: two or more.
        policy: `majority`, `union` or `prefer:NAME`; see :func:`.policies.resolve`. None follows
            the majority and refuses conflicts that have none, as those of two annotators.
        unconfirmed: include annotations that are not confirmed.

    Raises:
        InputError: if the annotation sets do not fit together, no document is confirmed, texts
            are missing, or the policy is unknown or `manual`; without a policy, if a conflict has
            no majority.
    """
    chosen = MAJORITY if policy is None else policy
    comparisons, skipped, matches = _compare(annotation_sets, chosen, unconfirmed)
    if chosen == MANUAL:
        raise InputError("policy manual needs doccano; call adjudicate_manually")
    gold = tuple(make_gold(comparison, chosen) for comparison in comparisons)
    result = _make_result(comparisons, skipped, matches, chosen, gold)
    if policy is None and result.undecided:
        name = annotation_sets[0].name
        raise InputError(
            f"{result.undecided} of {result.conflicts} conflicts have no majority; choose --policy "
            f"manual, union or prefer:{name}, or majority to leave their spans out"
        )
    return result


def adjudicate_manually(
    client: DoccanoClient,
    folder: Path,
    annotation_sets: Sequence[AnnotationSet],
    labels: LabelSet,
    *,
    adjudicator: str = "adjudicator",
    guidelines: str = "",
    unconfirmed: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Adjudication:
    """Merge annotation sets into gold documents, and let an adjudicator resolve the conflicts.

    The first call uploads the conflicts to doccano. Call it again when the adjudicator has
    confirmed the answers; the result has gold documents when no conflict is open.

    Args:
        client: a connection with an administrator's account.
        folder: the folder of the adjudication round; created if it does not exist.
        annotation_sets: two or more.
        labels: the label set.
        adjudicator: the account that decides; created if it is missing.
        guidelines: Markdown, shown to the adjudicator below the keys.
        unconfirmed: include annotations that are not confirmed.
        on_progress: called as questions and documents are transferred.

    Raises:
        InputError: if the annotation sets do not fit together, no document is confirmed, texts
            are missing, or the folder belongs to another server or label set.
        ServerError: if the server fails, or its data were changed by hand.
    """
    comparisons, skipped, matches = _compare(annotation_sets, MANUAL, unconfirmed)
    state = run_round(
        client,
        folder,
        comparisons,
        labels,
        adjudicator=adjudicator,
        guidelines=guidelines,
        on_progress=on_progress,
    )
    return _make_result(comparisons, skipped, matches, MANUAL, state.gold, state)


def _compare(
    annotation_sets: Sequence[AnnotationSet], policy: str, unconfirmed: bool
) -> tuple[list[AnnotationComparison], list[str], TextMatches]:
    check_policy(policy, [annotation_set.name for annotation_set in annotation_sets])
    comparisons, skipped, matches = compare_annotation_sets(
        annotation_sets, unconfirmed=unconfirmed
    )
    if not comparisons:
        raise InputError(
            "no document is confirmed by two annotators; confirm some, or pass --unconfirmed"
        )
    if not all(comparison.document.text for comparison in comparisons):
        raise InputError("the annotation sets have no texts; pass the documents with --texts FILE")
    return comparisons, skipped, matches


def _make_result(
    comparisons: Sequence[AnnotationComparison],
    skipped: Sequence[str],
    matches: TextMatches,
    policy: str,
    gold: tuple[Document, ...],
    state: AdjudicationRound | None = None,
) -> Adjudication:
    return Adjudication(
        gold,
        policy,
        sum(len(comparison.conflicts) for comparison in comparisons),
        sum(len(comparison.annotators) == 1 for comparison in comparisons),
        tuple(skipped),
        state,
        matches,
        sum(
            is_undecided(conflict, policy, comparison.annotators)
            for comparison in comparisons
            for conflict in comparison.conflicts
        ),
    )
