"""Alignment of two sets of spans over the same text."""

from __future__ import annotations

from collections.abc import Iterable

from ..corpus.document import Span


def group_overlapping(spans: Iterable[Span]) -> list[list[Span]]:
    """Group spans that overlap, directly or through others; groups and spans in order."""
    groups: list[list[Span]] = []
    reach = -1
    for span in sorted(spans):
        if groups and span.start < reach:
            groups[-1].append(span)
        else:
            groups.append([span])
        reach = max(reach, span.end)
    return groups
