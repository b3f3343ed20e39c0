"""Loading the gazetteer that a recipe names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..corpus.gazetteer import iterate_patterns, load_phrases
from ..corpus.labels import LabelSet
from ..errors import InputError
from .recipe import AnyRecipe
from .tagger.gazetteer import Gazetteer
from .tagger.patterns import PatternMatcher

_PATTERN_ERRORS = (ValueError, KeyError, TypeError, AttributeError, re.error)
"""Exceptions of the gazetteer for patterns that are malformed or not supported."""


def load_gazetteer(path: Path | None = None, labels: Iterable[str] | None = None) -> Gazetteer:
    """Load a gazetteer file with the lists of phrases and patterns that it names.

    Args:
        path: a TOML file; None for the gazetteer that ships with orbat.
        labels: phrases and patterns of other labels are skipped; None keeps all.

    Raises:
        InputError: if a file is missing or broken, or a pattern cannot be used.
    """
    labels = None if labels is None else list(labels)
    patterns = list(iterate_patterns(path, labels))
    phrases = load_phrases(path, labels)
    try:
        return Gazetteer(vars(phrases), [pattern for _, pattern in patterns])
    except _PATTERN_ERRORS:
        for where, pattern in patterns:
            _check_pattern(where, pattern)
        raise


def _check_pattern(where: str, pattern: dict[str, Any]) -> None:
    """Refuse a pattern that cannot be used, naming its file and line."""
    try:
        PatternMatcher([pattern])
    except _PATTERN_ERRORS as error:
        raise InputError(f"{where}: the pattern cannot be used ({error})") from error


def load_recipe_gazetteer(recipe: AnyRecipe, labels: LabelSet) -> Gazetteer:
    """Load the gazetteer that a recipe names, limited to a label set.

    Returns:
        The gazetteer; an empty one if the recipe says `none`.

    Raises:
        InputError: as :func:`load_gazetteer`.
    """
    if recipe.gazetteer == "none":
        return Gazetteer({})
    return load_gazetteer(recipe_gazetteer_path(recipe), labels.names)


def recipe_gazetteer_path(recipe: AnyRecipe) -> Path | None:
    """Return the gazetteer file that a recipe names; None for the one that ships with orbat."""
    return None if recipe.gazetteer == "default" else Path(recipe.gazetteer)
