"""Experiment trackers: what is recorded, and what cannot be."""

from __future__ import annotations

import importlib.util
import json
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import TrainerControl, TrainerState

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.errors import InputError
from orbat.training.experiments.trackers import TRACKERS, make_trackers
from tests.conftest import Orbat
from tests.test_telemetry import internet_sockets, run
from tests.training.test_training import settings, tiny_data, tiny_encoder


def read_events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return step and value of each scalar in TensorBoard's files, by tag.

    Each record is its length in 8 bytes, a checksum in 4, the event, and a checksum in 4.
    """
    from tensorboardX.proto.event_pb2 import Event

    scalars: dict[str, list[tuple[int, float]]] = {}
    for path in folder.glob("events.out.tfevents.*"):
        data, place = path.read_bytes(), 0
        while place < len(data):
            (length,) = struct.unpack_from("<Q", data, place)
            event = Event.FromString(data[place + 12 : place + 12 + length])
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
            place += length + 16
    return scalars


@pytest.mark.slow
def test_tensorboard_gets_the_losses_and_scores_of_the_run(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document]
) -> None:
    write_documents(tmp_path / "train.jsonl", train_articles[:6])
    write_documents(tmp_path / "dev.jsonl", train_articles[6:8])
    trained = orbat(
        *("train", "quick", "--train", tmp_path / "train.jsonl", "--dev", tmp_path / "dev.jsonl"),
        *("--output", tmp_path / "run", "--set", "epochs=2", "--set", "batch_size=2"),
        *("--log", "tensorboard"),
    )
    assert trained.code == 0, trained.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    scalars = read_events(tmp_path / "run" / "tensorboard")
    assert [value for _, value in scalars["eval/f1"]] == pytest.approx(
        [epoch["f1"] for epoch in metrics["epochs"]]
    )
    assert metrics["losses"]
    assert scalars["train/loss"] == [
        (entry["step"], pytest.approx(entry["loss"])) for entry in metrics["losses"]
    ]
    tagged = orbat(
        *("tag", tmp_path / "run", tmp_path / "dev.jsonl", "--output", tmp_path / "tagged.jsonl")
    )
    assert tagged.code == 0, tagged.err


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACKERS)
def test_trackers_reach_no_other_machine(name: str, tmp_path: Path) -> None:
    if not any(map(importlib.util.find_spec, TRACKERS[name])):
        pytest.skip(f"{name} is not installed")
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    gold, dev = tiny_data(tmp_path)
    encoder, trace = tiny_encoder(tmp_path / "encoder"), tmp_path / "trace"
    run(
        *("strace", "-f", "--seccomp-bpf", "-e", "trace=%network,execve", "-o", trace),
        *(sys.executable, "-m", "orbat", "train", "quick", "--train", gold, "--dev", dev),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "epochs=1"),
        *("--output", tmp_path / "run", "--log", name),
        home=tmp_path / "home",
    )
    assert "execve(" in trace.read_text()
    assert internet_sockets(trace.read_text()) == []


def test_a_tracker_that_cannot_begin_is_one_line_of_error(tmp_path: Path) -> None:
    (tmp_path / "tensorboard").write_text("no folder")
    (tracker,) = make_trackers(["tensorboard"], tmp_path)
    with pytest.raises(InputError, match=r"--log tensorboard: cannot record .*again with --resume"):
        tracker.on_train_begin(None, TrainerState(), TrainerControl())


def test_a_tracker_that_cannot_be_used_is_refused_before_training(
    refused: Callable[..., str], tmp_path: Path, train_articles: list[Document]
) -> None:
    write_documents(tmp_path / "train.jsonl", train_articles[:2])
    write_documents(tmp_path / "dev.jsonl", train_articles[2:3])
    data = ("--train", tmp_path / "train.jsonl", "--dev", tmp_path / "dev.jsonl")
    data = (*data, "--output", tmp_path / "run")
    known = "choose from tensorboard, mlflow, wandb, trackio"
    assert known in refused("train", "quick", *data, "--log", "comet")
    line = refused("train", "baseline-rules", *data, "--log", "tensorboard")
    assert "a recipe of kind rules has no losses" in line
    assert "remove it or --curve" in refused(
        "train", "quick", *data, "--curve", "--log", "tensorboard"
    )
    assert not (tmp_path / "run").exists()
