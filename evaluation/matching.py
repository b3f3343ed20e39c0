"""Which spans two readings of the same documents have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..corpus.document import Document, Span
from ..errors import InputError


@dataclass(frozen=True, slots=True)
class Counts:
    """Spans in both readings, in the second alone and in the first alone.

    With gold first and predictions second these are true positives, false positives and false
    negatives.
    """

    both: int = 0
    second_only: int = 0
    first_only: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.both + other.both,
            self.second_only + other.second_only,
            self.first_only + other.first_only,
        )

    @property
    def precision(self) -> float | None:
        """Share of the second reading's spans that the first has; None without any."""
        found = self.both + self.second_only
        return self.both / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of the first reading's spans that the second has; None without any."""
        wanted = self.both + self.first_only
        return self.both / wanted if wanted else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where neither reading has a span."""
        total = 2 * self.both + self.second_only + self.first_only
        return 2 * self.both / total if total else None


def counts_to_json(counts: Counts) -> dict[str, float | int | None]:
    """Return scores and counts, with gold first and predictions second; undefined ones are None."""
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "true_positives": counts.both,
        "false_positives": counts.second_only,
        "false_negatives": counts.first_only,
    }


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


def strict_counts(first: Iterable[Span], second: Iterable[Span]) -> dict[str, Counts]:
    """Count, per label, the spans of one document that agree in start, end and label."""
    left, right = set(first), set(second)
    tallies = (
        Counter(span.label for span in left & right),
        Counter(span.label for span in right - left),
        Counter(span.label for span in left - right),
    )
    labels = sorted({label for tally in tallies for label in tally})
    return {label: Counts(*(tally[label] for tally in tallies)) for label in labels}


def total_counts(
    pairs: Iterable[tuple[Document, Document]],
) -> tuple[Counts, dict[str, Counts]]:
    """Sum the strict counts over pairs of documents: all labels together, and each label."""
    labels: dict[str, Counts] = {}
    for first, second in pairs:
        for label, counts in strict_counts(first.spans, second.spans).items():
            labels[label] = labels.get(label, Counts()) + counts
    return sum(labels.values(), Counts()), dict(sorted(labels.items()))


def group_readings(
    readings: Mapping[str, Iterable[Document]],
) -> dict[str, dict[str, Document]]:
    """Return each document as its readers have it, by id and then by reader.

    Args:
        readings: each reader's documents; not all need have the same, and texts may be lacking.

    Raises:
        InputError: if two have a document with different texts.
    """
    rows: dict[str, dict[str, Document]] = {}
    for name, documents in readings.items():
        for document in documents:
            row = rows.setdefault(document.id, {})
            for other, found in row.items():
                if found.text and document.text and found.text != document.text:
                    raise InputError(
                        f"text of '{document.id}' differs between {other} and {name}; "
                        "compare readings of the same text"
                    )
            row[name] = document
    return rows


def pair_documents(
    first: Iterable[Document], second: Iterable[Document], names: tuple[str, str]
) -> Iterator[tuple[Document, Document]]:
    """Pair two readings by document id, in the order of the first.

    Both are read side by side; only documents that the other side has not reached yet are kept.

    Args:
        first: one reading.
        second: the other.
        names: how to call the two in messages, such as their file names.

    Raises:
        InputError: if one holds a document that the other lacks, or a text differs.
    """
    coming = iter(second)
    ahead: dict[str, Document] = {}
    for document in first:
        while document.id not in ahead and (other := next(coming, None)) is not None:
            ahead[other.id] = other
        found = ahead.pop(document.id, None)
        if found is None:
            raise InputError(_missing(document.id, *names))
        if document.text and found.text and document.text != found.text:
            raise InputError(
                f"{names[1]}: text of '{document.id}' differs from {names[0]}; "
                "compare readings of the same text"
            )
        yield document, found
    left = next(iter(ahead.values()), None) or next(coming, None)
    if left is not None:
        raise InputError(_missing(left.id, *reversed(names)))


def _missing(identity: str, has: str, lacks: str) -> str:
    return f"{lacks}: document '{identity}' of {has} is missing; both must hold the same documents"
