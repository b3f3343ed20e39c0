"""Assign documents to annotators: some get several readers, the others one; balanced in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from ....errors import InputError

Assignments = Mapping[str, tuple[str, ...]]
"""The annotators of each document, sorted, by document id."""


def count_words(text: str) -> int:
    """Return the number of words of a text, at least 1."""
    return max(len(text.split()), 1)


def check_readers(readers: int | None, annotators: Sequence[str]) -> None:
    """Refuse more readers than there are annotators.

    Raises:
        InputError: if there are too few annotators, or no reader.
    """
    if readers is not None and not 1 <= readers <= len(annotators):
        raise InputError(
            f"{readers} readers of each document, but {len(annotators)} annotators; name more "
            "with --annotators, or lower --readers"
        )


def assign(
    documents: Mapping[str, int],
    annotators: Sequence[str],
    existing: Assignments,
    *,
    overlap: float = 1.0,
    readers: int | None = None,
    load: Mapping[str, int] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Assign documents that have no assignment yet; existing assignments do not change.

    Documents with several readers are spread evenly over the order of the documents. A document
    goes to the annotator with the fewest words; further readers are those of about as few words
    who share the fewest documents with the readers before them, so that every pair of annotators
    can be compared. Words differ between annotators by at most two of the longest documents, or
    by what they differed before.

    Args:
        documents: the words of each document by id, in labeling order.
        annotators: account names.
        existing: earlier assignments.
        overlap: share of the documents that several annotators get, from 0 to 1.
        readers: how many annotators that is; None for all of them.
        load: the words that each annotator has to read already.

    Returns:
        All assignments, existing ones first.

    Raises:
        InputError: for more readers than annotators.
    """
    check_readers(readers, annotators)
    assignments = dict(existing)
    plan = _Plan(annotators, existing, load or {}, longest=max(documents.values(), default=0))
    for doc_id, words in documents.items():
        if doc_id in assignments:
            continue
        # Rounded, because 0.1 * 30 is slightly more than 3.
        before, after = (
            math.ceil(round(n * overlap, 9)) for n in (len(assignments), len(assignments) + 1)
        )
        count = (readers or len(annotators)) if after > before else 1
        assignments[doc_id] = plan.choose(words, count)
    return assignments


class _Plan:
    """The words of each annotator, and how many documents each pair of annotators shares."""

    def __init__(
        self,
        annotators: Sequence[str],
        existing: Assignments,
        load: Mapping[str, int],
        longest: int,
    ) -> None:
        self._words = {name: load.get(name, 0) for name in annotators}
        self._shared = Counter(pair for names in existing.values() for pair in _pairs(names))
        self._longest = longest

    def choose(self, words: int, count: int) -> tuple[str, ...]:
        """Choose the readers of a document, and add its words to theirs."""
        chosen: list[str] = []
        limit = min(self._words.values()) + self._longest
        for _ in range(count):
            rest = [name for name in self._words if name not in chosen]
            chosen.append(min(rest, key=lambda name: self._rank(name, chosen, limit)))
        for name in chosen:
            self._words[name] += words
        self._shared.update(_pairs(chosen))
        return tuple(sorted(chosen))

    def _rank(self, name: str, chosen: Sequence[str], limit: int) -> tuple[bool, int, int]:
        """Return the place of an annotator among those who could be the next reader."""
        shared = sum(self._shared[_pair(name, other)] for other in chosen)
        return self._words[name] > limit, shared, self._words[name]


def _pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return [_pair(first, second) for first, second in combinations(names, 2)]


def _pair(first: str, second: str) -> tuple[str, str]:
    return (first, second) if first < second else (second, first)
