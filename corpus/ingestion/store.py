"""A corpus on disk that grows: its documents, its duplicates, and an index that remembers both.

OUT.jsonl              the documents, the first of each cluster of duplicates
OUT.duplicates.jsonl   the others; meta.duplicate says of which document, and how near
OUT.index              an SQLite database, made anew whenever the files were changed by hand
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import InputError
from ..document import Document, document_to_json, unused_id
from ..duplicates import Duplicate, DuplicateFinder, Sketch, open_index
from ..files import open_atomic, read_documents, sha256_file, sha256_text

_FORMAT = "1"
_KEPT, _REPEATED = "corpus", "duplicates"
_BATCH = 500
"""Documents between two commits: what a kill can cost."""


def duplicates_path(corpus: Path) -> Path:
    """Return where a corpus keeps the documents that repeat others."""
    return corpus.with_suffix(".duplicates.jsonl")


def raw_key(digest: str, facts: Mapping[str, Any]) -> str:
    """Name a raw article: its bytes' hash, and where it was found."""
    place = facts.get("url") or facts.get("file") or f"{facts.get('dataset')}:{facts.get('row')}"
    return f"{digest}|{place}"


class CorpusStore:
    """Adds documents to a corpus.

    New documents wait in the index, committed in batches, until :meth:`finish` writes the files
    anew, atomically: readers never see half a corpus, and a killed run is gone on with by running
    it again, which skips all raw articles that the index knows.

    Args:
        path: the corpus, JSON Lines; it need not exist.

    Raises:
        InputError: if the corpus cannot be read, or another process adds to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InputError(f"{self.path}: is a folder; name a .jsonl file")
        self._files = {_KEPT: self.path, _REPEATED: duplicates_path(self.path)}
        self._index = self.path.with_suffix(".index")
        self._uncommitted = 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except sqlite3.OperationalError as error:
            raise InputError(
                f"{self._index}: in use or not writable ({error}); "
                "wait until the other orbat corpus add has ended"
            ) from error
        except sqlite3.DatabaseError:
            self._index.unlink(missing_ok=True)
            self._open()
        self._finder = DuplicateFinder(database=self._database)
        if not self._is_current():
            self._rebuild()
        self.interrupted = self._count("SELECT count(*) FROM pending") > 0

    def _open(self) -> None:
        self._database = open_index(self._index)
        for statement in (
            "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT)",
            "CREATE TABLE IF NOT EXISTS ids (id TEXT PRIMARY KEY) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS raws (key TEXT PRIMARY KEY) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS pending (place INTEGER PRIMARY KEY, kind TEXT, line TEXT)",
        ):
            self._database.execute(statement)

    def __enter__(self) -> CorpusStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        empty = not self.path.exists() and not self._count("SELECT count(*) FROM raws")
        self._database.execute("COMMIT")
        self._database.close()
        if empty:
            self._index.unlink(missing_ok=True)

    def _count(self, query: str, *values: Any) -> int:
        return int(self._database.execute(query, values).fetchone()[0])

    def _state(self, name: str) -> str | None:
        found = self._database.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def _set_state(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def _is_current(self) -> bool:
        """Tell whether the index is of these files; complete a merge that a kill interrupted."""
        if self._state("format") != _FORMAT:
            return False
        for kind, path in self._files.items():
            digest = sha256_file(path) if path.exists() else ""
            if digest == self._state(f"{kind} next"):
                self._merged(kind, digest)
            elif digest != self._state(kind):
                return False
        return True

    def _rebuild(self) -> None:
        for table in ("state", "ids", "raws", "pending", "met", "keys", "bands"):
            self._database.execute(f"DELETE FROM {table}")
        for kind, path in self._files.items():
            for document in read_documents(path) if path.exists() else ():
                provenance = document.meta.get("provenance")
                if not isinstance(provenance, dict):
                    provenance = {}
                digest = provenance.get("sha256") or sha256_text(document.text)
                self._remember(document.id, raw_key(digest, provenance))
                # Duplicates too: their words are known then, as they were when they came.
                self._finder.meet(document)
            self._set_state(kind, sha256_file(path) if path.exists() else "")
        self._set_state("format", _FORMAT)
        self._commit()

    def _remember(self, identity: str, key: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO ids VALUES (?)", (identity,))
        self._database.execute("INSERT OR IGNORE INTO raws VALUES (?)", (key,))

    def _commit(self) -> None:
        self._database.execute("COMMIT")
        self._database.execute("BEGIN IMMEDIATE")
        self._uncommitted = 0

    def _has(self, identity: str) -> bool:
        return self._count("SELECT count(*) FROM ids WHERE id = ?", identity) > 0

    def knows(self, key: str) -> bool:
        """Tell whether a raw article was added before; see :func:`raw_key`."""
        return self._count("SELECT count(*) FROM raws WHERE key = ?", key) > 0

    def add(
        self, document: Document, key: str, sketched: Sketch | None = None
    ) -> tuple[Document, Duplicate | None] | None:
        """Add a document, under an id of its own.

        Args:
            document: the document.
            key: of the raw article.
            sketched: the document's sketch, where that is at hand.

        Returns:
            The document as it is kept and what it repeats, or None where the corpus has this very
            document already.
        """
        own = replace(document, id=unused_id(document, self._has))
        duplicate = self._finder.meet(own, sketched)
        if duplicate is not None and duplicate.similarity == 1.0 and duplicate.of == document.id:
            self._remember(document.id, key)
            return None
        if duplicate is not None:
            link = {"of": duplicate.of, "similarity": round(duplicate.similarity, 3)}
            own = replace(own, meta={**own.meta, "duplicate": link})
        line = json.dumps(document_to_json(own), ensure_ascii=False)
        kind = _KEPT if duplicate is None else _REPEATED
        self._database.execute("INSERT INTO pending (kind, line) VALUES (?, ?)", (kind, line))
        self._remember(own.id, key)
        self._uncommitted += 1
        if self._uncommitted >= _BATCH:
            self._commit()
        return own, duplicate

    def finish(self) -> int:
        """Write all that waits into the corpus and its duplicates; return the documents added."""
        self._commit()
        added = self._waiting(_KEPT)
        for kind, path in self._files.items():
            if not self._waiting(kind):
                continue
            hasher = hashlib.sha256()
            with open_atomic(path) as file:
                for part in self._content(kind, path):
                    hasher.update(part)
                    file.write(part)
                # A kill may come on either side of the renaming: the next run sees on which.
                self._set_state(f"{kind} next", hasher.hexdigest())
                self._commit()
            self._merged(kind, hasher.hexdigest())
        return added

    def _waiting(self, kind: str) -> int:
        return self._count("SELECT count(*) FROM pending WHERE kind = ?", kind)

    def _content(self, kind: str, path: Path) -> Iterator[bytes]:
        if path.exists():
            with path.open("rb") as old:
                yield from iter(lambda: old.read(1 << 20), b"")
        for (line,) in self._database.execute(
            "SELECT line FROM pending WHERE kind = ? ORDER BY place", (kind,)
        ):
            yield line.encode() + b"\n"

    def _merged(self, kind: str, digest: str) -> None:
        self._database.execute("DELETE FROM pending WHERE kind = ?", (kind,))
        self._database.execute("DELETE FROM state WHERE name = ?", (f"{kind} next",))
        self._set_state(kind, digest)
        self._commit()
