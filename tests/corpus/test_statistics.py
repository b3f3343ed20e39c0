"""Statistics of a corpus."""

from __future__ import annotations

from pathlib import Path

from orbat.corpus.analysis.statistics import measure_statistics
from orbat.corpus.document import Document
from tests.conftest import ARTICLES, Orbat


def test_totals_are_those_of_the_documents(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document]
) -> None:
    statistics = measure_statistics(train_articles)
    assert statistics.documents == 1580
    assert statistics.characters == sum(len(document.text) for document in train_articles)
    assert statistics.labels.total() == sum(len(document.spans) for document in train_articles)
    assert (
        statistics.sources.total()
        == statistics.years.total()
        == statistics.languages.total()
        == 1580
    )
    assert statistics.languages["en"] >= 445
    page = tmp_path / "stats.html"
    value = orbat("corpus", "stats", ARTICLES / "train.jsonl", "--report", page, "--json").json()
    assert value["documents"] == 1580
    assert value["labels"] == dict(statistics.labels)
    assert "1,580 documents" in orbat("corpus", "stats", ARTICLES / "train.jsonl").out
    assert "<h2>Languages</h2>" in page.read_text()


def test_languages_are_detected() -> None:
    texts = {
        "de": "Die Brigade hat den Fluss am frühen Morgen überquert und niemanden getroffen.",
        "fr": "La brigade a traversé la rivière au petit matin sans rencontrer personne.",
        "en": "The brigade crossed the river in the early morning and met nobody there.",
    }
    statistics = measure_statistics([Document(code, text) for code, text in texts.items()])
    assert dict(statistics.languages) == dict.fromkeys(texts, 1)
    assert (
        measure_statistics([Document("x", texts["de"], (), {"language": "xx"})]).languages["xx"]
        == 1
    )
