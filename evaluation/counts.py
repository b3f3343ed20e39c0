"""Counts of matching spans, and pairing of two sets of annotations by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..corpus.document import Document, Span
from ..errors import InputError


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of spans under strict matching (same start, end and label).

    Attributes:
        tp: true positives: spans that both gold and predictions have.
        fp: false positives: predicted spans that gold lacks.
        fn: false negatives: gold spans without a prediction.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float | None:
        """Share of the predicted spans that are correct; None without any."""
        predicted = self.tp + self.fp
        return self.tp / predicted if predicted else None

    @property
    def recall(self) -> float | None:
        """Share of the gold spans that were predicted; None without any."""
        gold = self.tp + self.fn
        return self.tp / gold if gold else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where there is no span at all."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else None


def counts_to_json(counts: Counts) -> dict[str, float | int | None]:
    """Return precision, recall, F1 and the counts as a JSON object; undefined figures are None."""
    return {
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "true_positives": counts.tp,
        "false_positives": counts.fp,
        "false_negatives": counts.fn,
    }


def strict_counts(gold: Iterable[Span], predicted: Iterable[Span]) -> dict[str, Counts]:
    """Count, by label, the spans of one document that agree in start, end and label."""
    left, right = set(gold), set(predicted)
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
    """Sum the strict counts over pairs of gold and predicted documents.

    Returns:
        The counts of all labels together, and those of each label.
    """
    labels: dict[str, Counts] = {}
    for gold, predicted in pairs:
        for label, counts in strict_counts(gold.spans, predicted.spans).items():
            labels[label] = labels.get(label, Counts()) + counts
    return sum(labels.values(), Counts()), dict(sorted(labels.items()))


def group_by_document(
    annotations: Mapping[str, Iterable[Document]],
) -> dict[str, dict[str, Document]]:
    """Group the documents of several annotators by document id, then by annotator.

    Args:
        annotations: each annotator's documents. They may hold different documents, and documents
            without their text.

    Raises:
        InputError: if two annotators have different texts under one id.
    """
    documents_by_id: dict[str, dict[str, Document]] = {}
    for name, documents in annotations.items():
        for document in documents:
            by_annotator = documents_by_id.setdefault(document.id, {})
            for other, known in by_annotator.items():
                if _texts_differ(known, document):
                    raise InputError(
                        f"text of '{document.id}' differs between {other} and {name}; "
                        "compare annotations of the same text"
                    )
            by_annotator[name] = document
    return documents_by_id


def pair_documents(
    first: Iterable[Document], second: Iterable[Document], names: tuple[str, str]
) -> Iterator[tuple[Document, Document]]:
    """Pair the documents of two sources by id, in the order of the first.

    Both sources are read in step; only documents that the other has not reached yet are kept in
    memory.

    Args:
        first: documents of one source, such as gold.
        second: documents of the other, such as predictions.
        names: the sources' names for messages, such as their file names.

    Raises:
        InputError: if one source lacks a document of the other, or a text differs.
    """
    remaining = iter(second)
    waiting: dict[str, Document] = {}
    for document in first:
        while document.id not in waiting and (other := next(remaining, None)) is not None:
            waiting[other.id] = other
        partner = waiting.pop(document.id, None)
        if partner is None:
            raise InputError(_missing(document.id, *names))
        if _texts_differ(document, partner):
            raise InputError(
                f"{names[1]}: text of '{document.id}' differs from {names[0]}; "
                "compare annotations of the same text"
            )
        yield document, partner
    unpaired = next(iter(waiting.values()), None) or next(remaining, None)
    if unpaired is not None:
        raise InputError(_missing(unpaired.id, *reversed(names)))


def _texts_differ(first: Document, second: Document) -> bool:
    return bool(first.text and second.text and first.text != second.text)


def _missing(doc_id: str, present: str, absent: str) -> str:
    return f"{absent}: document '{doc_id}' of {present} is missing; both need the same documents"
