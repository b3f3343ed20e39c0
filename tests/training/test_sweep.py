"""`orbat sweep`: interrupted and resumed sweeps, and the best recipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.training.experiments.search_space import SearchDimension, parse_dimension
from orbat.training.experiments.sweep_results import TrialResult, write_sweep_results
from orbat.training.recipe import load_recipe
from tests.conftest import DENSE_DEV, DENSE_TRAIN, Orbat


@pytest.fixture
def gold(
    tmp_path: Path, train_articles: list[Document], dev_articles: list[Document]
) -> list[object]:
    write_documents(tmp_path / "train.jsonl", train_articles[:DENSE_TRAIN:12])
    write_documents(tmp_path / "dev.jsonl", dev_articles[:DENSE_DEV:6])
    return ["--train", tmp_path / "train.jsonl", "--dev", tmp_path / "dev.jsonl"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epochs=2:8", SearchDimension("epochs", (), 2, 8)),
        ("learning_rate=1e-5:1e-3:log", SearchDimension("learning_rate", (), 1e-5, 1e-3, True)),
        ("crf=true,false", SearchDimension("crf", (True, False))),
        ("encoder=minilm,./other", SearchDimension("encoder", ("minilm", "./other"))),
    ],
)
def test_dimensions_are_parsed(text: str, expected: SearchDimension) -> None:
    assert parse_dimension(text) == expected


@pytest.mark.parametrize("text", ["epochs", "epochs=", "a=3:2", "a=0:1:log", "a=1:2:lin", "a=x:y"])
def test_an_invalid_dimension_is_refused(
    text: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    line = refused("sweep", "quick", "--search", text, "--output", tmp_path / "sweep")
    assert line.startswith(f"--search {text}: write KEY=LOW:HIGH")


@pytest.mark.parametrize("name", ["default", "fastest", "baseline-linear"])
def test_the_best_recipe_can_be_loaded(name: str, tmp_path: Path) -> None:
    recipe, best = load_recipe(name, ["epochs=3"]), TrialResult(0, "complete", 0.8, {"epochs": 3})
    dimension = SearchDimension("epochs", (), 2, 8)
    write_sweep_results(tmp_path, [best], best, recipe, [dimension])
    assert load_recipe(str(tmp_path / "best.toml")) == recipe
    assert json.loads((tmp_path / "sweep.json").read_text())["best"] == 0


@pytest.mark.slow
def test_a_killed_sweep_resumes(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path, gold: list[object]
) -> None:
    output = tmp_path / "sweep"
    command = [
        *("sweep", "baseline-linear", *gold, "--set", "epochs=3", "--output", output),
        *("--search", "context=0:3", "--search", "penalty=1e-7:1e-4:log"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "orbat", *map(str, command), "--trials", "50"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert process.stderr is not None
    while not process.stderr.readline().startswith("2: F1"):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()

    outcome = orbat(*command, "--trials", "5", "--json")
    assert outcome.code == 0, outcome.err
    result = outcome.json()
    done = [trial for trial in result["trials"] if trial["state"] != "failed"]
    assert len(done) == 5
    best = max(done, key=lambda trial: trial["f1"])
    assert result["best"] == best["number"]
    recipe = load_recipe(str(output / "best.toml"))
    assert recipe.model_dump()["context"] == best["values"]["context"]
    assert tomllib.loads((output / "best.toml").read_text())["epochs"] == 3
    (run,) = (output / "runs").iterdir()
    assert json.loads((run / "metrics.json").read_text())["dev"]["f1"] == best["f1"]
    assert (output / "sweep.png").read_bytes().startswith(b"\x89PNG")

    line = refused(*command, "--set", "seed=7")
    assert "another sweep" in line


@pytest.mark.slow
def test_a_value_that_the_recipe_refuses_is_found_before_the_first_training(
    refused: Callable[..., str], tmp_path: Path, gold: list[object]
) -> None:
    output = tmp_path / "sweep"
    line = refused("sweep", "quick", *gold, "--search", "warmup=0.1:1.5", "--output", output)
    assert line.startswith("--search: warmup: ")
    assert not output.exists()
