"""Taggers that orbat did not train as teachers of unlabeled articles."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import spacy
from safetensors.numpy import load_file

from orbat.corpus.files import read_documents
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ModelError, ServerError
from orbat.training.data import TrainingData
from orbat.training.external import endpoint
from orbat.training.external.label_map import make_label_map
from orbat.training.recipe import AnyRecipe, load_recipe
from orbat.training.run_folder import read_manifest
from orbat.training.tagger.mentions import Mention
from orbat.training.train import estimate, train
from orbat.training.unlabeled.external import STORE_FOLDER, ExternalTeacher
from orbat.ui import Progress
from tests.chat_api import ChatApi, fails, finds, says, serve
from tests.conftest import Orbat
from tests.models import token_classifiers
from tests.training.test_training import settings, tiny_files

pytestmark = pytest.mark.slow

LABELS = load_labels()
FOUND = {"Gen.": "RANK", "5th Brigade": "UNIT"}


@pytest.fixture
def api() -> Iterator[ChatApi]:
    with serve() as server:
        server.answer = finds(FOUND)
        yield server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(endpoint, "_FIRST_PAUSE", 0.01)
    monkeypatch.delenv(endpoint.KEY_VARIABLE, raising=False)
    return tmp_path / "cache" / "orbat"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def pipeline(files: Path) -> Path:
    """A pipeline of spaCy with a label of the label set and another one."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "RANK", "pattern": "Gen."},
            {"label": "ORG", "pattern": "5th Brigade"},
        ]
    )
    nlp.to_disk(files / "ruler")
    return files / "ruler"


@pytest.fixture(scope="module")
def data(files: Path) -> TrainingData:
    gold, dev, pool = ([files / f"{part}.jsonl"] for part in ("train", "dev", "pool"))
    return TrainingData.from_files(gold, dev, LABELS, pool)


def recipe_options(files: Path, *changes: str) -> list[str]:
    small = (f"encoder={files / 'encoder'}", "window=32", "stride=8", "batch_size=2")
    fast = ("epochs=2", "learning_rate=3e-3", "head_learning_rate=3e-3", "dtype=fp32")
    return [*small, *fast, "unlabeled_ratio=9", *changes]


MakeRecipe = Callable[..., AnyRecipe]


@pytest.fixture(scope="module")
def make_recipe(files: Path) -> MakeRecipe:
    def make(*teachers: str | Path) -> AnyRecipe:
        names = json.dumps([str(teacher) for teacher in teachers])
        return load_recipe("quick", recipe_options(files, f"teachers={names}"))

    return make


def weights(run: Path) -> bytes:
    return (run / "model" / "model.safetensors").read_bytes()


def log(run: Path) -> str:
    return (run / "training.log").read_text(encoding="utf-8")


