"""Quotations of a text, found again in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..tagger.mentions import Mention


class Located(NamedTuple):
    """Quotations that were found in a text.

    Attributes:
        mentions: where they are, in order, without overlaps.
        missing: number of quotations that the text does not contain.
        overlapping: number of those that occur within other mentions only.
    """

    mentions: list[Mention]
    missing: int
    overlapping: int


def locate(text: str, quotations: Iterable[tuple[str, str]]) -> Located:
    """Find quotations in a text, character by character; only white space may differ.

    A quotation begins and ends as words do. Every occurrence is a mention, as language models
    repeat few of them; of a text that is quoted with several labels, each occurrence gets the next
    label. Longer quotations are found first, so that the words in them are not found again.

    Args:
        text: the text.
        quotations: quoted text and label.
    """
    labels_of: dict[tuple[str, ...], list[str]] = {}
    missing = 0
    for quotation, label in quotations:
        words = tuple(quotation.split())
        if words:
            labels_of.setdefault(words, []).append(label)
        else:
            missing += 1
    mentions: list[Mention] = []
    taken = bytearray(len(text))
    overlapping = 0
    for words, labels in sorted(labels_of.items(), key=lambda item: -sum(map(len, item[0]))):
        places = _places(text, words)
        free = [(start, end) for start, end in places if not any(taken[start:end])]
        if not places:
            missing += len(labels)
        elif not free:
            overlapping += len(labels)
        elif len(set(labels)) > 1:
            overlapping += max(0, len(labels) - len(free))
        # Every occurrence is a mention.
        labels += labels[-1:] * (len(free) - len(labels))
        for (start, end), label in zip(free, labels, strict=False):
            mentions.append(Mention(start, end, label, None))
            taken[start:end] = b"\1" * (end - start)
    return Located(sorted(mentions), missing, overlapping)


def _places(text: str, words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return start and end of each occurrence of some words."""
    # The first test keeps hostile answers from making patterns of millions of words.
    if sum(map(len, words)) > len(text) or any(word not in text for word in words):
        return []
    quoted = r"\s+".join(map(re.escape, words))
    return [match.span() for match in re.finditer(rf"(?<!\w){quoted}(?!\w)", text)]


def split_passages(text: str, size: int) -> list[tuple[int, int]]:
    """Return start and end of the passages of a text that have words.

    Args:
        text: the text.
        size: the most characters of a passage. It ends after a paragraph, else after a line, a
            sentence or a word, if one ends in its second half.
    """
    passages, start = [], 0
    while start < len(text):
        end = min(start + size, len(text))
        if end < len(text):
            ends = (
                text.rfind(mark, start + size // 2, end) + len(mark)
                for mark in ("\n\n", "\n", ". ", " ")
            )
            end = next((place for place in ends if place > start + size // 2), end)
        if text[start:end].strip():
            passages.append((start, end))
        start = end
    return passages
