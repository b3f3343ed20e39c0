"""Mentions as tag probabilities, for teachers that give no probabilities."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..tagger.arrays import Floats
from ..tagger.mentions import spans_to_tags, tag_names
from ..tagger.words import find_words

_MINIMUM = 1e-6
"""The least probability of a tag."""


def hard_tags(
    text: str, mentions: Iterable[tuple[int, int, str, float | None]], labels: tuple[str, ...]
) -> Floats:
    """Return the log-probabilities of the tags of a text's words, *Shape:* (words, tags).

    Each word has its tag with the confidence of the mention, and O with the rest; the confidence is
    1 if there is none.

    Args:
        text: the text.
        mentions: start, end, label and confidence of each.
        labels: the label names.
    """
    words, tags = find_words(text), tag_names(labels)
    probabilities = np.zeros((len(words), len(tags)), np.float32)
    probabilities[:, 0] = 1
    for start, end, label, score in mentions:
        path = spans_to_tags(words, [(start, end, label)], tags)
        rows = np.flatnonzero(path)
        confidence = 1.0 if score is None else score
        probabilities[rows, 0] = 1 - confidence
        probabilities[rows, path[rows]] = confidence
    return to_log_probs(probabilities)


def to_log_probs(probabilities: Floats) -> Floats:
    """Return logarithms of probabilities that are at least :data:`_MINIMUM` and sum to 1.

    Words whose probabilities are not a number stay so.
    """
    clipped = np.maximum(probabilities, _MINIMUM)
    log_probs: Floats = np.log(clipped / clipped.sum(axis=1, keepdims=True)).astype(np.float32)
    return log_probs
