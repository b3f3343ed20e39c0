"""What a corpus is made of, what changed in it, and an article's trace."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.analysis.drift import measure_drift
from orbat.corpus.analysis.statistics import measure_statistics
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, sha256_file, sha256_text, write_documents
from tests.conftest import ARTICLES, Orbat


def test_figures_add_up(orbat: Orbat, tmp_path: Path, train_articles: list[Document]) -> None:
    found = measure_statistics(train_articles)
    assert found.documents == 212
    assert found.characters == sum(len(document.text) for document in train_articles)
    assert found.labels.total() == sum(len(document.spans) for document in train_articles)
    assert found.sources.total() == found.years.total() == found.languages.total() == 212
    assert found.languages["en"] >= 208
    page = tmp_path / "stats.html"
    value = orbat("corpus", "stats", ARTICLES / "train.jsonl", "--report", page, "--json").json()
    assert value["documents"] == 212
    assert value["labels"] == dict(found.labels)
    assert "212 documents" in orbat("corpus", "stats", ARTICLES / "train.jsonl").out
    assert "<h2>Languages</h2>" in page.read_text()


def test_languages_are_told_apart() -> None:
    texts = {
        "de": "Die Brigade hat den Fluss am frühen Morgen überquert und niemanden getroffen.",
        "fr": "La brigade a traversé la rivière au petit matin sans rencontrer personne.",
        "en": "The brigade crossed the river in the early morning and met nobody there.",
    }
    found = measure_statistics([Document(code, text) for code, text in texts.items()])
    assert dict(found.languages) == dict.fromkeys(texts, 1)
    assert (
        measure_statistics([Document("x", texts["de"], (), {"language": "xx"})]).languages["xx"]
        == 1
    )


def test_the_same_corpus_does_not_drift(train_articles: list[Document]) -> None:
    found = measure_drift(train_articles[::2], train_articles[1::2])
    assert found.p > 0.05
    assert found.source_distance < 0.2


def test_what_changed_is_found(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document]
) -> None:
    old = [d.with_spans(replace(s, score=0.9) for s in d.spans) for d in train_articles[:60]]
    new = [
        replace(
            d,
            text=d.text + " Drones struck the drone depot; more drones followed." * (n < 5) * 40,
            spans=tuple(replace(s, score=0.6) for s in d.spans[::2]),
            meta={"source": "elsewhere"},
        )
        for n, d in enumerate(train_articles[60:120])
    ]
    write_documents(tmp_path / "old.jsonl", old)
    write_documents(tmp_path / "new.jsonl", new)
    page = tmp_path / "drift.html"
    arguments = ("corpus", "drift", tmp_path / "old.jsonl", tmp_path / "new.jsonl")
    value = orbat(*arguments, "--report", page, "--json").json()
    assert value["more"][0]["name"] == "drones"
    assert {e["id"] for e in value["examples"][:5]} == {d.id for d in new[:5]}
    assert value["source_distance"] == pytest.approx(1.0)
    for change in value["confidences"]:
        assert (change["old"], change["new"]) == (pytest.approx(0.9), pytest.approx(0.6))
    densities = {change["name"]: change for change in value["densities"]}
    assert densities["UNIT"]["new"] < densities["UNIT"]["old"]
    assert "drones" in page.read_text()
    assert "drones" in orbat(*arguments).out


def test_nothing_to_compare_is_told(refused: Callable[..., str], tmp_path: Path) -> None:
    write_documents(tmp_path / "a.jsonl", [Document("x", "...")])
    assert "no words in the corpora" in refused(
        "corpus", "drift", tmp_path / "a.jsonl", tmp_path / "a.jsonl"
    )


@pytest.mark.browser
def test_pages_escape_what_stands_in_the_corpus(orbat: Orbat, browser: Any, tmp_path: Path) -> None:
    nasty = "<script>document.title = 'owned'</script>"
    write_documents(tmp_path / "a.jsonl", [Document("x", "Some text.", (), {"source": nasty})])
    page_file = tmp_path / "stats.html"
    assert orbat("corpus", "stats", tmp_path / "a.jsonl", "--report", page_file).code == 0
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(page_file.as_uri())
    assert page.title() == "a.jsonl"
    assert nasty in page.locator("body").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_an_article_tells_its_whole_trace(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    text = "Gen. Doe leads the 3rd Brigade across the river."
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "doe.txt").write_text(text)
    corpus = tmp_path / "corpus.jsonl"
    orbat("corpus", "add", tmp_path / "raw", "--output", corpus, "--license", "CC0-1.0")
    (document,) = read_documents(corpus)
    span = Span(0, 4, "RANK")

    def write(name: str, **meta: object) -> Path:
        path = tmp_path / name
        write_documents(path, [Document("doe", document.text, (span,), meta)])
        return path

    write("test.jsonl", split="test")
    write("ann.jsonl", annotation={"annotator": "ann", "confirmed": True})
    gold = write("gold.jsonl", adjudication={"policy": "majority"})
    digest = sha256_text(document.text)
    lineage = {"documents": {"train": [{"id": "doe", "sha256": digest}]}, "recipe": {}}
    run = tmp_path / "run"
    (run / "evaluations").mkdir(parents=True)
    (run / "manifest.json").write_text(json.dumps(lineage))
    result = {"gold_sha256": sha256_file(gold)}
    (run / "evaluations" / "gold.json").write_text(json.dumps(result))
    with zipfile.ZipFile(tmp_path / "model.whl", "w") as wheel:
        wheel.writestr("model/manifest.json", json.dumps(lineage))
    trace = orbat("corpus", "show", "doe", tmp_path, "--json").json()
    assert trace["provenance"]["file"] == "doe.txt"
    assert trace["provenance"]["license"] == "CC0-1.0"
    assert trace["hashes"] == [digest]
    events = {
        (e["kind"], Path(e["location"]).relative_to(tmp_path).as_posix()) for e in trace["events"]
    }
    assert events == {
        ("in corpus", "corpus.jsonl"),
        ("split", "test.jsonl"),
        ("annotated", "ann.jsonl"),
        ("adjudicated", "gold.jsonl"),
        ("trained on", "run"),
        ("trained on", "model.whl"),
        ("evaluated in", "run/evaluations/gold.json"),
    }
    assert "by ann, 1 spans, confirmed" in orbat("corpus", "show", "doe", tmp_path).out
    assert "document 'nobody' not found" in refused("corpus", "show", "nobody", tmp_path)
    assert "does not exist" in refused("corpus", "show", "doe", tmp_path / "nowhere")
