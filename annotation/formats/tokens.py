"""Tokens and their tags: what the token-based forms hold instead of a text and offsets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...corpus.document import Document, Span
from ...errors import InputError
from .conversion_report import (
    ConversionReport,
    assemble,
    count_lost_marks,
    count_lost_meta,
    refuse_spaces,
)

_WORD = re.compile(r"\w+|[^\w\s]")
_BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_TAG = re.compile(r"[BILOUES]-(\S.*)|O")
SCHEMES = ("bio", "bilou")


class Word(NamedTuple):
    """A word as a file of words and tags has it, and where it stands there."""

    text: str
    tag: str
    where: str


Sentence = list[Word]


class Token(NamedTuple):
    """A word or sign of a text."""

    start: int
    text: str
    tag: str

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.start + len(self.text)


def to_sentences(document: Document, scheme: str = "bio") -> list[list[Token]]:
    """Cut a document into sentences of tagged tokens.

    Tokens are words and single signs, cut again where a span begins or ends inside one. A line
    of the text is a sentence; a span that runs across a line break keeps its lines together.

    Args:
        document: the document.
        scheme: `bio` (Ramshaw and Marcus 1995, as IOB2) or `bilou` (Ratinov and Roth 2009).
    """
    borders = sorted({place for span in document.spans for place in (span.start, span.end)})
    spans, borders = list(document.spans), [*borders, len(document.text) + 1]
    sentences: list[list[Token]] = [[]]
    at_border = at_span = last = 0
    for match in _WORD.finditer(document.text):
        start, end = match.span()
        crossed = at_span < len(spans) and spans[at_span].start < last < spans[at_span].end
        if sentences[-1] and not crossed and _BREAK.search(document.text, last, start):
            sentences.append([])
        while start < end:
            while borders[at_border] <= start:
                at_border += 1
            stop = min(end, borders[at_border])
            while at_span < len(spans) and spans[at_span].end <= start:
                at_span += 1
            span = spans[at_span] if at_span < len(spans) else None
            inside = span is not None and span.start <= start
            tag = _tag(span, start, stop, document.text, scheme) if span and inside else "O"
            sentences[-1].append(Token(start, document.text[start:stop], tag))
            start = last = stop
    return [sentence for sentence in sentences if sentence]


def _tag(span: Span, start: int, stop: int, text: str, scheme: str) -> str:
    first = start == span.start
    final = stop == span.end
    if scheme == "bio":
        return f"{'B' if first else 'I'}-{span.label}"
    return f"{'U' if first and final else 'B' if first else 'L' if final else 'I'}-{span.label}"


def read_spans(tokens: Sequence[Token], where: Sequence[str]) -> Iterator[Span]:
    """Read spans off tags of any usual scheme: IOB1, IOB2 (BIO), BILOU and BIOES.

    Args:
        tokens: of one sentence.
        where: each token's place in its file.

    Raises:
        InputError: for a tag of no such scheme.
    """
    begun: Token | None = None
    end, label = 0, ""
    for token, place in zip(tokens, where, strict=True):
        match = _TAG.fullmatch(token.tag)
        if match is None:
            raise InputError(
                f"{place}: tag '{token.tag[:40]}' is none of O, B-, I-, L-, U-, E- and S-LABEL; "
                "mend it"
            )
        prefix, here = token.tag[0], match[1]
        if begun is not None and (prefix in "OBUS" or here != label):
            yield Span(begun.start, end, label)
            begun = None
        if here is None:
            continue
        begun, end, label = begun or token, token.end, here
        if prefix in "LEUS":
            yield Span(begun.start, end, label)
            begun = None
    if begun is not None:
        yield Span(begun.start, end, label)


def rebuild(identity: str, sentences: Iterable[Sentence], losses: ConversionReport) -> Document:
    """Make a document of words and tags: a space between words, a line for each sentence.

    Raises:
        InputError: naming the place of a tag of no known scheme.
    """
    lines: list[str] = []
    spans: list[Span] = []
    start = 0
    for sentence in sentences:
        tokens = []
        for word in sentence:
            tokens.append(Token(start, word.text, word.tag))
            start += len(word.text) + 1
        spans += read_spans(tokens, [word.where for word in sentence])
        lines.append(" ".join(word.text for word in sentence))
    return assemble(identity, "\n".join(lines), spans, {}, losses)


def count_token_losses(
    document: Document, sentences: list[list[Token]], losses: ConversionReport
) -> None:
    """Count what a file of words and tags alone does not keep of a document."""
    losses["ids of documents"] += 1
    count_lost_meta(document, losses)
    count_lost_marks(document, losses)
    text = "\n".join(" ".join(token.text for token in sentence) for sentence in sentences)
    losses["texts' own spaces and line breaks"] += text != document.text


def read_lines(path: Path) -> list[str]:
    """Return a file's lines; only line feeds end one, for U+2028 and the like may stand in it."""
    try:
        content = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert it") from error
    if not content.strip():
        raise InputError(f"{path}: is empty; expected words and tags")
    return content.split("\n")


def tagged_sentences(
    document: Document, losses: ConversionReport, scheme: str
) -> list[list[Token]]:
    """Return the sentences of a document for a file of words and tags.

    Raises:
        InputError: if a label contains a space.
    """
    refuse_spaces(document, "tags")
    sentences = to_sentences(document, scheme)
    count_token_losses(document, sentences, losses)
    return sentences
