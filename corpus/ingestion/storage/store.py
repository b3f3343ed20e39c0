"""A corpus on disk that grows: its documents, their duplicates and an index of both.

OUT.jsonl              the documents; of each cluster of duplicates, the first
OUT.duplicates.jsonl   the other documents of the clusters; meta.duplicate names the first
OUT.index              an SQLite database, rebuilt if the files were edited or its format is older
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

from ....errors import InputError
from ...deduplication.duplicates import Duplicate, DuplicateFinder, MinHashSignature
from ...document import Document, document_to_json, possible_ids
from ...files import sha256_text
from ...json_values import encode_json
from .corpus_files import DOCUMENTS, DUPLICATES, CorpusFiles, Written
from .index import CorpusIndex, IndexedDocument

_FULL = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC),
    *(sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_SHMSIZE),
)
"""The errors of SQLite on a disk, a quota or a file that is full."""


def article_key(
    digest: str, origin: Mapping[str, Any], doc_id: str = "", spans: Sequence[Any] = ()
) -> str:
    """Return the key of a raw article, which equal articles of one source share.

    Args:
        digest: the hash of its bytes or, of a record, of its text.
        origin: its URL, file or row.
        doc_id: the id that a record has itself, which does not follow from the hash.
        spans: the spans that a record has itself, as decoded JSON.
    """
    source = (
        origin.get("url") or origin.get("file") or f"{origin.get('dataset')}:{origin.get('row')}"
    )
    if not (doc_id or spans):
        return f"{digest}|{source}"
    own = json.dumps([doc_id, list(spans)], sort_keys=True, default=str)
    return f"{digest}|{source}|{sha256_text(own)}"


class Outcome(StrEnum):
    """What became of a document that was to be added to a corpus."""

    ADDED = "added"
    UPDATED = "updated"
    KNOWN = "known"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class StoredDocument:
    """A document that is in a corpus now.

    Attributes:
        document: the document under its id in the corpus.
        outcome: whether it was added, replaced an earlier version, was there before, or was added
            to the duplicates.
        duplicate: the earlier document that it repeats, if it was added to the duplicates.
    """

    document: Document
    outcome: Outcome
    duplicate: Duplicate | None = None


class CorpusStore:
    """Adds documents to a corpus.

    New documents are collected in the index until :meth:`finish` replaces the files atomically:
    readers never see a partly written corpus. An interrupted run resumes when it is started again,
    because the index contains all documents that were added whole.

    Args:
        path: the corpus, JSON Lines; it need not exist.

    Attributes:
        interrupted: whether the index holds documents of an interrupted run.

    Raises:
        InputError: if the corpus cannot be read, or another process adds to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InputError(f"{self.path}: is a folder; name a .jsonl file")
        self._index = CorpusIndex(self.path.with_suffix(".index"))
        try:
            self._files = CorpusFiles(self.path, self._index)
            self._finder = DuplicateFinder(database=self._index.database)
            if not self._files.are_indexed():
                self._rebuild()
            self.interrupted = self._files.has_pending()
        except BaseException as error:
            with suppress(sqlite3.DatabaseError):
                self._index.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise self._to_error(error) from error
            raise

    def __enter__(self) -> CorpusStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            documents = self._index.count("SELECT count(*) FROM documents")
            self._index.close()
        except sqlite3.DatabaseError as failure:
            raise self._to_error(failure) from failure
        if not documents and not self.path.exists():
            self._index.path.unlink(missing_ok=True)
        if isinstance(error, sqlite3.DatabaseError):
            raise self._to_error(error) from error

    def _to_error(self, error: sqlite3.DatabaseError) -> InputError:
        """Return a line for the user: the disk is full, or the file is damaged."""
        if getattr(error, "sqlite_errorcode", None) in _FULL:
            reason = (
                f"cannot be written ({error}); make room, then run the command again: it resumes"
            )
        else:
            reason = (
                f"cannot be used ({error}); delete this file, which is made again from the corpus, "
                "then run the command again"
            )
        return InputError(f"{self._index.path}: {reason}")

    def _rebuild(self) -> None:
        with self._index.step():
            self._index.clear()
            self._finder.clear()
            for kind, document in self._files.read():
                self._index_written(document, kind)
            self._files.mark_indexed()
        self._index.commit()

    def _index_written(self, document: Document, kind: str) -> None:
        """Index a document of a file as it was when it was added."""
        cluster, similarity = document.id, 1.0
        if kind == DOCUMENTS:
            self._finder.add(document)
        else:
            link = document.meta.get("duplicate")
            if isinstance(link, dict) and isinstance(link.get("of"), str):
                cluster, similarity = link["of"], float(link.get("similarity") or 0)
            # Duplicates are added too: their words are then known, as in the first run.
            self._finder.add_or_match(document)
        self._index.put(_describe(document, kind, cluster, similarity))
        provenance = document.meta.get("provenance")
        provenance = provenance if isinstance(provenance, dict) else {}
        digest = provenance.get("sha256")
        if not isinstance(digest, str):
            return
        key = article_key(digest, provenance)
        if "encoding" not in provenance and document.id != digest[:16]:  # a record with an id
            spans = document_to_json(document)["spans"]
            key = article_key(digest, provenance, document.id, spans)
        self._index.put_article(key, document.id)

    def contains(self, key: str) -> bool:
        """Return whether a raw article was added before; see :func:`article_key`."""
        return self._index.has_article(key)

    def add(
        self,
        document: Document,
        key: str,
        signature: MinHashSignature | None = None,
    ) -> StoredDocument:
        """Add a document, or replace the version of it that an earlier run has written.

        A document is known if one with its id has the same text and labels, or the same text and
        it has no labels itself. Otherwise, it is a new version of the document with its id if the
        texts are equal, or if they are near duplicates and the id is a record's own, and is stored
        in the place of that one. Labels are never replaced by none. All others are added, under an
        id that is unique in the corpus.

        Args:
            document: the document.
            key: the key of its raw article, by which :meth:`contains` will find it.
            signature: the document's signature, if already computed.
        """
        with self._index.step():
            stored = self._add(document, signature)
            self._index.put_article(key, stored.document.id)
        return stored

    def _add(self, document: Document, signature: MinHashSignature | None) -> StoredDocument:
        new = _describe(document, DOCUMENTS, document.id, 1.0)
        named: list[IndexedDocument] = []
        for doc_id in possible_ids(document):
            found = self._index.document(doc_id)
            if found is None:
                break
            if found.text == new.text and new.labels in ("", found.labels):
                return StoredDocument(replace(document, id=doc_id), Outcome.KNOWN)
            named.append(found)
        earlier = self._find_version(named, document, new, signature)
        if earlier is not None:
            return self._update(earlier, document, new, signature)
        stored = replace(document, id=doc_id)
        duplicate = self._finder.add_or_match(stored, signature)
        if duplicate is None:
            self._put(DOCUMENTS, stored, doc_id, 1.0)
            return StoredDocument(stored, Outcome.ADDED)
        stored = self._put(DUPLICATES, stored, duplicate.of, duplicate.similarity)
        return StoredDocument(stored, Outcome.DUPLICATE, duplicate)

    def _find_version(
        self,
        named: list[IndexedDocument],
        document: Document,
        new: IndexedDocument,
        signature: MinHashSignature | None,
    ) -> IndexedDocument | None:
        """Return which of the documents with its names a document is a new version of."""
        for earlier in named:
            # In one run, two articles of one name are two articles: `a/1.txt` and `b/1.txt`.
            if self._index.is_pending(earlier.id) or (earlier.labels and not new.labels):
                continue
            if earlier.text == new.text or (
                earlier.id == document.id
                and _has_own_id(document)
                and any(m.of == earlier.cluster for m in self._finder.find(document, signature))
            ):
                return earlier
        return None

    def _update(
        self,
        earlier: IndexedDocument,
        document: Document,
        new: IndexedDocument,
        signature: MinHashSignature | None,
    ) -> StoredDocument:
        stored = replace(document, id=earlier.id)
        similarity = earlier.similarity
        if earlier.text != new.text and earlier.kind == DOCUMENTS:
            self._finder.replace(stored, signature)
        elif earlier.text != new.text:
            matches = self._finder.find(stored, signature)
            similarity = next(m.similarity for m in matches if m.of == earlier.cluster)
        stored = self._put(earlier.kind, stored, earlier.cluster, similarity, replaces=True)
        return StoredDocument(stored, Outcome.UPDATED)

    def _put(
        self,
        kind: str,
        document: Document,
        cluster: str,
        similarity: float,
        *,
        replaces: bool = False,
    ) -> Document:
        if kind == DUPLICATES:
            link = {"of": cluster, "similarity": round(similarity, 3)}
            document = replace(document, meta={**document.meta, "duplicate": link})
        self._index.put(_describe(document, kind, cluster, similarity))
        line = encode_json(document_to_json(document))
        self._index.put_pending(kind, document.id, line, replaces=replaces)
        return document

    def finish(self) -> Written:
        """Write all pending documents to the files; return the numbers of added and updated."""
        return self._files.write()


def _has_own_id(document: Document) -> bool:
    """Return whether a document was a record; the id of others is the name of a file or page."""
    provenance = document.meta.get("provenance")
    return not isinstance(provenance, dict) or "encoding" not in provenance


def _describe(document: Document, kind: str, cluster: str, similarity: float) -> IndexedDocument:
    labels = [[span.start, span.end, span.label, span.norm] for span in document.spans]
    return IndexedDocument(
        document.id,
        kind,
        text=sha256_text(document.text),
        labels=sha256_text(json.dumps(labels, sort_keys=True)) if labels else "",
        cluster=cluster,
        similarity=similarity,
    )
