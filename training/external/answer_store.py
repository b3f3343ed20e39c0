"""The answers of a language model, kept on disk so that nothing is asked and paid twice."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ...errors import InputError

_LOCK_SECONDS = 60


class AnswerStore:
    """JSON objects by key, in an SQLite file.

    Several threads and processes may use a file at the same time. It is created, readable by its
    owner only, when the first answer is added.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, key: bytes) -> dict[str, Any] | None:
        """Return an answer; None if it is not known.

        Raises:
            InputError: if the file is damaged.
        """
        # It is empty until its first answer is written, or if orbat was killed before.
        if not self._path.is_file() or not self._path.stat().st_size:
            return None
        try:
            with closing(self._connect()) as database:
                query = "SELECT answer FROM answers WHERE key = ?"
                row = database.execute(query, (key,)).fetchone()
                answer = None if row is None else json.loads(row[0])
        except (sqlite3.DatabaseError, ValueError) as error:
            raise InputError(f"{self._path}: cannot be read ({error}); delete it") from error
        return answer if isinstance(answer, dict) else None

    def add(self, key: bytes, answer: dict[str, Any]) -> None:
        """Keep an answer.

        Raises:
            InputError: if the file is damaged or cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            with closing(self._connect()) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS answers "
                    "(key BLOB PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"
                )
                row = (key, json.dumps(answer))
                database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", row)
        except (sqlite3.DatabaseError, OSError) as error:
            raise InputError(
                f"{self._path}: cannot be written ({error}); free disk space, or name another "
                "file by cache in the model file"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_LOCK_SECONDS)
