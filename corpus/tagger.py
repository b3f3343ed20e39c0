"""The protocol of everything that tags documents with entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from .document import Document


class Tagger(Protocol):
    """Finds entities in documents: rules, a baseline, a trained network or a packaged model."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the labels that the tagger predicts."""

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents in order, their spans replaced by predicted ones."""
