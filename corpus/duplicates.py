"""Exact and near duplicates: the same article met twice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from corpus.document import Document
from corpus.files import sha256_text

SHINGLE_WORDS = 5
NEAR_THRESHOLD = 0.7
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Duplicate:
    """A document that repeats an earlier one.

    Attributes:
        id: the document left out.
        of: the document kept.
        similarity: estimated Jaccard similarity of their word shingles; 1.0 when the words are
            the same.
    """

    id: str
    of: str
    similarity: float


class DuplicateFinder:
    """Meets documents one after the other and says which repeat one met before.

    Exact: the same words in the same order, whatever their case, spacing and punctuation. Near:
    Jaccard similarity of five-word shingles of at least `threshold`, estimated by MinHash
    (Broder 1997) and found by locality-sensitive hashing, both datasketch's.
    """

    def __init__(self, threshold: float = NEAR_THRESHOLD, permutations: int = 128) -> None:
        from datasketch import MinHashLSH

        self._permutations = permutations
        self._threshold = threshold
        self._exact: dict[str, str] = {}
        self._near = MinHashLSH(threshold=threshold, num_perm=permutations)
        self._sketches: dict[str, object] = {}

    def meet(self, document: Document) -> Duplicate | None:
        """Return what `document` repeats, or remember it and return None."""
        from datasketch import MinHash

        words = _WORD.findall(document.text.casefold())
        key = sha256_text(" ".join(words) if words else document.text)
        if key in self._exact:
            return Duplicate(document.id, self._exact[key], 1.0)
        self._exact[key] = document.id
        shingles = {
            " ".join(words[i : i + SHINGLE_WORDS]).encode()
            for i in range(max(1, len(words) - SHINGLE_WORDS + 1))
        }
        sketch = MinHash(num_perm=self._permutations)
        sketch.update_batch(sorted(shingles))
        best = max(
            (
                Duplicate(document.id, other, float(sketch.jaccard(self._sketches[other])))
                for other in self._near.query(sketch)
            ),
            key=lambda duplicate: duplicate.similarity,
            default=None,
        )
        if best is not None and best.similarity >= self._threshold:
            return best
        self._near.insert(document.id, sketch)
        self._sketches[document.id] = sketch
        return None


def drop_duplicates(
    documents: Iterable[Document], finder: DuplicateFinder | None = None
) -> tuple[list[Document], list[Duplicate]]:
    """Split documents into those to keep (the first of each) and the duplicates left out."""
    finder = finder or DuplicateFinder()
    kept, dropped = [], []
    for document in documents:
        duplicate = finder.meet(document)
        if duplicate is None:
            kept.append(document)
        else:
            dropped.append(duplicate)
    return kept, dropped
