"""Exact and near duplicates: the same article met twice."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .document import Document
from .files import sha256_text

SHINGLE_WORDS = 5
NEAR_THRESHOLD = 0.7
PERMUTATIONS = 128
_REACH = 0.85
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Duplicate:
    """A document that repeats an earlier one.

    Attributes:
        id: the document.
        of: the first document of its cluster.
        similarity: estimated Jaccard similarity of their word shingles; 1.0 when the words are
            the same.
    """

    id: str
    of: str
    similarity: float


@dataclass(frozen=True)
class Sketch:
    """What a text is compared by.

    Attributes:
        key: hash of its words in order, without case, spacing and punctuation.
        signature: MinHash of its word shingles. *Shape:* (permutations,), unsigned 32 bits.
    """

    key: str
    signature: bytes


def words_of(text: str) -> list[str]:
    """Return a text's words for comparing: case folded, without punctuation."""
    return _WORD.findall(text.casefold())


def shingles_of(words: list[str]) -> set[str]:
    """Return the runs of :data:`SHINGLE_WORDS` words that texts are compared by."""
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(count)}


def sketch(text: str, permutations: int = PERMUTATIONS) -> Sketch:
    """Sketch a text: the hash of its words, and the MinHash (Broder 1997) of its shingles.

    Shingles are runs of :data:`SHINGLE_WORDS` words; MinHash is datasketch's.
    """
    import numpy as np

    words = words_of(text)
    found = _empty(permutations).copy()
    found.update_batch(sorted(shingle.encode() for shingle in shingles_of(words)))
    key = sha256_text(" ".join(words) if words else text)
    return Sketch(key, found.hashvalues.astype(np.uint32).tobytes())


@cache
def _empty(permutations: int) -> Any:
    """Return a signature of nothing: drawing its hash functions takes longer than using them."""
    from datasketch import MinHash

    return MinHash(num_perm=permutations, hashfunc=zlib.crc32)


@cache
def _bands(threshold: float, permutations: int) -> tuple[int, int]:
    """Return datasketch's number of bands, and of rows in each, for a similarity threshold.

    They reach below it, so that few documents just above it are never compared.
    """
    from datasketch import MinHashLSH

    tuned = MinHashLSH(threshold=_REACH * threshold, num_perm=permutations)
    return tuned.b, tuned.r


class DuplicateFinder:
    """Meets documents one after the other and says which repeat one met before.

    Exact: the same words in the same order, whatever their case, spacing and punctuation. Near:
    estimated Jaccard similarity of at least `threshold` to the first document of a cluster, found
    by locality-sensitive hashing in bands (Leskovec et al., *Mining of Massive Datasets*, 3.4).
    The bands stand in an SQLite database, so that memory does not grow with the documents and
    later runs know what earlier ones met.

    Args:
        threshold: the similarity from which documents repeat each other.
        permutations: length of the signatures.
        database: where to remember; None forgets everything at the end.
    """

    def __init__(
        self,
        threshold: float = NEAR_THRESHOLD,
        permutations: int = PERMUTATIONS,
        database: sqlite3.Connection | None = None,
    ) -> None:
        self._threshold = threshold
        self._permutations = permutations
        self._database = database or sqlite3.connect(":memory:")
        for table in (
            "met (place INTEGER PRIMARY KEY, id TEXT NOT NULL, signature BLOB NOT NULL)",
            "keys (key TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID",
            "bands (band INTEGER, place INTEGER, PRIMARY KEY (band, place)) WITHOUT ROWID",
        ):
            self._database.execute(f"CREATE TABLE IF NOT EXISTS {table}")

    def meet(self, document: Document, sketched: Sketch | None = None) -> Duplicate | None:
        """Return what `document` repeats, or remember it and return None.

        Args:
            document: the document.
            sketched: its sketch, where that is at hand.
        """
        sketched = sketched or sketch(document.text, self._permutations)
        exact = self._database.execute(
            "SELECT id FROM keys WHERE key = ?", (sketched.key,)
        ).fetchone()
        if exact:
            return Duplicate(document.id, exact[0], 1.0)
        near = self.find(document, sketched)
        if near:
            nearest = max(near, key=lambda duplicate: duplicate.similarity)
            self._remember_words(sketched, nearest.of)
            return nearest
        self.remember(document, sketched)
        return None

    def find(self, document: Document, sketched: Sketch | None = None) -> list[Duplicate]:
        """Return every remembered document that `document` repeats, in the order of meeting."""
        import numpy as np

        sketched = sketched or sketch(document.text, self._permutations)
        bands = self._band_keys(sketched.signature)
        marks = ",".join("?" * len(bands))
        rows: list[Any] = self._database.execute(
            f"""SELECT id, signature FROM met WHERE place IN
                (SELECT place FROM bands WHERE band IN ({marks})) ORDER BY place""",
            bands,
        ).fetchall()
        own = np.frombuffer(sketched.signature, dtype=np.uint32)
        found = [
            Duplicate(document.id, of, float(np.mean(own == np.frombuffer(sign, dtype=np.uint32))))
            for of, sign in rows
        ]
        return [duplicate for duplicate in found if duplicate.similarity >= self._threshold]

    def remember(self, document: Document, sketched: Sketch | None = None) -> None:
        """Remember a document, whether it repeats another or not."""
        sketched = sketched or sketch(document.text, self._permutations)
        self._remember_words(sketched, document.id)
        place = self._database.execute(
            "INSERT INTO met (id, signature) VALUES (?, ?)", (document.id, sketched.signature)
        ).lastrowid
        bands = self._band_keys(sketched.signature)
        self._database.executemany(
            "INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, place) for band in bands]
        )

    def _remember_words(self, sketched: Sketch, identity: str) -> None:
        self._database.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (sketched.key, identity))

    def _band_keys(self, signature: bytes) -> list[int]:
        bands, rows = _bands(self._threshold, self._permutations)
        width = rows * 4
        return [
            int.from_bytes(
                hashlib.blake2b(
                    signature[band * width : (band + 1) * width],
                    digest_size=8,
                    key=band.to_bytes(2, "big"),
                ).digest(),
                "big",
                signed=True,
            )
            for band in range(bands)
        ]


def open_index(path: Path) -> sqlite3.Connection:
    """Open or create a database for one process alone.

    Raises:
        sqlite3.OperationalError: if another process has it.
        sqlite3.DatabaseError: if the file is no database.
    """
    database = sqlite3.connect(path, timeout=1.0, isolation_level=None)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA cache_size = -65536")
    database.execute("BEGIN IMMEDIATE")
    return database
