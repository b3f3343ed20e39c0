"""Bulk tagging: rejected articles, formats, resuming, and Ray."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.models.bulk.chunks import CHUNK_ARTICLES
from orbat.models.bulk.transaction import STATE_FORMAT
from tests.conftest import Orbat

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def articles(test_articles: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of several kinds, with some that cannot be used."""
    folder = tmp_path_factory.mktemp("articles")
    write_documents(folder / "a.jsonl", test_articles[:4])
    with (folder / "a.jsonl").open("ab") as file:
        file.write(b'{"id": "cut off", "te\n')
        file.write(json.dumps({"id": test_articles[0].id, "text": "again"}).encode() + b"\n")
        file.write(json.dumps({"id": "nul", "text": "Gen.\0 Ann Doe \U0001f600"}).encode() + b"\n")
    (folder / "b.txt").write_text(test_articles[4].text, encoding="utf-8")
    (folder / "c").mkdir()
    (folder / "c" / "b.txt").write_text("Maj. Ann Doe", encoding="utf-8")
    (folder / "d.txt").write_bytes(b"")
    return folder


def test_articles_that_cannot_be_used_are_rejected(
    orbat: Orbat, wheel: Path, articles: Path
) -> None:
    output = articles.parent / "out.jsonl"
    outcome = orbat("tag", wheel, articles, "--output", output, "--json")
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    tagged = {document.id: document for document in read_documents(output)}
    lines = Path(report["rejected_file"]).read_text(encoding="utf-8").splitlines()
    reasons = ["{location}: {reason}".format(**json.loads(line)) for line in lines]
    assert report["documents"] == len(tagged)
    assert report["rejected"] == len(reasons) == 3
    for index, reason in enumerate(("a.jsonl:5", "duplicate id", "d.txt: is empty")):
        assert reason in reasons[index]
    assert tagged["nul"].text == "Gen.\0 Ann Doe \U0001f600"
    # Two files with the same name get different ids.
    assert {document.text for document in tagged.values()} >= {"Maj. Ann Doe", tagged["b"].text}
    assert not list(articles.parent.glob(".out.jsonl*"))


def test_parquet_and_docbin_contain_the_same(
    orbat: Orbat, wheel: Path, articles: Path, tmp_path: Path
) -> None:
    import pyarrow.parquet
    import spacy
    from spacy.tokens import DocBin

    for extension in ("jsonl", "parquet", "spacy"):
        assert orbat("tag", wheel, articles, "--output", tmp_path / f"out.{extension}").code == 0
    expected = [
        (d.id, d.text, [(s.start, s.end, s.label) for s in d.spans])
        for d in read_documents(tmp_path / "out.jsonl")
    ]
    assert any(spans for *_, spans in expected)
    rows = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [
        (r["id"], r["text"], [(s["start"], s["end"], s["label"]) for s in r["spans"]]) for r in rows
    ] == expected
    docs = DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("xx").vocab)
    assert [
        (d.user_data["id"], d.text, [(e.start_char, e.end_char, e.label_) for e in d.ents])
        for d in docs
    ] == expected


