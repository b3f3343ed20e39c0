"""Learning from unlabeled articles: the pool, its teachers, self-training, resuming."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.corpus.files import sha256_text
from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from orbat.training.data import TrainingData
from orbat.training.recipe import AnyRecipe, load_recipe
from orbat.training.run_folder import read_manifest
from orbat.training.train import estimate, train
from orbat.training.unlabeled.pool import UnlabeledPool, make_pool
from orbat.ui import Progress
from tests.conftest import Orbat
from tests.training.test_training import settings, tiny_files

LABELS = load_labels()


def pool_of(sizes: list[int]) -> UnlabeledPool:
    documents = [Document(str(index), "word " * size) for index, size in enumerate(sizes)]
    return UnlabeledPool(documents, sizes, {})


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=30), st.integers(1, 200), st.integers(0, 9)
)
def test_epochs_use_every_article_before_they_repeat_one(
    sizes: list[int], words: int, seed: int
) -> None:
    pool = pool_of(sizes)
    used: list[str] = []
    for epoch in range(max(1, sum(sizes) // words)):
        selected = [document.id for document in pool.select(epoch, words, seed)]
        assert selected and len(set(selected)) == len(selected)
        assert selected == [document.id for document in pool.select(epoch, words, seed)]
        used += selected
    if words >= max(sizes):
        assert len(set(used)) == len(used)
    if words >= sum(sizes):
        assert set(used) == {document.id for document in pool.documents}
    selected_words = sum(sizes[int(name)] for name in used)
    assert (selected_words <= len(used) and words == 1) or selected_words > 0


def test_articles_that_repeat_held_out_or_labeled_documents_are_left_out_and_counted(
    train_articles: list[Document], dev_articles: list[Document]
) -> None:
    train, dev = train_articles[:3], dev_articles[:2]
    other = dev_articles[5]
    shouted = Document("x", dev[1].text.upper())
    edited = Document("y", dev[0].text.replace(" the ", " that ", 1))
    tested = dev_articles[7]
    unlabeled = [
        *(tested, other, Document("again", other.text), shouted, edited),
        *(Document("t", train[0].text), Document("empty", " \n")),
    ]
    pool = make_pool(unlabeled, train, dev, [tested])
    assert list(pool.documents) == [other]
    assert pool.left_out == {
        "without words": 1,
        "repeats of dev documents": 2,
        "repeats of held-out documents": 1,
        "repeats of training documents": 1,
        "repeats of other unlabeled articles": 1,
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of gold and unlabeled articles, and a small encoder."""
    return tiny_files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def data(files: Path) -> TrainingData:
    names = (files / f"{part}.jsonl" for part in ("train", "dev", "pool"))
    gold, dev, pool = ([path] for path in names)
    return TrainingData.from_files(gold, dev, LABELS, pool)


@pytest.fixture(scope="module")
def gold(data: TrainingData) -> TrainingData:
    return dataclasses.replace(data, unlabeled=(), unlabeled_files=())


MakeRecipe = Callable[..., AnyRecipe]


@pytest.fixture(scope="module")
def make_recipe(files: Path) -> MakeRecipe:
    def make(*changes: str, teacher: Path | str | None = None) -> AnyRecipe:
        small = (f"encoder={files / 'encoder'}", "window=32", "stride=8", "batch_size=2")
        fast = ("epochs=4", "learning_rate=3e-3", "head_learning_rate=3e-3", "dtype=fp32")
        teachers = [f'teachers=["{teacher}"]'] if teacher else []
        return load_recipe("quick", [*small, *fast, *teachers, *changes])

    return make


