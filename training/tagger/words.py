"""The word rule, word shapes and word features."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from .arrays import Ints

# Combining marks stay with their letter, or decomposed accents would cut words in two.
WORD = r"(?:[^\W_][\u0300-\u036f]*)+|[^\w\s]|_"
"""Regular expression of a word: letters and digits, or a single other character."""
_WORD = re.compile(WORD)
SHAPES = ("lower", "title", "upper", "initial", "mixed", "digits", "alphanumeric", "other")
_GAPS = ("none", "space", "line break")
_LINE = _GAPS.index("line break")
_LINE_BREAK = re.compile(r"[\n\r]")
FEATURE_COUNT = 1 + len(SHAPES) * len(_GAPS)
"""Number of word features; 0 stands for special tokens and padding."""


def find_words(text: str) -> Ints:
    """Return start and end of each word, *Shape:* (words, 2)."""
    words = [match.span() for match in _WORD.finditer(text)]
    return np.array(words, dtype=np.int64).reshape(-1, 2)


def find_features(text: str, words: Ints) -> Ints:
    """Return of each word its shape, and what stands before it, as one id, *Shape:* (words,).

    Uncased encoders lose case and every encoder loses line breaks; this gives both back.

    Args:
        text: the text.
        words: its words; see :func:`find_words`.
    """
    shapes = np.array([word_shape(text[a:b]) for a, b in words.tolist()], dtype=np.int64)
    breaks = np.array([match.start() for match in _LINE_BREAK.finditer(text)], dtype=np.int64)
    starts, ends = words[:, 0], np.append(0, words[:-1, 1])[: len(words)]
    gaps = np.where(starts > ends, _GAPS.index("space"), _GAPS.index("none"))
    gaps[np.searchsorted(breaks, starts) > np.searchsorted(breaks, ends)] = _LINE
    return 1 + shapes * len(_GAPS) + gaps


@lru_cache(maxsize=100_000)
def word_shape(word: str) -> int:
    """Return which of :data:`SHAPES` a word has."""
    if word.isdigit():
        shape = "digits"
    elif not word[0].isalnum():
        shape = "other"
    elif any(c.isdigit() for c in word):
        shape = "alphanumeric"
    elif word.islower():
        shape = "lower"
    elif word.isupper():
        shape = "upper" if len(word) > 1 else "initial"
    else:
        shape = "title" if word[1:].islower() else "mixed"
    return SHAPES.index(shape)


def begins_line(features: Any) -> Any:
    """Tell of word feature ids, an array or tensor, whether a line break stands before the word."""
    return (features > 0) & ((features - 1) % len(_GAPS) == _LINE)
