r"""The word rule, and the features of words that tokenizers lose.

A *word* is a run of letters and digits, or a single other character that is not white space:
`Gen. O'Neill's 2nd` has the words `Gen` `.` `O` `'` `Neill` `'` `s` `2nd`. The rule does not depend
on the tokenizer, so every model predicts one tag a word, at the same offsets.

The *features* of a word are its shape (:data:`SHAPES`) and the gap before it: none, a space or a
line break. Uncased tokenizers lose the shape, and almost all tokenizers lose the line break. In
text without case, the shapes that differ in case only are hidden; see :mod:`.casing`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from .arrays import Bools, Ints

# Combining marks stay with their letter; otherwise decomposed accents would split words.
WORD = r"(?:[^\W_][\u0300-\u036f]*)+|[^\w\s]|_"
"""Regular expression of a word: letters and digits, or a single other character."""
_WORD = re.compile(WORD)
SHAPES = ("lower", "title", "upper", "initial", "mixed", "digits", "alphanumeric", "other")
"""The shapes of words; `initial` is a single capital letter."""
_HIDDEN_SHAPE = len(SHAPES)
"""The shape of words whose case is hidden."""
_CASED_SHAPES = ("lower", "title", "upper", "initial", "mixed")
_GAPS = ("none", "space", "line break")
_LINE_BREAK_GAP = _GAPS.index("line break")
_LINE_BREAK = re.compile(r"[\n\r]")
FEATURE_COUNT = 1 + (len(SHAPES) + 1) * len(_GAPS)
"""Number of feature ids; 0 is for special tokens and padding."""


def find_words(text: str) -> Ints:
    """Return the start and end of each word in code points, end exclusive, *Shape:* (words, 2)."""
    words = [match.span() for match in _WORD.finditer(text)]
    return np.array(words, dtype=np.int64).reshape(-1, 2)


def find_features(text: str, words: Ints) -> Ints:
    """Return the feature id of each word, from 1 to `FEATURE_COUNT - 1`, *Shape:* (words,).

    Args:
        text: the text.
        words: its words; see :func:`find_words`. *Shape:* (words, 2).
    """
    shapes = np.array([word_shape(text[start:end]) for start, end in words.tolist()], np.int64)
    breaks = np.array([match.start() for match in _LINE_BREAK.finditer(text)], dtype=np.int64)
    starts, previous_ends = words[:, 0], np.append(0, words[:-1, 1])[: len(words)]
    gaps = np.where(starts > previous_ends, _GAPS.index("space"), _GAPS.index("none"))
    breaks_before = np.searchsorted(breaks, starts) > np.searchsorted(breaks, previous_ends)
    gaps[breaks_before] = _LINE_BREAK_GAP
    return 1 + shapes * len(_GAPS) + gaps


@lru_cache(maxsize=100_000)
def word_shape(word: str) -> int:
    """Return the index of a word's shape in :data:`SHAPES`."""
    if word.isdigit():
        shape = "digits"
    elif not word[0].isalnum() or (word.lower() == word.upper() and word.isalpha()):
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


def shapes_of(features: Ints) -> Ints:
    """Return the shape of each word by its feature id, as an index of :data:`SHAPES`."""
    return (features - 1) // len(_GAPS)


def hide_case(features: Ints, words: Bools) -> Ints:
    """Return feature ids in which the case of some words is hidden.

    Args:
        features: feature ids; see :func:`find_features`. *Shape:* (words,).
        words: which words. *Shape:* (words,).
    """
    shapes = shapes_of(features)
    hidden = words & np.isin(shapes, [SHAPES.index(shape) for shape in _CASED_SHAPES])
    return features + np.where(hidden, (_HIDDEN_SHAPE - shapes) * len(_GAPS), 0)


def starts_line(features: Any) -> Any:
    """Return which feature ids belong to words after a line break.

    Args:
        features: an array or tensor of feature ids, of any shape.
    """
    return (features > 0) & ((features - 1) % len(_GAPS) == _LINE_BREAK_GAP)
