"""Precision and recall of the detection of near duplicates.

    python -m orbat.evaluation.benchmarks.duplicates [FOLDER-OR-JSONL...]

Planted duplicates: reprints of the shipped articles, by the share of the wording that was changed.
Real duplicates: the documents of the given sources, against an exhaustive comparison of all pairs.
Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Sequence

from ...corpus.deduplication.duplicates import NEAR_THRESHOLD, DuplicateFinder, word_shingles
from ...corpus.deduplication.ngrams import normalized_words
from ...corpus.document import Document
from ...corpus.files import read_documents
from ...corpus.ingestion.sources import read_sources
from .common import ARTICLES

CHANGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)


def reprint(text: str, share: float, rng: random.Random) -> str:
    """Change a text as other newspapers do: new header, end cut off, some words replaced."""
    words = text.split(" ")
    keep = words[: max(10, round(len(words) * (1 - share / 2)))]
    changed = rng.sample(range(len(keep)), round(len(keep) * share / 10))
    for index in changed:
        keep[index] = rng.choice(("reportedly", "on Friday", "officials said", "the army"))
    return f"(Agency) {' '.join(keep)}"


def jaccard(one: set[str], other: set[str]) -> float:
    """Return the Jaccard similarity of two sets of shingles."""
    return len(one & other) / len(one | other)


def print_planted() -> None:
    """Print recall on reprints by the share of changes, and false positives among originals."""
    parts = ("train", "dev", "test")
    originals = [d for part in parts for d in read_documents(ARTICLES / f"{part}.jsonl")]
    rng = random.Random(0)
    finder = DuplicateFinder()
    false = sum(finder.add_or_match(document) is not None for document in originals)
    print(f"Planted, {len(originals)} originals ({false} of them reported as duplicates):\n")
    print(
        "| wording changed | true similarity | found | with the correct original |\n"
        "|---|---|---|---|"
    )
    for share in CHANGES:
        near, correct, similarity = 0, 0, 0.0
        for document in originals:
            text = reprint(document.text, share, rng)
            similarity += jaccard(
                word_shingles(normalized_words(document.text)),
                word_shingles(normalized_words(text)),
            )
            duplicates = finder.find(Document("reprint", text))
            near += bool(duplicates)
            correct += any(duplicate.of == document.id for duplicate in duplicates)
        count = len(originals)
        print(
            f"| {100 * share:.0f} % | {similarity / count:.2f} | {near / count:.3f} "
            f"| {correct / max(1, near):.3f} |"
        )


def print_real(documents: Sequence[Document]) -> None:
    """Print precision and recall against an exhaustive comparison of all pairs."""
    sets = [word_shingles(normalized_words(document.text)) for document in documents]
    truth = {
        (i, j)
        for i, j in itertools.combinations(range(len(sets)), 2)
        if jaccard(sets[i], sets[j]) >= NEAR_THRESHOLD
    }
    finder = DuplicateFinder()
    index_of: dict[str, int] = {}
    reported = set()
    for index, document in enumerate(documents):
        reported |= {(index_of[near.of], index) for near in finder.find(document)}
        index_of[document.id] = index
        finder.add(document)
    both = len(reported & truth)
    print(
        f"\nReal, {len(documents)} documents, {len(truth)} pairs with a similarity of "
        f"{NEAR_THRESHOLD} or more: {len(reported)} found, precision "
        f"{both / max(1, len(reported)):.3f}, recall {both / max(1, len(truth)):.3f}."
    )


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", help="folders or JSON Lines files")
    options = parser.parse_args()
    print_planted()
    if options.sources:
        print_real(list(read_sources(options.sources)))


if __name__ == "__main__":
    main()
