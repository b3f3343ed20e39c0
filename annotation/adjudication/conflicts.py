"""Conflicts: the spans of a document that its annotators do not all share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ...corpus.document import Document, Span
from ...evaluation.document_pairs import TextMatches, group_by_document
from ...evaluation.span_alignment import group_overlapping
from .annotation_sets import (
    AnnotationSet,
    comments_of,
    confirmed_annotations,
    documents_by_annotator,
)


class SharedSpan(NamedTuple):
    """A span, and the annotators who have it."""

    span: Span
    annotators: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Overlapping spans of a document that not all annotators have.

    Attributes:
        spans: the spans, each with its annotators.
    """

    spans: tuple[SharedSpan, ...]

    @property
    def start(self) -> int:
        """The first offset of the spans, in code points."""
        return min(span.start for span, _ in self.spans)

    @property
    def end(self) -> int:
        """The offset after the last span, in code points."""
        return max(span.end for span, _ in self.spans)

    def spans_of(self, annotator: str) -> tuple[Span, ...]:
        """Return the spans of one annotator."""
        return tuple(span for span, annotators in self.spans if annotator in annotators)


@dataclass(frozen=True)
class AnnotationComparison:
    """A document, compared between its annotators.

    Attributes:
        document: the document without spans.
        annotators: their names.
        agreed: the spans that all of them have.
        conflicts: all other spans, by position.
        comments: the annotators' comments on the document, each with its author.
    """

    document: Document
    annotators: tuple[str, ...]
    agreed: tuple[Span, ...]
    conflicts: tuple[Conflict, ...]
    comments: tuple[tuple[str, str], ...] = ()


def compare_annotations(annotations: Mapping[str, Document]) -> AnnotationComparison:
    """Compare the spans that annotators have in one document.

    Spans are equal if start, end and label are.

    Args:
        annotations: the document with each annotator's spans, by annotator.
    """
    holders: dict[Span, list[str]] = {}
    for name, document in annotations.items():
        for span in document.spans:
            holders.setdefault(Span(span.start, span.end, span.label), []).append(name)
    agreed = [span for span, names in holders.items() if len(names) == len(annotations)]
    disputed = [span for span, names in holders.items() if len(names) < len(annotations)]
    conflicts = tuple(
        Conflict(tuple(SharedSpan(span, tuple(holders[span])) for span in group))
        for group in group_overlapping(disputed)
    )
    documents = list(annotations.values())
    document = next((document for document in documents if document.text), documents[0])
    comments = [
        comment for name, document in annotations.items() for comment in comments_of(document, name)
    ]
    return AnnotationComparison(
        replace(document, spans=()),
        tuple(annotations),
        tuple(sorted(agreed)),
        conflicts,
        tuple(comments),
    )


def compare_annotation_sets(
    annotation_sets: Sequence[AnnotationSet], *, unconfirmed: bool = False
) -> tuple[list[AnnotationComparison], list[str], TextMatches]:
    """Compare annotation sets document by document, by id or by text.

    Annotators who have not confirmed a document are left out of its comparison if at least two
    have.

    Args:
        annotation_sets: two or more. They may hold different documents; the spans of a document
            with one annotator count as agreed.
        unconfirmed: include annotations that are not confirmed.

    Returns:
        The comparisons, the ids of the documents skipped because too few annotators have confirmed
        them, and the documents matched by their text.

    Raises:
        InputError: if the sets hold different texts of a document, or two have the same name.
    """
    comparisons, skipped = [], []
    documents, matches = documents_by_annotator(annotation_sets)
    for doc_id, row in group_by_document(documents).items():
        confirmed = confirmed_annotations(row, unconfirmed=unconfirmed)
        if confirmed:
            comparisons.append(compare_annotations(confirmed))
        else:
            skipped.append(doc_id)
    return comparisons, skipped, matches
