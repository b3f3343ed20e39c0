"""Every error classed, and the few patterns that explain most of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..corpus.document import Document, Span
from .mentions import MentionIndex, surface_of
from .span_alignment import group_overlapping

CLASSES = ("missed", "spurious", "boundary", "label", "boundary and label", "likely gold error")
SHOWN = 2000
"""Errors kept with their text; all are counted."""
CONTEXT = 160
"""Characters of text shown on each side of an error."""
CONFIDENT = 0.9
"""Least confidence of a prediction that may put the gold in doubt."""
EXAMPLES = 3
PATTERNS = 8


@dataclass(frozen=True)
class SpanError:
    """One gold span without its prediction, one prediction without its gold, or both as a pair.

    Attributes:
        document: the document, as gold has it.
        kind: one of :data:`CLASSES`.
        gold: the gold span; None for a spurious one.
        predicted: the predicted span; None for a missed one.
    """

    document: Document
    kind: str
    gold: Span | None
    predicted: Span | None

    @property
    def label(self) -> str:
        """The gold label, or the predicted one where there is no gold."""
        return (self.gold or self.present).label

    @property
    def present(self) -> Span:
        """The predicted span, or the gold one where there is none."""
        span = self.predicted or self.gold
        assert span is not None
        return span


@dataclass(frozen=True)
class Pattern:
    """Errors that have something in common.

    Attributes:
        description: what.
        errors: how many have it.
        newly: how many of them no earlier pattern explains.
        examples: some of their texts.
    """

    description: str
    errors: int
    newly: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class ErrorSummary:
    """All errors of an evaluation.

    Attributes:
        counts: errors by class and label. A pair of gold and prediction is one error.
        confusion: gold spans by gold label (None: there is none) and label of the prediction
            (None: there is none) that overlaps most; right ones included.
        patterns: what explains most, the largest first.
        total: number of errors.
        shown: errors with their documents, in order of the documents; at most :data:`SHOWN`.
    """

    counts: dict[tuple[str, str], int]
    confusion: dict[tuple[str | None, str | None], int]
    patterns: tuple[Pattern, ...]
    total: int
    shown: tuple[SpanError, ...]

    def of_class(self, kind: str) -> int:
        """Return the number of errors of a class."""
        return sum(count for (each, _), count in self.counts.items() if each == kind)


class ErrorLog:
    """Classes errors document by document; memory does not grow with the documents.

    Args:
        train: mentions of the training documents, where known. They tell seen from unseen, and
            with the document's other gold spans what is a likely gold error: the model is
            confident, and the text that it marked bears its label at least twice elsewhere and
            never another one.
    """

    def __init__(self, *, train: MentionIndex | None = None) -> None:
        self._train = train
        self._counts: Counter[tuple[str, str]] = Counter()
        self._confusion: Counter[tuple[str | None, str | None]] = Counter()
        self._traits: Counter[tuple[str, ...]] = Counter()
        self._examples: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._shown: list[SpanError] = []

    def add(self, gold: Document, predicted: Document) -> None:
        """Class one document's errors."""
        shared = set(gold.spans) & set(predicted.spans)
        for span in shared:
            self._confusion[span.label, span.label] += 1
        missed = [span for span in gold.spans if span not in shared]
        spurious = [span for span in predicted.spans if span not in shared]
        for left, right in pair_errors(missed, spurious):
            self._confusion[left.label if left else None, right.label if right else None] += 1
            error = SpanError(gold, self._class_of(gold, left, right), left, right)
            self._counts[error.kind, error.label] += 1
            traits = self._traits_of(error)
            self._traits[traits] += 1
            if len(self._examples[traits]) < EXAMPLES:
                self._examples[traits].append(_describe(error))
            if len(self._shown) < SHOWN:
                self._shown.append(error)

    def _class_of(self, document: Document, gold: Span | None, predicted: Span | None) -> str:
        if predicted is None:
            return "missed"
        if self._doubts_gold(document, gold, predicted):
            return "likely gold error"
        if gold is None:
            return "spurious"
        moved = (gold.start, gold.end) != (predicted.start, predicted.end)
        if gold.label == predicted.label:
            return "boundary"
        return "boundary and label" if moved else "label"

    def _doubts_gold(self, document: Document, gold: Span | None, predicted: Span) -> bool:
        if predicted.score is None or predicted.score < CONFIDENT:
            return False
        surface = surface_of(document, predicted)
        labels = Counter(self._train.labels_of(surface) if self._train else {})
        labels.update(
            span.label
            for span in document.spans
            if span != gold and surface_of(document, span) == surface
        )
        return labels[predicted.label] >= 2 and labels.total() == labels[predicted.label]

    def _traits_of(self, error: SpanError) -> tuple[str, ...]:
        """Name what an error may have in common with others, the general first."""
        name = f"{error.label} {error.kind}"
        if error.gold is not None and error.predicted is not None:
            if error.gold.label != error.predicted.label:
                return (f"{error.label} taken for {error.predicted.label}",)
            return tuple(f"{name}: {detail}" for detail in _boundary_traits(error))
        surface = surface_of(error.document, error.present)
        details = [
            "one word" if len(surface.split()) == 1 else "several words",
            *(["all capitals"] if surface.isupper() else []),
            *(["lower case"] if surface.islower() else []),
            *(["with a digit"] if any(map(str.isdigit, surface)) else []),
        ]
        if self._train is not None:
            seen = error.label in self._train.labels_of(surface, normalised=True)
            details.append("seen in training" if seen else "not seen in training")
        return tuple(f"{name}: {detail}" for detail in details)

    def summary(self) -> ErrorSummary:
        """Return what was found."""
        return ErrorSummary(
            dict(self._counts),
            dict(self._confusion),
            tuple(self._patterns()),
            self._counts.total(),
            tuple(self._shown),
        )

    def _patterns(self) -> Iterable[Pattern]:
        """Choose patterns greedily: each next one explains most of what is left (set cover)."""
        left = dict(self._traits)
        for _ in range(PATTERNS):
            sizes: Counter[str] = Counter()
            for traits, count in left.items():
                for trait in traits:
                    sizes[trait] += count
            if not sizes:
                return
            best = min(sizes, key=lambda trait: (-sizes[trait], trait))
            having = [traits for traits in self._traits if best in traits]
            examples = [text for traits in having for text in self._examples[traits]]
            yield Pattern(
                best,
                sum(self._traits[traits] for traits in having),
                sizes[best],
                tuple(examples[:EXAMPLES]),
            )
            left = {traits: count for traits, count in left.items() if best not in traits}


