"""The transformers checkpoint, read by transformers without orbat."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError
from orbat.models.checkpoint import check_replaceable
from orbat.models.loading import load_model
from tests.conftest import Orbat, Trained
from tests.corpus.test_document import HARD_TEXT
from tests.training.test_training import settings

pytestmark = pytest.mark.slow

READ = """
import json, sys
for name in ("orbat", "spacy", "onnxruntime"):
    sys.modules[name] = None
from transformers import pipeline
ner = pipeline("token-classification", sys.argv[1], aggregation_strategy="first", stride=64)
for text in json.load(sys.stdin):
    print(json.dumps([(e["start"], e["end"], e["entity_group"]) for e in ner(text)]))
"""


@pytest.fixture(scope="module")
def run(orbat: Orbat, trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that can be written as a checkpoint."""
    folder = tmp_path_factory.mktemp("transformers") / "run"
    outcome = orbat(
        *("train", "transformers", "--train", trained.train, "--dev", trained.dev),
        *("--output", folder, *settings("layers=2", "window=256", "stride=64", "epochs=8")),
    )
    assert outcome.code == 0, outcome.err
    return folder


@pytest.fixture(scope="module")
def packaged(orbat: Orbat, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    outcome = orbat("package", run, "--output", folder, "--transformers")
    assert outcome.code == 0, outcome.err
    assert "load it with stride=64" in outcome.out
    return folder


def tag_without_orbat(checkpoint: Path, texts: list[str]) -> list[set[tuple[int, int, str]]]:
    """Tag texts in a process that cannot import orbat."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(checkpoint)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        cwd=checkpoint,
    )
    assert done.returncode == 0, done.stderr
    return [{tuple(entity) for entity in json.loads(line)} for line in done.stdout.splitlines()]


def tagged(
    orbat: Orbat, model: Path, documents: list[Document], folder: Path
) -> list[set[tuple[int, int, str]]]:
    write_documents(folder / "in.jsonl", documents)
    outcome = orbat("tag", model, folder / "in.jsonl", "--output", folder / "out.jsonl")
    assert outcome.code == 0, outcome.err
    read = read_documents(folder / "out.jsonl")
    return [{(s.start, s.end, s.label) for s in document.spans} for document in read]


def test_the_pipeline_finds_the_same_as_the_run(
    orbat: Orbat, run: Path, packaged: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    expected = tagged(orbat, run, test_articles, tmp_path)
    assert sum(map(len, expected)) > 100
    texts = [document.text for document in test_articles]
    assert tag_without_orbat(packaged / "transformers", texts) == expected


def test_the_checkpoint_is_loaded_as_a_model_that_finds_the_same_as_the_run(
    orbat: Orbat, run: Path, packaged: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    expected = tagged(orbat, run, test_articles[:20], tmp_path)
    (tmp_path / "out.jsonl").unlink()
    assert tagged(orbat, packaged / "transformers", test_articles[:20], tmp_path) == expected


def test_the_wheel_of_the_checkpoint_finds_the_same_as_the_run(
    orbat: Orbat, run: Path, packaged: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    documents = test_articles[:20]
    expected = tagged(orbat, run, documents, tmp_path)
    assert sum(map(len, expected)) > 20
    (tmp_path / "out.jsonl").unlink()
    outcome = orbat("package", packaged / "transformers", "--output", tmp_path, "--name", "again")
    assert outcome.code == 0, outcome.err
    (wheel,) = tmp_path.glob("*_again-*.whl")
    assert tagged(orbat, wheel, documents, tmp_path) == expected
    assert load_model(wheel).seen == load_model(run).seen


def test_both_find_the_same_in_single_lines_and_unusual_texts(
    orbat: Orbat, run: Path, packaged: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    lines = [line for document in test_articles[:10] for line in document.text.splitlines()]
    texts = [*[line for line in lines if line.strip() and len(line) < 300][:60], HARD_TEXT]
    documents = [Document(str(number), text) for number, text in enumerate(texts)]
    expected = tagged(orbat, run, documents, tmp_path)
    assert sum(map(len, expected)) > 10
    assert tag_without_orbat(packaged / "transformers", texts) == expected


def test_the_folder_has_safetensors_a_card_and_the_manifest(packaged: Path) -> None:
    from transformers import AutoTokenizer

    folder = packaged / "transformers"
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("README.md", "manifest.json", "sha256.json"),
    }
    card = (folder / "README.md").read_text()
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert metadata["library_name"] == "transformers"
    assert metadata["pipeline_tag"] == "token-classification"
    assert 'aggregation_strategy="first", stride=64' in card
    assert "agree on" in card
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [entry["id"] for entry in manifest["documents"]["train"]]
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    forms = [tokenizer(word)["input_ids"] for word in ("sergeant", "Sergeant", "SERGEANT")]
    assert len({tuple(form) for form in forms}) == 3


def test_only_a_checkpoint_as_it_was_written_is_replaced(
    packaged: Path, run: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "transformers"
    shutil.copytree(packaged / "transformers", folder)
    check_replaceable(folder)
    (folder / "notes.txt").write_text("mine")
    line = refused("package", run, "--output", tmp_path, "--transformers")
    assert line.startswith(f"{folder}: would be replaced, but is not a checkpoint")
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    (folder / "README.md").write_text("my own card")
    with pytest.raises(InputError, match="would be replaced, but is not a checkpoint"):
        check_replaceable(folder)


def test_a_run_with_other_parts_is_refused(
    trained: Trained, refused: Callable[..., str], tmp_path: Path
) -> None:
    line = refused("package", trained.run, "--output", tmp_path / "dist", "--transformers")
    assert "train one with the recipe transformers" in line
    assert not (tmp_path / "dist").exists()
