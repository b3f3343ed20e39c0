"""What a corpus is made of: sizes, sources, dates, languages, labels."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...ui import DataTable
from ..document import Document
from ..duplicates import words_of

SOURCES = ("source", "site", "desk")
DATES = ("date", "published")
UNKNOWN = "(unknown)"
_SAMPLE = 1000
"""Characters from which a language is told."""


@dataclass(frozen=True)
class Statistics:
    """DataTable of a corpus.

    Attributes:
        documents: their number.
        words: in all.
        characters: in all.
        lengths: words of the shortest document, of the quartiles and of the longest.
        sources: documents by source.
        years: documents by year.
        languages: documents by language code.
        labels: spans by label.
        unlabelled: documents without any span.
    """

    documents: int
    words: int
    characters: int
    lengths: tuple[int, ...]
    sources: Counter[str]
    years: Counter[str]
    languages: Counter[str]
    labels: Counter[str]
    unlabelled: int


def source_of(document: Document) -> str:
    """Return where a document was published, as far as its meta says."""
    return next((str(document.meta[key]) for key in SOURCES if document.meta.get(key)), UNKNOWN)


def date_of(document: Document) -> str:
    """Return when a document was published, as far as its meta says, else an empty text."""
    return next((str(document.meta[key]) for key in DATES if document.meta.get(key)), "")


def language_of(document: Document) -> str:
    """Return `meta.language`, else what py3langid makes of the text's beginning."""
    known = document.meta.get("language")
    if known:
        return str(known)
    import py3langid

    code: str = py3langid.classify(document.text[:_SAMPLE])[0]
    return code


def measure(documents: Iterable[Document]) -> Statistics:
    """Measure documents, one by one."""
    lengths = array("q")
    characters = unlabelled = 0
    sources, years, languages, labels = (Counter[str]() for _ in range(4))
    for document in documents:
        lengths.append(len(words_of(document.text)))
        characters += len(document.text)
        sources[source_of(document)] += 1
        years[date_of(document)[:4] or UNKNOWN] += 1
        languages[language_of(document)] += 1
        labels.update(span.label for span in document.spans)
        unlabelled += not document.spans
    found = np.asarray(lengths)
    quartiles = np.percentile(found, [0, 25, 50, 75, 100]) if len(found) else np.zeros(5)
    return Statistics(
        len(found),
        int(found.sum()),
        characters,
        tuple(int(value) for value in quartiles),
        sources,
        years,
        languages,
        labels,
        unlabelled,
    )


def statistics_tables(found: Statistics) -> list[DataTable]:
    """Lay the figures out as tables."""

    def shares(title: str, name: str, counts: Counter[str], *, by_name: bool = False) -> DataTable:
        rows = sorted(counts.items()) if by_name else counts.most_common()
        total = found.documents or 1
        return DataTable(
            title, (name, "documents", "share"), tuple((k, n, n / total) for k, n in rows), bar=1
        )

    names = ("shortest", "lower quartile", "median", "upper quartile", "longest")
    per = 1000 / found.words if found.words else 0.0
    labels = tuple((label, n, n * per) for label, n in found.labels.most_common())
    return [
        DataTable(
            "Words in a document", ("", "words"), tuple(zip(names, found.lengths, strict=True))
        ),
        shares("Sources", "source", found.sources),
        shares("Years", "year", found.years, by_name=True),
        shares("Languages", "language", found.languages),
        DataTable("Labels", ("label", "spans", "in 1,000 words"), labels, bar=2),
    ]


def statistics_to_json(found: Statistics) -> dict[str, Any]:
    """Return the figures as a JSON object."""
    return {
        "documents": found.documents,
        "words": found.words,
        "characters": found.characters,
        "words_by_quartile": list(found.lengths),
        "sources": dict(found.sources.most_common()),
        "years": dict(sorted(found.years.items())),
        "languages": dict(found.languages.most_common()),
        "labels": dict(found.labels.most_common()),
        "unlabelled": found.unlabelled,
    }
