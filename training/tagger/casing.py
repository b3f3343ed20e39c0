"""Text without case: in capitals, or in lower case throughout.

In such text, the case of a word says nothing about it, and to read it as the case of ordinary text
misleads: in a report in capitals, every word would look like an acronym. So these words get the
features of *hidden case*, and the gazetteer matches them without case. A network without its own
sense of case, as most are, then reads the same in capitals as in lower case.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Bools, Ints
from .words import SHAPES, shapes_of, starts_line

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


def find_caseless_words(features: Ints) -> Bools:
    """Return which words belong to a text, or to a line, without case.

    Args:
        features: the feature ids of the words of a text; see
            :func:`orbat.training.tagger.words.find_features`. *Shape:* (words,).

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
    if upper.sum() and _all(lower.sum() + capitalized.sum(), upper.sum(), _MAX_OTHER_SHARE):
        return np.ones(len(features), dtype=bool)
    if lower.sum() and _all(some_capitals.sum(), lower.sum(), _MAX_CAPITALIZED_SHARE):
        return np.ones(len(features), dtype=bool)
    caseless = (in_capitals & (upper >= _MIN_UPPER_WORDS)) | (
        (some_capitals == 0) & (lower >= _MIN_LOWER_WORDS)
    )
    selected: Bools = caseless[lines]
    return selected


def _all(others: int, members: int, max_share: float) -> bool:
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
