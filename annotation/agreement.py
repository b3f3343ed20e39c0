"""How far readings of the same documents agree, and where they do not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corpus.document import Document, Span
from ..errors import InputError
from ..evaluation.bootstrap import RESAMPLES, Floats, bootstrap
from ..evaluation.counts import group_by_document
from ..evaluation.metrics import Score, ScoreTable
from ..ui import DataTable

_TOKEN = re.compile(r"\w+|[^\w\s]")
KINDS = ("boundary", "label", "label and boundary", "only the first", "only the second")
"""How a span that is not in both readings differs: from an overlapping span of the other reading
in its offsets, in its label or in both, or the other reading has none there."""
EXAMPLES = 5
_CONTEXT = 30


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval over documents; None where undefined."""

    value: float | None
    low: float | None
    high: float | None


UNDEFINED = Figure(None, None, None)


@dataclass(frozen=True)
class Disagreement:
    """Spans of one document in which two readings differ, one on each side at most.

    Attributes:
        document: its id.
        first: the first reading's span.
        second: the second's.
        quotes: their texts, each None without a span and empty without a text.
        context: the text around them, without its line breaks.
    """

    document: str
    first: Span | None
    second: Span | None
    quotes: tuple[str | None, str | None]
    context: str

    @property
    def kind(self) -> str:
        """One of :data:`KINDS`."""
        if self.first is None or self.second is None:
            return KINDS[4] if self.first is None else KINDS[3]
        if self.first.label == self.second.label:
            return KINDS[0]
        same = (self.first.start, self.first.end) == (self.second.start, self.second.end)
        return KINDS[1] if same else KINDS[2]


@dataclass(frozen=True)
class PairAgreement:
    """Agreement of two readings on the documents that both read.

    Attributes:
        first: name of the first reading.
        second: of the second.
        documents: how many both read.
        strict: F1 of spans by start, end and label, which is the same either way; of all labels
            together (None) and of each.
        partial: the same with half a point for an overlap.
        kappa: Cohen's (1960) over tokens, each with the label that covers it or none; of all
            labels, and of each against all else. Undefined without texts, or where either
            reading has one class only.
        differing: ids of the documents in which they differ.
        disagreements: all differences, in order.
    """

    first: str
    second: str
    documents: int
    strict: Mapping[str | None, Score]
    partial: Mapping[str | None, Score]
    kappa: Mapping[str | None, Figure]
    differing: tuple[str, ...]
    disagreements: tuple[Disagreement, ...]

    def kinds(self) -> dict[str, int]:
        """Return how many differences there are of each kind."""
        found = Counter(each.kind for each in self.disagreements)
        return {kind: found[kind] for kind in KINDS}

    def confusions(self) -> list[tuple[str | None, str | None, list[Disagreement]]]:
        """Return the pairs of labels that stand for each other, the most frequent first."""
        groups: dict[tuple[str | None, str | None], list[Disagreement]] = {}
        for each in self.disagreements:
            key = (_label(each.first), _label(each.second))
            groups.setdefault(key, []).append(each)
        ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
        return [(first, second, found) for (first, second), found in ordered]


@dataclass(frozen=True)
class Agreement:
    """Agreement of two or more readings.

    Attributes:
        names: of the readings.
        pairs: each two of them that share a document.
        alpha: Krippendorff's (2011), nominal, over tokens of documents that two or more read; of
            all labels (None), and of each against all else.
        documents: how many two or more read.
        alone: how many only one has read.
    """

    names: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]
    alpha: Mapping[str | None, Figure]
    documents: int
    alone: int


