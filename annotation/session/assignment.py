"""Assign documents to annotators: some are shared by all, the others have one annotator each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Assignments = Mapping[str, str | None]
"""The only annotator of each document, by document id; None where all annotators share it."""


def assign(
    doc_ids: Iterable[str],
    annotators: Sequence[str],
    overlap: float,
    existing: Assignments,
) -> dict[str, str | None]:
    """Assign documents that have no assignment yet; existing assignments do not change.

    Shared documents are spread evenly over the order of the documents. Each of the others goes to
    the annotator who has the fewest documents alone.

    Args:
        doc_ids: ids of the documents, in labeling order.
        annotators: account names.
        overlap: share of the documents that all annotators get, from 0 to 1.
        existing: earlier assignments.

    Returns:
        All assignments, existing ones first.
    """
    assignments = dict(existing)
    counts = Counter(name for name in assignments.values() if name is not None)
    for doc_id in doc_ids:
        if doc_id in assignments:
            continue
        # Rounded, because 0.1 * 30 is slightly more than 3.
        before, after = (
            math.ceil(round(n * overlap, 9)) for n in (len(assignments), len(assignments) + 1)
        )
        if after > before:
            assignments[doc_id] = None
            continue
        annotator = min(annotators, key=lambda name: counts[name])
        assignments[doc_id] = annotator
        counts[annotator] += 1
    return assignments
