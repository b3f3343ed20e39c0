"""A file of the tag log-probabilities that a teacher gave to the words of articles."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from ...errors import InputError
from ..tagger.arrays import Floats

SCORES_FILE = "scores.sqlite"
"""The file, in the run folder of a teacher that is a run."""
_LOCK_SECONDS = 60


class ScoreStore:
    """Log-probabilities of tags by key, in half precision, in an SQLite file.

    Several processes may use a file at the same time. A file that does not exist is empty; it is
    created when scores are added.

    Args:
        path: the file, which is also an attribute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def missing(self, keys: list[bytes]) -> list[bytes]:
        """Return the keys that have no scores, in order.

        Raises:
            InputError: if the file is damaged.
        """
        if not self.path.is_file():
            return keys
        try:
            with closing(self._connect()) as database:
                known = {key for (key,) in database.execute("SELECT key FROM scores")}
        except sqlite3.DatabaseError as error:
            raise InputError(f"{self.path}: cannot be read ({error}); delete it") from error
        return [key for key in keys if key not in known]

    def read(self, keys: list[bytes], tags: int) -> list[Floats]:
        """Return the scores of some keys, *Shape:* (words, tags) each.

        Raises:
            InputError: if the file is damaged, or a key has no scores.
        """
        try:
            with closing(self._connect()) as database:
                query = "SELECT log_probs FROM scores WHERE key = ?"
                rows = [database.execute(query, (key,)).fetchone() for key in keys]
        except sqlite3.DatabaseError as error:
            raise InputError(f"{self.path}: cannot be read ({error}); delete it") from error
        if not all(rows):
            raise InputError(f"{self.path}: was changed during training; resume with --resume")
        return [
            np.frombuffer(row[0], dtype=np.float16).astype(np.float32).reshape(-1, tags)
            for row in rows
        ]

    def add(self, scores: dict[bytes, Floats]) -> None:
        """Add scores by key, all or none of them.

        Raises:
            InputError: if the file is damaged or cannot be written.
        """
        rows = [(key, values.astype(np.float16).tobytes()) for key, values in scores.items()]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS scores "
                    "(key BLOB PRIMARY KEY, log_probs BLOB NOT NULL) WITHOUT ROWID"
                )
                database.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?)", rows)
        except (sqlite3.DatabaseError, OSError) as error:
            raise InputError(
                f"{self.path}: cannot be written ({error}); free disk space, or copy the "
                "teacher's run folder to where it can be written (of other teachers, name another "
                "cache folder by XDG_CACHE_HOME)"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_LOCK_SECONDS)
