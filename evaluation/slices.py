"""Scores of parts of the data: by kind of mention, kind of document and any meta field."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpus.document import Document, Span
from evaluation.mentions import MentionIndex, surface_of
from evaluation.resampling import RESAMPLES, Floats, bootstrap, f1_scores
from evaluation.scoring import Score, score_to_json

ENOUGH = 20
"""Gold spans below which a group is too small to be called the worst."""
MOST_VALUES = 30
"""Groups that a dimension shows; the smaller ones are one group."""
REST = "(all others)"
META_DIMENSIONS = ("source", "desk", "genre", "country")
"""Meta fields that are sliced unasked where documents have them."""
DATES = ("date", "published")


@dataclass(frozen=True)
class Dimension:
    """A way to cut the data.

    Attributes:
        name: as people read it.
        group: the group of a document's span; spans of None belong to no group.
    """

    name: str
    group: Callable[[Document, Span], str | None]


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


def _length(document: Document, span: Span) -> str:
    words = len(surface_of(document, span).split())
    return "4 or more" if words > 3 else str(words)


def _casing(document: Document, span: Span) -> str:
    letters = [word for word in surface_of(document, span).split() if any(map(str.isalpha, word))]
    if not letters:
        return "no letters"
    if all(word.isupper() for word in letters):
        return "all capitals"
    if all(word.islower() for word in letters):
        return "lower case"
    return "each word capital" if all(word[:1].isupper() for word in letters) else "mixed"


def _document_length(document: Document, span: Span) -> str:
    words = len(document.text.split())
    bounds = (100, 250, 500, 1000)
    lower = max((bound for bound in bounds if words >= bound), default=0)
    upper = next((bound for bound in bounds if words < bound), None)
    return f"{lower} or more" if upper is None else f"{lower} to {upper - 1}"


def meta_dimension(key: str) -> Dimension:
    """Return the dimension of a meta field, as it stands; documents without it form a group."""
    return Dimension(key, lambda document, span: str(document.meta.get(key, "") or "(none)"))


def _year(key: str) -> Dimension:
    return Dimension(
        f"year of {key}", lambda document, span: str(document.meta.get(key, ""))[:4] or "(none)"
    )


def _seen(index: MentionIndex, *, normalised: bool) -> Dimension:
    def group(document: Document, span: Span) -> str:
        labels = index.labels_of(surface_of(document, span), normalised=normalised)
        if not labels:
            return "unseen"
        return "seen" if span.label in labels else "seen with another label"

    return Dimension(f"in training ({'normalised' if normalised else 'exact'})", group)


def dimensions(
    *,
    train: MentionIndex | None = None,
    meta: Iterable[str] = (),
    asked: Sequence[str] = (),
) -> list[Dimension]:
    """Return the usual dimensions.

    Args:
        train: the mentions of the training documents, where known.
        meta: the meta fields that the documents have; of these :data:`META_DIMENSIONS` and the
            year of :data:`DATES` are taken.
        asked: further meta fields, taken always.
    """
    there = set(meta)
    unasked = [key for key in META_DIMENSIONS if key in there and key not in asked]
    return [
        *((_seen(train, normalised=n) for n in (False, True)) if train else ()),
        Dimension("words in mention", _length),
        Dimension("casing of mention", _casing),
        Dimension("words in document", _document_length),
        *(meta_dimension(key) for key in (*asked, *unasked)),
        *(_year(key) for key in DATES if key in there and key not in asked),
    ]


class SliceTable:
    """Each document's strict counts by group, gathered one document at a time."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self._dimensions = dimensions
        self._rows: list[list[tuple[int, str, int, int, int]]] = [[] for _ in dimensions]
        self._documents = 0

    def add(self, gold: Document, predicted: Document) -> None:
        """Count one document."""
        right = set(gold.spans) & set(predicted.spans)
        for dimension, rows in zip(self._dimensions, self._rows, strict=True):
            counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
            for side, document in enumerate((gold, predicted)):
                for span in document.spans:
                    group = dimension.group(document, span)
                    if group is not None:
                        counts[group][side] += 1
                        counts[group][2] += side == 1 and span in right
            for group, found in counts.items():
                rows.append((self._documents, group, found[0], found[1], found[2]))
        self._documents += 1

    def slices(self, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Slice]:
        """Return every group's scores, dimension by dimension, groups by number of gold spans."""
        found = []
        for dimension, rows in zip(self._dimensions, self._rows, strict=True):
            sizes: Counter[str] = Counter()
            for _, group, gold, predicted, _ in rows:
                sizes[group] += gold + predicted
            names = sorted(sizes, key=lambda group: (-sizes[group], group))
            if len(names) > MOST_VALUES:
                names = [*names[: MOST_VALUES - 1], REST]
            place = {name: column for column, name in enumerate(names)}
            table = np.zeros((self._documents, len(names), 3))
            for document, group, *counts in rows:
                table[document, place.get(group, len(names) - 1)] += counts
            intervals = bootstrap(
                table.reshape(self._documents, -1), _group_f1, resamples=resamples, seed=seed
            )
            for name, column in place.items():
                gold, predicted, credit = map(int, table[:, column].sum(axis=0))
                documents = int((table[:, column].sum(axis=1) > 0).sum())
                bounds = intervals[column] if documents > 1 else (None, None)
                score = Score(gold, predicted, credit, *bounds)
                found.append(Slice(dimension.name, name, documents, score))
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
