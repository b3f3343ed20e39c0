"""The mentions of a set of documents: how often each surface has each label."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from ..corpus.document import Document, Span

_NON_WORD = re.compile(r"[\W_]+")


def normalize(surface: str) -> str:
    """Casefold a surface, and replace white space and punctuation by single spaces."""
    return _NON_WORD.sub(" ", surface.casefold()).strip()


def surface_of(document: Document, span: Span) -> str:
    """Return the text of a span."""
    return document.text[span.start : span.end]


class MentionIndex:
    """Counts of labels by surface, exact and normalized.

    Args:
        documents: documents with labeled spans, such as the training documents.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self._exact: dict[str, Counter[str]] = defaultdict(Counter)
        self._normalized: dict[str, Counter[str]] = defaultdict(Counter)
        for document in documents:
            for span in document.spans:
                surface = surface_of(document, span)
                self._exact[surface][span.label] += 1
                self._normalized[normalize(surface)][span.label] += 1

    def labels_of(self, surface: str, *, normalized: bool = False) -> Mapping[str, int]:
        """Return how often a surface has each label.

        Args:
            surface: the text of a mention.
            normalized: compare normalized surfaces.
        """
        if normalized:
            return self._normalized.get(normalize(surface), Counter())
        return self._exact.get(surface, Counter())
