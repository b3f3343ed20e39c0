"""Conventions for `Document.meta`: source and publication date."""

from __future__ import annotations

from .document import Document

SOURCE_KEYS = ("source", "site", "desk")
"""Keys of `meta` that name the source, in order of preference."""
DATE_KEYS = ("date", "published")
"""Keys of `meta` that hold the publication date, in order of preference."""
UNKNOWN_VALUE = "(unknown)"


def document_source(document: Document) -> str:
    """Return the source that a document's meta names, else :data:`UNKNOWN_VALUE`."""
    return next(
        (str(document.meta[key]) for key in SOURCE_KEYS if document.meta.get(key)), UNKNOWN_VALUE
    )


def document_date(document: Document) -> str:
    """Return the publication date that a document's meta gives, else an empty string."""
    return next((str(document.meta[key]) for key in DATE_KEYS if document.meta.get(key)), "")