def measure_agreement(
    readings: Mapping[str, Sequence[Document]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """Compare readings on the documents that they share.

    Intervals are percentile bootstrap intervals over documents.

    Args:
        readings: each annotator's documents by the annotator's name, two annotators at least.
        resamples: number of bootstrap resamples.
        seed: of the resampling.

    Raises:
        InputError: if no two share a document, or a text differs.
    """
    rows = group_by_document(readings)
    shared = {identity: row for identity, row in rows.items() if len(row) > 1}
    if not shared:
        raise InputError(
            f"{' and '.join(readings)} share no document; give readings of the same documents"
        )
    labels = sorted({s.label for row in shared.values() for d in row.values() for s in d.spans})
    classes = _Classes(labels)
    coincidences = []
    tables: dict[tuple[str, str], list[Floats]] = {}
    pairs: dict[tuple[str, str], list[tuple[Document, Document]]] = {}
    for row in shared.values():
        text = next((d.text for d in row.values() if d.text), "")
        read = {name: classes.of_tokens(text, document) for name, document in row.items()}
        square = np.zeros((len(labels) + 1, len(labels) + 1))
        for pair in combinations(row, 2):
            counts = classes.confusion(read[pair[0]], read[pair[1]])
            tables.setdefault(pair, []).append(counts)
            pairs.setdefault(pair, []).append((row[pair[0]], row[pair[1]]))
            square += (counts + counts.T) / (len(row) - 1)
        coincidences.append(square)

    def figures(squares: Sequence[Floats], statistic: Any) -> dict[str | None, Figure]:
        flat = np.array(squares).reshape(len(squares), -1)

        def over_labels(totals: Floats) -> Floats:
            whole = totals.reshape(-1, len(labels) + 1, len(labels) + 1)
            each = [_one_against_rest(whole, place) for place in range(1, len(labels) + 1)]
            return np.stack([statistic(whole), *map(statistic, each)], axis=1)

        values = over_labels(flat.sum(axis=0, keepdims=True))[0]
        bounds = bootstrap(flat, over_labels, resamples=resamples, seed=seed)
        return {
            label: UNDEFINED if np.isnan(value) else Figure(float(value), *bound)
            for label, value, bound in zip([None, *labels], values, bounds, strict=True)
        }

    order = list(combinations(readings, 2))
    return Agreement(
        tuple(readings),
        tuple(
            _compare(pair, pairs[pair], figures(tables[pair], _kappa), labels, resamples, seed)
            for pair in sorted(pairs, key=order.index)
        ),
        figures(coincidences, _alpha),
        len(shared),
        len(rows) - len(shared),
    )


class _Classes:
    """Tokens as classes: 0 outside all spans, then the labels in order."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._class_of = {label: place for place, label in enumerate(labels, 1)}
        self._size = len(labels) + 1

    def of_tokens(self, text: str, document: Document) -> NDArray[np.int64]:
        starts = np.array([match.start() for match in _TOKEN.finditer(text)], dtype=np.int64)
        found = np.zeros(len(starts), dtype=np.int64)
        for span in document.spans:
            first, last = np.searchsorted(starts, (span.start, span.end))
            found[first:last] = self._class_of[span.label]
        return found

    def confusion(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
        cells = np.bincount(first * self._size + second, minlength=self._size**2)
        return cells.reshape(self._size, self._size).astype(np.float64)


def _one_against_rest(squares: Floats, place: int) -> Floats:
    """Fold confusion matrices, *Shape:* (n, classes, classes), to one class and all others."""
    both = squares[:, place, place]
    first, second = squares[:, place].sum(axis=1) - both, squares[:, :, place].sum(axis=1) - both
    neither = squares.sum(axis=(1, 2)) - both - first - second
    return np.stack([neither, second, first, both], axis=1).reshape(-1, 2, 2)


def _kappa(squares: Floats) -> Floats:
    total = squares.sum(axis=(1, 2))
    observed = np.trace(squares, axis1=1, axis2=2)
    chance = np.einsum("nij,nki->n", squares, squares)
    kappa: Floats = _divide(observed * total - chance, total * total - chance)
    # A reading of one class alone cannot disagree by more than chance.
    varied = ((squares.sum(axis=1) > 0).sum(axis=1) > 1) & ((squares.sum(axis=2) > 0).sum(1) > 1)
    return np.where(varied, kappa, np.nan)


def _alpha(squares: Floats) -> Floats:
    sizes = squares.sum(axis=2)
    total = sizes.sum(axis=1)
    apart = total - np.trace(squares, axis1=1, axis2=2)
    expected = total * total - (sizes * sizes).sum(axis=1)
    return 1 - _divide((total - 1) * apart, expected)


def _divide(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _compare(
    names: tuple[str, str],
    pairs: Sequence[tuple[Document, Document]],
    kappa: dict[str | None, Figure],
    labels: Sequence[str],
    resamples: int,
    seed: int,
) -> PairAgreement:
    table = ScoreTable(labels)
    for first, second in pairs:
        table.add(first, second)
    schemes = table.evaluate(resamples=resamples, seed=seed).schemes
    strict, partial = (
        {None: schemes[name].micro, **schemes[name].labels} for name in ("strict", "partial")
    )
    disagreements = tuple(each for pair in pairs for each in find_disagreements(*pair))
    differing = tuple(dict.fromkeys(each.document for each in disagreements))
    return PairAgreement(*names, len(pairs), strict, partial, kappa, differing, disagreements)


def find_disagreements(first: Document, second: Document) -> Iterator[Disagreement]:
    """Pair the spans of two readings that are not in both, in order of position.

    Overlapping spans are paired, of several the one with the same offsets first, then the one
    with the same label, then the one of the largest overlap; each stands in one pair at most.
    """
    mine = {(span.start, span.end, span.label): span for span in first.spans}
    theirs = {(span.start, span.end, span.label): span for span in second.spans}
    left = [span for key, span in mine.items() if key not in theirs]
    right = [span for key, span in theirs.items() if key not in mine]
    options = sorted(
        (
            ((a.start, a.end) != (b.start, b.end), a.label != b.label, -overlap, a, b)
            for a in left
            for b in right
            if (overlap := min(a.end, b.end) - max(a.start, b.start)) > 0
        ),
        key=lambda option: (*option[:3], option[3].start, option[4].start),
    )
    found: list[tuple[Span | None, Span | None]] = []
    for *_, a, b in options:
        if a in left and b in right:
            left.remove(a)
            right.remove(b)
            found.append((a, b))
    found += [(span, None) for span in left] + [(None, span) for span in right]
    text = first.text or second.text
    for one, other in sorted(found, key=lambda pair: min(s.start for s in pair if s)):
        spans = [span for span in (one, other) if span]
        begin = max(min(span.start for span in spans) - _CONTEXT, 0)
        context = text[begin : max(span.end for span in spans) + _CONTEXT]
        quotes = (_quote(text, one), _quote(text, other))
        yield Disagreement(first.id, one, other, quotes, " ".join(context.split()))


def _label(span: Span | None) -> str | None:
    return None if span is None else span.label


def _quote(text: str, span: Span | None) -> str | None:
    return None if span is None else text[span.start : span.end]


def agreement_to_json(agreement: Agreement) -> dict[str, Any]:
    """Return agreement as a JSON object; with two readings their figures stand at its top too."""
    pairs = [_pair_to_json(pair) for pair in agreement.pairs]
    return {
        **(pairs[0] if len(agreement.names) == 2 else {}),
        "readings": list(agreement.names),
        "documents": agreement.documents,
        "read_by_one": agreement.alone,
        "alpha": _figures_to_json(agreement.alpha),
        "pairs": pairs,
    }


def _pair_to_json(pair: PairAgreement) -> dict[str, Any]:
    kappa = _figures_to_json(pair.kappa)
    return {
        "first": pair.first,
        "second": pair.second,
        "documents": pair.documents,
        "differing": list(pair.differing),
        "strict": _scores_to_json(pair.strict),
        "partial": _scores_to_json(pair.partial),
        "kappa": kappa.pop("value"),
        "kappa_interval": [kappa.pop("low"), kappa.pop("high")],
        "kappa_labels": kappa["labels"],
        "disagreements": pair.kinds(),
        "confusions": [
            {
                "first": first,
                "second": second,
                "count": len(found),
                "examples": [
                    {
                        "document": each.document,
                        "first": each.first and [each.first.start, each.first.end],
                        "second": each.second and [each.second.start, each.second.end],
                        "context": each.context,
                    }
                    for each in found[:EXAMPLES]
                ],
            }
            for first, second, found in pair.confusions()
        ],
    }


def _scores_to_json(scores: Mapping[str | None, Score]) -> dict[str, Any]:
    def one(score: Score) -> dict[str, Any]:
        return {
            "f1": score.f1,
            "low": score.low,
            "high": score.high,
            "both": score.credit,
            "first_only": score.gold - score.credit,
            "second_only": score.predicted - score.credit,
        }

    return {
        "micro": one(scores[None]),
        "labels": {label: one(score) for label, score in scores.items() if label is not None},
    }


def _figures_to_json(figures: Mapping[str | None, Figure]) -> dict[str, Any]:
    each = {label: vars(figure) for label, figure in figures.items() if label is not None}
    return {**vars(figures[None]), "labels": each}


def agreement_tables(agreement: Agreement) -> list[DataTable]:
    """Return agreement as tables for people."""
    tables = [table for pair in agreement.pairs for table in _pair_tables(pair)]
    if len(agreement.names) > 2:
        rows = tuple(
            (label or "all labels", figure.value, _range(figure.low, figure.high))
            for label, figure in agreement.alpha.items()
        )
        title = f"All {len(agreement.names)} annotators: Krippendorff's alpha over tokens"
        tables.insert(0, DataTable(title, ("label", "alpha", "95 % interval"), rows))
    return tables


def _pair_tables(pair: PairAgreement) -> Iterator[DataTable]:
    names = f"{pair.first} and {pair.second}"
    yield DataTable(
        f"Agreement of {names}",
        (
            "label",
            "strict F1",
            "95 % interval",
            "both",
            f"{pair.first} only",
            f"{pair.second} only",
        ),
        tuple(
            (
                *(label or "all labels", score.f1, _range(score.low, score.high)),
                *(score.credit, score.gold - score.credit, score.predicted - score.credit),
            )
            for label, score in pair.strict.items()
        ),
        note=f"{pair.documents} documents, {len(pair.differing)} differ; intervals over documents",
    )
    yield DataTable(
        f"{names} by half points and by tokens",
        ("label", "partial F1", "95 % interval", "kappa", "95 % interval"),
        tuple(
            (
                *(label or "all labels", score.f1, _range(score.low, score.high)),
                *(kappa.value, _range(kappa.low, kappa.high)),
            )
            for label, score in pair.partial.items()
            for kappa in (pair.kappa[label],)
        ),
        note="half a point for an overlap; Cohen's kappa over tokens",
    )
    yield DataTable(
        f"How {names} differ",
        ("kind", "spans"),
        tuple((kind, count) for kind, count in pair.kinds().items() if count),
        bar=1,
    )
    yield DataTable(
        f"What {names} take for each other",
        (pair.first, pair.second, "times", "where", "for example"),
        tuple(
            (*_sides(first, second), len(found), each.document, show(each))
            for first, second, found in pair.confusions()
            for each in found[:1]
        ),
    )


def _sides(first: str | None, second: str | None) -> tuple[str, str]:
    if first == second:
        return f"{first}", "other borders"
    return first or "nothing", second or "nothing"


def show(disagreement: Disagreement) -> str:
    """Return what both readings marked, and the text around it; the place without a text."""
    if not disagreement.context:
        spans = (disagreement.first, disagreement.second)
        return f"at {min(span.start for span in spans if span)}"
    return f"{quote(disagreement)} in … {disagreement.context} …"


def quote(disagreement: Disagreement) -> str:
    """Return the words that both readings marked, one after the other where they differ."""
    quotes = dict.fromkeys(" ".join(q.split()) for q in disagreement.quotes if q)
    return " / ".join(f"“{words}”" for words in quotes)


def _range(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.3f} to {high:.3f}"
