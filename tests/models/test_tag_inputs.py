"""`orbat tag` reads the same files as `orbat corpus add`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.files import read_documents
from tests.conftest import Orbat
from tests.models.token_classifiers import save, word_piece

pytestmark = pytest.mark.slow

TEXT = "The 4th Brigade took the port on Monday, said Gen. Doe."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("model"), "Bert", word_piece(lowercase=False))


def test_articles_of_all_kinds_are_tagged(orbat: Orbat, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps([{"id": 1, "maintext": TEXT}, {"title": "x"}]))
    (folder / "b.eml").write_text(f"Subject: Port\n\n{TEXT}")
    (folder / "c.csv").write_text(f'id;text\n7;"{TEXT}"\n')
    (folder / "d.docx").write_text("x")
    output = tmp_path / "out.jsonl"
    outcome = orbat("tag", model, folder, "--output", output)
    assert outcome.code == 0, outcome.err
    assert {d.id: d.text for d in read_documents(output)} == dict.fromkeys(("1", "b", "7"), TEXT)
    assert f"warning: {folder}: passed over: 1 *.docx" in outcome.err
    assert "the text was read from 'maintext'" in outcome.err
    (rejected,) = (tmp_path / "out.rejected.jsonl").read_text().splitlines()
    assert json.loads(rejected)["location"] == f"{folder / 'a.json'}: item 2"


def test_the_text_can_be_in_a_named_field(orbat: Orbat, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"results": [{"fields": {"bodyText": TEXT}}]}))
    output = tmp_path / "out.jsonl"
    outcome = orbat("tag", model, path, "--output", output, "--text-column", "fields.bodyText")
    assert outcome.code == 0, outcome.err
    assert [document.text for document in read_documents(output)] == [TEXT]


def test_json_source_is_never_tagged(
    refused: Callable[..., str], model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(json.dumps([{"text": TEXT}]))
    line = refused("tag", model, path, "--output", tmp_path / "out.jsonl")
    assert line == f"{path}: JSON, not text; name it .json or .jsonl"
    assert not (tmp_path / "out.jsonl").exists()
