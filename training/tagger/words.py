r"""The word rule, and the features of words that tokenizers lose.

A *word* is a run of letters and digits, or a single other character that is not white space:
`Gen. O'Neill's 2nd` has the words `Gen` `.` `O` `'` `Neill` `'` `s` `2nd`. The rule does not depend
on the tokenizer, so every model predicts one tag a word, at the same offsets.

The *features* of a word are its shape (:data:`SHAPES`) and the gap before it: none, a space or a
line break. Uncased tokenizers lose the shape, and almost all tokenizers lose the line break.

In text *without case*, in capitals or in lower case throughout, the case of a word says nothing
about it, and to read it as the case of ordinary text misleads: in a report in capitals, every word
would look like an acronym. So the shapes of these words that differ in case only are hidden, and
the gazetteer matches them without case. A network without its own sense of case, as most are, then
reads the same in capitals as in lower case.

Models that orbat did not train label words as transformers defines them: groups of the tokenizer's
pieces, see :func:`find_piece_words`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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
_LOWER, _UPPER, _INITIAL = (SHAPES.index(shape) for shape in ("lower", "upper", "initial"))
_CAPITALIZED = [SHAPES.index(shape) for shape in ("title", "mixed")]
_MAX_OTHER_SHARE = 0.1
"""Share of the words of a text or line in capitals that may have another case."""
_MAX_CAPITALIZED_SHARE = 0.02
"""Share of the words of a text in lower case that may have capitals."""
_MIN_UPPER_WORDS = 3
"""Words that a line in capitals has. In shorter ones, capitals may be those of an acronym."""
_MIN_LOWER_WORDS = 20
"""Words that a line in lower case has. Every longer line of ordinary text has a capital."""


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


def find_caseless_words(features: Ints) -> Bools:
    """Return which words belong to a text, or to a line, without case.

    Args:
        features: the feature ids of the words of a text; see :func:`find_features`. *Shape:*
            (words,).

    Returns:
        *Shape:* (words,). Digits and punctuation count with the words around them.
    """
    if not len(features):
        return np.zeros(0, dtype=bool)
    shapes = shapes_of(features)
    line_starts = starts_line(features)
    line_starts[0] = True
    lines = np.cumsum(line_starts) - 1
    first_words = np.flatnonzero(line_starts)

    def count(selected: Bools) -> Ints:
        """Count words by line, *Shape:* (lines,)."""
        return np.add.reduceat(selected, first_words, dtype=np.int64)

    lower, upper = count(shapes == _LOWER), count(shapes == _UPPER)
    initial, capitalized = count(shapes == _INITIAL), count(np.isin(shapes, _CAPITALIZED))
    in_capitals = lower + capitalized <= _MAX_OTHER_SHARE * (lower + capitalized + upper)
    some_capitals = upper + capitalized + initial
    if upper.sum() and _nearly_all(lower.sum() + capitalized.sum(), upper.sum(), _MAX_OTHER_SHARE):
        return np.ones(len(features), dtype=bool)
    if lower.sum() and _nearly_all(some_capitals.sum(), lower.sum(), _MAX_CAPITALIZED_SHARE):
        return np.ones(len(features), dtype=bool)
    caseless = (in_capitals & (upper >= _MIN_UPPER_WORDS)) | (
        (some_capitals == 0) & (lower >= _MIN_LOWER_WORDS)
    )
    selected: Bools = caseless[lines]
    return selected


def _nearly_all(others: int, members: int, max_share: float) -> bool:
    return bool(others <= max_share * (others + members))


def lower_case(text: str) -> str:
    """Return a text in lower case, of the same length."""
    return _map_case(text, str.lower)


def upper_case(text: str) -> str:
    """Return a text in capitals, of the same length."""
    return _map_case(text, str.upper)


def _map_case(text: str, change: Callable[[str], str]) -> str:
    changed = change(text)
    if text.isascii():
        return changed
    # Some characters become several. They stay, and so do offsets.
    characters = ((character, change(character)) for character in text)
    return "".join(new if len(new) == 1 else old for old, new in characters)


def find_piece_words(
    text: str, encoding: Any, prefix: str | None, unk_id: int | None
) -> tuple[Ints, Ints]:
    """Group the pieces of a text into words, as the token-classification pipeline does.

    If the tokenizer marks pieces that continue a word by a prefix, the marks are used. Otherwise a
    piece begins a word if white space precedes it. The pipeline looks for spaces only; here line
    breaks count too, so that words do not cross them. The piece for unknown characters always
    begins a word.

    Args:
        text: the text.
        encoding: its `tokenizers.Encoding`.
        prefix: the mark, such as `##`; None or empty if there is none.
        unk_id: id of the piece for unknown characters, if there is one.

    Returns:
        Start and end of each word in code points, without white space around it, *Shape:* (words,
        2), and the index of its first piece, *Shape:* (words,). A word of white space only has the
        start of the next word and the end of the previous one.
    """
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    if prefix:
        begins = np.array([not token.startswith(prefix) for token in encoding.tokens], dtype=bool)
    else:
        begins = np.array(
            [start == 0 or _has_space(text, start) for start in offsets[:, 0].tolist()], dtype=bool
        )
    if unk_id is not None:
        begins |= np.array(encoding.ids, dtype=np.int64) == unk_id
    begins[:1] = True
    first_pieces = np.flatnonzero(begins)
    ends = np.append(first_pieces[1:], len(offsets))[: len(first_pieces)] - 1
    words = np.column_stack([offsets[first_pieces, 0], offsets[ends, 1]])
    return _strip(text, words), first_pieces


def _has_space(text: str, start: int) -> bool:
    """Return whether the character at an offset, or the one before it, is white space."""
    return any(character.isspace() for character in text[start - 1 : start + 1])


def _strip(text: str, words: Ints) -> Ints:
    """Remove white space from both ends of each word; see :func:`find_piece_words`."""
    stripped: list[tuple[int, int]] = []
    blank = []
    previous_end = 0
    for index, (start, end) in enumerate(words.tolist()):
        word = text[start:end]
        inner = word.strip()
        if inner:
            start += len(word) - len(word.lstrip())
            previous_end = start + len(inner)
        else:
            blank.append(index)
        stripped.append((start, previous_end))
    next_start = len(text)
    blank_words = set(blank)
    for index in range(len(stripped) - 1, -1, -1):
        if index in blank_words:
            stripped[index] = next_start, stripped[index][1]
        else:
            next_start = stripped[index][0]
    return np.array(stripped, dtype=np.int64).reshape(-1, 2)
