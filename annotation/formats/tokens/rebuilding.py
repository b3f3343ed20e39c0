"""Texts and offsets rebuilt from words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ImportedSpan
from ..source_tokens import Offsets
from .reading_notes import SchemeFinder
from .tags import STANDARD, TagStyle, Token, read_spans


class Word(NamedTuple):
    """A word of a file of words and tags.

    Attributes:
        text: its characters.
        tag: its tag.
        where: its position in the file, such as `FILE:LINE`.
        after: the characters between it and the next word of the sentence.
        is_same: whether it is a part of the word before, with the same characters: `della` in
            CoNLL-U stands for the words `di` and `la`.
    """

    text: str
    tag: str
    where: str
    after: str = " "
    is_same: bool = False


@dataclass
class Sentence:
    """A sentence of a file.

    Attributes:
        words: its words.
        text: its text with the spaces between words; None if the file does not say.
    """

    words: list[Word] = field(default_factory=list)
    text: str | None = None


def rebuild(
    where: str,
    sentences: Iterable[Sentence],
    report: ConversionReport,
    style: TagStyle = STANDARD,
    *,
    doc_id: Any = None,
    meta: Any = None,
    scheme: SchemeFinder | None = None,
) -> ImportedDocument:
    """Build a document from words and tags.

    Words are joined by spaces, except where the file gives the text or says that there is none.
    Each sentence is a line.

    Args:
        where: the position of the document, for messages.
        sentences: its sentences.
        report: records empty words, and texts that are not those of the words.
        style: how the tags are written.
        doc_id: its id; None to number it.
        meta: its metadata.
        scheme: gets the tags of each sentence.

    Raises:
        InputError: naming the position of an unknown tag.
    """
    lines: list[str] = []
    spans: list[ImportedSpan] = []
    offsets: list[list[Offsets]] = []
    start = 0
    for sentence in sentences:
        text, starts = _place(sentence, report)
        words = sentence.words
        tokens = [
            Token(start + offset, word.text, word.tag)
            for offset, word in zip(starts, words, strict=True)
        ]
        for span in read_spans(tokens, [word.where for word in words], style):
            if span.start == span.end:
                report.drop("annotations of empty words")
            else:
                spans.append(span)
        if scheme is not None:
            scheme.add(word.tag for word in words)
        named = zip(tokens, words, strict=True)
        offsets.append([(t.start, t.end) for t, word in named if t.text and not word.is_same])
        lines.append(text)
        start += len(text) + 1
    return ImportedDocument(where, doc_id, "\n".join(lines), spans, meta, sentences=offsets)


def _place(sentence: Sentence, report: ConversionReport) -> tuple[str, list[int]]:
    """Return the text of a sentence and the start of each word in it."""
    if sentence.text is not None:
        found = find_words(sentence.text, sentence.words)
        if found is not None:
            return sentence.text, found
        report.drop("texts that differ from their words")
    pieces: list[str] = []
    starts: list[int] = []
    position, gap = 0, ""
    for word in sentence.words:
        if word.is_same:
            starts.append(starts[-1])
        elif not word.text:
            starts.append(position)
            report.drop("empty words")
        else:
            pieces += [gap, word.text]
            starts.append(position + len(gap))
            position, gap = starts[-1] + len(word.text), word.after
    return "".join(pieces), starts


def find_words(text: str, words: Sequence[Word]) -> list[int] | None:
    """Return the start of each word in a text; None if the text has other words."""
    starts: list[int] = []
    position = 0
    for word in words:
        if word.is_same:
            starts.append(starts[-1])
            continue
        while position < len(text) and text[position].isspace():
            # A word may itself begin with a space.
            if text.startswith(word.text, position):
                break
            position += 1
        if not text.startswith(word.text, position):
            return None
        starts.append(position)
        position += len(word.text)
    return None if text[position:].strip() else starts
