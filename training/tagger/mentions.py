"""Mentions, and their conversion from and to tags of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .arrays import Floats, Ints


class Mention(NamedTuple):
    """A labelled stretch of text: code point offsets, end exclusive, and a confidence, if any."""

    start: int
    end: int
    label: str
    score: float | None


def tag_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of some labels: O, then B- and I- of each label in turn."""
    return ("O", *(f"{mark}-{label}" for label in labels for mark in "BI"))


def spans_to_tags(words: Ints, spans: Iterable[tuple[int, int, str]], tags: Sequence[str]) -> Ints:
    """Return the tag index of each word, *Shape:* (words,).

    A word belongs to a span when its first character does.
    """
    result = np.zeros(len(words), dtype=np.int64)
    for start, end, label in spans:
        first, last = np.searchsorted(words[:, 0], (start, end))
        if first < last:
            result[first:last] = tags.index(f"I-{label}")
            result[first] = tags.index(f"B-{label}")
    return result


def tags_to_mentions(
    words: Ints, path: Ints, log_probs: Floats, labels: Sequence[str]
) -> list[Mention]:
    """Read the spans off a lawful tag sequence; the score is the geometric mean over its words."""
    mentions = []
    begins = np.flatnonzero(path % 2 == 1)
    for begin in begins.tolist():
        end = begin + 1
        while end < len(path) and path[end] == path[begin] + 1:
            end += 1
        score = float(np.exp(log_probs[begin:end].mean()))
        label = labels[(int(path[begin]) - 1) // 2]
        mentions.append(Mention(int(words[begin, 0]), int(words[end - 1, 1]), label, score))
    return mentions


def keep_longer(mentions: Iterable[Mention]) -> list[Mention]:
    """Return of mentions that overlap the longer, of equally long ones the surer.

    As `TokenClassificationPipeline.aggregate_overlapping_entities` of transformers does.
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
