"""Credit of predicted spans under the four schemes of nervaluate and SemEval-2013 task 9."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..corpus.document import Span

SCORING_SCHEMES = ("strict", "exact", "partial", "type")
"""The rules by which predicted spans earn credit.

strict: start, end and label are equal to those of a gold span. exact: start and end are equal.
partial: half a point for an overlap, one point for equal start and end. type: overlap and equal
label. The last three are the relaxed schemes.
"""
COLUMNS = ("gold", "predicted", *SCORING_SCHEMES)
"""Counts of a document: gold spans, predicted spans, and the credit under each scheme."""


def credits_of(gold: Iterable[Span], predicted: Iterable[Span]) -> tuple[float, ...]:
    """Count one document's gold spans, predicted spans, and the credit under each scheme.

    Predicted spans are matched with gold spans greedily from left to right, each with one at most,
    as nervaluate does. There is one difference: nervaluate requires a partial overlap to cover 1 %
    of the gold span; here one character is enough.

    Args:
        gold: gold spans, which must not overlap each other.
        predicted: predicted spans, which must not overlap each other.

    Returns:
        The counts in the order of :data:`COLUMNS`.
    """
    left, right = set(gold), set(predicted)
    equal = len(left & right)
    exact, partial, typed = _credits_of_unequal(sorted(left - right), sorted(right - left))
    return (len(left), len(right), equal, equal + exact, equal + partial, equal + typed)


def _credits_of_unequal(gold: Sequence[Span], predicted: Sequence[Span]) -> tuple[int, float, int]:
    """Return the credit under exact, partial and type of spans that are not on both sides."""
    exact, partial, typed = 0, 0.0, 0
    free_by_offsets, free_by_type = list(gold), list(gold)
    for span in predicted:
        overlapping = [g for g in free_by_offsets if g.start < span.end and span.start < g.end]
        if overlapping:
            # A gold span with the same offsets is the only one that overlaps.
            same = (overlapping[0].start, overlapping[0].end) == (span.start, span.end)
            free_by_offsets.remove(overlapping[0])
            exact += same
            partial += 1.0 if same else 0.5
        overlapping = [g for g in free_by_type if g.start < span.end and span.start < g.end]
        same_label = [g for g in overlapping if g.label == span.label]
        if same_label:
            nearest = min(
                same_label, key=lambda g: abs(g.start - span.start) + abs(g.end - span.end)
            )
            free_by_type.remove(nearest)
            typed += 1
        elif overlapping:
            free_by_type.remove(overlapping[0])
    return exact, partial, typed
