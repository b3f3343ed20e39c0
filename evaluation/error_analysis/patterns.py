"""Patterns of errors: traits that many errors share, chosen to explain most of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ...corpus.document import Document, Span
from ..mentions import MentionIndex, surface_of
from ..span_alignment import ErrorKind

PATTERN_EXAMPLES = 3
"""Examples kept of each pattern."""
MAX_PATTERNS = 8
"""Patterns listed at most."""


@dataclass(frozen=True)
class SpanError:
    """A gold span without its prediction, a prediction without its gold span, or both as a pair.

    Attributes:
        document: the gold document.
        kind: the kind of error; never `CORRECT`.
        gold: the gold span; None for a spurious prediction.
        predicted: the predicted span; None for a missed gold span.
    """

    document: Document
    kind: ErrorKind
    gold: Span | None
    predicted: Span | None

    @property
    def label(self) -> str:
        """The gold label, or the predicted one if there is no gold span."""
        return (self.gold or self.span).label

    @property
    def span(self) -> Span:
        """The predicted span, or the gold span if there is no prediction."""
        span = self.predicted or self.gold
        assert span is not None
        return span


@dataclass(frozen=True)
class Pattern:
    """Errors that share a trait.

    Attributes:
        description: the trait.
        errors: number of errors that have it.
        newly: number of those errors that no earlier pattern explains.
        examples: the texts of some of them.
    """

    description: str
    errors: int
    newly: int
    examples: tuple[str, ...]


class PatternCounter:
    """Counts the traits of errors; memory does not grow with the number of errors.

    Args:
        train: mentions of the training documents, to distinguish seen from unseen surfaces.
    """

    def __init__(self, train: MentionIndex | None = None) -> None:
        self._train = train
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._examples: dict[tuple[str, ...], list[str]] = defaultdict(list)

    def add(self, error: SpanError) -> None:
        """Count one error."""
        traits = self._traits_of(error)
        self._counts[traits] += 1
        if len(self._examples[traits]) < PATTERN_EXAMPLES:
            self._examples[traits].append(_describe(error))

    def patterns(self) -> Iterator[Pattern]:
        """Choose patterns greedily: each explains most of the errors that are left (set cover)."""
        unexplained = dict(self._counts)
        for _ in range(MAX_PATTERNS):
            sizes: Counter[str] = Counter()
            for traits, count in unexplained.items():
                for trait in traits:
                    sizes[trait] += count
            if not sizes:
                return
            best = min(sizes, key=lambda trait: (-sizes[trait], trait))
            matching = [traits for traits in self._counts if best in traits]
            examples = [text for traits in matching for text in self._examples[traits]]
            yield Pattern(
                best,
                sum(self._counts[traits] for traits in matching),
                sizes[best],
                tuple(examples[:PATTERN_EXAMPLES]),
            )
            unexplained = {
                traits: count for traits, count in unexplained.items() if best not in traits
            }

    def _traits_of(self, error: SpanError) -> tuple[str, ...]:
        """Return the traits that an error may share with others, the most general first."""
        name = f"{error.label} {error.kind}"
        if error.gold is not None and error.predicted is not None:
            if error.gold.label != error.predicted.label:
                return (f"{error.label} predicted as {error.predicted.label}",)
            details = list(_boundary_traits(error.document.text, error.gold, error.predicted))
        else:
            surface = surface_of(error.document, error.span)
            details = list(_surface_traits(surface))
            if self._train is not None:
                seen = error.label in self._train.labels_of(surface, normalized=True)
                details.append("seen in training" if seen else "not seen in training")
        return tuple(f"{name}: {detail}" for detail in details)


def _surface_traits(surface: str) -> Iterator[str]:
    yield "one word" if len(surface.split()) == 1 else "several words"
    if surface.isupper():
        yield "all capitals"
    if surface.islower():
        yield "lower case"
    if any(map(str.isdigit, surface)):
        yield "with a digit"


def _boundary_traits(text: str, gold: Span, predicted: Span) -> Iterator[str]:
    for side, begin, end in (
        ("before", predicted.start, gold.start),
        ("after", gold.end, predicted.end),
    ):
        if begin != end:
            verb = "includes" if begin < end else "omits"
            yield f"{verb} {_name_of(text[min(begin, end) : max(begin, end)])} {side}"


def _name_of(text: str) -> str:
    """Return what a stretch of text between two boundaries consists of."""
    words = text.split()
    if "\n" in text:
        return "a line break"
    if not any(map(str.isalnum, text)):
        return "punctuation"
    if len(words) == 1:
        return f"‘{words[0]}’" if words[0].islower() else "one word"
    return "several words"


def _describe(error: SpanError) -> str:
    """Return the texts of the gold span and the prediction in one line."""
    sides = []
    for name, span in (("gold", error.gold), ("model", error.predicted)):
        if span is not None:
            surface = " ".join(surface_of(error.document, span).split())
            sides.append(f"{name} ‘{surface}’")
    return f"{' / '.join(sides)} ({error.document.id})"
