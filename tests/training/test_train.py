"""`train`, `train_or_resume`, `estimate` and `load_run` as a notebook calls them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import sha256_file
from orbat.corpus.labels import load_labels
from orbat.corpus.output.locks import lock_folder
from orbat.errors import InputError, ModelError
from orbat.training.backends import BACKENDS, load_run
from orbat.training.data import TrainingData
from orbat.training.recipe import load_recipe, shipped_recipes
from orbat.training.run_folder import (
    RUN_FORMAT,
    check_files,
    read_hashes,
    read_manifest,
    run_documents,
)
from orbat.training.tagging import predict_probabilities, tag_documents
from orbat.training.train import estimate, train, train_or_resume
from orbat.training.value_tables import read_run_value_tables

LABELS = load_labels()


@pytest.fixture(scope="module")
def data(train_articles: list[Document], dev_articles: list[Document]) -> TrainingData:
    return TrainingData(train_articles[:6], dev_articles[:4])


@pytest.fixture(scope="module")
def run(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules") / "run"
    train(load_recipe("baseline-rules"), data, LABELS, folder)
    return folder


def test_every_recipe_has_a_backend() -> None:
    for name in shipped_recipes():
        recipe = load_recipe(name)
        assert type(recipe) is BACKENDS[recipe.kind].recipe
    assert {type(load_recipe(name)) for name in shipped_recipes()} == {
        backend.recipe for backend in BACKENDS.values()
    }


def test_a_run_tags_with_the_scores_in_its_metrics(run: Path, data: TrainingData) -> None:
    manifest = read_manifest(run)
    assert manifest["format"] == RUN_FORMAT
    assert run_documents(run, "dev") == list(data.dev)
    tagger = load_run(run)
    assert tagger.labels == LABELS.names
    tagged = list(tag_documents(tagger, data.dev))
    predicted = sum(len(document.spans) for document in tagged)
    dev = json.loads((run / "metrics.json").read_text())["dev"]
    assert predicted == dev["true_positives"] + dev["false_positives"] > 0


def test_finished_runs_are_reused_and_other_runs_refused(run: Path, data: TrainingData) -> None:
    recipe = load_recipe("baseline-rules")
    written = (run / "metrics.json").stat().st_mtime_ns
    metrics = train_or_resume(recipe, data, LABELS, run)
    assert metrics == json.loads((run / "metrics.json").read_text())
    assert (run / "metrics.json").stat().st_mtime_ns == written
    with pytest.raises(InputError, match="holds another run"):
        train_or_resume(load_recipe("baseline-rules", ["seed=1"]), data, LABELS, run)
    with pytest.raises(InputError, match="holds a run already"):
        train(recipe, data, LABELS, run)
    for how in ("resume", "finish"):
        with pytest.raises(InputError, match="this run has finished"):
            train(recipe, data, LABELS, run, **{how: True})


def test_an_unfinished_run_of_another_version_is_not_resumed(
    data: TrainingData, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 5, "status": "training"}))
    with pytest.raises(InputError, match="of another version of orbat; name a new folder"):
        train(load_recipe("baseline-rules"), data, LABELS, tmp_path, resume=True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", 3, "written by another version of orbat; train again"),
        ("status", "training", "its training has not finished"),
    ],
)
def test_unusable_runs_are_refused(
    run: Path, tmp_path: Path, field: str, value: Any, message: str
) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, field: value}))
    with pytest.raises(ModelError, match=message):
        load_run(tmp_path)


def test_a_manifest_of_others_is_refused_where_it_is_wrong(run: Path, tmp_path: Path) -> None:
    """Whoever writes a manifest can write its hash."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["documents"]["train"][0]["sha256"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    digest = sha256_file(copy / "manifest.json")
    hashes = {**read_hashes(copy), "manifest.json": digest}
    (copy / "sha256.json").write_text(json.dumps(hashes))
    with pytest.raises(ModelError, match=r"manifest\.json: .*documents\.train\.0\.sha256"):
        load_run(copy)


