"""Who labels what: documents that all annotators share, and documents dealt out among them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Assignment = Mapping[str, str | None]
"""For each document's id the annotator who has it alone; None where all share it."""


def assign(
    documents: Iterable[str],
    annotators: Sequence[str],
    overlap: float,
    already: Assignment,
) -> dict[str, str | None]:
    """Assign documents that are not assigned yet, and leave the others as they are.

    The shared ones are spread evenly over the order given; of the rest each goes to the annotator
    who has the fewest of their own.

    Args:
        documents: ids, in the order in which they shall be labelled.
        annotators: account names.
        overlap: share of the documents that all annotators get, from 0 to 1.
        already: earlier assignments.

    Returns:
        All assignments, earlier ones first.
    """
    plan = dict(already)
    own = Counter(name for name in plan.values() if name is not None)
    for identity in documents:
        if identity in plan:
            continue
        # Rounded, because 0.1 * 30 is a little more than 3.
        before, after = (math.ceil(round(n * overlap, 9)) for n in (len(plan), len(plan) + 1))
        if after > before:
            plan[identity] = None
            continue
        annotator = min(annotators, key=lambda name: own[name])
        plan[identity] = annotator
        own[annotator] += 1
    return plan
