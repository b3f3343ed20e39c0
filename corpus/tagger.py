"""The protocols of everything that tags documents with entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from .document import Document
from .files import sha256_text


class Tagger(Protocol):
    """Finds entities in documents: rules, a baseline, a trained network or a packaged model."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels that the tagger predicts."""

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents in order, their spans replaced by predicted ones."""


class TrainedTagger(Tagger, Protocol):
    """A tagger that records which texts it was trained on."""

    @property
    def seen(self) -> frozenset[str]:
        """SHA-256 of each text that the tagger was trained or selected on."""


def count_seen(tagger: TrainedTagger, documents: Iterable[Document]) -> int:
    """Return how many documents have a text that the tagger was trained or selected on."""
    return sum(sha256_text(document.text) in tagger.seen for document in documents)
