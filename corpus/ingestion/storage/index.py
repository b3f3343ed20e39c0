"""The index of a corpus: an SQLite database of its documents, and of those yet to be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from ....errors import InputError

_FORMAT = "3"
_COMMIT_INTERVAL = 500
"""Steps between two commits: the most that a killed process can lose."""
_TABLES = (
    "state (name TEXT PRIMARY KEY, value TEXT)",
    "documents (id TEXT PRIMARY KEY, kind TEXT, text TEXT, labels TEXT, cluster TEXT, "
    "similarity REAL) WITHOUT ROWID",
    "articles (key TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID",
    "pending (number INTEGER PRIMARY KEY, kind TEXT, id TEXT UNIQUE, line TEXT, replaces INTEGER)",
)


class IndexedDocument(NamedTuple):
    """What the index knows of a document.

    Attributes:
        id: its id.
        kind: the file that it is in, or will be written to.
        text: hash of its text.
        labels: hash of its labels; empty if it has none.
        cluster: id of the first document of its cluster of duplicates.
        similarity: to that document; 1.0 for the first one itself.
    """

    id: str
    kind: str
    text: str
    labels: str
    cluster: str
    similarity: float


class CorpusIndex:
    """The index of a corpus, which only one process at a time may have open.

    Changes are made in steps. A step that is interrupted, even by a signal, leaves no trace; those
    before it are kept.

    Args:
        path: the database; created if it does not exist, and replaced if it is no database.

    Attributes:
        database: the open database, in a transaction.

    Raises:
        InputError: if another process has it open, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._steps = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                reason = "is in use; wait until the other orbat corpus add has ended"
            else:
                reason = f"cannot be written ({error}); check the folder and its disk"
            raise InputError(f"{path}: {reason}") from error
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._open()

    def _open(self) -> None:
        self.database = _open_exclusively(self.path)
        self.database.execute(f"CREATE TABLE IF NOT EXISTS {_TABLES[0]}")
        if self.state("format") != _FORMAT:
            _drop_tables(self.database)
        for table in _TABLES:
            self.database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        self.set_state("format", _FORMAT)
        self.database.execute("CREATE INDEX IF NOT EXISTS articles_by_id ON articles (id)")

    @contextmanager
    def step(self) -> Iterator[None]:
        """Make all changes of a block or, if it does not end, none of them; not to be nested."""
        self.database.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self._undo_step()
            raise
        self.database.execute("RELEASE step")
        self._steps += 1
        if self._steps >= _COMMIT_INTERVAL:
            self.commit()

    def _undo_step(self) -> None:
        """Undo an unfinished step, if there is one: a full disk has ended the transaction."""
        with suppress(sqlite3.DatabaseError):
            self.database.execute("ROLLBACK TO step")
            self.database.execute("RELEASE step")

    def commit(self) -> None:
        """Write what was changed to the disk."""
        self.database.execute("COMMIT")
        self.database.execute("BEGIN IMMEDIATE")
        self._steps = 0

    def close(self) -> None:
        """Write the finished steps to the disk, and close the database."""
        # A signal may have come before a step could undo itself, or between COMMIT and BEGIN.
        self._undo_step()
        if self.database.in_transaction:
            self.database.execute("COMMIT")
        self.database.close()

    def clear(self) -> None:
        """Forget all documents."""
        for table in ("documents", "articles", "pending"):
            self.database.execute(f"DELETE FROM {table}")

    def count(self, query: str, *values: Any) -> int:
        """Return the number that a query yields."""
        return int(self.database.execute(query, values).fetchone()[0])

    # -- state --------------------------------------------------------------------------------

    def state(self, name: str) -> str | None:
        """Return a value by its name, or None."""
        query = "SELECT value FROM state WHERE name = ?"
        row = self.database.execute(query, (name,)).fetchone()
        return row[0] if row else None

    def set_state(self, name: str, value: str | None) -> None:
        """Set a value; None removes it."""
        if value is None:
            self.database.execute("DELETE FROM state WHERE name = ?", (name,))
        else:
            self.database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    # -- documents and articles ---------------------------------------------------------------

    def document(self, doc_id: str) -> IndexedDocument | None:
        """Return the document with an id, or None."""
        query = "SELECT id, kind, text, labels, cluster, similarity FROM documents WHERE id = ?"
        row = self.database.execute(query, (doc_id,)).fetchone()
        return IndexedDocument(*row) if row else None

    def put(self, document: IndexedDocument) -> None:
        """Add a document, or replace the one with its id and forget that one's articles."""
        self.database.execute("DELETE FROM articles WHERE id = ?", (document.id,))
        values = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)"
        self.database.execute(values, document)

    def has_article(self, key: str) -> bool:
        """Return whether an article is that of a document."""
        return self.count("SELECT count(*) FROM articles WHERE key = ?", key) > 0

    def put_article(self, key: str, doc_id: str) -> None:
        """Record that an article is that of a document."""
        self.database.execute("INSERT OR REPLACE INTO articles VALUES (?, ?)", (key, doc_id))

    # -- pending lines ------------------------------------------------------------------------

    def put_pending(self, kind: str, doc_id: str, line: str, *, replaces: bool) -> None:
        """Record a line to be written to a file, at its end or in place of the document's."""
        self.database.execute(
            "INSERT INTO pending (kind, id, line, replaces) VALUES (?, ?, ?, ?)",
            (kind, doc_id, line, replaces),
        )

    def is_pending(self, doc_id: str) -> bool:
        """Return whether a document has a line that is not written yet."""
        return self.count("SELECT count(*) FROM pending WHERE id = ?", doc_id) > 0

    def count_pending(self, kind: str, *, replaces: bool | None = None) -> int:
        """Return the number of lines to be written to a file; None counts both ways."""
        query = "SELECT count(*) FROM pending WHERE kind = ? AND (?2 IS NULL OR replaces = ?2)"
        return self.count(query, kind, replaces)

    def new_lines(self, kind: str) -> Iterator[str]:
        """Yield the lines to be written at the end of a file, in order."""
        query = "SELECT line FROM pending WHERE kind = ? AND NOT replaces ORDER BY number"
        for (line,) in self.database.execute(query, (kind,)):
            yield line

    def replacement(self, doc_id: str) -> str | None:
        """Return the line that replaces a document's, or None."""
        query = "SELECT line FROM pending WHERE id = ? AND replaces"
        row = self.database.execute(query, (doc_id,)).fetchone()
        return row[0] if row else None

    def remove_pending(self, kind: str) -> None:
        """Forget the lines to be written to a file."""
        self.database.execute("DELETE FROM pending WHERE kind = ?", (kind,))


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
