"""Unique ids of the documents of one source, and the choice between several annotators."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from ...corpus.document import Document
from ...errors import InputError
from .conversion_report import ConversionReport
from .imported import ImportedDocument, ReadOptions


class UniqueIds:
    """Keeps the ids of documents unique.

    Args:
        options: which annotators are wanted.
        report: records what is dropped.
    """

    def __init__(self, options: ReadOptions, report: ConversionReport) -> None:
        self._options = options
        self._report = report
        self._parts: dict[str, str] = {}
        """The part that uses an id."""
        self._prefixed: set[str] = set()
        """Parts whose ids get their name in front."""
        self._seen: dict[tuple[str, str | None], bytes] = {}
        """A hash of text and spans by id and annotator."""
        self._annotators: dict[str, str | None] = {}
        """The first annotator of an id."""
        self._other_annotators: set[str] = set()
        self._is_chosen = False

    def add(self, document: Document, imported: ImportedDocument) -> Document | None:
        """Return a document with an id that is unique; None if it is not wanted.

        Raises:
            InputError: if another document has the id, or the document has several annotators.
        """
        annotator = imported.annotator
        wanted = self._options.annotator
        if wanted is not None and annotator != wanted:
            self._other_annotators.add(annotator or "")
            self._report.drop("annotations of other annotators", len(document.spans))
            return None
        self._is_chosen = True
        doc_id = self._unique_id(document.id, imported.part, annotator)
        key = (doc_id, annotator if self._options.by_annotator else None)
        content = _hash(document)
        if key not in self._seen:
            self._seen[key] = content
            self._annotators.setdefault(doc_id, annotator)
            return replace(document, id=doc_id)
        first = self._annotators[doc_id]
        if annotator != first and not self._options.by_annotator:
            raise InputError(
                f"{imported.where}: '{doc_id}' was annotated by {first or 'somebody'} and by "
                f"{annotator or 'somebody else'}; write a file for each annotator with "
                "--by-annotator, or choose one with --annotator"
            )
        if self._seen[key] == content:
            self._report.drop("repeated documents")
            return None
        raise InputError(f"{imported.where}: duplicate id '{doc_id}'; ids must be unique")

    def _unique_id(self, doc_id: str, part: str, annotator: str | None) -> str:
        # Files of several annotators are files of the same documents.
        is_same = annotator is not None and annotator != self._annotators.get(doc_id, annotator)
        if part and self._parts.get(doc_id, part) != part and not is_same:
            self._prefixed.add(part)
        if part in self._prefixed:
            doc_id = f"{part}/{doc_id}"
            self._report.drop("ids that occur in several splits or files")
        self._parts.setdefault(doc_id, part)
        return doc_id

    def check(self, source: Path) -> None:
        """Refuse a source that has other annotators only.

        Raises:
            InputError: naming the annotators that there are.
        """
        if self._options.annotator is None or self._is_chosen:
            return
        names = ", ".join(sorted(name or "(no name)" for name in self._other_annotators))
        raise InputError(
            f"{source}: nothing by annotator '{self._options.annotator}'; "
            f"choose one of {names or '(none)'}"
        )


def _hash(document: Document) -> bytes:
    spans = [(span.start, span.end, span.label) for span in document.spans]
    content = f"{document.text}\0{spans}".encode()
    return hashlib.blake2b(content, digest_size=8).digest()