def read_all(run: Path, data: TrainingData) -> None:
    """Read every file of a run of the rules baseline."""
    load_run(run)
    train_or_resume(load_recipe("baseline-rules"), data, LABELS, run)
    read_run_value_tables(run)
    for part in ("train", "dev"):
        run_documents(run, part)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [
        *("manifest.json", "metrics.json", "values.json", "data/train.jsonl", "data/dev.jsonl"),
        "model/gazetteer.json",
    ],
)
def test_a_changed_or_missing_file_of_a_run_is_named(
    run: Path, data: TrainingData, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    read_all(copy, data)
    flip_a_bit(copy / name)
    with pytest.raises(ModelError, match=rf"{name}: was changed after training; restore"):
        read_all(copy, data)
    (copy / name).unlink()
    missing = "no readable manifest.json" if name == "manifest.json" else f"{name}: is missing"
    with pytest.raises(ModelError, match=missing):
        read_all(copy, data)


def test_every_file_of_a_run_has_a_hash(run: Path) -> None:
    files = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert set(read_hashes(run)) == files - {"sha256.json", ".lock", "training.log"}


def test_broken_hashes_and_foreign_files_are_refused(
    run: Path, data: TrainingData, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "model" / ".DS_Store").write_text("of the system")
    assert check_files(copy, "model") == copy / "model"
    (copy / "model" / "extra.json").write_text("{}")
    with pytest.raises(ModelError, match=r"extra.json: is not a file of this run; remove it"):
        load_run(copy)
    (copy / "model" / "extra.json").unlink()
    hashes = json.loads((copy / "sha256.json").read_text())
    for broken in ([], {**hashes, "../other": "0"}, {**hashes, "/etc/passwd": "0"}):
        (copy / "sha256.json").write_text(json.dumps(broken))
        with pytest.raises(ModelError, match=r"sha256.json: missing or broken; restore"):
            load_run(copy)
    del hashes["values.json"]
    (copy / "sha256.json").write_text(json.dumps(hashes))
    with pytest.raises(ModelError, match=r"sha256.json: has no hash of values.json; restore"):
        read_all(copy, data)
    (copy / "sha256.json").unlink()
    with pytest.raises(ModelError, match=r"sha256.json: missing or broken"):
        load_run(copy)


def test_hashing_holds_no_file_in_memory(run: Path, tmp_path: Path) -> None:
    """A sparse file of 200 MB is hashed in blocks."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    with (copy / "model" / "gazetteer.json").open("ab") as file:
        file.truncate(200 * 2**20)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="was changed after training"):
            check_files(copy, "model")
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


def test_a_second_training_in_a_folder_is_refused(
    refused: Callable[..., str], data: TrainingData, rules_run: Path, tmp_path: Path
) -> None:
    folder = rules_run.parent
    options = ("--train", folder / "train.jsonl", "--dev", folder / "dev.jsonl")
    output = tmp_path / "run"
    with lock_folder(output):
        line = refused("train", "baseline-rules", *options, "--output", output)
    assert line == f"{output}: another orbat command works in this folder; wait until it has ended"
    # The lock's file does not make it another folder.
    train(load_recipe("baseline-rules"), data, LABELS, output)
    load_run(output)


def test_what_a_killed_training_left_is_removed(data: TrainingData, tmp_path: Path) -> None:
    """Files and folders that were not complete, but none that look alike."""
    run = tmp_path / "run"
    train(load_recipe("baseline-rules"), data, LABELS, run)
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "training"}))
    code = f"""
import os, signal
from pathlib import Path
from orbat.corpus.output.atomic import open_atomic, open_folder_atomic
run = Path({str(run)!r})
with open_atomic(run / "data" / "dev.jsonl"), open_folder_atomic(run / "model", replace=True) as f:
    (f / "weights").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert len(list(run.rglob("*.orbat-draft"))) == 2
    kept = {run / ".other.abcdefgh.orbat-draft", run / "model.abcdefgh.orbat-draft"}
    for path in kept:
        path.touch()
    train(load_recipe("baseline-rules"), data, LABELS, run, resume=True)
    assert set(run.rglob("*.orbat-draft")) == kept
    load_run(run)


def test_files_of_a_run_have_the_mode_that_the_user_wants(
    data: TrainingData, tmp_path: Path
) -> None:
    before = os.umask(0o027)
    try:
        for recipe in ("baseline-rules", "baseline-linear"):
            train(load_recipe(recipe), data, LABELS, tmp_path / recipe)
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        if path.name != ".lock":
            assert path.stat().st_mode & 0o777 == (0o750 if path.is_dir() else 0o640), path


def test_rules_give_no_probabilities(run: Path) -> None:
    with pytest.raises(ModelError, match="gives no probabilities of words"):
        next(predict_probabilities(load_run(run), ["A text."], "rules"))


def test_an_estimate_writes_nothing(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    facts = estimate(load_recipe("baseline-rules"), data, LABELS)
    assert facts["documents"] == "6 to train on, 4 to select on"
    assert "gazetteer.toml" in facts["gazetteer"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("manifest.json", {"documents": {"train": [1]}}),
        ("manifest.json", {"recipe": 1.5}),
        ("manifest.json", {"labels": []}),
        ("manifest.json", {"span_constraints": {"x": 1}}),
        ("model/gazetteer.json", {"phrases": {"exact": 1.5}}),
    ],
)
def test_a_run_that_others_wrote_with_its_hashes_is_refused_in_one_line(
    run: Path, tmp_path: Path, name: str, change: dict[str, Any]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    path = copy / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    hashes = {**read_hashes(copy), name: sha256_file(path)}
    (copy / "sha256.json").write_text(json.dumps(hashes))
    with pytest.raises(ModelError) as refusal:
        load_run(copy)
    assert str(copy) in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--curve", "--finish"), "--finish keeps the best epoch of one training"),
        (("--curve", "--resume"), "--curve goes on with its unfinished trainings anyway"),
        (("--curve", "--explain"), "--explain describes one training"),
        (("--explain", "--finish"), "--finish goes on with a training"),
        (("--seeds", "3"), "--points and --seeds are those of a curve"),
    ],
)
def test_options_without_effect_are_refused(
    refused: Callable[..., str], options: tuple[str, ...], message: str
) -> None:
    assert message in refused("train", "quick", *options)
