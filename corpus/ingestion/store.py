"""A corpus on disk that grows: its documents, their duplicates and an index of both.

OUT.jsonl              the documents; of each cluster of duplicates, the first
OUT.duplicates.jsonl   the other documents of the clusters; meta.duplicate names the first
OUT.index              an SQLite database, rebuilt if the files were edited or its format is older
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import InputError
from ..deduplication.duplicates import Duplicate, DuplicateFinder, MinHashSignature
from ..document import Document, document_to_json, unused_id
from ..files import open_atomic, read_documents, sha256_file, sha256_text

_INDEX_FORMAT = "2"
_DOCUMENTS, _DUPLICATES = "corpus", "duplicates"
_COMMIT_INTERVAL = 500
"""Documents between two commits: the most that an interruption can lose."""


def duplicates_path(corpus: Path) -> Path:
    """Return the path of the duplicates of a corpus."""
    return corpus.with_suffix(".duplicates.jsonl")


def article_key(digest: str, origin: Mapping[str, Any]) -> str:
    """Return the key of a raw article: the hash of its bytes, and its URL, file or row."""
    source = (
        origin.get("url") or origin.get("file") or f"{origin.get('dataset')}:{origin.get('row')}"
    )
    return f"{digest}|{source}"


@dataclass(frozen=True)
class StoredDocument:
    """A document that was added to a corpus.

    Attributes:
        document: the document as it is stored, under its unique id.
        duplicate: the earlier document that it repeats; None if it repeats none.
    """

    document: Document
    duplicate: Duplicate | None


class CorpusStore:
    """Adds documents to a corpus.

    New documents are collected in the index until :meth:`finish` replaces the files atomically:
    readers never see a partly written corpus. An interrupted run resumes when it is started again,
    because it skips all raw articles that the index contains.

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
        self._files = {_DOCUMENTS: self.path, _DUPLICATES: duplicates_path(self.path)}
        self._index_path = self.path.with_suffix(".index")
        self._uncommitted = 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except sqlite3.OperationalError as error:
            raise InputError(
                f"{self._index_path}: in use or not writable ({error}); "
                "wait until the other orbat corpus add has ended"
            ) from error
        except sqlite3.DatabaseError:
            self._index_path.unlink(missing_ok=True)
            self._open()
        self._finder = DuplicateFinder(database=self._database)
        if not self._is_current():
            self._rebuild()
        self.interrupted = self._count("SELECT count(*) FROM pending") > 0

    def _open(self) -> None:
        self._database = _open_exclusively(self._index_path)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT)"
        )
        if self._state("format") != _INDEX_FORMAT:
            _drop_tables(self._database)
        for table in (
            "state (name TEXT PRIMARY KEY, value TEXT)",
            "ids (id TEXT PRIMARY KEY) WITHOUT ROWID",
            "articles (key TEXT PRIMARY KEY) WITHOUT ROWID",
            "pending (number INTEGER PRIMARY KEY, kind TEXT, line TEXT)",
        ):
            self._database.execute(f"CREATE TABLE IF NOT EXISTS {table}")

    def __enter__(self) -> CorpusStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        is_empty = not self.path.exists() and not self._count("SELECT count(*) FROM articles")
        self._database.execute("COMMIT")
        self._database.close()
        if is_empty:
            self._index_path.unlink(missing_ok=True)

    def _count(self, query: str, *values: Any) -> int:
        return int(self._database.execute(query, values).fetchone()[0])

    def _state(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _set_state(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def _is_current(self) -> bool:
        """Return whether the index describes the files; complete an interrupted :meth:`finish`."""
        if self._state("format") != _INDEX_FORMAT:
            return False
        for kind, path in self._files.items():
            digest = sha256_file(path) if path.exists() else ""
            if digest == self._state(f"{kind} next"):
                self._mark_written(kind, digest)
            elif digest != self._state(kind):
                return False
        return True

    def _rebuild(self) -> None:
        for table in ("state", "ids", "articles", "pending"):
            self._database.execute(f"DELETE FROM {table}")
        self._finder.clear()
        for kind, path in self._files.items():
            for document in read_documents(path) if path.exists() else ():
                provenance = document.meta.get("provenance")
                if not isinstance(provenance, dict):
                    provenance = {}
                digest = provenance.get("sha256") or sha256_text(document.text)
                self._add_keys(document.id, article_key(digest, provenance))
                # Duplicates are added too: their words are then known, as in the first run.
                self._finder.add_or_match(document)
            self._set_state(kind, sha256_file(path) if path.exists() else "")
        self._set_state("format", _INDEX_FORMAT)
        self._commit()

    def _add_keys(self, doc_id: str, key: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO ids VALUES (?)", (doc_id,))
        self._database.execute("INSERT OR IGNORE INTO articles VALUES (?)", (key,))

    def _commit(self) -> None:
        self._database.execute("COMMIT")
        self._database.execute("BEGIN IMMEDIATE")
        self._uncommitted = 0

    def _has_id(self, doc_id: str) -> bool:
        return self._count("SELECT count(*) FROM ids WHERE id = ?", doc_id) > 0

    def contains(self, key: str) -> bool:
        """Return whether a raw article was added before; see :func:`article_key`."""
        return self._count("SELECT count(*) FROM articles WHERE key = ?", key) > 0

    def add(
        self, document: Document, key: str, signature: MinHashSignature | None = None
    ) -> StoredDocument | None:
        """Add a document, under an id that is unique in the corpus.

        Args:
            document: the document.
            key: the key of its raw article.
            signature: the document's signature, if already computed.

        Returns:
            The stored document; None if the corpus contains one with this id and these words.
        """
        stored = replace(document, id=unused_id(document, self._has_id))
        duplicate = self._finder.add_or_match(stored, signature)
        if duplicate is not None and duplicate.similarity == 1.0 and duplicate.of == document.id:
            self._add_keys(document.id, key)
            return None
        if duplicate is not None:
            link = {"of": duplicate.of, "similarity": round(duplicate.similarity, 3)}
            stored = replace(stored, meta={**stored.meta, "duplicate": link})
        line = json.dumps(document_to_json(stored), ensure_ascii=False)
        kind = _DOCUMENTS if duplicate is None else _DUPLICATES
        self._database.execute("INSERT INTO pending (kind, line) VALUES (?, ?)", (kind, line))
        self._add_keys(stored.id, key)
        self._uncommitted += 1
        if self._uncommitted >= _COMMIT_INTERVAL:
            self._commit()
        return StoredDocument(stored, duplicate)

    def finish(self) -> int:
        """Write all pending documents to the files; return the number added to the corpus."""
        self._commit()
        added = self._count_pending(_DOCUMENTS)
        for kind, path in self._files.items():
            if not self._count_pending(kind):
                continue
            hasher = hashlib.sha256()
            with open_atomic(path) as file:
                for block in self._merge_pending(kind, path):
                    hasher.update(block)
                    file.write(block)
                # If interrupted just before or after the file is replaced, the next run
                # compares this hash with the file's.
                self._set_state(f"{kind} next", hasher.hexdigest())
                self._commit()
            self._mark_written(kind, hasher.hexdigest())
        return added

    def _count_pending(self, kind: str) -> int:
        return self._count("SELECT count(*) FROM pending WHERE kind = ?", kind)

    def _merge_pending(self, kind: str, path: Path) -> Iterator[bytes]:
        if path.exists():
            with path.open("rb") as old:
                yield from iter(lambda: old.read(1 << 20), b"")
        for (line,) in self._database.execute(
            "SELECT line FROM pending WHERE kind = ? ORDER BY number", (kind,)
        ):
            yield line.encode() + b"\n"

    def _mark_written(self, kind: str, digest: str) -> None:
        self._database.execute("DELETE FROM pending WHERE kind = ?", (kind,))
        self._database.execute("DELETE FROM state WHERE name = ?", (f"{kind} next",))
        self._set_state(kind, digest)
        self._commit()


def _open_exclusively(path: Path) -> sqlite3.Connection:
    """Open or create a database that only this process may use.

    Raises:
        sqlite3.OperationalError: if another process uses it.
        sqlite3.DatabaseError: if the file is not a database.
    """
    database = sqlite3.connect(path, timeout=1.0, isolation_level=None)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA cache_size = -65536")
    database.execute("BEGIN IMMEDIATE")
    return database


def _drop_tables(database: sqlite3.Connection) -> None:
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        database.execute(f'DROP TABLE "{table}"')
