"""Alignment of two sets of spans over the same text, and the kinds of error in the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from ..corpus.document import Span


class ErrorKind(StrEnum):
    """The difference between two aligned spans, with the first side as reference (gold).

    CORRECT: same start, end and label. MISSED: only the first side has the span. SPURIOUS: only
    the second side has it. BOUNDARY: overlap with the same label. LABEL: same start and end,
    another label. BOUNDARY_AND_LABEL: overlap with another label. LIKELY_GOLD_ERROR: assigned by
    error analysis only, where the prediction seems right and the gold wrong.
    """

    CORRECT = "correct"
    MISSED = "missed"
    SPURIOUS = "spurious"
    BOUNDARY = "boundary"
    LABEL = "label"
    BOUNDARY_AND_LABEL = "boundary and label"
    LIKELY_GOLD_ERROR = "likely gold error"

    @property
    def reversed(self) -> ErrorKind:
        """The kind of the same pair with its sides exchanged."""
        exchanged = {ErrorKind.MISSED: ErrorKind.SPURIOUS, ErrorKind.SPURIOUS: ErrorKind.MISSED}
        return exchanged.get(self, self)


class SpanPair(NamedTuple):
    """Two spans aligned with each other, or one span without a counterpart.

    Attributes:
        first: the span of the first side, such as gold; None if only the second side has one.
        second: the span of the second side, such as the prediction; None if it has none.
    """

    first: Span | None
    second: Span | None

    @property
    def kind(self) -> ErrorKind:
        """The difference between the two sides."""
        first, second = self
        if second is None:
            return ErrorKind.MISSED
        if first is None:
            return ErrorKind.SPURIOUS
        same_offsets = first.start == second.start and first.end == second.end
        if first.label == second.label:
            return ErrorKind.CORRECT if same_offsets else ErrorKind.BOUNDARY
        return ErrorKind.LABEL if same_offsets else ErrorKind.BOUNDARY_AND_LABEL

    @property
    def spans(self) -> list[Span]:
        """The spans of the pair, one or two, the first side's first."""
        return [span for span in self if span is not None]


def align_spans(first: Iterable[Span], second: Iterable[Span]) -> list[SpanPair]:
    """Align two sets of spans one to one; each span is in exactly one pair.

    Equal spans are paired first. Among the rest, overlapping spans are paired greedily: pairs
    with the same offsets before others, then pairs with the same label, then by the length of
    the overlap, then by position. The result therefore names the smallest error that explains
    both spans, and does not depend on which side is first.

    The scores of :mod:`.metrics` do not use this alignment. They follow nervaluate, whose order
    of matching is part of its definition.

    Args:
        first: spans of the first side, such as gold. Duplicates count once.
        second: spans of the second side, such as predictions.

    Returns:
        The pairs in order of position.
    """
    unpaired = {span: span for span in second}
    pairs: list[SpanPair] = []
    sides: list[tuple[Span, int]] = []
    for span in dict.fromkeys(first):
        equal = unpaired.pop(span, None)
        if equal is None:
            sides.append((span, 0))
        else:
            pairs.append(SpanPair(span, equal))
    sides += [(span, 1) for span in unpaired]
    for group in _overlapping(sides):
        pairs += _align_group(
            [span for span, side in group if side == 0], [span for span, side in group if side == 1]
        )
    return sorted(pairs, key=_position)


def _align_group(first: Sequence[Span], second: Sequence[Span]) -> list[SpanPair]:
    """Align the spans of a group of overlapping spans, none of which is on both sides."""
    candidates = sorted(
        (
            (
                _offsets(one) != _offsets(other),
                one.label != other.label,
                -overlap,
                min(one.start, other.start),
                max(one.start, other.start),
                i,
                j,
            )
            for i, one in enumerate(first)
            for j, other in enumerate(second)
            if (overlap := min(one.end, other.end) - max(one.start, other.start)) > 0
        )
    )
    free_first, free_second = dict(enumerate(first)), dict(enumerate(second))
    pairs = []
    for *_, i, j in candidates:
        if i in free_first and j in free_second:
            pairs.append(SpanPair(free_first.pop(i), free_second.pop(j)))
    pairs += [SpanPair(span, None) for span in free_first.values()]
    pairs += [SpanPair(None, span) for span in free_second.values()]
    return pairs


def group_overlapping(spans: Iterable[Span]) -> list[list[Span]]:
    """Group spans that overlap, directly or through others; groups and spans in order."""
    return [[span for span, _ in group] for group in _overlapping((span, 0) for span in spans)]


def _overlapping(spans: Iterable[tuple[Span, int]]) -> list[list[tuple[Span, int]]]:
    groups: list[list[tuple[Span, int]]] = []
    end = -1
    for span, side in sorted(spans):
        if groups and span.start < end:
            groups[-1].append((span, side))
        else:
            groups.append([(span, side)])
        end = max(end, span.end)
    return groups


def _offsets(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _position(pair: SpanPair) -> tuple[int, int]:
    """Sort by the first character, then by the last; no two pairs of one side share both."""
    first, second = pair
    if first is None or second is None:
        (span,) = pair.spans
        return span.start, span.end
    return min(first.start, second.start), max(first.end, second.end)
