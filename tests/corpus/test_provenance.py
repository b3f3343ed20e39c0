"""The trace of a document."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.analysis.provenance import trace_document
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, sha256_file, sha256_text, write_documents
from tests.conftest import Orbat


def test_a_document_is_traced_through_all_files(
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
    gold = write("gold.jsonl", adjudication={"decided_by": "majority"})
    digest = sha256_text(document.text)
    manifest = {"documents": {"train": [{"id": "doe", "sha256": digest}]}, "recipe": {}}
    run = tmp_path / "run"
    (run / "evaluations").mkdir(parents=True)
    (run / "manifest.json").write_text(json.dumps(manifest))
    result = {"gold_sha256": sha256_file(gold)}
    (run / "evaluations" / "gold.json").write_text(json.dumps(result))
    with zipfile.ZipFile(tmp_path / "model.whl", "w") as wheel:
        wheel.writestr("model/manifest.json", json.dumps(manifest))
    damaged = bytearray((tmp_path / "model.whl").read_bytes())
    damaged[40] ^= 1
    (tmp_path / "damaged.whl").write_bytes(damaged)
    unknown = bytearray((tmp_path / "model.whl").read_bytes())
    unknown[unknown.index(b"PK\x01\x02") + 10] = 77  # the method of compression
    (tmp_path / "unknown.whl").write_bytes(unknown)
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
    printed = orbat("corpus", "show", "doe", tmp_path).out
    assert "by ann, 1 spans, confirmed" in printed
    assert "1 spans, decided by majority" in printed
    assert "document 'nobody' not found" in refused("corpus", "show", "nobody", tmp_path)
    assert "does not exist" in refused("corpus", "show", "doe", tmp_path / "nowhere")


@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {}, {"a": 1}, "\ud83d"])
def test_records_of_any_shape_are_traced(tmp_path: Path, value: object) -> None:
    fields = ("text", "spans", "meta")
    records = [{"id": "a", "text": "t", field: value} for field in fields]
    marks = ("duplicate", "annotation", "adjudication", "split", "provenance")
    records += [{"id": "a", "text": "t", "meta": {mark: value}} for mark in marks]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "evaluations").mkdir()
    (tmp_path / "evaluations" / "g.json").write_text(json.dumps({"gold_sha256": value}))
    for manifest in ({"documents": value}, {"documents": {"train": value}, "recipe": value}):
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        assert trace_document("a", [tmp_path]).events