def test_a_killed_run_resumes_without_loss(
    orbat: Orbat, wheel: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    many = [
        Document(f"{document.id}-{copy}", document.text[:60], (), {})
        for copy in range(34)
        for document in test_articles[:24]
    ]
    write_documents(tmp_path / "in.jsonl", many)
    output = tmp_path / "out.jsonl"
    arguments = ("tag", str(wheel), str(tmp_path / "in.jsonl"), "--output", str(output))
    running = subprocess.Popen(
        [sys.executable, "-m", "orbat", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    part = tmp_path / ".out.jsonl.part"

    def written() -> int:
        return part.read_bytes().count(b"\n") if part.is_file() else 0

    # While the second chunk is being written, the first one is committed.
    while running.poll() is None and written() <= CHUNK_ARTICLES:
        time.sleep(0.05)
    assert running.poll() is None, "the run ended before it could be killed"
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not output.exists()
    # An interrupted write.
    with part.open("ab") as file:
        file.write(b'{"id": "half a')
    outcome = orbat(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    assert 0 < json.loads(outcome.out)["resumed"] < len(many)
    assert [d.id for d in read_documents(output)] == [d.id for d in many]
    orbat("tag", wheel, tmp_path / "in.jsonl", "--output", tmp_path / "unbroken.jsonl")
    assert output.read_bytes() == (tmp_path / "unbroken.jsonl").read_bytes()


def test_another_model_does_not_resume_a_run(
    orbat: Orbat, wheel: Path, articles: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    with sqlite3.connect(tmp_path / ".out.jsonl.state") as state:
        state.execute(f"PRAGMA user_version = {STATE_FORMAT}")
        state.execute("CREATE TABLE ids (hash INTEGER PRIMARY KEY)")
        state.execute(
            "CREATE TABLE state (fingerprint TEXT, articles INTEGER, documents INTEGER, "
            "rejected INTEGER, part_size INTEGER, rejected_size INTEGER)"
        )
        state.execute("INSERT INTO state VALUES ('other', 0, 0, 0, 0, 0)")
    for name in ("part", "rejected"):
        (tmp_path / f".out.jsonl.{name}").touch()
    outcome = orbat("tag", wheel, articles, "--output", output)
    assert outcome.code == 2
    assert "another model, threshold or other sources" in outcome.err
    assert not output.exists()


def test_no_usable_article_is_an_error(orbat: Orbat, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{\n")
    outcome = orbat("tag", wheel, tmp_path / "bad.jsonl", "--output", tmp_path / "out.jsonl")
    assert outcome.code == 2
    assert "bad.jsonl:1" in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl"]


def test_text_and_web_pages_can_be_tagged(orbat: Orbat, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    note = "  Gen. Ann Doe\r\n\tmet the Defence Secretary.  "
    (tmp_path / "in" / "note.txt").write_bytes(note.encode())
    (tmp_path / "in" / "page.html").write_text(
        "<html><body><article><h1>Brigade</h1><p>The 3rd Brigade left the town on Monday after "
        "eleven months in the desert, as its officers told the press.</p></article></body></html>"
    )
    outcome = orbat("tag", wheel, tmp_path / "in", "--output", tmp_path / "out.jsonl")
    assert outcome.code == 0, outcome.err
    tagged = list(read_documents(tmp_path / "out.jsonl"))
    assert [document.id for document in tagged] == ["note", "page"]
    assert tagged[0].text == note
    assert tagged[1].text.startswith("Brigade\n\nThe 3rd Brigade")


_CLUSTER = """
import sys, threading, time
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from orbat.models.bulk.tagging import tag_files
from orbat.models.loading import load_model

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
ray.init(address=cluster.address, log_to_driver=False)
wheel, source, output = sys.argv[1:]

def lose_a_node():
    part = Path(output).with_name(".out.jsonl.part")
    while not (part.is_file() and part.stat().st_size):
        time.sleep(0.05)
    cluster.remove_node(nodes[0], allow_graceful=False)

losing = threading.Thread(target=lose_a_node, daemon=True)
losing.start()
report = tag_files(load_model(wheel), [Path(source)], Path(output), engine="ray")
losing.join()
while sum(node["Alive"] for node in ray.nodes()) > 2:
    time.sleep(0.1)
ray.shutdown()
cluster.shutdown()
print(report.documents)
"""


def test_no_article_is_lost_with_a_cluster_node(
    orbat: Orbat, wheel: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    many = [
        Document(f"{document.id}-{copy}", document.text[:60], (), {})
        for copy in range(27)
        for document in test_articles
    ]
    write_documents(tmp_path / "in.jsonl", many)
    (tmp_path / "ray").mkdir()
    arguments = [
        str(path) for path in (wheel, tmp_path / "in.jsonl", tmp_path / "ray" / "out.jsonl")
    ]
    done = subprocess.run(
        [sys.executable, "-c", _CLUSTER, *arguments],
        capture_output=True,
        text=True,
        check=False,
        # Ray's workers would wait for the processes of other tests.
        env={**os.environ, "RAY_worker_niceness": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == str(len(many))
    assert orbat("tag", wheel, tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl").code == 0
    local, distributed = (
        [(d.id, d.text, [(s.start, s.end, s.label) for s in d.spans]) for d in read_documents(path)]
        for path in (tmp_path / "out.jsonl", tmp_path / "ray" / "out.jsonl")
    )
    assert distributed == local
