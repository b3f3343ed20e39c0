"""The unfinished output of a bulk tagging run, from which an interrupted run resumes.

While a run is in progress, three files are beside its output:

.OUT.part      tagged documents, JSON Lines
.OUT.rejected  articles that cannot be used, with location and reason, JSON Lines
.OUT.state     an SQLite database: the number of articles done, the sizes of the other two files
               at that moment, and hashes of the document ids in use

An interrupted run leaves them. The next run truncates both files to the committed sizes and
resumes there.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ...corpus.document import Document, document_to_json
from ...corpus.output.atomic import name_full_disk
from ...corpus.rejected import Rejected
from ...errors import InputError

STATE_FORMAT = 2
"""Version of the state file, kept as SQLite's `user_version`."""
_STATE_COLUMNS = (
    "fingerprint TEXT, articles INTEGER, documents INTEGER, rejected INTEGER, "
    "part_size INTEGER, rejected_size INTEGER"
)


def rejected_path(output: Path) -> Path:
    """Return the file that lists the rejected articles of a finished run."""
    return output.with_suffix(".rejected.jsonl")


class OutputTransaction:
    """An output that is written in committed steps and appears only when it is complete.

    A context manager; leaving it closes the files and keeps them, so that a run can resume.

    Args:
        output: the file to be written.
        fingerprint: of the model and the sources. A run resumes only with the same one.

    Attributes:
        part: the tagged documents so far, JSON Lines.
        articles: articles done.
        documents: documents written.
        rejected: articles that could not be used.

    Raises:
        InputError: if the files belong to a run with another fingerprint or of another version of
            orbat, are in use by another process, or cannot be written.
    """

    def __init__(self, output: Path, fingerprint: str) -> None:
        self.output = output
        self.part, self._rejected_part, self._state_path = (
            output.with_name(f".{output.name}.{name}") for name in ("part", "rejected", "state")
        )
        self._state = self._open_state()
        self._reserved: set[str] = set()
        try:
            state = self._load_state(fingerprint)
            self.articles, self.documents, self.rejected, part_size, rejected_size = state
            self._files = (
                _open_truncated(self.part, part_size),
                _open_truncated(self._rejected_part, rejected_size),
            )
        except InputError:
            self._state.close()
            raise
        self._commit()

    def _open_state(self) -> sqlite3.Connection:
        """Open the state database exclusively; create it if it is missing.

        Raises:
            InputError: if it cannot be written, is in use or of another version.
        """
        try:
            self.output.parent.mkdir(parents=True, exist_ok=True)
            state = sqlite3.connect(self._state_path, isolation_level=None)
            state.execute("PRAGMA locking_mode = EXCLUSIVE")
            state.execute("BEGIN EXCLUSIVE")
            (tables,) = state.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            (version,) = state.execute("PRAGMA user_version").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"{self.output}: cannot be written ({error}); is another run writing it?"
            ) from error
        if tables and version != STATE_FORMAT:
            state.close()
            raise InputError(
                f"{self._state_path}: written by another version of orbat (format {version}, "
                f"expected {STATE_FORMAT}); delete it and run again"
            )
        state.execute(f"PRAGMA user_version = {STATE_FORMAT}")
        state.execute("CREATE TABLE IF NOT EXISTS ids (hash INTEGER PRIMARY KEY)")
        state.execute(f"CREATE TABLE IF NOT EXISTS state ({_STATE_COLUMNS})")
        return state

    def _load_state(self, fingerprint: str) -> list[int]:
        """Return articles, documents, rejected and both sizes of the run to resume, or zeros.

        Raises:
            InputError: if the state is of another run.
        """
        row = self._state.execute("SELECT * FROM state").fetchone()
        if row is not None and not (self.part.is_file() and self._rejected_part.is_file()):
            # The run was interrupted after its output had been written.
            self._state.execute("DELETE FROM state")
            self._state.execute("DELETE FROM ids")
            row = None
        if row is None:
            row = (fingerprint, 0, 0, 0, 0, 0)
            self._state.execute("INSERT INTO state VALUES (?, ?, ?, ?, ?, ?)", row)
        if row[0] != fingerprint:
            raise InputError(
                f"{self.output}: an interrupted run of another model, threshold or other sources "
                f"is in progress; delete {self._state_path} or choose another output"
            )
        return list(row[1:])

    def __enter__(self) -> OutputTransaction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with closing(self._state), ExitStack() as stack:
            for path, file in zip((self.part, self._rejected_part), self._files, strict=True):
                stack.enter_context(name_full_disk(path))
                stack.callback(file.close)
        if isinstance(error, sqlite3.OperationalError):
            raise InputError(
                f"{self._state_path}: cannot be written ({error}); make room, then run the command "
                "again: it resumes"
            ) from error

    def has_id(self, doc_id: str) -> bool:
        """Return whether a document id is in use."""
        if doc_id in self._reserved:
            return True
        row = self._state.execute("SELECT 1 FROM ids WHERE hash = ?", (_hash_id(doc_id),))
        return row.fetchone() is not None

    def reserve_id(self, doc_id: str) -> None:
        """Reserve an id for a document that will be appended."""
        self._reserved.add(doc_id)

    def append(self, documents: Iterable[Document], rejected: Sequence[Rejected]) -> None:
        """Write the results of some articles, and commit.

        Args:
            documents: tagged documents.
            rejected: the articles that could not be used.
        """
        rows = [document_to_json(document) for document in documents]
        for row in rows:
            self._reserved.discard(row["id"])
            self._state.execute("INSERT INTO ids VALUES (?)", (_hash_id(row["id"]),))
        rejected_rows = [asdict(article) for article in rejected]
        with name_full_disk(self.part):
            for file, records in zip(self._files, (rows, rejected_rows), strict=True):
                for record in records:
                    file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self.articles += len(rows) + len(rejected)
        self.documents += len(rows)
        self.rejected += len(rejected)
        self._commit()

    def _commit(self) -> None:
        sizes = [file.tell() for file in self._files]
        self._state.execute(
            "UPDATE state SET articles = ?, documents = ?, rejected = ?, part_size = ?, "
            "rejected_size = ?",
            (self.articles, self.documents, self.rejected, *sizes),
        )
        self._state.execute("COMMIT")
        self._state.execute("BEGIN EXCLUSIVE")

    def first_rejected(self) -> Rejected | None:
        """Return the first rejected article; None if there is none."""
        with self._rejected_part.open(encoding="utf-8") as file:
            line = file.readline()
        return Rejected(**json.loads(line)) if line else None

    def finish(self) -> Path | None:
        """Put the list of rejected articles in place and delete the other files.

        Call it after the output has been written.

        Returns:
            The list of rejected articles; None if there are none.
        """
        path = rejected_path(self.output)
        if self.rejected:
            self._rejected_part.replace(path)
        else:
            path.unlink(missing_ok=True)
        self.discard()
        return path if self.rejected else None

    def discard(self) -> None:
        """Delete the unfinished output."""
        # The state is deleted first: without it, the other files are ignored.
        for path in (self._state_path, self.part, self._rejected_part):
            path.unlink(missing_ok=True)


def _open_truncated(path: Path, size: int) -> IO[bytes]:
    """Open a file for appending, truncated to its first `size` bytes.

    Raises:
        InputError: if the file is shorter.
    """
    file: Any = path.open("r+b" if size else "wb")
    if path.stat().st_size < size:
        file.close()
        raise InputError(
            f"{path}: shorter than recorded in its state file; delete both and run again"
        )
    file.truncate(size)
    file.seek(size)
    return file  # type: ignore[no-any-return]


def _hash_id(doc_id: str) -> int:
    """Return a 64-bit hash, which takes less memory and disk space than the id."""
    digest = hashlib.blake2b(doc_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
