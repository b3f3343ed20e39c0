"""Hashed features of words in context, for linear classifiers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..tagger.gazetteer import Gazetteer
from ..tagger.mentions import spans_to_tags
from ..tagger.words import find_features, find_words

_MAX_AFFIX_LENGTH = 4


class WordFeatures:
    """Turns words into rows of a sparse matrix.

    The features of a word are its lower-cased form, its shape, its prefixes and suffixes, and its
    tag in the gazetteer's matches; then the same features of its neighbors, and the pair of the
    preceding word and the word. Features are hashed (Weinberger et al. 2009).

    Args:
        context: number of words on each side whose features are added.
        size: number of columns of the matrix.
        gazetteer: finds known phrases.
        tags: the tag names; see :func:`orbat.training.tagger.mentions.tag_names`.
    """

    def __init__(self, context: int, size: int, gazetteer: Gazetteer, tags: Sequence[str]) -> None:
        from sklearn.feature_extraction import FeatureHasher

        self.context, self.size, self.gazetteer, self.tags = context, size, gazetteer, tags
        self._hasher = FeatureHasher(size, input_type="string", alternate_sign=False)

    def transform(self, texts: Iterable[str]) -> Any:
        """Return the features of all words of the texts, *Shape:* (words, size), sparse."""
        return self._hasher.transform(row for text in texts for row in self._rows(text))

    def _rows(self, text: str) -> Iterator[list[str]]:
        features = self._features_without_context(text)
        for index, word_features in enumerate(features):
            row = list(word_features)
            for distance in range(1, self.context + 1):
                for offset in (-distance, distance):
                    inside = 0 <= index + offset < len(features)
                    neighbor = features[index + offset] if inside else ["none"]
                    row += [f"{offset}{feature}" for feature in neighbor]
            if index > 0:
                row.append(f"{features[index - 1][0]} {word_features[0]}")
            yield row

    def _features_without_context(self, text: str) -> list[list[str]]:
        words = find_words(text)
        bounds = words.tolist()
        tags = spans_to_tags(words, self.gazetteer.find(text, bounds), self.tags).tolist()
        shapes = find_features(text, words).tolist()
        features = []
        for (start, end), shape, tag in zip(bounds, shapes, tags, strict=True):
            lower = text[start:end].lower()
            features.append(
                [f"w={lower}", f"s={shape}", f"g={tag}"]
                + [f"p={lower[:n]}" for n in range(1, _MAX_AFFIX_LENGTH + 1)]
                + [f"x={lower[-n:]}" for n in range(1, _MAX_AFFIX_LENGTH + 1)]
            )
        return features