@pytest.fixture(scope="module")
def finished(
    make_recipe: MakeRecipe, gold: TrainingData, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    run = tmp_path_factory.mktemp("runs") / "teacher"
    train(make_recipe(), gold, LABELS, run)
    return run


@pytest.fixture
def teacher(finished: Path, tmp_path: Path) -> Path:
    """A finished run that has not scored anything."""
    return Path(shutil.copytree(finished, tmp_path / "teacher"))


def weights(run: Path) -> bytes:
    return (run / "model" / "model.safetensors").read_bytes()


def count_scores(run: Path) -> int:
    with sqlite3.connect(run / "scores.sqlite") as database:
        (count,) = database.execute("SELECT count(*) FROM scores").fetchone()
        return int(count)


def stop_at(task: str, completed: int) -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if (progress.task, progress.completed) == (task, completed):
            raise KeyboardInterrupt

    return on_progress


@pytest.mark.slow
def test_teachers_score_unlabeled_articles_once(
    make_recipe: MakeRecipe, data: TrainingData, gold: TrainingData, teacher: Path, tmp_path: Path
) -> None:
    student, again, alone = (tmp_path / name for name in ("student", "again", "alone"))
    recipe = make_recipe("unlabeled_ratio=2", teacher=teacher)
    events: list[Progress] = []
    train(recipe, data, LABELS, student, on_progress=events.append)
    scored = [event for event in events if event.task == "Scoring unlabeled articles"]
    assert scored[-1].completed == scored[-1].total == count_scores(teacher) > 4
    events.clear()
    train(recipe, data, LABELS, again, on_progress=events.append)
    assert not [event for event in events if event.task == "Scoring unlabeled articles"]
    train(make_recipe(teacher=teacher), gold, LABELS, alone)
    assert weights(student) == weights(again) != weights(alone)
    manifest = read_manifest(student)
    hashes = [{"id": d.id, "sha256": sha256_text(d.text)} for d in data.unlabeled]
    assert manifest["documents"]["unlabeled"] == hashes
    assert manifest["inputs"]["unlabeled"][0]["file"] == "pool.jsonl"
    with pytest.raises(InputError, match=r"20 unlabeled articles.*--unlabeled"):
        TrainingData.from_run(student, LABELS)


@pytest.mark.slow
def test_an_interrupted_run_continues_as_if_it_had_not_been_interrupted(
    make_recipe: MakeRecipe, data: TrainingData, teacher: Path, tmp_path: Path
) -> None:
    copies = [shutil.copytree(teacher, tmp_path / str(n) / "teacher") for n in range(2)]
    runs = [copy.parent / "run" for copy in copies]
    first, second = (make_recipe("unlabeled_ratio=9", teacher=copy) for copy in copies)
    train(first, data, LABELS, runs[0])
    stops = [stop_at("Scoring unlabeled articles", 16), stop_at("Training", 30)]
    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            train(second, data, LABELS, runs[1], resume=True, on_progress=stop)
    tasks: list[str] = []
    train(second, data, LABELS, runs[1], resume=True, on_progress=lambda p: tasks.append(p.task))
    assert "Scoring unlabeled articles" not in tasks
    assert weights(runs[0]) == weights(runs[1])


@pytest.mark.slow
def test_self_training_trains_its_teacher_first(
    make_recipe: MakeRecipe, data: TrainingData, tmp_path: Path
) -> None:
    run, recipe = tmp_path / "run", make_recipe("unlabeled_ratio=9")
    with pytest.raises(KeyboardInterrupt):
        stop = stop_at("Scoring unlabeled articles", 16)
        train(recipe, data, LABELS, run, on_progress=stop)
    teacher = weights(run / "teacher")
    tasks: list[str] = []
    train(recipe, data, LABELS, run, resume=True, on_progress=lambda p: tasks.append(p.task))
    assert "Training (teacher)" not in tasks and "Training" in tasks
    assert weights(run / "teacher") == teacher != weights(run)
    assert read_manifest(run)["recipe"]["teachers"] == []


@pytest.mark.slow
def test_rules_probabilities_and_spans_can_teach(
    make_recipe: MakeRecipe, data: TrainingData, gold: TrainingData, tmp_path: Path
) -> None:
    teachers = []
    for name in ("baseline-rules", "baseline-linear"):
        train(load_recipe(name), gold, LABELS, tmp_path / name)
        teachers.append(str(tmp_path / name))
    recipe = make_recipe(f"teachers={json.dumps([*teachers, 'spans'])}", "epochs=1")
    spans = [document.with_spans([Span(0, 2, "UNIT", score=0.7)]) for document in data.unlabeled]
    tagged = dataclasses.replace(data, unlabeled=spans)
    runs = []
    for number, part in enumerate((data, tagged)):
        runs.append(tmp_path / str(number))
        train(recipe, part, LABELS, runs[-1])
    assert weights(runs[0]) != weights(runs[1])
    sources = [read_manifest(run)["teachers"] for run in runs]
    assert [entry["run"] for entry in sources[0]] == ["baseline-rules", "baseline-linear", "spans"]
    assert sources[0][:2] == sources[1][:2] and sources[0][2] != sources[1][2]
    with pytest.raises(InputError, match="articles only, as it is not a run of a transformer"):
        train(recipe, gold, LABELS, tmp_path / "gold")


@pytest.mark.slow
def test_unusable_articles_and_teachers_are_refused_before_anything_is_written(
    make_recipe: MakeRecipe, data: TrainingData, gold: TrainingData, tmp_path: Path
) -> None:
    output = tmp_path / "run"

    def refusal(recipe: AnyRecipe, part: TrainingData) -> str:
        with pytest.raises(InputError) as error:
            train(recipe, part, LABELS, output)
        assert not output.exists()
        return str(error.value)

    only_dev = dataclasses.replace(data, unlabeled=gold.dev)
    assert "no unlabeled article can be used (2 repeats of dev documents)" in refusal(
        make_recipe(), only_dev
    )
    assert "of kind linear cannot learn" in refusal(load_recipe("baseline-linear"), data)
    rules = tmp_path / "rules"
    swapped = TrainingData(gold.dev, gold.train)
    train(load_recipe("baseline-rules"), swapped, LABELS, rules)
    message = "was trained on 2 of the dev or held-out documents"
    assert message in refusal(make_recipe(teacher=rules), data)
    tested = dataclasses.replace(data, dev=gold.train[:1], held_out=gold.dev)
    assert message in refusal(make_recipe(teacher=rules), tested)
    other = LABELS.model_copy(update={"labels": LABELS.labels[:2]})
    two = tmp_path / "two"
    train(load_recipe("baseline-rules"), gold, other, two)
    assert "has other labels" in refusal(make_recipe(teacher=two), data)


@pytest.mark.slow
def test_the_estimate_describes_pool_and_teachers_and_scores_nothing(
    make_recipe: MakeRecipe, data: TrainingData, teacher: Path
) -> None:
    facts = estimate(make_recipe("unlabeled_ratio=9", teacher=teacher), data, LABELS)
    assert facts["unlabeled articles"].startswith("20 of ")
    assert facts["unlabeled windows"].endswith("20 articles in all epochs")
    assert facts["teachers"] == f"{teacher}; 20 articles to score, once"
    assert "min for the unlabeled articles' teachers" in facts["time"]
    assert not (teacher / "scores.sqlite").exists()
    own = estimate(make_recipe(), data, LABELS)
    assert own["teachers"].startswith("a model of this recipe, trained on the gold first")


@pytest.mark.slow
def test_the_commands_take_unlabeled_files(
    orbat: Orbat, refused: Callable[..., str], files: Path, tmp_path: Path
) -> None:
    gold = ["--train", files / "train.jsonl", "--dev", files / "dev.jsonl"]
    small = settings(f"encoder={files / 'encoder'}", "window=32", "stride=8")
    explained = orbat(
        *("train", "quick", *gold, *small, "--unlabelled", files / "pool.jsonl", "--explain"),
        "--json",
    )
    assert explained.code == 0, explained.err
    assert explained.json()["facts"]["unlabeled articles"].startswith("20 of ")
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"id": "a", "text": "A text."}\n{"id": \n')
    line = refused(*("train", "quick", *gold, "--unlabeled", broken, "--output", tmp_path / "run"))
    assert line.startswith(f"{broken}:2: invalid JSON")
    line = refused(
        *("sweep", "quick", *gold, "--search", "crf=true,false", "--output", tmp_path / "sweep"),
        *("--unlabeled", files / "pool.jsonl"),
    )
    assert "needs teachers" in line
