"""Drift: the differences between an earlier and a later corpus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...ui import DataTable, format_value
from ..deduplication.ngrams import normalized_words
from ..document import Document
from ..metadata import document_source

MAX_VOCABULARY = 20_000
"""Number of most frequent words that are compared."""
TEST_PERMUTATIONS = 200
"""Number of permutations of the test."""
MAX_CHANGES = 15
"""Number of words and of example documents that are reported."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """An earlier and a later value: of a word's, source's or label's frequency or confidence.

    Attributes:
        name: the word, source or label.
        old: the value in the earlier corpus; None if undefined.
        new: the value in the later corpus; None if undefined.
        score: z-score of a word's change.
    """

    name: str
    old: float | None
    new: float | None
    score: float | None = None


@dataclass(frozen=True)
class ChangedDocument:
    """A later document that shows the change of vocabulary.

    Attributes:
        id: the document's id.
        score: mean z-score of its words; 0 for a document like the earlier ones.
        words: those of its words that changed most.
    """

    id: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Drift:
    """The differences between two corpora.

    Attributes:
        documents: number of documents of the earlier and the later corpus.
        divergence: Jensen-Shannon divergence of the word frequencies, in bits: 0 for the same
            frequencies, 1 for no word in common.
        by_chance: mean divergence after random permutations of the documents.
        p: p-value of the permutation test.
        more: words that became more frequent, per million words.
        less: words that became less frequent, per million words.
        sources: share of the documents by source.
        source_distance: total variation distance of these shares, from 0 to 1.
        densities: spans per 1,000 words, by label.
        confidences: mean score of the spans that have one, by label.
        examples: later documents that show the change of vocabulary most.
    """

    documents: tuple[int, int]
    divergence: float
    by_chance: float
    p: float
    more: tuple[Change, ...]
    less: tuple[Change, ...]
    sources: tuple[Change, ...]
    source_distance: float
    densities: tuple[Change, ...]
    confidences: tuple[Change, ...]
    examples: tuple[ChangedDocument, ...]


def measure_drift(old: Sequence[Document], new: Sequence[Document], *, seed: int = 0) -> Drift:
    """Compare two corpora.

    Changes of words are scored by log-odds with the pooled frequencies as prior (Monroe et al.
    2008, *Fightin' Words*). A permutation test estimates the probability that the divergence
    is due to chance.

    Args:
        old: the earlier documents.
        new: the later documents.
        seed: random seed of the permutations.

    Raises:
        InputError: if a corpus has no words.
    """
    counts, vocabulary = _count_words([*old, *new])
    is_new = np.arange(len(old) + len(new)) >= len(old)
    before, after = _sum_rows(counts, ~is_new), _sum_rows(counts, is_new)
    if not before.sum() or not after.sum():
        raise InputError("a corpus without words cannot be compared; give documents with text")
    divergence = _divergence(before, after)
    random = np.random.default_rng(seed)
    permuted = []
    for _ in range(TEST_PERMUTATIONS):
        side = random.permutation(is_new)
        permuted.append(_divergence(_sum_rows(counts, ~side), _sum_rows(counts, side)))
    z = _log_odds(before, after)
    order = np.argsort(-z, kind="stable")
    sources = _source_changes(old, new)

    def word_changes(indices: Sequence[int]) -> tuple[Change, ...]:
        scale = 1e6 / before.sum(), 1e6 / after.sum()
        return tuple(
            Change(
                vocabulary[i], float(before[i] * scale[0]), float(after[i] * scale[1]), float(z[i])
            )
            for i in indices
        )

    exceeding = sum(value >= divergence for value in permuted)
    return Drift(
        documents=(len(old), len(new)),
        divergence=divergence,
        by_chance=float(np.mean(permuted)),
        p=float((1 + exceeding) / (1 + TEST_PERMUTATIONS)),
        more=word_changes([i for i in order[:MAX_CHANGES].tolist() if z[i] > 0]),
        less=word_changes([i for i in order[::-1][:MAX_CHANGES].tolist() if z[i] < 0]),
        sources=sources,
        source_distance=sum(_difference(change) for change in sources) / 2,
        densities=_compare(_densities(old), _densities(new)),
        confidences=_compare(_confidences(old), _confidences(new)),
        examples=_examples(new, dict(zip(vocabulary, z.tolist(), strict=True))),
    )


def _count_words(documents: Sequence[Document]) -> tuple[Any, list[str]]:
    """Return the counts of the most frequent words, sparse, and the words.

    *Shape:* (documents, vocabulary).
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(
        analyzer=lambda document: normalized_words(document.text), max_features=MAX_VOCABULARY
    )
    try:
        counts = counter.fit_transform(documents)
    except ValueError as error:
        raise InputError("no words in the corpora; give documents with text") from error
    return counts.tocsr(), counter.get_feature_names_out().tolist()


def _sum_rows(counts: Any, mask: NDArray[np.bool_]) -> Floats:
    """Return the total counts of the documents selected. *Shape:* (vocabulary,)."""
    total: Floats = np.asarray(mask.astype(np.float64) @ counts).ravel()
    return total


def _divergence(first: Floats, second: Floats) -> float:
    from scipy.spatial.distance import jensenshannon

    return float(jensenshannon(first, second, base=2) ** 2)


def _log_odds(before: Floats, after: Floats) -> Floats:
    prior = before + after
    total = prior.sum()
    first = np.log((before + prior) / (before.sum() + total - before - prior))
    second = np.log((after + prior) / (after.sum() + total - after - prior))
    z: Floats = (second - first) / np.sqrt(1 / (before + prior) + 1 / (after + prior))
    return z


def _source_changes(old: Sequence[Document], new: Sequence[Document]) -> tuple[Change, ...]:
    before, after = _source_shares(old), _source_shares(new)
    changes = [Change(name, before[name], after[name]) for name in sorted({*before, *after})]
    return tuple(sorted(changes, key=lambda change: -_difference(change)))


def _source_shares(documents: Sequence[Document]) -> dict[str, float]:
    counts = Counter(map(document_source, documents))
    return defaultdict(float, {name: n / len(documents) for name, n in counts.items()})


def _difference(change: Change) -> float:
    return abs((change.new or 0) - (change.old or 0))


def _densities(documents: Sequence[Document]) -> dict[str, float]:
    words = sum(len(normalized_words(document.text)) for document in documents)
    counts = Counter(span.label for document in documents for span in document.spans)
    return {label: 1000 * n / words for label, n in counts.items()}


def _confidences(documents: Sequence[Document]) -> dict[str, float]:
    scores: dict[str, list[float]] = defaultdict(list)
    for document in documents:
        for span in document.spans:
            if span.score is not None:
                scores[span.label].append(span.score)
    return {label: float(np.mean(values)) for label, values in scores.items()}


def _compare(old: dict[str, float], new: dict[str, float]) -> tuple[Change, ...]:
    return tuple(Change(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))


def _examples(documents: Sequence[Document], z: dict[str, float]) -> tuple[ChangedDocument, ...]:
    examples = []
    for document in documents:
        words = normalized_words(document.text)
        if words:
            score = sum(z.get(word, 0.0) for word in words) / len(words)
            top = sorted(set(words), key=lambda word: (-z.get(word, 0.0), word))[:5]
            examples.append(ChangedDocument(document.id, score, tuple(top)))
    examples.sort(key=lambda example: (-example.score, example.id))
    return tuple(examples[:MAX_CHANGES])


def drift_tables(drift: Drift) -> list[DataTable]:
    """Return the differences as tables."""

    def table(title: str, column: str, changes: Sequence[Change], unit: str) -> DataTable:
        is_scored = any(change.score is not None for change in changes)
        columns = (column, f"old, {unit}", f"new, {unit}", *(["z"] if is_scored else []))
        rows = tuple((c.name, c.old, c.new, *([c.score] if is_scored else [])) for c in changes)
        return DataTable(title, columns, rows, bar_column=3 if is_scored else None)

    return [
        table("Words that became more frequent", "word", drift.more, "per million"),
        table("Words that became less frequent", "word", drift.less, "per million"),
        table("Sources", "source", drift.sources, "share"),
        table("Entities", "label", drift.densities, "per 1,000 words"),
        table("Confidence", "label", drift.confidences, "mean"),
        DataTable(
            "New documents with the largest change",
            ("document", "score", "words"),
            tuple((e.id, e.score, ", ".join(e.words)) for e in drift.examples),
            bar_column=1,
        ),
    ]


def drift_summary(drift: Drift) -> str:
    """Return in one line how much the corpora differ, and whether this may be due to chance."""
    verdict = "significant" if drift.p < 0.05 else "not significant"
    return (
        f"{drift.documents[0]} old and {drift.documents[1]} new documents. Vocabulary: divergence "
        f"{format_value(drift.divergence)} bits, {format_value(drift.by_chance)} by chance "
        f"(p {format_value(drift.p)}): {verdict}. "
        f"Sources: {100 * drift.source_distance:.0f} % changed."
    )
