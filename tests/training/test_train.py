"""`train`, `train_or_resume`, `estimate` and `load_run` as a notebook calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ModelError
from orbat.training.backends import BACKENDS, load_run
from orbat.training.data import TrainingData
from orbat.training.recipe import load_recipe, shipped_recipes
from orbat.training.run_folder import RUN_FORMAT, read_manifest, run_documents
from orbat.training.tagging import predict_probabilities, tag_documents
from orbat.training.train import estimate, train, train_or_resume

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
    with pytest.raises(InputError, match="this run has finished"):
        train(recipe, data, LABELS, run, resume=True)


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


def test_documents_changed_after_training_are_refused(data: TrainingData, tmp_path: Path) -> None:
    train(load_recipe("baseline-rules"), data, LABELS, tmp_path / "run")
    path = tmp_path / "run" / "data" / "dev.jsonl"
    path.write_text(path.read_text().replace("the", "teh", 1))
    with pytest.raises(InputError, match="was changed after training"):
        run_documents(tmp_path / "run", "dev")


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
