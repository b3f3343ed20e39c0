"""Statistics of a corpus: sizes, sources, dates, languages and labels."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...ui import DataTable
from ..deduplication.ngrams import normalized_words
from ..document import Document
from ..metadata import UNKNOWN_VALUE, document_date, document_source

_LANGUAGE_CHARACTERS = 1000
"""Length of the beginning of a text from which its language is detected."""


@dataclass(frozen=True)
class Statistics:
    """The statistics of a corpus.

    Attributes:
        documents: number of documents.
        words: number of words.
        characters: number of characters.
        lengths: words per document: minimum, quartiles and maximum. *Shape:* (5,).
        sources: number of documents by source.
        years: number of documents by year.
        languages: number of documents by language code.
        labels: number of spans by label.
        unlabeled: number of documents without spans.
    """

    documents: int
    words: int
    characters: int
    lengths: tuple[int, ...]
    sources: Counter[str]
    years: Counter[str]
    languages: Counter[str]
    labels: Counter[str]
    unlabeled: int


def detect_language(document: Document) -> str:
    """Return `meta.language`, else the language that py3langid detects in the text."""
    language = document.meta.get("language")
    if language:
        return str(language)
    import py3langid

    code: str = py3langid.classify(document.text[:_LANGUAGE_CHARACTERS])[0]
    return code


def measure_statistics(documents: Iterable[Document]) -> Statistics:
    """Measure the statistics of documents, which are streamed."""
    lengths = array("q")
    characters = unlabeled = 0
    sources, years, languages, labels = (Counter[str]() for _ in range(4))
    for document in documents:
        lengths.append(len(normalized_words(document.text)))
        characters += len(document.text)
        sources[document_source(document)] += 1
        years[document_date(document)[:4] or UNKNOWN_VALUE] += 1
        languages[detect_language(document)] += 1
        labels.update(span.label for span in document.spans)
        unlabeled += not document.spans
    words = np.asarray(lengths)
    quartiles = np.percentile(words, [0, 25, 50, 75, 100]) if len(words) else np.zeros(5)
    return Statistics(
        documents=len(words),
        words=int(words.sum()),
        characters=characters,
        lengths=tuple(int(value) for value in quartiles),
        sources=sources,
        years=years,
        languages=languages,
        labels=labels,
        unlabeled=unlabeled,
    )


def statistics_tables(statistics: Statistics) -> list[DataTable]:
    """Return the statistics as tables."""

    def shares(
        title: str, column: str, counts: Counter[str], *, sort_by_name: bool = False
    ) -> DataTable:
        rows = sorted(counts.items()) if sort_by_name else counts.most_common()
        total = statistics.documents or 1
        return DataTable(
            title,
            (column, "documents", "share"),
            tuple((name, count, count / total) for name, count in rows),
            bar_column=1,
        )

    names = ("minimum", "lower quartile", "median", "upper quartile", "maximum")
    scale = 1000 / statistics.words if statistics.words else 0.0
    densities = tuple(
        (label, count, count * scale) for label, count in statistics.labels.most_common()
    )
    return [
        DataTable(
            "Document length",
            ("", "words"),
            tuple(zip(names, statistics.lengths, strict=True)),
        ),
        shares("Sources", "source", statistics.sources),
        shares("Years", "year", statistics.years, sort_by_name=True),
        shares("Languages", "language", statistics.languages),
        DataTable("Labels", ("label", "spans", "spans per 1,000 words"), densities, bar_column=2),
    ]


def statistics_summary(statistics: Statistics) -> str:
    """Return the totals in one line."""
    return (
        f"{statistics.documents:,} documents, {statistics.words:,} words, "
        f"{statistics.characters:,} characters, {statistics.labels.total():,} spans; "
        f"{statistics.unlabeled:,} documents without spans"
    )


def statistics_to_json(statistics: Statistics) -> dict[str, Any]:
    """Return the statistics as a JSON object."""
    return {
        "documents": statistics.documents,
        "words": statistics.words,
        "characters": statistics.characters,
        "words_by_quartile": list(statistics.lengths),
        "sources": dict(statistics.sources.most_common()),
        "years": dict(sorted(statistics.years.items())),
        "languages": dict(statistics.languages.most_common()),
        "labels": dict(statistics.labels.most_common()),
        "unlabeled": statistics.unlabeled,
    }
