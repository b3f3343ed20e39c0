"""`orbat tag -`: what standard input may hold, and resuming."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from orbat import cli
from orbat.corpus.document import Document
from orbat.corpus.files import read_documents
from orbat.errors import InputError
from orbat.models import loading
from orbat.models.bulk.tagging import tag_files
from orbat.models.model import Model
from orbat.training.baselines.rules import RuleTagger

LINES = b'{"id": "a", "text": "Gen. Ann Doe"}\n{"id": "b", "text": "the 3rd Brigade"}\n'


@pytest.fixture(scope="module")
def rules() -> Model:
    return Model("rules", RuleTagger.from_file(None, ["RANK", "UNIT"]), frozenset(), "", "f")


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (LINES, ["a", "b"]),
        (b"\xef\xbb\xbf" + LINES, ["a", "b"]),
        (b"\n\r\n \n" + LINES, ["a", "b"]),
        (b"\xef\xbb\xbf\n" + LINES, ["a", "b"]),
        (b"\xef\xbb\xbf\n[" + LINES.strip().replace(b"\n", b",\n") + b"]", ["a", "b"]),
        (b"\xef\xbb\xbf\nGen. Ann Doe", ["standard-input"]),
    ],
)
def test_standard_input_may_begin_with_a_mark_and_blank_lines(
    rules: Model, content: bytes, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "load_model", lambda name: rules)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["tag", "rules", "-", "--output", str(tmp_path / "out.jsonl")])
    assert exit_info.value.code == 0
    tagged = list(read_documents(tmp_path / "out.jsonl"))
    assert [document.id for document in tagged] == ids
    assert tagged[0].spans[0].label == "RANK"


def test_standard_input_that_is_closed_is_named(
    rules: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(loading, "load_model", lambda name: rules)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit) as exit_info:
        cli.main(["tag", "rules", "-", "--output", str(tmp_path / "out.jsonl")])
    assert exit_info.value.code == 2
    assert capsys.readouterr().err.startswith("error: standard input is closed; ")


def test_a_run_with_the_same_standard_input_resumes(rules: Model, tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(n), "text": f"Gen. Doe, {n}"}) for n in range(300)]

    def tag(folder: str, last: str, **options: Any) -> Any:
        copy = tmp_path / folder / "standard-input.json"
        copy.parent.mkdir()
        copy.write_text("\n".join([*lines, last]))
        return tag_files(rules, [copy], tmp_path / "out.jsonl", copies=[copy], **options)

    def stop(progress: Any) -> None:
        raise KeyboardInterrupt

    last = json.dumps({"id": "last", "text": "Maj. Ann Doe"})
    with pytest.raises(KeyboardInterrupt):
        tag("first", last, on_progress=stop)
    with pytest.raises(InputError, match="or other sources is in progress"):
        tag("other", last.replace("Ann", "Eve"))
    report = tag("second", last)
    assert (report.documents, report.resumed) == (301, 256)
    tagged: list[Document] = list(read_documents(tmp_path / "out.jsonl"))
    assert [d.id for d in tagged] == [*map(str, range(300)), "last"]
