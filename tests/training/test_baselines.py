"""Baselines train, tag and are scored by the same commands as the transformer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from tests.conftest import DENSE_DEV, DENSE_TRAIN, Orbat, Trained
from tests.training.test_training import settings, tiny_data, tiny_encoder

pytestmark = pytest.mark.slow

BASELINES = {
    "baseline-rules": (),
    "baseline-linear": ("epochs=5",),
    "baseline-cnn": ("steps=200", "eval_every=100"),
}


@pytest.fixture(scope="module")
def gold(
    tmp_path_factory: pytest.TempPathFactory,
    train_articles: list[Document],
    dev_articles: list[Document],
) -> Path:
    folder = tmp_path_factory.mktemp("gold")
    write_documents(folder / "train.jsonl", train_articles[:DENSE_TRAIN:5])
    write_documents(folder / "dev.jsonl", dev_articles[:DENSE_DEV:4])
    return folder


@pytest.fixture(scope="module")
def runs(orbat: Orbat, gold: Path) -> dict[str, Path]:
    runs = {}
    for name, changes in BASELINES.items():
        runs[name] = gold / name
        outcome = orbat(
            *("train", name, *settings(*changes), "--output", runs[name], "--json"),
            *("--train", gold / "train.jsonl", "--dev", gold / "dev.jsonl"),
        )
        assert outcome.code == 0, outcome.err
        metrics = outcome.json()
        assert metrics["dev"]["f1"] > 0.2, name
        assert metrics == json.loads((runs[name] / "metrics.json").read_text())
    return runs


def test_all_are_compared_in_one_table(
    orbat: Orbat, runs: dict[str, Path], gold: Path, trained: Trained, test_articles: list[Document]
) -> None:
    write_documents(gold / "test.jsonl", test_articles[::4])
    systems = [*runs.values(), trained.run]
    outcome = orbat("evaluate", *systems, gold / "test.jsonl", "--resamples", "200")
    assert outcome.code == 0, outcome.err
    table = outcome.out[outcome.out.index("Systems compared") :]
    for run in systems:
        assert run.name[:12] in table
    assert "95 % interval" in table
    result = orbat("evaluate", *systems, gold / "test.jsonl", "--resamples", "200", "--json").json()
    assert list(result["systems"]) == [str(run) for run in systems]
    for scores in result["systems"].values():
        assert 0 < scores["low"] < scores["mean"] < scores["high"] < 1
        assert len(scores["labels"]) == 4


def test_only_the_linear_baseline_gives_confidences(
    orbat: Orbat, runs: dict[str, Path], gold: Path
) -> None:
    for name, run in runs.items():
        output = gold / f"{name}.jsonl"
        assert orbat("tag", run, gold / "dev.jsonl", "--output", output).code == 0
        spans = [span for document in read_documents(output) for span in document.spans]
        assert len(spans) > 20
        assert all((span.score is not None) == (name == "baseline-linear") for span in spans)


def test_the_same_seed_gives_the_same_spans(
    orbat: Orbat, runs: dict[str, Path], gold: Path
) -> None:
    for name in ("baseline-linear", "baseline-cnn"):
        again = gold / f"{name}-again"
        assert orbat("train", runs[name], "--output", again, fresh=True).code == 0
        first, second = (
            json.loads((run / "metrics.json").read_text())["dev"] for run in (runs[name], again)
        )
        assert first == second


def test_a_baseline_cannot_be_packaged_and_a_damaged_one_is_refused(
    refused: Callable[..., str], runs: dict[str, Path], gold: Path
) -> None:
    line = refused("package", runs["baseline-linear"], "--output", gold / "dist")
    assert "a run of kind linear; name one of a transformer" in line
    for name, file in (
        ("baseline-linear", "model.safetensors"),
        ("baseline-cnn", "config.cfg"),
        ("baseline-rules", "gazetteer.json"),
    ):
        path = runs[name] / "model" / file
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        line = refused("tag", runs[name], gold / "dev.jsonl", "--output", gold / "o.jsonl")
        assert str(runs[name]) in line
        path.write_bytes(content)


@pytest.mark.parametrize("recipe", [*BASELINES, "quick"])
def test_explain_prints_every_field_and_the_estimated_time(
    recipe: str, orbat: Orbat, tmp_path: Path
) -> None:
    train, dev = tiny_data(tmp_path)
    changes: list[str] = []
    if recipe == "quick":
        encoder = tiny_encoder(tmp_path / "encoder")
        changes = settings(f"encoder={encoder}", "window=32", "stride=8")
    without_data = orbat("train", recipe, "--explain", *changes)
    assert without_data.code == 0, without_data.err
    assert "Name --train and --dev to estimate the training time." in without_data.out
    with_data = orbat("train", recipe, "--explain", *changes, "--train", train, "--dev", dev)
    assert with_data.code == 0, with_data.err
    assert "4 to train on, 2 to select on" in with_data.out
    assert "time" in with_data.out
    for field in json.loads(orbat("train", recipe, "--explain", *changes, "--json").out)["recipe"]:
        assert f"│ {field} " in with_data.out
