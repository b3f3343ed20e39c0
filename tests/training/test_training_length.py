"""How long a transformer trains, and how a run is trained longer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.labels import load_labels
from orbat.corpus.tagger import count_seen
from orbat.models.loading import load_model
from orbat.training.data import TrainingData
from orbat.training.recipe import Recipe, load_recipe
from orbat.training.train import train
from orbat.training.transformer.auto_length import AutoLength
from orbat.ui import Progress
from tests.conftest import Orbat
from tests.training.test_training import settings, tiny_data, tiny_encoder, weights


def simulate(steps_per_epoch: int, f1: Callable[[int], float], *fields: str) -> AutoLength:
    """Decide the length of a training whose dev F1 after each step is known."""
    recipe = load_recipe("quick", ["epochs=auto", *fields])
    assert isinstance(recipe, Recipe)
    length = AutoLength(recipe, steps_per_epoch)
    scores: list[tuple[int, float]] = []
    while len(scores) * length.interval < length.end:
        step = (len(scores) + 1) * length.interval
        scores.append((step, f1(step)))
        length.update(scores)
    assert length.end == scores[-1][0]
    return length


def test_a_dev_f1_that_cannot_rise_ends_the_training() -> None:
    length = simulate(50, lambda step: min(1, step / 400))
    assert (length.decay_start, length.found_plateau) == (400, True)
    # Below the lowest number of steps, a few dev documents say little.
    length = simulate(50, lambda step: 1.0, "min_steps=300")
    assert (length.decay_start, length.found_plateau) == (300, True)


@pytest.mark.parametrize(
    ("steps_per_epoch", "interval"),
    [(1, 50), (5, 50), (40, 80), (50, 50), (640, 640), (1250, 625), (12500, 962)],
)
def test_few_and_many_documents_train_until_dev_no_longer_rises(
    steps_per_epoch: int, interval: int
) -> None:
    length = simulate(steps_per_epoch, lambda step: min(step, 1500) / 2000)
    assert length.interval == interval
    assert length.found_plateau
    assert length.decay_start is not None
    # The best score is known after 1,500 steps and at most one interval; then comes the patience.
    waited = length.decay_start - 1500
    assert max(300, 2 * interval) <= waited < max(300, 2 * interval) + 2 * interval
    assert length.decay_start < length.end <= 1.25 * length.decay_start + interval
    rates = [length(step) for step in range(length.end + 1)]
    assert (rates[0], max(rates), rates[-1]) == (0, 1, 0)
    peak = rates.index(1)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


@pytest.mark.parametrize("steps_per_epoch", [1, 40, 1250, 12500])
def test_a_rising_f1_ends_with_the_maximum_of_steps(steps_per_epoch: int) -> None:
    length = simulate(steps_per_epoch, lambda step: step / 1e6)
    assert not length.found_plateau
    assert 9000 <= length.end <= 10_000
    short = simulate(steps_per_epoch, lambda step: step / 1e6, "max_steps=30", "min_steps=10")
    assert 20 <= short.end <= 30
    assert not short.found_plateau


def test_the_minimum_of_steps_is_kept_and_an_f1_of_zero_is_waited_for() -> None:
    length = simulate(50, lambda step: 0.5, "min_steps=900")
    assert length.decay_start == 900
    late = simulate(50, lambda step: 0.5 if step >= 1200 else 0.0)
    assert late.decay_start == 1500
    assert 1500 <= simulate(50, lambda step: 0.0).end < 2500


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    """A training of a tiny encoder, which learns its four documents in eight epochs."""
    train, dev = tiny_data(tmp_path)
    torch.manual_seed(0)
    encoder = tiny_encoder(tmp_path / "encoder")
    return [
        *("train", "quick", "--train", train, "--dev", dev),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "dtype=fp32", "batch_size=1"),
        *settings("learning_rate=1e-3", "head_learning_rate=1e-3"),
    ]


@pytest.mark.slow
def test_an_automatic_length_ends_at_the_plateau_even_after_a_stop(tmp_path: Path) -> None:
    train_file, dev_file = tiny_data(tmp_path)
    # The rank of the last document is not marked, so that F1 does not reach 1.
    copies = [replace(d, id=f"{d.id}-{n}") for n in range(3) for d in read_documents(dev_file)]
    write_documents(dev_file, [*copies, Document("unmarked", "Gen. Smith leads.")])
    torch.manual_seed(0)
    encoder = tiny_encoder(tmp_path / "encoder")
    labels = load_labels()
    data = TrainingData.from_files([train_file], [dev_file], labels)
    recipe = load_recipe(
        "quick",
        [
            *(f"encoder={encoder}", "window=32", "stride=8", "dtype=fp32", "batch_size=1"),
            *("learning_rate=3e-3", "head_learning_rate=3e-3"),
            *("epochs=auto", "patience=8", "min_steps=8", "max_steps=400"),
        ],
    )
    metrics = train(recipe, data, labels, tmp_path / "whole")
    assert metrics["dev"]["f1"] > 0.9
    assert not metrics["rose_in_last_epoch"]
    # Epochs of four steps are scored by thirteen; three scores show the plateau, and one follows.
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == [13, 26, 39, 52]

    scores = 0

    def stop(progress: Progress) -> None:
        nonlocal scores
        if scores == 3:
            raise KeyboardInterrupt
        scores += "f1" in progress.metrics

    with pytest.raises(KeyboardInterrupt):
        train(recipe, data, labels, tmp_path / "stopped", on_progress=stop)
    resumed = train(recipe, data, labels, tmp_path / "stopped", resume=True)
    assert len(resumed["epochs"]) == 4
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


@pytest.mark.slow
def test_a_run_that_still_rose_says_so_and_is_trained_longer(
    orbat: Orbat, refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    run, longer = tmp_path / "run", tmp_path / "longer"
    short = orbat(*arguments, *settings("epochs=2"), "--output", run)
    assert short.code == 0, short.err
    first = json.loads((run / "metrics.json").read_text())
    assert first["rose_in_last_epoch"]
    before = weights(run)
    (line,) = [line for line in short.out.splitlines() if "still rose in the last epoch" in line]
    assert line.endswith(f"from here (orbat train {run} --set start_from={run})")
    assert first["baseline_linear"]["f1"] > first["dev"]["f1"]
    assert "baseline-linear, which trains in seconds, scores higher on dev: F1 " in short.out
    finished = refused(*arguments, *settings("epochs=2"), "--output", run, "--resume")
    assert "this run has finished; name a new folder" in finished

    more = orbat("train", run, *settings(f"start_from={run}", "epochs=8"), "--output", longer)
    assert more.code == 0, more.err
    second = json.loads((longer / "metrics.json").read_text())
    assert second["epochs"][0]["epoch"] == 0
    assert second["epochs"][0]["f1"] == first["dev"]["f1"]
    assert second["dev"]["f1"] > first["dev"]["f1"]
    assert weights(run) == before
    manifest = json.loads((longer / "manifest.json").read_text())
    assert manifest["start_from"]["run"] == "run"
    assert len(manifest["start_from"]["sha256"]) == 64
    again = orbat("train", longer, "--output", tmp_path / "again")
    assert again.code == 0, again.err
    assert weights(tmp_path / "again") == weights(longer)


@pytest.mark.slow
def test_weights_that_do_not_fit_or_have_seen_dev_documents_are_refused(
    orbat: Orbat, refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    run, second = tmp_path / "run", tmp_path / "second"
    assert orbat(*arguments, *settings("epochs=1"), "--output", run).code == 0
    more = settings("epochs=1", f"start_from={run}")
    line = refused(*arguments, *more, *settings("crf=false"), "--output", second)
    assert "differs from the recipe's (crf.start_transitions)" in line
    train, dev = tmp_path / "train.jsonl", tmp_path / "dev.jsonl"
    other = Document("other", "Gen. Smith leads.", (Span(0, 4, "RANK"),))
    write_documents(tmp_path / "other.jsonl", [other])
    write_documents(tmp_path / "dev2.jsonl", [Document("dev2", "Gen. Osei spoke.", other.spans)])
    started = orbat(
        *("train", run, "--train", tmp_path / "other.jsonl", "--dev", tmp_path / "dev2.jsonl"),
        *more,
        *("--output", second),
    )
    assert started.code == 0, started.err
    # The weights of the second run have learned from the first run's documents too.
    parts = json.loads((second / "manifest.json").read_text())["documents"]
    assert [entry["id"] for entry in parts["start_from"]] == [d.id for d in read_documents(train)]
    assert [entry["id"] for entry in parts["start_from_dev"]] == [d.id for d in read_documents(dev)]
    assert count_seen(load_model(second), read_documents(dev)) == len(parts["start_from_dev"])
    line = refused(
        *("train", second, "--train", tmp_path / "other.jsonl", "--dev", train),
        *(*settings(f"start_from={second}"), "--output", tmp_path / "third"),
    )
    assert f"start_from {second}: was trained on 4 of the dev or held-out documents" in line
    assert not (tmp_path / "third").exists()
