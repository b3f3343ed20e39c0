"""The files of a corpus: their documents, and how those that are pending come into them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...document import Document
from ...files import read_documents, sha256_file
from ...output.atomic import open_atomic
from .index import CorpusIndex

DOCUMENTS, DUPLICATES = "corpus", "duplicates"
"""The kinds of files."""


class Written(NamedTuple):
    """The numbers of documents that were added to a corpus, and replaced in its files."""

    added: int
    updated: int


class CorpusFiles:
    """The file of a corpus and the one of its duplicates.

    Args:
        path: the corpus.
        index: its index.
    """

    def __init__(self, path: Path, index: CorpusIndex) -> None:
        self._paths = {DOCUMENTS: path, DUPLICATES: path.with_suffix(".duplicates.jsonl")}
        self._index = index

    def read(self) -> Iterator[tuple[str, Document]]:
        """Yield the kind of file and the document of each line."""
        for kind, path in self._paths.items():
            for document in read_documents(path) if path.exists() else ():
                yield kind, document

    def mark_indexed(self) -> None:
        """Record that the index describes the files as they are."""
        for kind, path in self._paths.items():
            self._index.set_state(kind, _digest(path))

    def are_indexed(self) -> bool:
        """Return whether the index describes the files; complete an interrupted :meth:`write`."""
        for kind, path in self._paths.items():
            digest = _digest(path)
            if digest == self._index.state(f"{kind} next"):
                self._mark_written(kind, digest)
            elif digest != self._index.state(kind):
                return False
        return True

    def has_pending(self) -> bool:
        """Return whether documents wait to be written."""
        return any(self._index.count_pending(kind) for kind in self._paths)

    def write(self) -> Written:
        """Write all pending documents to the files, each of which is replaced atomically."""
        self._index.commit()
        written = Written(
            self._index.count_pending(DOCUMENTS, replaces=False),
            sum(self._index.count_pending(kind, replaces=True) for kind in self._paths),
        )
        for kind, path in self._paths.items():
            if not self._index.count_pending(kind):
                continue
            hasher = hashlib.sha256()
            with open_atomic(path) as file:
                for block in self._merge_pending(kind, path):
                    hasher.update(block)
                    file.write(block)
                # If interrupted just before or after the file is replaced, the next run
                # compares this hash with the file's.
                self._index.set_state(f"{kind} next", hasher.hexdigest())
                self._index.commit()
            self._mark_written(kind, hasher.hexdigest())
        return written

    def _merge_pending(self, kind: str, path: Path) -> Iterator[bytes]:
        if path.exists():
            replaces = self._index.count_pending(kind, replaces=True) > 0
            line = b"\n"
            with path.open("rb") as old:
                for line in old:
                    yield self._replace(line) if replaces and line.strip() else line
            if not line.endswith(b"\n"):
                yield b"\n"
        for new in self._index.new_lines(kind):
            yield new.encode() + b"\n"

    def _replace(self, line: bytes) -> bytes:
        """Return the line of a document, or of its new version, with the end of the old line."""
        new = self._index.replacement(json.loads(line.decode("utf-8-sig"))["id"])
        if new is None:
            return line
        return new.encode() + (b"\n" if line.endswith(b"\n") else b"")

    def _mark_written(self, kind: str, digest: str) -> None:
        with self._index.step():
            self._index.remove_pending(kind)
            self._index.set_state(f"{kind} next", None)
            self._index.set_state(kind, digest)
        self._index.commit()


def _digest(path: Path) -> str:
    """Return the hash of a file; empty if there is none."""
    return sha256_file(path) if path.exists() else ""
