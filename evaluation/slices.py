"""Scores of slices of the data: by type of mention, by type of document, by meta field."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..corpus.document import Document, Span
from ..corpus.metadata import DATE_KEYS
from .bootstrap import RESAMPLES, Floats, bootstrap, f1_scores
from .mentions import MentionIndex, surface_of
from .metrics import Score, count_holders, score_to_json

MIN_GOLD = 20
"""Fewest gold spans of a group that can be the worst one."""
MAX_GROUPS = 30
"""Groups listed for a dimension; the smallest ones are merged into one."""
REST = "(all others)"
META_DIMENSIONS = ("source", "desk", "genre", "country")
"""Meta fields that are always sliced by; documents without the field are in no group."""


@dataclass(frozen=True)
class Dimension:
    """A way to slice the data.

    Attributes:
        name: its name in tables and reports.
        groups: returns, for a document, a function from a span to its group; None is no group.
    """

    name: str
    groups: Callable[[Document], Callable[[Span], str | None]]


@dataclass(frozen=True)
class Slice:
    """Strict scores of one group.

    Attributes:
        dimension: the name of the dimension.
        group: the name of the group.
        documents: number of documents with a gold or predicted span in the group; there is no
            interval for fewer than :data:`.bootstrap.MIN_DOCUMENTS`.
        score: recall over the gold spans of the group, precision over its predicted spans.
    """

    dimension: str
    group: str
    documents: int
    score: Score


def _words(surface: str) -> str:
    words = len(surface.split())
    return "4 or more" if words > 3 else str(words)


def _casing(surface: str) -> str:
    words = [word for word in surface.split() if any(map(str.isalpha, word))]
    if not words:
        return "no letters"
    if all(map(str.isupper, words)):
        return "all capitals"
    if all(map(str.islower, words)):
        return "lower case"
    return "title case" if all(word[:1].isupper() for word in words) else "mixed"


def _of_surface(name: str, group: Callable[[str], str]) -> Dimension:
    return Dimension(name, lambda document: lambda span: group(surface_of(document, span)))


def _of_document(name: str, group: Callable[[Document], str | None]) -> Dimension:
    def fixed(document: Document) -> Callable[[Span], str | None]:
        name = group(document)
        return lambda span: name

    return Dimension(name, fixed)


def _document_length(document: Document) -> str:
    words = len(document.text.split())
    bounds = (100, 250, 500, 1000)
    lower = max((bound for bound in bounds if words >= bound), default=0)
    upper = next((bound for bound in bounds if words < bound), None)
    return f"{lower} or more" if upper is None else f"{lower} to {upper - 1}"


def _meta(key: str, default: str | None = None) -> Dimension:
    return _of_document(key, lambda document: str(document.meta.get(key) or "") or default)


def _year(key: str) -> Dimension:
    return _of_document(
        f"year of {key}", lambda document: str(document.meta.get(key) or "")[:4] or None
    )


def _seen(index: MentionIndex, *, normalized: bool) -> Dimension:
    def groups(document: Document) -> Callable[[Span], str]:
        def group(span: Span) -> str:
            labels = index.labels_of(surface_of(document, span), normalized=normalized)
            if not labels:
                return "unseen"
            return "seen" if span.label in labels else "seen with another label"

        return group

    return Dimension(f"in training ({'normalized' if normalized else 'exact'})", groups)


def dimensions(*, train: MentionIndex | None = None, fields: Sequence[str] = ()) -> list[Dimension]:
    """Return the dimensions: of mentions, of documents, of :data:`META_DIMENSIONS` and of years.

    Args:
        train: the mentions of the training documents, if known.
        fields: further meta fields; documents without the field are a group of their own.
    """
    return [
        *((_seen(train, normalized=n) for n in (False, True)) if train else ()),
        _of_surface("words in mention", _words),
        _of_surface("casing of mention", _casing),
        _of_document("words in document", _document_length),
        *(_meta(key, "(none)") for key in fields),
        *(_meta(key) for key in META_DIMENSIONS if key not in fields),
        *(_year(key) for key in DATE_KEYS if key not in fields),
    ]


class SliceTable:
    """Collects strict counts by group, document by document; texts are not kept in memory.

    Args:
        dimensions: the dimensions to slice by.
    """

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self._groups = [_Groups(dimension) for dimension in dimensions]
        self._documents = 0

    def add(self, gold: Document, predicted: Document) -> None:
        """Add one document."""
        correct = set(gold.spans) & set(predicted.spans)
        for groups in self._groups:
            groups.add(self._documents, gold, predicted.spans, correct)
        self._documents += 1

    def slices(self, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Slice]:
        """Return the scores of all groups by dimension, the groups by number of spans.

        Args:
            resamples: number of bootstrap resamples.
            seed: random seed of the resampling.
        """
        return [
            part
            for groups in self._groups
            for part in groups.slices(self._documents, resamples, seed)
        ]


class _Groups:
    """The counts of one dimension: one row for each document and group that occurs in it."""

    def __init__(self, dimension: Dimension) -> None:
        self._dimension = dimension
        self._names: dict[str, int] = {}
        self._rows = array("q")

    def add(
        self, index: int, gold: Document, predicted: Sequence[Span], correct: set[Span]
    ) -> None:
        counts_by_group: dict[str, list[int]] = {}
        group_of = self._dimension.groups(gold)
        for side, spans in enumerate((gold.spans, predicted)):
            for span in spans:
                group = group_of(span)
                if group is not None:
                    counts = counts_by_group.setdefault(group, [0, 0, 0])
                    counts[side] += 1
                    counts[2] += side == 1 and span in correct
        for group, counts in counts_by_group.items():
            number = self._names.setdefault(group, len(self._names))
            self._rows.extend((index, number, *counts))

    def slices(self, documents: int, resamples: int, seed: int) -> list[Slice]:
        names = list(self._names)
        rows = np.asarray(self._rows).reshape(-1, 5)
        sizes = np.bincount(rows[:, 1], rows[:, 2] + rows[:, 3], minlength=len(names))
        order = sorted(range(len(names)), key=lambda number: (-sizes[number], names[number]))
        shown = [names[number] for number in order]
        column = np.empty(len(names), dtype=np.int64)
        column[order] = np.arange(len(names))
        if len(names) > MAX_GROUPS:
            shown = [*shown[: MAX_GROUPS - 1], REST]
            column = np.minimum(column, MAX_GROUPS - 1)
        table = np.zeros((documents, len(shown), 3))
        np.add.at(table, (rows[:, 0], column[rows[:, 1]]), rows[:, 2:])
        flat = table.reshape(documents, -1)
        holders = count_holders(table)
        intervals = bootstrap(flat, _group_f1, holders=holders, resamples=resamples, seed=seed)
        slices = []
        for index, name in enumerate(shown):
            gold, predicted, credit = map(int, table[:, index].sum(axis=0))
            score = Score(gold, predicted, credit, *intervals[index])
            slices.append(Slice(self._dimension.name, name, holders[index], score))
        return slices


def _group_f1(totals: Floats) -> Floats:
    split = totals.reshape(len(totals), -1, 3)
    return f1_scores(split[..., 0], split[..., 1], split[..., 2])


def worst_slice(slices: Iterable[Slice]) -> Slice | None:
    """Return the slice with the lowest F1 among those of at least :data:`MIN_GOLD` gold spans."""
    large = [part for part in slices if part.score.gold >= MIN_GOLD]
    return min(large, key=lambda part: part.score.f1 or 0.0, default=None)


def slice_to_json(part: Slice) -> dict[str, Any]:
    """Return a slice as a JSON object."""
    return {
        "dimension": part.dimension,
        "group": part.group,
        "documents": part.documents,
        **score_to_json(part.score),
    }
