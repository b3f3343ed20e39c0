"""Scores of parts of the data: by kind of mention, kind of document and any meta field."""

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
from .metrics import Score, score_to_json

ENOUGH = 20
"""Gold spans below which a group is too small to be called the worst."""
MOST_VALUES = 30
"""Groups that a dimension shows; the smaller ones are one group."""
REST = "(all others)"
META_DIMENSIONS = ("source", "desk", "genre", "country")
"""Meta fields that are sliced unasked; documents without one are in no group."""


@dataclass(frozen=True)
class Dimension:
    """A way to cut the data.

    Attributes:
        name: as people read it.
        groups: gives for a document what tells each of its spans' group; None is no group.
    """

    name: str
    groups: Callable[[Document], Callable[[Span], str | None]]


@dataclass(frozen=True)
class Slice:
    """Strict scores of one group.

    Attributes:
        dimension: the way the data was cut.
        group: the group's name.
        documents: documents with a gold or predicted span in it; one alone gives no interval.
        score: gold spans of the group were found or missed (recall), predicted spans of the group
            were right or wrong (precision).
    """

    dimension: str
    group: str
    documents: int
    score: Score


def _words(surface: str) -> str:
    words = len(surface.split())
    return "4 or more" if words > 3 else str(words)


def _casing(surface: str) -> str:
    letters = [word for word in surface.split() if any(map(str.isalpha, word))]
    if not letters:
        return "no letters"
    if all(map(str.isupper, letters)):
        return "all capitals"
    if all(map(str.islower, letters)):
        return "lower case"
    return "each word capital" if all(word[:1].isupper() for word in letters) else "mixed"


def _of_surface(name: str, group: Callable[[str], str]) -> Dimension:
    return Dimension(name, lambda document: lambda span: group(surface_of(document, span)))


def _of_document(name: str, group: Callable[[Document], str | None]) -> Dimension:
    def fixed(document: Document) -> Callable[[Span], str | None]:
        found = group(document)
        return lambda span: found

    return Dimension(name, fixed)


def _document_length(document: Document) -> str:
    words = len(document.text.split())
    bounds = (100, 250, 500, 1000)
    lower = max((bound for bound in bounds if words >= bound), default=0)
    upper = next((bound for bound in bounds if words < bound), None)
    return f"{lower} or more" if upper is None else f"{lower} to {upper - 1}"


def _meta(key: str, otherwise: str | None = None) -> Dimension:
    return _of_document(key, lambda document: str(document.meta.get(key) or "") or otherwise)


def _year(key: str) -> Dimension:
    return _of_document(
        f"year of {key}", lambda document: str(document.meta.get(key) or "")[:4] or None
    )


def _seen(index: MentionIndex, *, normalized: bool) -> Dimension:
    def of(document: Document) -> Callable[[Span], str]:
        def group(span: Span) -> str:
            labels = index.labels_of(surface_of(document, span), normalized=normalized)
            if not labels:
                return "unseen"
            return "seen" if span.label in labels else "seen with another label"

        return group

    return Dimension(f"in training ({'normalized' if normalized else 'exact'})", of)


def dimensions(*, train: MentionIndex | None = None, asked: Sequence[str] = ()) -> list[Dimension]:
    """Return the usual dimensions: of mentions, of documents, of :data:`META_DIMENSIONS` and years.

    Args:
        train: the mentions of the training documents, where known.
        asked: further meta fields; documents without one are a group of their own.
    """
    return [
        *((_seen(train, normalized=n) for n in (False, True)) if train else ()),
        _of_surface("words in mention", _words),
        _of_surface("casing of mention", _casing),
        _of_document("words in document", _document_length),
        *(_meta(key, "(none)") for key in asked),
        *(_meta(key) for key in META_DIMENSIONS if key not in asked),
        *(_year(key) for key in DATE_KEYS if key not in asked),
    ]


class SliceTable:
    """Each document's strict counts by group, gathered one document at a time."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self._groups = [_Groups(dimension) for dimension in dimensions]
        self._documents = 0

    def add(self, gold: Document, predicted: Document) -> None:
        """Count one document."""
        right = set(gold.spans) & set(predicted.spans)
        for groups in self._groups:
            groups.add(self._documents, gold, predicted.spans, right)
        self._documents += 1

    def slices(self, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Slice]:
        """Return every group's scores, dimension by dimension, groups by number of spans."""
        return [
            found
            for groups in self._groups
            for found in groups.slices(self._documents, resamples, seed)
        ]


class _Groups:
    """The counts of one dimension, one row for each document and group that occurs in it."""

    def __init__(self, dimension: Dimension) -> None:
        self._dimension = dimension
        self._names: dict[str, int] = {}
        self._rows = array("q")

    def add(self, place: int, gold: Document, predicted: Sequence[Span], right: set[Span]) -> None:
        counts: dict[str, list[int]] = {}
        group_of = self._dimension.groups(gold)
        for side, spans in enumerate((gold.spans, predicted)):
            for span in spans:
                group = group_of(span)
                if group is not None:
                    found = counts.setdefault(group, [0, 0, 0])
                    found[side] += 1
                    found[2] += side == 1 and span in right
        for group, found in counts.items():
            number = self._names.setdefault(group, len(self._names))
            self._rows.extend((place, number, *found))

    def slices(self, documents: int, resamples: int, seed: int) -> list[Slice]:
        names = list(self._names)
        rows = np.asarray(self._rows).reshape(-1, 5)
        sizes = np.bincount(rows[:, 1], rows[:, 2] + rows[:, 3], minlength=len(names))
        order = sorted(range(len(names)), key=lambda place: (-sizes[place], names[place]))
        shown = [names[place] for place in order]
        column = np.empty(len(names), dtype=np.int64)
        column[order] = np.arange(len(names))
        if len(names) > MOST_VALUES:
            shown = [*shown[: MOST_VALUES - 1], REST]
            column = np.minimum(column, MOST_VALUES - 1)
        table = np.zeros((documents, len(shown), 3))
        np.add.at(table, (rows[:, 0], column[rows[:, 1]]), rows[:, 2:])
        flat = table.reshape(documents, -1)
        intervals = bootstrap(flat, _group_f1, resamples=resamples, seed=seed)
        found = []
        for place, name in enumerate(shown):
            gold, predicted, credit = map(int, table[:, place].sum(axis=0))
            holders = int((table[:, place].sum(axis=1) > 0).sum())
            bounds = intervals[place] if holders > 1 else (None, None)
            score = Score(gold, predicted, credit, *bounds)
            found.append(Slice(self._dimension.name, name, holders, score))
        return found


def _group_f1(totals: Floats) -> Floats:
    split = totals.reshape(len(totals), -1, 3)
    return f1_scores(split[..., 0], split[..., 1], split[..., 2])


def worst(slices: Iterable[Slice]) -> Slice | None:
    """Return the group of the lowest F1 among those of at least :data:`ENOUGH` gold spans."""
    large = [each for each in slices if each.score.gold >= ENOUGH]
    return min(large, key=lambda each: each.score.f1 or 0.0, default=None)


def slice_to_json(part: Slice) -> dict[str, Any]:
    """Return one group as a JSON object."""
    return {
        "dimension": part.dimension,
        "group": part.group,
        "documents": part.documents,
        **score_to_json(part.score),
    }
