"""The corpus on disk: interruptions, edits by hand, concurrent runs, Ray."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.ingestion.storage.store import CorpusStore
from tests.conftest import ROOT, Orbat


def articles(folder: Path, count: int) -> Path:
    """Write records that have no word in common."""
    path = folder / "rows.jsonl"
    write_documents(
        path,
        (Document(f"d{n}", " ".join(f"w{n}x{i}" for i in range(200))) for n in range(count)),
    )
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("out*.jsonl"))}


def test_a_file_of_the_same_name_is_no_new_version(orbat: Orbat, tmp_path: Path) -> None:
    """Daily reports have one name, and most words in common; none may replace another."""
    common = " ".join(f"word{n}" for n in range(300))
    for day in ("mon", "tue", "mon"):
        (tmp_path / day).mkdir(exist_ok=True)
        (tmp_path / day / "report.txt").write_text(f"Report\n\n{common} {day} only\n")
        outcome = orbat("corpus", "add", tmp_path / day, "--output", tmp_path / "out.jsonl")
        assert outcome.code == 0, outcome.err
    kept = b"".join(contents(tmp_path).values()).decode()
    assert kept.count("mon only") == kept.count("tue only") == 1


@pytest.mark.slow
def test_an_interrupted_run_resumes(orbat: Orbat, tmp_path: Path) -> None:
    source = articles(tmp_path, 3000)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert orbat("corpus", "add", source, "--output", whole / "out.jsonl").code == 0
    running = subprocess.Popen(
        [
            *(sys.executable, "-m", "orbat", "corpus", "add", str(source)),
            *("--output", str(killed / "out.jsonl")),
        ],
        cwd=ROOT,
    )
    index = killed / "out.index-wal"
    deadline = time.monotonic() + 120
    while not (index.exists() and index.stat().st_size > 2_000_000):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not (killed / "out.jsonl").exists()
    outcome = orbat("corpus", "add", source, "--output", killed / "out.jsonl", "--json")
    assert outcome.code == 0, outcome.err
    value = outcome.json()
    assert value["resumed"]
    assert 0 < value["known"] < 3000
    assert value["added"] == 3000
    assert contents(killed) == contents(whole)


def test_the_index_of_an_edited_corpus_is_rebuilt(orbat: Orbat, tmp_path: Path) -> None:
    source, output = articles(tmp_path, 5), tmp_path / "out.jsonl"
    orbat("corpus", "add", source, "--output", output)
    kept = output.read_text().splitlines(keepends=True)
    output.write_text("".join(kept[1:]))
    value = orbat("corpus", "add", source, "--output", output, "--json").json()
    assert (value["added"], value["known"]) == (1, 4)
    assert [document.id for document in read_documents(output)] == ["d1", "d2", "d3", "d4", "d0"]
    (tmp_path / "out.index").write_bytes(b"no database at all" * 100)
    assert orbat("corpus", "add", source, "--output", output, "--json").json()["known"] == 5


def test_an_index_of_an_older_format_is_rebuilt(orbat: Orbat, tmp_path: Path) -> None:
    source, output = articles(tmp_path, 5), tmp_path / "out.jsonl"
    orbat("corpus", "add", source, "--output", output)
    before = contents(tmp_path)
    (tmp_path / "out.index").unlink()
    with sqlite3.connect(tmp_path / "out.index") as database:
        # The tables of format 1 that have the name, but not the columns, of those of format 2.
        database.execute("CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT)")
        database.execute("INSERT INTO state VALUES ('format', '1')")
        database.execute("CREATE TABLE bands (band INTEGER, place INTEGER)")
        database.execute("CREATE TABLE pending (place INTEGER, kind TEXT, line TEXT)")
        database.execute("INSERT INTO pending VALUES (1, 'corpus', 'x')")
    value = orbat("corpus", "add", source, "--output", output, "--json").json()
    assert (value["added"], value["known"]) == (0, 5)
    assert contents(tmp_path) == before


def test_concurrent_runs_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    source = articles(tmp_path, 2)
    with CorpusStore(tmp_path / "out.jsonl"):
        line = refused("corpus", "add", source, "--output", tmp_path / "out.jsonl")
    assert "wait until the other orbat corpus add has ended" in line


@pytest.mark.slow
def test_ray_makes_the_same_corpus(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document]
) -> None:
    pytest.importorskip("ray")
    source = tmp_path / "in"
    source.mkdir()
    for document in train_articles[:12]:
        (source / f"{document.id}.txt").write_text(document.text)
    (source / "reprint.txt").write_text(f"{train_articles[3].text}\n(Agency)")
    (source / "empty.txt").write_text("")
    (source / "rows.jsonl").write_text(
        "".join(json.dumps({"text": f"Row {n} of the table."}) + "\n" for n in range(20))
    )
    reports = {}
    for engine in ("local", "ray"):
        folder = tmp_path / engine
        outcome = orbat(
            "corpus", "add", source, "--output", folder / "out.jsonl", "--engine", engine, "--json"
        )
        assert outcome.code == 0, outcome.err
        reports[engine] = outcome.json()
        assert len(reports[engine]["duplicates"]) == len(reports[engine]["rejected"]) == 1
    assert reports["local"] == reports["ray"]
    assert contents(tmp_path / "local") == contents(tmp_path / "ray")


def test_a_damaged_index_is_named_and_made_again(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    add = ("corpus", "add", articles(tmp_path, 100), "--output", tmp_path / "out.jsonl")
    assert orbat(*add).code == 0
    before = contents(tmp_path)
    index = tmp_path / "out.index"
    size = index.stat().st_size
    with index.open("r+b") as file:
        file.seek(4 * 4096)
        file.write(b"\xff" * (size - 4 * 4096))
    message = refused(*add)
    assert message.startswith(f"{index}: cannot be used (database disk image is malformed); delete")
    index.unlink()
    assert orbat(*add).code == 0
    assert contents(tmp_path) == before
