"""Disagreements between two annotators: missing spans, other boundaries and other labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...corpus.document import Document, Span
from ...evaluation.span_alignment import ErrorKind, SpanPair, align_spans

QUOTE_CONTEXT = 30
"""Characters of text quoted on each side of a disagreement."""


@dataclass(frozen=True)
class Disagreement:
    """Two spans of one document that differ, or a span without a counterpart.

    Attributes:
        doc_id: id of the document.
        first: the first annotator's span; None if only the second has one.
        second: the second annotator's span; None if only the first has one.
        quotes: the texts of both spans, None without a span and empty without a text.
        context: the text around the spans, in one line.
    """

    doc_id: str
    first: Span | None
    second: Span | None
    quotes: tuple[str | None, str | None]
    context: str

    @property
    def kind(self) -> ErrorKind:
        """How the spans differ, with the first annotator as reference; never `CORRECT`."""
        return SpanPair(self.first, self.second).kind


def find_disagreements(first: Document, second: Document) -> Iterator[Disagreement]:
    """Yield the differences between two annotators' spans of one document, by position.

    Spans are aligned with :func:`orbat.evaluation.span_alignment.align_spans`.

    Args:
        first: the document with the first annotator's spans.
        second: the same document with the second annotator's spans.
    """
    text = first.text or second.text
    for pair in align_spans(first.spans, second.spans):
        if pair.kind is ErrorKind.CORRECT:
            continue
        begin = max(min(span.start for span in pair.spans) - QUOTE_CONTEXT, 0)
        context = text[begin : max(span.end for span in pair.spans) + QUOTE_CONTEXT]
        quotes = (_text_of(text, pair.first), _text_of(text, pair.second))
        yield Disagreement(first.id, pair.first, pair.second, quotes, " ".join(context.split()))


def _text_of(text: str, span: Span | None) -> str | None:
    return None if span is None else text[span.start : span.end]


def quote(disagreement: Disagreement) -> str:
    """Return the text of both spans in quotation marks, once if they have the same text."""
    quotes = dict.fromkeys(" ".join(text.split()) for text in disagreement.quotes if text)
    return " / ".join(f"“{text}”" for text in quotes)


def describe(disagreement: Disagreement) -> str:
    """Return the quoted spans in their context, or the offset where the text is not known."""
    if not disagreement.context:
        spans = (disagreement.first, disagreement.second)
        return f"at {min(span.start for span in spans if span)}"
    return f"{quote(disagreement)} in … {disagreement.context} …"
