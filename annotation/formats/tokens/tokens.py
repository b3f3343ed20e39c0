"""Texts as sentences of tagged tokens, for the formats that hold no text and offsets."""

from __future__ import annotations

import re

from ....corpus.document import Document, Span
from ..conversion_report import (
    ConversionReport,
    drop_meta,
    drop_span_fields,
    refuse_spaces,
    refuse_tags,
)
from .tags import Token

_WORD = re.compile(r"\w+|[^\w\s]")
_BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
TAGGING_SCHEMES = ("bio", "bilou")
"""Values of `scheme`; see :func:`to_sentences`."""


def to_sentences(document: Document, scheme: str = "bio") -> list[list[Token]]:
    """Split a document into sentences of tagged tokens.

    Tokens are words and single punctuation marks, split again where a span starts or ends inside
    one. Each line of the text is a sentence, but a span is never split between two sentences.

    Args:
        document: the document.
        scheme: `bio` (Ramshaw and Marcus 1995, as IOB2) or `bilou` (Ratinov and Roth 2009).
    """
    borders = sorted({offset for span in document.spans for offset in (span.start, span.end)})
    spans, borders = list(document.spans), [*borders, len(document.text) + 1]
    sentences: list[list[Token]] = [[]]
    border_index = span_index = last = 0
    for match in _WORD.finditer(document.text):
        start, end = match.span()
        inside_span = (
            span_index < len(spans) and spans[span_index].start < last < spans[span_index].end
        )
        if sentences[-1] and not inside_span and _BREAK.search(document.text, last, start):
            sentences.append([])
        while start < end:
            while borders[border_index] <= start:
                border_index += 1
            stop = min(end, borders[border_index])
            while span_index < len(spans) and spans[span_index].end <= start:
                span_index += 1
            span = spans[span_index] if span_index < len(spans) else None
            tag = _tag(span, start, stop, scheme) if span and span.start <= start else "O"
            sentences[-1].append(Token(start, document.text[start:stop], tag))
            start = last = stop
    return [sentence for sentence in sentences if sentence]


def _tag(span: Span, start: int, end: int, scheme: str) -> str:
    first = start == span.start
    last = end == span.end
    if scheme == "bio":
        return f"{'B' if first else 'I'}-{span.label}"
    return f"{'U' if first and last else 'B' if first else 'L' if last else 'I'}-{span.label}"


def tagged_sentences(
    document: Document, report: ConversionReport, scheme: str
) -> list[list[Token]]:
    """Return the sentences of a document for a file that holds words and tags only.

    Args:
        document: the document.
        report: records what such a file cannot keep.
        scheme: one of :data:`TAGGING_SCHEMES`.

    Raises:
        InputError: if a label contains a space, or is read as a tag.
    """
    refuse_spaces(document, "tags")
    refuse_tags(document)
    sentences = to_sentences(document, scheme)
    report.drop("document ids")
    drop_meta(document, report)
    drop_span_fields(document, report)
    text = "\n".join(" ".join(token.text for token in sentence) for sentence in sentences)
    if text != document.text:
        report.drop("original whitespace")
    return sentences
