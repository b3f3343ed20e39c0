"""Experiment trackers: what is recorded, and what cannot be."""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
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


GUARD = """
import socket
import sys


def hook(event, arguments):
    is_of_network = event == "socket.getaddrinfo" or (
        event == "socket.connect" and arguments[0].family != socket.AF_UNIX
    )
    if is_of_network:
        with open({log!r}, "a") as file:
            print(event, arguments, file=file)


sys.addaudithook(hook)
"""
"""Module that Python imports when it begins, and that writes down every use of the network."""


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACKERS)
def test_no_tracker_uses_the_network(name: str, orbat: Orbat, tmp_path: Path) -> None:
    if not any(map(importlib.util.find_spec, TRACKERS[name])):
        pytest.skip(f"{name} is not installed")
    log, data = tmp_path / "network.log", tiny_data(tmp_path)
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD.format(log=str(log)))
    paths = [str(tmp_path / "guard"), *filter(None, [os.environ.get("PYTHONPATH")])]
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
    environment = {**home, "PYTHONPATH": os.pathsep.join(paths)}
    lookup = [sys.executable, "-c", "import socket; socket.getaddrinfo('localhost', 80)"]
    subprocess.run(lookup, env=os.environ | environment, check=True)
    assert "socket.getaddrinfo" in log.read_text()
    log.unlink()
    done = orbat(
        *("train", "quick", "--train", data[0], "--dev", data[1], "--output", tmp_path / "run"),
        *settings(f"encoder={tiny_encoder(tmp_path / 'encoder')}", "window=32", "stride=8"),
        *settings("epochs=1"),
        *("--log", name),
        env=environment,
        cwd=tmp_path,
    )
    assert done.code == 0, done.err
    assert not log.exists(), log.read_text()


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
