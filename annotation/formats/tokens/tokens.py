"""Texts as sentences of tagged tokens, for the formats that hold no text and offsets."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from ....corpus.document import Document, Span
from ..conversion_report import (
    ConversionReport,
    drop_meta,
    drop_span_fields,
    refuse_spaces,
    refuse_tags,
)
from ..source_tokens import META_KEY, Offsets, find_source_tokens, split_lines
from .tags import OUTSIDE, Token

_WORD = re.compile(r"\w+|[^\w\s]")
_SEPARATOR = re.compile(r"[ \t\r\n]+")
TAGGING_SCHEMES = ("bio", "bilou")
"""Values of `scheme`: `bio` (Ramshaw and Marcus 1995, as IOB2), `bilou` (Ratinov and Roth 2009)."""


def to_sentences(
    document: Document, report: ConversionReport, scheme: str = "bio"
) -> list[list[Token]]:
    """Split a document into sentences of tagged tokens, each span beginning and ending with one.

    Tokens are those of the source where the document has them (`meta.tokens`), else words and
    single punctuation marks. They are split again where a span starts or ends inside one. Each
    line of the text is a sentence where the source does not say, but a span is never split between
    two sentences.

    Args:
        document: the document.
        report: counts the source's tokens that are split.
        scheme: one of :data:`TAGGING_SCHEMES`.
    """
    sentences = find_source_tokens(document, report)
    if sentences is None:
        sentences = split_words(document.text, document.spans)
    else:
        sentences = split_at_spans(sentences, document.spans, report)
    sentences = join_in_spans(sentences, document.spans)
    return to_tokens(document, sentences, document.spans, report, scheme)


def split_words(text: str, spans: Iterable[Span]) -> list[list[Offsets]]:
    """Return the words and punctuation marks of each line, split where a span starts or ends."""
    borders = _borders(spans)
    words = (word.span() for word in _WORD.finditer(text))
    return split_lines(text, (piece for word in words for piece in _cut(word, borders)))


def split_at_spans(
    sentences: Iterable[Sequence[Offsets]], spans: Iterable[Span], report: ConversionReport
) -> list[list[Offsets]]:
    """Return the source's tokens, split where a span starts or ends; the report counts these."""
    borders = _borders(spans)
    split = []
    for sentence in sentences:
        pieces = [list(_cut(token, borders)) for token in sentence]
        cut = sum(len(token) > 1 for token in pieces)
        report.drop("source tokens that are split at the border of a span", cut)
        split.append(list(itertools.chain.from_iterable(pieces)))
    return split


def join_in_spans(sentences: Iterable[list[Offsets]], spans: Iterable[Span]) -> list[list[Offsets]]:
    """Join the sentences that are inside of a span."""
    ordered = sorted(spans)
    starts = [span.start for span in ordered]
    # Gold and predicted spans may overlap each other.
    ends = list(itertools.accumulate((span.end for span in ordered), max))
    joined: list[list[Offsets]] = []
    for sentence in sentences:
        first = sentence[0][0]
        before = bisect_left(starts, first)
        if joined and before and ends[before - 1] > first:
            joined[-1] += sentence
        else:
            joined.append(list(sentence))
    return joined


def to_tokens(
    document: Document,
    sentences: Sequence[Sequence[Offsets]],
    spans: Iterable[Span],
    report: ConversionReport,
    scheme: str,
) -> list[list[Token]]:
    """Give each token of a document its tag.

    A span that begins or ends inside of a token is tagged on the whole token.

    Args:
        document: the document.
        sentences: the tokens of each sentence.
        spans: sorted, without overlaps.
        report: counts the spans that are not tagged, or on more than their text.
        scheme: one of :data:`TAGGING_SCHEMES`.
    """
    flat = [token for sentence in sentences for token in sentence]
    starts, ends = [start for start, _ in flat], [end for _, end in flat]
    tags = [OUTSIDE] * len(flat)
    free = 0
    for span in spans:
        first, last = bisect_right(ends, span.start), bisect_left(starts, span.end)
        if first < free or first == last:
            report.drop("spans inside of a source token that another span has")
            continue
        if (starts[first], ends[last - 1]) != (span.start, span.end):
            report.drop("borders of spans inside of source tokens, which are tagged as a whole")
        tags[first:last] = _tags(span.label, last - first, scheme)
        free = last
    remaining = iter(tags)
    return [
        [Token(start, document.text[start:end], next(remaining)) for start, end in sentence]
        for sentence in sentences
    ]


def tagged_sentences(
    document: Document, report: ConversionReport, scheme: str
) -> list[list[Token]]:
    """Return the sentences of a document for a file that holds words and tags only.

    The tokens of the source stay whole, so that programs that have the source can compare.

    Args:
        document: the document.
        report: records what such a file cannot keep.
        scheme: one of :data:`TAGGING_SCHEMES`.

    Raises:
        InputError: if a label contains a space, or is read as a tag.
    """
    refuse_spaces(document, "tags")
    refuse_tags(document)
    separated = separate_tokens(document, document.spans, report)
    sentences = to_tokens(document, separated, document.spans, report, scheme)
    report.drop("document ids")
    drop_meta(document, report, {META_KEY} if find_source_tokens(document) is not None else ())
    drop_span_fields(document, report)
    text = "\n".join(" ".join(token.text for token in sentence) for sentence in sentences)
    if text != document.text:
        report.drop("original whitespace")
    return sentences


def separate_tokens(
    document: Document, spans: Iterable[Span], report: ConversionReport
) -> list[list[Offsets]]:
    """Return the tokens of each sentence for a file with a token in each line or field.

    Args:
        document: the document.
        spans: those that are tagged. Tokens that are not the source's are split at their borders.
        report: counts the source's tokens that contain spaces, at which they are split.
    """
    spans = list(spans)
    sentences = find_source_tokens(document, report)
    if sentences is None:
        return join_in_spans(split_words(document.text, spans), spans)
    separated = []
    for sentence in sentences:
        pieces = [_cut_at_spaces(document.text, token) for token in sentence]
        report.drop("source tokens that are split at spaces", sum(len(p) > 1 for p in pieces))
        separated.append(list(itertools.chain.from_iterable(pieces)))
    return join_in_spans(separated, spans)


def _borders(spans: Iterable[Span]) -> list[int]:
    return sorted({offset for span in spans for offset in (span.start, span.end)})


def _cut(token: Offsets, borders: Sequence[int]) -> Iterator[Offsets]:
    """Yield the parts of a token between borders."""
    start, end = token
    inner = borders[bisect_right(borders, start) : bisect_left(borders, end)]
    return itertools.pairwise([start, *inner, end])


def _cut_at_spaces(text: str, token: Offsets) -> list[Offsets]:
    start, end = token
    gaps = [gap.span() for gap in _SEPARATOR.finditer(text, start, end)]
    edges = [start, *itertools.chain.from_iterable(gaps), end]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def _tags(label: str, count: int, scheme: str) -> list[str]:
    if scheme == "bio":
        prefixes = "B" + "I" * (count - 1)
    else:
        prefixes = "U" if count == 1 else "B" + "I" * (count - 2) + "L"
    return [f"{prefix}-{label}" for prefix in prefixes]
