"""The command line of an installed model, and the JSON Schema of its records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from tests.conftest import ROOT, Orbat

SCHEMA = Draft202012Validator(json.loads((ROOT / "corpus" / "record.schema.json").read_text()))

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Run the installed model's command line."""

    def call(*files: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "en_orbat_news", *files],
            env={**os.environ, "PYTHONPATH": str(installed)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            **options,
        )

    return call


def records(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.split("\n") if line]


@pytest.mark.slow
def test_records_are_those_of_orbat_tag_and_follow_the_schema(
    run: Run, orbat: Orbat, wheel: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    write_documents(tmp_path / "in.jsonl", test_articles[:8])
    outcome = orbat("tag", wheel, tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    assert outcome.code == 0, outcome.err
    done = run("in.jsonl")
    assert done.returncode == 0, done.stderr
    tagged = records(done.stdout)
    assert sum(len(record["spans"]) for record in tagged) > 10
    assert tagged == records((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    for record in tagged:
        SCHEMA.validate(record)


@pytest.mark.slow
def test_texts_and_standard_input_are_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Gen. Ann Doe \U0001f600", encoding="utf-8-sig")
    done = run("a.txt", "-", input='{"text": "one\u2028line"}\n\n{"id": "b", "text": "two"}\n')
    assert done.returncode == 0, done.stderr
    read = [(record["id"], record["text"]) for record in records(done.stdout)]
    assert read == [("a", "Gen. Ann Doe \U0001f600"), ("stdin-1", "one\u2028line"), ("b", "two")]
    (plain,) = records(run("-", input="Gen. Ann Doe").stdout)
    assert plain["text"] == "Gen. Ann Doe"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.txt", None, "missing.txt: no such file; check the path"),
        ("a.txt", b"\xff\xfe", "a.txt: not UTF-8 text (byte 0); convert it"),
        ("a.json", b'[{"text": "a"}]', "a.json: JSON, not text; give JSON Lines, in a file named"),
        ("a.jsonl", b'{"text": "a"}\n{"id"', "a.jsonl:2: not JSON"),
        ("a.jsonl", b'{"body": "a"}', "a.jsonl:1: field 'text' is missing or not a string"),
        ("a.jsonl", b'{"text": "a\\ud83d"}', "a.jsonl:1: field 'text' contains an unpaired"),
        ("a.jsonl", b'{"text": "a", "id": "\\ud83d"}', "a.jsonl:1: contains an unpaired"),
        ("a.jsonl", b'{"text": "a", "n": ' + b"[" * 9000, "a.jsonl:1: nested too deeply"),
    ],
)
def test_errors_are_one_line(
    run: Run, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run(name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"id": " "},
        {"text": None},
        {"extra": 1},
        {"spans": [{"start": -1, "end": 2, "label": "RANK"}]},
        {"spans": [{"start": 0, "end": 2}]},
        {"spans": [{"start": 0, "end": 2, "label": "RANK", "score": 2}]},
        {"spans": [{"start": 0, "end": 2, "label": "RANK", "norm": {"id": "x"}}]},
    ],
)
def test_the_schema_refuses_other_records(change: dict[str, Any]) -> None:
    record = {"id": "a", "text": "Gen.", "spans": [], "meta": {}}
    SCHEMA.validate(record)
    assert not SCHEMA.is_valid({**record, **change})


def test_no_character_that_controls_a_terminal_is_printed(run: Run) -> None:
    name = "a\x1b[2J\u202e.jsonl"
    done = run(name)
    assert (done.returncode, done.stderr) == (
        2,
        "error: a\\u001b[2J\\u202e.jsonl: no such file; check the path\n",
    )
    record = {"id": "\x9b31m", "text": "\u202eGen. Doe \x7f\u2028", "meta": {"\x85": "\u2066"}}
    done = run("-", input=json.dumps(record))
    assert not set(done.stdout) & set("\x7f\x85\x9b\u2028\u202e\u2066")
    (tagged,) = records(done.stdout)
    assert {name: tagged[name] for name in record} == record
