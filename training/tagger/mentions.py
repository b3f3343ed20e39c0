"""Mentions, and their conversion from and to BIO tags of words.

Tag 0 is O. The label with index n has the tags 2n + 1 (B-) and 2n + 2 (I-).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .arrays import Floats, Ints


class Mention(NamedTuple):
    """A labeled stretch of text.

    Attributes:
        start: first code point.
        end: code point after the last.
        label: the label's name.
        score: confidence from 0 to 1, or None if the tagger gives none.
    """

    start: int
    end: int
    label: str
    score: float | None


def tag_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of some labels: O, then B- and I- of each label in turn."""
    return ("O", *(f"{mark}-{label}" for label in labels for mark in "BI"))


def spans_to_tags(words: Ints, spans: Iterable[tuple[int, int, str]], tags: Sequence[str]) -> Ints:
    """Return the tag index of each word, *Shape:* (words,).

    A word belongs to a span if its first character does.

    Args:
        words: start and end of each word, *Shape:* (words, 2).
        spans: start, end and label of each span, in code points. Spans must not overlap.
        tags: the tags; see :func:`tag_names`.
    """
    result = np.zeros(len(words), dtype=np.int64)
    for start, end, label in spans:
        first, last = np.searchsorted(words[:, 0], (start, end))
        if first < last:
            result[first:last] = tags.index(f"I-{label}")
            result[first] = tags.index(f"B-{label}")
    return result


def tags_to_mentions(
    words: Ints, tags: Ints, log_probs: Floats, labels: Sequence[str]
) -> list[Mention]:
    """Return the mentions of a valid tag sequence, in order.

    A mention's score is the geometric mean of its tags' probabilities.

    Args:
        words: start and end of each word, *Shape:* (words, 2).
        tags: tag index of each word, *Shape:* (words,).
        log_probs: log-probability of each of these tags, *Shape:* (words,).
        labels: the label names.
    """
    mentions = []
    for begin in np.flatnonzero(tags % 2 == 1).tolist():
        end = begin + 1
        while end < len(tags) and tags[end] == tags[begin] + 1:
            end += 1
        score = float(np.exp(log_probs[begin:end].mean()))
        label = labels[(int(tags[begin]) - 1) // 2]
        first, last = int(words[begin, 0]), int(words[end - 1, 1])
        # Words that are pieces may be white space only; see find_piece_words.
        if first < last:
            mentions.append(Mention(first, last, label, score))
    return mentions


def keep_longest_mentions(mentions: Iterable[Mention]) -> list[Mention]:
    """Return the longest of overlapping mentions; of equally long ones the most confident.

    Equivalent to `TokenClassificationPipeline.aggregate_overlapping_entities` of transformers.
    """

    def weight(mention: Mention) -> tuple[int, float]:
        return mention.end - mention.start, mention.score or 0.0

    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda mention: mention.start):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
        elif weight(mention) > weight(kept[-1]):
            kept[-1] = mention
    return kept
