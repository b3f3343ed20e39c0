"""What has changed between an old corpus and a new one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...ui import DataTable
from ..document import Document
from ..duplicates import words_of
from .statistics import source_of

WORDS = 20_000
"""Most frequent words that are compared."""
SHUFFLES = 200
SHOWN = 15
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A word, source, label's density or confidence, before and after."""

    name: str
    old: float | None
    new: float | None
    score: float | None = None


@dataclass(frozen=True)
class Example:
    """A new document that shows the change of vocabulary.

    Attributes:
        id: the document.
        score: mean z-score of its words; 0 for a document like the old ones.
        words: its words that changed most.
    """

    id: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Drift:
    """What changed.

    Attributes:
        documents: of the old and the new corpus.
        divergence: Jensen-Shannon divergence of the words' frequencies, in bits: 0 the same, 1
            nothing in common.
        by_chance: its mean when documents are shuffled between the two.
        p: share of shuffles with at least this divergence.
        more: words that became more frequent, per million, with their z-score.
        less: words that became less frequent.
        sources: share of the documents by source.
        source_distance: total variation distance of these shares, from 0 to 1.
        densities: spans per 1,000 words by label.
        confidences: mean confidence of the spans by label, where spans have one.
        examples: new documents that show it most.
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
    examples: tuple[Example, ...]


def measure_drift(old: Sequence[Document], new: Sequence[Document], *, seed: int = 0) -> Drift:
    """Compare two corpora.

    Words are scored by log-odds with the pooled frequencies as prior (Monroe et al. 2008,
    *Fightin' Words*); the divergence is compared with that of shuffled documents.

    Args:
        old: the earlier documents.
        new: the later ones.
        seed: of the shuffling.

    Raises:
        InputError: if a corpus has no word.
    """
    counts, words = _count_words([*old, *new])
    side = np.arange(len(old) + len(new)) >= len(old)
    before, after = _sum(counts, ~side), _sum(counts, side)
    if not before.sum() or not after.sum():
        raise InputError("a corpus without words cannot be compared; give documents with text")
    divergence = _divergence(before, after)
    random = np.random.default_rng(seed)
    shuffled = []
    for _ in range(SHUFFLES):
        mixed = random.permutation(side)
        shuffled.append(_divergence(_sum(counts, ~mixed), _sum(counts, mixed)))
    z = _log_odds(before, after)
    order = np.argsort(-z, kind="stable")
    old_sources, new_sources = _shares(old), _shares(new)
    names = sorted({*old_sources, *new_sources})
    sources = [Change(name, old_sources[name], new_sources[name]) for name in names]
    sources.sort(key=lambda change: -abs((change.new or 0) - (change.old or 0)))

    def changed(places: Sequence[int]) -> tuple[Change, ...]:
        scale = 1e6 / before.sum(), 1e6 / after.sum()
        return tuple(
            Change(words[i], float(before[i] * scale[0]), float(after[i] * scale[1]), float(z[i]))
            for i in places
        )

    return Drift(
        (len(old), len(new)),
        divergence,
        float(np.mean(shuffled)),
        float((1 + sum(value >= divergence for value in shuffled)) / (1 + SHUFFLES)),
        changed([i for i in order[:SHOWN].tolist() if z[i] > 0]),
        changed([i for i in order[::-1][:SHOWN].tolist() if z[i] < 0]),
        tuple(sources),
        sum(abs((change.new or 0) - (change.old or 0)) for change in sources) / 2,
        _compare(_densities(old), _densities(new)),
        _compare(_confidences(old), _confidences(new)),
        _examples(new, dict(zip(words, z.tolist(), strict=True))),
    )


def _count_words(documents: Sequence[Document]) -> tuple[Any, list[str]]:
    """Return counts of the most frequent words. *Shape:* (documents, words), sparse."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer=lambda document: words_of(document.text), max_features=WORDS)
    try:
        counts = counter.fit_transform(documents)
    except ValueError as error:
        raise InputError("no words in the corpora; give documents with text") from error
    return counts.tocsr(), counter.get_feature_names_out().tolist()


def _sum(counts: Any, wanted: NDArray[np.bool_]) -> Floats:
    found: Floats = np.asarray(wanted.astype(np.float64) @ counts).ravel()
    return found


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


def _shares(documents: Sequence[Document]) -> dict[str, float]:
    found = Counter(map(source_of, documents))
    return defaultdict(float, {name: n / len(documents) for name, n in found.items()})


def _densities(documents: Sequence[Document]) -> dict[str, float]:
    words = sum(len(words_of(document.text)) for document in documents)
    found = Counter(span.label for document in documents for span in document.spans)
    return {label: 1000 * n / words for label, n in found.items()}


def _confidences(documents: Sequence[Document]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for document in documents:
        for span in document.spans:
            if span.score is not None:
                found[span.label].append(span.score)
    return {label: float(np.mean(scores)) for label, scores in found.items()}


def _compare(old: dict[str, float], new: dict[str, float]) -> tuple[Change, ...]:
    return tuple(Change(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))


def _examples(documents: Sequence[Document], z: dict[str, float]) -> tuple[Example, ...]:
    found = []
    for document in documents:
        words = words_of(document.text)
        if words:
            score = sum(z.get(word, 0.0) for word in words) / len(words)
            top = sorted(set(words), key=lambda word: (-z.get(word, 0.0), word))[:5]
            found.append(Example(document.id, score, tuple(top)))
    return tuple(sorted(found, key=lambda example: (-example.score, example.id))[:SHOWN])


def drift_tables(drift: Drift) -> list[DataTable]:
    """Lay the changes out as tables."""

    def changes(title: str, name: str, found: Sequence[Change], what: str) -> DataTable:
        scored = any(change.score is not None for change in found)
        columns = (name, f"old, {what}", f"new, {what}", *(["z"] if scored else []))
        rows = tuple((c.name, c.old, c.new, *([c.score] if scored else [])) for c in found)
        return DataTable(title, columns, rows, bar=3 if scored else None)

    return [
        changes("Words that became more frequent", "word", drift.more, "per million"),
        changes("Words that became less frequent", "word", drift.less, "per million"),
        changes("Sources", "source", drift.sources, "share"),
        changes("Entities", "label", drift.densities, "in 1,000 words"),
        changes("Confidence", "label", drift.confidences, "mean"),
        DataTable(
            "New articles that show it most",
            ("article", "score", "words"),
            tuple((e.id, e.score, ", ".join(e.words)) for e in drift.examples),
            bar=1,
        ),
    ]


def drift_summary(drift: Drift) -> str:
    """Say in one line how far the corpora differ, and whether chance would do it."""
    verdict = "more than chance" if drift.p < 0.05 else "no more than chance"
    return (
        f"{drift.documents[0]} old and {drift.documents[1]} new documents. Vocabulary: divergence "
        f"{drift.divergence:.4f} bits, {drift.by_chance:.4f} when shuffled (p {drift.p:.3f}): "
        f"{verdict}. Sources: {100 * drift.source_distance:.0f} % changed."
    )
