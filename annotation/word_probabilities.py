"""What a model thinks of each word, and how uncertain that makes it of a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corpus.document import Span


@dataclass(frozen=True)
class WordProbabilities:
    """The chances of each label for each word of a text.

    Attributes:
        words: start and end of each word, in code points. *Shape:* (words, 2)
        labels: the label names.
        values: chance that the word is outside all spans, then that it is in a span of each
            label. *Shape:* (words, 1 + labels)
    """

    words: NDArray[np.int64]
    labels: tuple[str, ...]
    values: NDArray[np.float64]

    def classes(self, spans: Sequence[Span]) -> NDArray[np.int64]:
        """Return for each word 0, or the place of the label of the span that it begins in.

        Labels that the model does not know count as outside.
        """
        place = {label: number for number, label in enumerate(self.labels, start=1)}
        found = np.zeros(len(self.words), dtype=np.int64)
        for span in spans:
            first, last = np.searchsorted(self.words[:, 0], (span.start, span.end))
            found[first:last] = place.get(span.label, 0)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the chances as a JSON object."""
        return {
            "labels": list(self.labels),
            "words": self.words.tolist(),
            "probabilities": self.values.tolist(),
        }

    def entropy(self) -> float:
        """Return the mean entropy of the words in nats, 0 for a text without words.

        Total token entropy over length (Settles and Craven 2008): long documents do not win by
        their length.
        """
        if not len(self.values):
            return 0.0
        chances = np.clip(self.values, 1e-12, 1.0)
        return float(-(chances * np.log(chances)).sum(axis=1).mean())


def probabilities_from_json(record: dict[str, Any]) -> WordProbabilities:
    """Read what :meth:`WordProbabilities.to_json` returned."""
    labels = tuple(record["labels"])
    words = np.array(record["words"], dtype=np.int64).reshape(-1, 2)
    values = np.array(record["probabilities"], dtype=np.float64).reshape(-1, 1 + len(labels))
    return WordProbabilities(words, labels, values)
