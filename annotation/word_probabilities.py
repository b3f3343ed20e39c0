"""Label probabilities of each word of a document, and the uncertainty that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corpus.document import Document, Span
from ..corpus.files import write_json_lines


@dataclass(frozen=True)
class WordProbabilities:
    """The label probabilities of each word of a text, as a model predicts them.

    Attributes:
        words: start and end of each word, in code points. *Shape:* (words, 2)
        labels: the label names.
        values: the probability that the word is outside all spans, then that it is in a span of
            each label. *Shape:* (words, 1 + labels)
    """

    words: NDArray[np.int64]
    labels: tuple[str, ...]
    values: NDArray[np.float64]

    def classes(self, spans: Sequence[Span]) -> NDArray[np.int64]:
        """Return the class of each word: 0 outside all spans, else 1 + the index of its label.

        A word belongs to the span in which it starts. Labels that the model does not predict
        count as outside. *Shape:* (words,)
        """
        index = {label: number for number, label in enumerate(self.labels, start=1)}
        classes = np.zeros(len(self.words), dtype=np.int64)
        for span in spans:
            first, last = np.searchsorted(self.words[:, 0], (span.start, span.end))
            classes[first:last] = index.get(span.label, 0)
        return classes

    def entropy(self) -> float:
        """Return the mean entropy of the words in nats; 0 for a text without words.

        This is total token entropy (Settles and Craven 2008) divided by the length, so that long
        documents are not preferred.
        """
        if not len(self.values):
            return 0.0
        values = np.clip(self.values, 1e-12, 1.0)
        return float(-(values * np.log(values)).sum(axis=1).mean())

    def to_json(self) -> dict[str, Any]:
        """Return the probabilities as a JSON object."""
        return {
            "labels": list(self.labels),
            "words": self.words.tolist(),
            "probabilities": self.values.tolist(),
        }


def probabilities_from_json(record: dict[str, Any]) -> WordProbabilities:
    """Read the JSON object that :meth:`WordProbabilities.to_json` returns."""
    labels = tuple(record["labels"])
    words = np.array(record["words"], dtype=np.int64).reshape(-1, 2)
    values = np.array(record["probabilities"], dtype=np.float64).reshape(-1, 1 + len(labels))
    return WordProbabilities(words, labels, values)


def write_probabilities(
    path: Path, documents: Iterable[Document], probabilities: Iterable[WordProbabilities]
) -> None:
    """Write the probabilities of documents as JSON Lines, each with the document's id."""
    write_json_lines(
        path,
        (
            {"id": document.id, **values.to_json()}
            for document, values in zip(documents, probabilities, strict=True)
        ),
    )
