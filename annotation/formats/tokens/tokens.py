"""Tokens with tags, for the formats that hold no text and offsets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ....corpus.document import Document, Span
from ....errors import InputError
from ..conversion_report import (
    ConversionReport,
    drop_meta,
    drop_span_fields,
    refuse_spaces,
    refuse_tags,
)
from ..imported import ImportedDocument, ImportedSpan

_WORD = re.compile(r"\w+|[^\w\s]")
_BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_TAG = re.compile(r"[BILOUES]-(\S.*)|O")
TAGGING_SCHEMES = ("bio", "bilou")
"""Values of `scheme`; see :func:`to_sentences`."""


class Word(NamedTuple):
    """A word of a file of words and tags, and its position there, such as `FILE:LINE`."""

    text: str
    tag: str
    where: str


Sentence = list[Word]


class Token(NamedTuple):
    """A word or punctuation mark of a text, with its tag."""

    start: int
    text: str
    tag: str

    @property
    def end(self) -> int:
        """The offset after the token."""
        return self.start + len(self.text)


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


def read_spans(tokens: Sequence[Token], where: Sequence[str]) -> Iterator[ImportedSpan]:
    """Decode the tags of a sentence to spans. Accepts IOB1, IOB2 (BIO), BILOU and BIOES.

    Args:
        tokens: of one sentence.
        where: each token's position in its file, for messages.

    Raises:
        InputError: for a tag of none of these schemes.
    """
    first: Token | None = None
    end, label = 0, ""
    for token, position in zip(tokens, where, strict=True):
        match = _TAG.fullmatch(token.tag)
        if match is None:
            raise InputError(
                f"{position}: unknown tag '{token.tag[:40]}'; expected O, or a label after B-, "
                "I-, L-, U-, E- or S-"
            )
        prefix, token_label = token.tag[0], match[1]
        if first is not None and (prefix in "OBUS" or token_label != label):
            yield ImportedSpan(first.start, end, label)
            first = None
        if token_label is None:
            continue
        first, end, label = first or token, token.end, token_label
        if prefix in "LEUS":
            yield ImportedSpan(first.start, end, label)
            first = None
    if first is not None:
        yield ImportedSpan(first.start, end, label)


def rebuild(
    where: str, sentences: Iterable[Sentence], doc_id: str | None = None
) -> ImportedDocument:
    """Build a document from words and tags: words joined by spaces, one sentence per line.

    Args:
        where: the position of the document, for messages.
        sentences: its sentences.
        doc_id: its id; None to number it.

    Raises:
        InputError: naming the position of an unknown tag.
    """
    lines: list[str] = []
    spans: list[ImportedSpan] = []
    start = 0
    for sentence in sentences:
        tokens = []
        for word in sentence:
            tokens.append(Token(start, word.text, word.tag))
            start += len(word.text) + 1
        spans += read_spans(tokens, [word.where for word in sentence])
        lines.append(" ".join(word.text for word in sentence))
    return ImportedDocument(where, doc_id, "\n".join(lines), spans)


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


def read_lines(path: Path) -> list[str]:
    r"""Return the lines of a text file.

    Lines end at `\n` only, because words may contain other line separators such as U+2028.

    Raises:
        InputError: if the file is missing, empty or not UTF-8.
    """
    try:
        content = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert it") from error
    if not content.strip():
        raise InputError(f"{path}: is empty; expected words and tags")
    return content.split("\n")