def pair_errors(
    missed: Sequence[Span], spurious: Sequence[Span]
) -> Iterable[tuple[Span | None, Span | None]]:
    """Pair missed gold spans with the spurious predictions that overlap them most.

    Every span comes once, alone or in one pair; pairs in order of position.
    """
    own = {id(span) for span in missed}
    for group in group_overlapping([*missed, *spurious]):
        left = [span for span in group if id(span) in own]
        right = [span for span in group if id(span) not in own]
        overlaps = sorted(
            ((min(a.end, b.end) - max(a.start, b.start), a, b) for a in left for b in right),
            key=lambda each: (-each[0], each[1], each[2]),
        )
        pairs: list[tuple[Span | None, Span | None]] = []
        for overlap, a, b in overlaps:
            if overlap > 0 and a in left and b in right:
                pairs.append((a, b))
                left.remove(a)
                right.remove(b)
        pairs += [(span, None) for span in left]
        pairs += [(None, span) for span in right]
        yield from sorted(pairs, key=lambda pair: (pair[0] or pair[1], pair[1] or pair[0]))


def _boundary_traits(error: SpanError) -> Iterable[str]:
    gold, predicted, text = error.gold, error.predicted, error.document.text
    assert gold is not None and predicted is not None
    for side, a, b in (
        ("before", predicted.start, gold.start),
        ("after", gold.end, predicted.end),
    ):
        if a == b:
            continue
        verb = "takes in" if a < b else "leaves out"
        between = text[min(a, b) : max(a, b)]
        words = between.split()
        if "\n" in between:
            what = "a line break"
        elif not any(map(str.isalnum, between)):
            what = "punctuation"
        elif len(words) == 1:
            what = f"‘{words[0]}’" if words[0].islower() else "one word"
        else:
            what = "several words"
        yield f"{verb} {what} {side}"


def _describe(error: SpanError) -> str:
    """Say in one line what gold and prediction have."""
    said = []
    for span, who in ((error.gold, "gold"), (error.predicted, "model")):
        if span is not None:
            surface = " ".join(surface_of(error.document, span).split())
            said.append(f"{who} ‘{surface}’")
    return f"{' / '.join(said)} ({error.document.id})"


def summary_to_json(summary: ErrorSummary) -> dict[str, Any]:
    """Return the counts, the confusions and the patterns as a JSON object."""
    return {
        "total": summary.total,
        "classes": {kind: summary.of_class(kind) for kind in CLASSES},
        "by_label": [
            {"class": kind, "label": label, "errors": count}
            for (kind, label), count in sorted(summary.counts.items())
        ],
        "confusion": [
            {"gold": gold, "predicted": predicted, "spans": count}
            for (gold, predicted), count in sorted(
                summary.confusion.items(), key=lambda item: (str(item[0][0]), str(item[0][1]))
            )
        ],
        "patterns": [
            {
                "pattern": pattern.description,
                "errors": pattern.errors,
                "newly_explained": pattern.newly,
                "examples": list(pattern.examples),
            }
            for pattern in summary.patterns
        ],
    }
