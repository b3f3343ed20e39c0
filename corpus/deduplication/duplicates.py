"""Exact and near duplicates: MinHash signatures of texts, and an index of those seen."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..document import Document
from ..files import sha256_text
from .ngrams import normalized_words

SHINGLE_WORDS = 5
"""Words of a shingle, the unit by which near duplicates are compared."""
NEAR_THRESHOLD = 0.7
"""Jaccard similarity from which two documents are near duplicates."""
PERMUTATIONS = 128
"""Length of a MinHash signature."""
_BATCH_SHINGLES = 10_000
"""Shingles that are hashed at once, each in a kilobyte of memory."""
_LSH_MARGIN = 0.85
"""The bands are tuned for this share of the threshold, so that few near duplicates are missed."""


@dataclass(frozen=True)
class Duplicate:
    """A document that repeats an earlier one.

    Attributes:
        id: id of the document.
        of: id of the first document of its cluster.
        similarity: estimated Jaccard similarity of their word shingles; 1.0 if the words are the
            same.
    """

    id: str
    of: str
    similarity: float


@dataclass(frozen=True)
class MinHashSignature:
    """The values by which texts are compared.

    Attributes:
        words_sha256: hash of the words in order, without case, spacing and punctuation.
        values: MinHash of the word shingles. *Shape:* (permutations,), unsigned 32 bits.
    """

    words_sha256: str
    values: bytes


def word_shingles(words: list[str]) -> set[str]:
    """Return all sequences of :data:`SHINGLE_WORDS` words."""
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(count)}


def compute_signature(text: str, permutations: int = PERMUTATIONS) -> MinHashSignature:
    """Return the signature of a text: MinHash (Broder 1997) of its shingles, by datasketch."""
    import numpy as np

    words = normalized_words(text)
    minhash = _empty_minhash(permutations).copy()
    shingles = sorted(shingle.encode() for shingle in word_shingles(words))
    for start in range(0, len(shingles), _BATCH_SHINGLES):
        minhash.update_batch(shingles[start : start + _BATCH_SHINGLES])
    digest = sha256_text(" ".join(words) if words else text)
    return MinHashSignature(digest, minhash.hashvalues.astype(np.uint32).tobytes())


@cache
def _empty_minhash(permutations: int) -> Any:
    """Return an empty MinHash to copy: drawing its permutations is slower than applying them."""
    from datasketch import MinHash

    return MinHash(num_perm=permutations, hashfunc=zlib.crc32)


@cache
def _band_shape(threshold: float, permutations: int) -> tuple[int, int]:
    """Return the number of bands and of rows per band that datasketch finds optimal."""
    from datasketch import MinHashLSH

    lsh = MinHashLSH(threshold=_LSH_MARGIN * threshold, num_perm=permutations)
    return lsh.b, lsh.r


class DuplicateFinder:
    """Finds documents that repeat one seen before.

    Exact duplicates have the same words in the same order; case, spacing and punctuation are
    ignored. Near duplicates have an estimated Jaccard similarity of at least `threshold` to the
    first document of a cluster, and are found by locality-sensitive hashing in bands (Leskovec et
    al., *Mining of Massive Datasets*, 3.4). The bands are stored in an SQLite database, which
    bounds the memory and lets later runs compare with the documents of earlier ones.

    Args:
        threshold: similarity from which documents are near duplicates.
        permutations: length of the signatures.
        database: where to store the documents seen; None keeps them in memory.
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
            "seen (number INTEGER PRIMARY KEY, id TEXT NOT NULL, signature BLOB NOT NULL)",
            "words (sha256 TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID",
            "bands (band INTEGER, number INTEGER, PRIMARY KEY (band, number)) WITHOUT ROWID",
        ):
            self._database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        self._database.execute("CREATE INDEX IF NOT EXISTS seen_by_id ON seen (id)")

    def clear(self) -> None:
        """Forget all documents."""
        for table in ("seen", "words", "bands"):
            self._database.execute(f"DELETE FROM {table}")

    def add_or_match(
        self, document: Document, signature: MinHashSignature | None = None
    ) -> Duplicate | None:
        """Return the duplicate that a document is, or add the document and return None.

        Args:
            document: the document.
            signature: its signature, if already computed.
        """
        signature = signature or compute_signature(document.text, self._permutations)
        exact = self._database.execute(
            "SELECT id FROM words WHERE sha256 = ?", (signature.words_sha256,)
        ).fetchone()
        if exact:
            return Duplicate(document.id, exact[0], 1.0)
        near = self.find(document, signature)
        if near:
            nearest = max(near, key=lambda duplicate: duplicate.similarity)
            self._add_words(signature, nearest.of)
            return nearest
        self.add(document, signature)
        return None

    def find(
        self, document: Document, signature: MinHashSignature | None = None
    ) -> list[Duplicate]:
        """Return a duplicate for every document added that this one repeats, in their order."""
        import numpy as np

        signature = signature or compute_signature(document.text, self._permutations)
        bands = self._hash_bands(signature.values)
        placeholders = ",".join("?" * len(bands))
        rows: list[Any] = self._database.execute(
            f"""SELECT id, signature FROM seen WHERE number IN
                (SELECT number FROM bands WHERE band IN ({placeholders})) ORDER BY number""",
            bands,
        ).fetchall()
        values = np.frombuffer(signature.values, dtype=np.uint32)
        candidates = [
            Duplicate(
                document.id, of, float(np.mean(values == np.frombuffer(other, dtype=np.uint32)))
            )
            for of, other in rows
        ]
        return [duplicate for duplicate in candidates if duplicate.similarity >= self._threshold]

    def add(self, document: Document, signature: MinHashSignature | None = None) -> None:
        """Add a document, whether or not it repeats another."""
        signature = signature or compute_signature(document.text, self._permutations)
        self._add_words(signature, document.id)
        number = self._database.execute(
            "INSERT INTO seen (id, signature) VALUES (?, ?)", (document.id, signature.values)
        ).lastrowid
        assert number is not None
        self._add_bands(signature, number)

    def replace(self, document: Document, signature: MinHashSignature | None = None) -> None:
        """Compare later documents with a new text of a document that was added.

        The words of the old text stay known as those of the document.

        Args:
            document: the document with its new text.
            signature: its signature, if already computed.
        """
        signature = signature or compute_signature(document.text, self._permutations)
        self._add_words(signature, document.id)
        number, old = self._database.execute(
            "SELECT number, signature FROM seen WHERE id = ?", (document.id,)
        ).fetchone()
        self._database.execute(
            "UPDATE seen SET signature = ? WHERE number = ?", (signature.values, number)
        )
        self._database.executemany(
            "DELETE FROM bands WHERE band = ? AND number = ?",
            [(band, number) for band in self._hash_bands(old)],
        )
        self._add_bands(signature, number)

    def _add_bands(self, signature: MinHashSignature, number: int) -> None:
        self._database.executemany(
            "INSERT OR IGNORE INTO bands VALUES (?, ?)",
            [(band, number) for band in self._hash_bands(signature.values)],
        )

    def _add_words(self, signature: MinHashSignature, doc_id: str) -> None:
        self._database.execute(
            "INSERT OR IGNORE INTO words VALUES (?, ?)", (signature.words_sha256, doc_id)
        )

    def _hash_bands(self, values: bytes) -> list[int]:
        """Return a 64-bit hash of each band of a signature."""
        bands, rows = _band_shape(self._threshold, self._permutations)
        width = rows * 4
        return [
            int.from_bytes(
                hashlib.blake2b(
                    values[band * width : (band + 1) * width],
                    digest_size=8,
                    key=band.to_bytes(2, "big"),
                ).digest(),
                "big",
                signed=True,
            )
            for band in range(bands)
        ]