def test_a_language_model_teaches_what_its_spans_teach_and_is_asked_once(
    orbat: Orbat, api: ChatApi, files: Path, cache: Path, tmp_path: Path
) -> None:
    """The direct way gives the weights of the one by `orbat tag`, and keeps its answers."""
    name, environment = f"llm:tiny@{api.url}", {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    gold = ("--train", files / "train.jsonl", "--dev", files / "dev.jsonl")
    pool = ("--unlabeled", files / "pool.jsonl")
    options = settings(*recipe_options(files, f'teachers=["{name}"]'))

    explained = orbat("train", "quick", *gold, *pool, *options, "--explain", env=environment)
    assert explained.code == 0, explained.err
    assert "20 requests to" in " ".join(explained.out.split())
    assert api.requests == []

    def run(output: str, *options: object) -> tuple[Path, str]:
        path = tmp_path / output
        outcome = orbat("train", "quick", *gold, *options, "--output", path, env=environment)
        assert outcome.code == 0, outcome.err
        return path, outcome.err

    direct, printed = run("direct", *pool, *options)
    assert printed.startswith(f"the unlabeled articles are sent to {api.url}\n")
    assert f"{name}: 20 articles, 40 mentions" in printed
    assert "tiny: 20 requests; 2,000 tokens sent, 200 received" in printed
    assert "tiny: 20 requests; 2,000 tokens sent, 200 received" in log(direct)
    asked = api.passages()
    assert sorted(asked) == sorted(d.text for d in read_documents(files / "pool.jsonl"))
    assert "\nGuidelines:\n# " in api.requests[0][2]["messages"][0]["content"]

    again, printed = run("again", *pool, *options)
    assert "requests" not in printed
    tagged = tmp_path / "tagged.jsonl"
    outcome = orbat("tag", name, files / "pool.jsonl", "--output", tagged, env=environment)
    assert outcome.code == 0, outcome.err
    two_steps, _ = run(
        *("two-steps", "--unlabeled", tagged),
        *settings(*recipe_options(files, 'teachers=["spans"]')),
    )
    assert len(api.requests) == len(asked)
    assert weights(direct) == weights(again)
    # Kept scores are in half precision.
    one, other = (load_file(run / "model" / "model.safetensors") for run in (direct, two_steps))
    assert all(np.allclose(one[name], other[name], atol=1e-3) for name in one)


def test_an_interrupted_language_model_teaches_the_same(
    api: ChatApi, make_recipe: MakeRecipe, data: TrainingData, cache: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.toml"
    model.write_text(
        f'kind = "llm"\nmodel = "tiny"\nurl = "{api.url}"\nworkers = 1\ncache = "a.sqlite"\n'
    )
    recipe = make_recipe(model)
    train(recipe, data, LABELS, tmp_path / "whole")
    asked = len(api.requests)
    (tmp_path / "a.sqlite").unlink()
    for path in (cache / STORE_FOLDER).iterdir():
        path.unlink()
    api.answers = [*[finds(FOUND)] * 17, *[fails(500)] * endpoint.MAX_ATTEMPTS]
    api.answer = fails(400)
    run, notes = tmp_path / "run", list[Progress]()
    with pytest.raises(ServerError, match="the answers so far are kept"):
        train(recipe, data, LABELS, run, on_progress=notes.append)
    (line,) = (p.note for p in notes if p.note.startswith("tiny: "))
    assert line.startswith("tiny: 17 requests; 1,700 tokens sent")
    api.requests.clear()
    api.answer = finds(FOUND)
    train(recipe, data, LABELS, run, resume=True)
    assert len(api.requests) == asked - 17
    assert weights(run) == weights(tmp_path / "whole")


def test_passages_without_an_answer_are_not_taught_and_named(
    api: ChatApi, make_recipe: MakeRecipe, data: TrainingData, cache: Path, tmp_path: Path
) -> None:
    """Such a passage is not one without entities."""
    events: list[Progress] = []
    recipe = make_recipe(f"llm:tiny@{api.url}")
    api.answer = says("I am not sure what you mean.")
    train(recipe, data, LABELS, tmp_path / "prose", on_progress=events.append)
    notes = "\n".join(event.note for event in events)
    assert "20 articles, no mention, so it teaches nothing; articles with passages that" in notes
    assert "that are not taught: 20" in notes
    assert "20 of 20 passages have no spans" in notes
    api.answer = says({"entities": []})
    (kept,) = (cache / STORE_FOLDER).iterdir()
    assert f"(delete {kept} to ask again)" in notes
    kept.unlink()
    train(recipe, data, LABELS, tmp_path / "empty")
    assert weights(tmp_path / "prose") != weights(tmp_path / "empty")


def test_a_pipeline_of_spacy_teaches_with_other_labels(
    make_recipe: MakeRecipe, pipeline: Path, data: TrainingData, cache: Path, tmp_path: Path
) -> None:
    model, plain = tmp_path / "ruler.toml", f"spacy:{pipeline}"
    model.write_text(f'kind = "spacy"\nmodel = "{pipeline}"\n[map]\nORG = "UNIT"\n')
    runs, notes = [], []
    for number, teacher in enumerate((plain, model)):
        events: list[Progress] = []
        runs.append(tmp_path / str(number))
        train(make_recipe(teacher), data, LABELS, runs[-1], on_progress=events.append)
        notes.append("\n".join(event.note for event in events if event.note))
    assert weights(runs[0]) != weights(runs[1])
    assert f"{plain}: does not know UNIT, ROLE, OPERATION, so that words outside" in notes[0]
    assert "20 articles, 20 mentions; left out, with labels that the label set does" in notes[0]
    assert "not have: ORG 20" in notes[0]
    assert f"{model}: does not know ROLE, OPERATION," in notes[1]
    assert "20 articles, 40 mentions" in notes[1]
    (entry,) = read_manifest(runs[0])["teachers"]
    assert entry["run"] == plain
    facts = estimate(make_recipe(plain), data, LABELS)
    assert facts["teachers"] == f"{plain}; 0 articles to score, once"
    assert "does not know UNIT, ROLE, OPERATION" in facts["other teachers"]
    with pytest.raises(InputError, match=r"teaches on unlabeled articles only.*--unlabeled"):
        gold = dataclasses.replace(data, unlabeled=(), unlabeled_files=())
        train(make_recipe(plain), gold, LABELS, tmp_path / "gold")


def test_uncertain_mentions_of_a_teacher_that_lacks_labels_are_taught() -> None:
    class Tagger:
        labels = ("UNIT",)

        def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
            for _ in texts:
                yield [Mention(4, 7, "UNIT", 0.4)]

    teacher = ExternalTeacher("tiny", Tagger(), make_label_map(("UNIT",)), LABELS)
    (log_probs,) = teacher.score(["The 5th left"])
    probabilities = np.exp(log_probs)
    assert np.isnan(probabilities[[0, 2]]).all()
    assert probabilities[1, :2].tolist() == pytest.approx([0.6, 0.4], abs=1e-4)


def test_a_token_classifier_teaches_with_others(
    make_recipe: MakeRecipe, pipeline: Path, data: TrainingData, cache: Path, tmp_path: Path
) -> None:
    folder, model = tmp_path / "bert", tmp_path / "bert.toml"
    token_classifiers.save(folder, "Bert", token_classifiers.word_piece(lowercase=True))
    with pytest.raises(InputError, match=r"predicts PER, ORG, LOC, MISC and none of .*by map"):
        train(make_recipe(folder), data, LABELS, tmp_path / "none")
    names = dict(zip(("PER", "ORG", "LOC", "MISC"), LABELS.names, strict=True))
    lines = "\n".join(f'{old} = "{new}"' for old, new in names.items())
    model.write_text(f'kind = "transformers"\nmodel = "bert"\n[map]\n{lines}\n')
    events: list[Progress] = []
    run = tmp_path / "run"
    train(make_recipe(model, f"spacy:{pipeline}"), data, LABELS, run, on_progress=events.append)
    notes = "\n".join(event.note for event in events if event.note)
    assert f"{model}: 20 articles, " in notes
    assert f"{model}: does not know" not in notes
    assert len(read_manifest(run)["teachers"]) == 2
    assert len(list((cache / STORE_FOLDER).iterdir())) == 2
    retrained = load_recipe("quick", [f"teachers={json.dumps(['missing/run/x'])}"])
    with pytest.raises(ModelError, match="missing/run/x"):
        train(retrained, data, LABELS, tmp_path / "missing")
