"""What every tagger can do, however it finds entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from .document import Document


class Tagger(Protocol):
    """Finds the entities of documents: rules, a baseline, a trained network or a packaged model."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it can give."""

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents in order, their spans replaced by the tagger's."""
