"""`orbat corpus add`: from files to clean, deduplicated documents."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.extract import make_document
from orbat.corpus.ingestion.raw_article import RawArticle
from orbat.corpus.ingestion.storage.store import CorpusStore
from orbat.corpus.ingestion.text import tidy
from orbat.errors import InputError
from tests.conftest import Orbat

PAGE = """<!doctype html><html><head><title>Brigade leaves Kidal - Daily</title></head><body>
<nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
<article><h1>Brigade leaves Kidal</h1>
<p>The 3rd Brigade left Kidal on Monday after eleven months in the desert, officers said.</p>
<p>Gen. Ann Doe, who commands it, thanked the people of the town for their patience and help.</p>
<p>Its last lorries crossed the river before dawn, and the barracks were handed over to the
police in a short ceremony that few in the town had heard of beforehand.</p></article>
<div class="comments"><p>First comment: well done!</p></div>
<footer>Subscribe to our newsletter</footer></body></html>"""


@pytest.fixture
def sources(tmp_path: Path, train_articles: list[Document]) -> Path:
    folder = tmp_path / "raw"
    (folder / "more").mkdir(parents=True)
    (folder / "one.txt").write_bytes(b"Gen. Smith\r\nleads  \r\n\r\n\r\n\r\nthe brigade.")
    (folder / "latin.txt").write_bytes(
        "Le général Müller a visité la 3e brigade à Évry, où l'été fut très chaud.".encode(
            "latin-1"
        )
    )
    (folder / "page.html").write_text(PAGE)
    (folder / "more" / "one.txt").write_text("Another text of the same file name.")
    (folder / "copy.txt").write_text("GEN. SMITH leads the brigade")
    article = train_articles[0].text
    (folder / "wire.txt").write_text(article)
    (folder / "wire-reprint.txt").write_text(article.replace("Sunday", "Monday") + "\nAgency.")
    lines = [
        {
            "id": "j1",
            "text": "Maj. Brown spoke.",
            "spans": [{"start": 0, "end": 4, "label": "RANK"}],
        },
        {"text": "No id, a title beside.\r\n", "title": "T"},
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "picture.png").write_bytes(b"\x89PNG\0")
    return folder


def test_articles_are_cleaned_and_deduplicated(orbat: Orbat, sources: Path, tmp_path: Path) -> None:
    output = tmp_path / "corpus.jsonl"
    outcome = orbat("corpus", "add", sources, "--output", output, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json()["rejected"] == []
    corpus = {document.id: document for document in read_documents(output)}
    duplicates = {entry["id"]: entry for entry in outcome.json()["duplicates"]}
    # Files are read in the order of their paths: copy, latin, more/one, one, page, rows, wire.
    (second_one,) = (name for name in duplicates if name.startswith("one-"))
    assert duplicates[second_one] == {"id": second_one, "of": "copy", "similarity": 1.0}
    assert duplicates["wire"]["of"] == "wire-reprint"
    assert 0.7 <= duplicates["wire"]["similarity"] < 1
    assert corpus["one"].text.startswith("Another text of the same")
    assert len(corpus) == 7
    stored = {d.id: d for d in read_documents(tmp_path / "corpus.duplicates.jsonl")}
    assert set(stored) == set(duplicates)
    assert stored["wire"].meta["duplicate"]["of"] == "wire-reprint"
    assert stored["wire"].text.startswith(corpus["wire-reprint"].text[:30])
    assert corpus["latin"].text.startswith("Le général Müller")
    assert "é" in corpus["latin"].text
    page = corpus["page"]
    assert page.text.startswith("Brigade leaves Kidal\n\nThe 3rd Brigade left")
    assert "newsletter" not in page.text
    assert "comment" not in page.text
    assert page.meta["provenance"]["sha256"] == hashlib.sha256(PAGE.encode()).hexdigest()
    assert corpus["j1"].text == "Maj. Brown spoke."
    assert corpus["j1"].spans[0].label == "RANK"
    untitled = next(d for d in corpus.values() if d.meta.get("title") == "T")
    assert untitled.text == "No id, a title beside.\n"


def test_adding_twice_changes_nothing(orbat: Orbat, sources: Path, tmp_path: Path) -> None:
    output = tmp_path / "corpus.jsonl"
    assert orbat("corpus", "add", sources, "--output", output).code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.glob("corpus*.jsonl")}
    assert len(before) == 2
    again = orbat("corpus", "add", sources, "--output", output, "--json").json()
    assert (again["added"], again["known"], again["duplicates"]) == (0, 9, [])
    # Without the index, the files themselves show which articles are known.
    (tmp_path / "corpus.index").unlink()
    again = orbat("corpus", "add", sources, "--output", output, "--json").json()
    assert (again["added"], again["known"], again["duplicates"]) == (0, 9, [])
    assert {path.name: path.read_bytes() for path in tmp_path.glob("corpus*.jsonl")} == before


def test_a_reprint_in_a_later_run_is_a_duplicate_of_the_first(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document]
) -> None:
    output, text = tmp_path / "corpus.jsonl", train_articles[0].text
    for index, paper in enumerate(("one", "two", "three", "four", "five")):
        (tmp_path / f"{paper}.txt").write_text(f"{paper.upper()} PAPER\n{text}")
        value = orbat(
            "corpus", "add", tmp_path / f"{paper}.txt", "--output", output, "--json"
        ).json()
        assert [d["of"] for d in value["duplicates"]] == ["one"] * (index > 0)
    assert [document.id for document in read_documents(output)] == ["one"]
    assert len(list(read_documents(tmp_path / "corpus.duplicates.jsonl"))) == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", b"", "is empty"),
        ("binary.txt", b"MZ\x00\x01\x02" * 50, "binary data, not text"),
        ("noise.txt", bytes(range(1, 9)) * 20, "binary data, not text"),
        ("empty.html", b"<html><body></body></html>", "no article found in the page"),
        ("rows.jsonl", b'{"id": "a", "text": "x"}\n{"id": "b"', "rows.jsonl:2: invalid JSON"),
        ("rows.jsonl", b'{"id": "a", "text": " "}\n', "rows.jsonl:1: field 'text' is empty"),
        ("rows.jsonl", b'{"text": "x", "meta": [1]}', "rows.jsonl:1: field 'id'"),
        ("rows.jsonl", b'{"id": "a", "text": "x", "meta": 1}', "field 'meta' of 'a' must be"),
        (
            "rows.jsonl",
            b'{"id":"a","text":"x y","spans":[{"start":0,"end":9,"label":"A"}]}',
            "rows.jsonl:1: span 0-9 A of 'a' is out of range",
        ),
    ],
)
def test_unusable_articles_are_rejected_with_a_reason(
    orbat: Orbat,
    refused: Callable[..., str],
    tmp_path: Path,
    name: str,
    content: bytes,
    message: str,
) -> None:
    good, bad = tmp_path / "a-good.txt", tmp_path / name
    good.write_text("A good article.")
    bad.write_bytes(content)
    alone = (
        refused("corpus", "add", bad, "--output", tmp_path / "out.jsonl")
        if (b"}\n" not in content[:-1])
        else ""
    )
    assert not alone or (message in alone and not list(tmp_path.glob("out*")))
    outcome = orbat("corpus", "add", bad, good, "--output", tmp_path / "out.jsonl", "--json")
    assert outcome.code == 0, outcome.err
    assert "a-good" in [document.id for document in read_documents(tmp_path / "out.jsonl")]
    (rejected,) = outcome.json()["rejected"]
    line = f"{rejected['location']}: {rejected['reason']}"
    assert message in line
    assert str(bad) in rejected["location"]
    assert outcome.err.strip() == f"rejected: {line}"


def test_a_missing_source_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "does not exist" in refused("corpus", "add", tmp_path / "x", "--output", tmp_path / "o")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "file in this folder" in refused("corpus", "add", folder, "--output", tmp_path / "o")
    line = refused("corpus", "add", folder, "--output", folder / "out.jsonl")
    assert f"lies in {folder}, the folder to read" in line


@given(st.binary(min_size=1) | st.text(min_size=1).map(str.encode))
def test_provenance_has_the_hash_of_the_raw_bytes(raw: bytes) -> None:
    try:
        document = make_document(
            RawArticle("x.txt", "x", raw, extension=".txt", origin={"file": "x.txt"})
        )
    except InputError:
        return
    provenance = document.meta["provenance"]
    assert provenance["sha256"] == hashlib.sha256(raw).hexdigest()
    assert provenance["file"] == "x.txt"
    assert tidy(document.text) == (document.text, ())


@given(
    st.lists(st.lists(st.integers(0, 30), max_size=6), min_size=1, max_size=4),
    st.sampled_from((1, 8)),
)
def test_documents_in_a_corpus_never_change(batches: list[list[int]], length: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.jsonl"
        before: dict[Path, bytes] = {}
        for batch in batches:
            with CorpusStore(path) as store:
                for n in batch:
                    text = " ".join(f"word{n}" for _ in range(length)) + "\n"
                    store.add(Document(f"d{n}", text), f"raw{n}")
                store.finish()
            after = {file: file.read_bytes() for file in Path(folder).glob("*.jsonl")}
            assert all(after[file].startswith(content) for file, content in before.items())
            before = after
        kept = [d.id for file in before for d in read_documents(file)]
        assert sorted(kept) == sorted({f"d{n}" for batch in batches for n in batch})


@given(st.text(alphabet=st.sampled_from("ab \n\r\t\0\u00a0😀"), min_size=1))
def test_tidying_keeps_the_words_and_is_idempotent(text: str) -> None:
    clean, _ = tidy(text)
    assert clean.replace("\ufffd", "\0").split() == text.split()
    assert tidy(clean) == (clean, ())
    assert "\r" not in clean
    assert clean.endswith("\n")
