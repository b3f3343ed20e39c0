"""Failures in training, resuming, and reproducible runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from tests.conftest import Orbat
from tests.training.test_training import settings, tiny_data, tiny_encoder, weights

pytestmark = pytest.mark.slow


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    """A training that takes seconds."""
    train, dev = tiny_data(tmp_path)
    encoder = tiny_encoder(tmp_path / "encoder")
    return [
        *("train", "quick", "--train", train, "--dev", dev),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "dtype=fp32", "epochs=4"),
        *settings("batch_size=2"),
    ]


def test_two_processes_train_what_one_trains(arguments: list[object], tmp_path: Path) -> None:
    """As `torchrun` and `accelerate launch` start them."""
    runs = {1: tmp_path / "one", 2: tmp_path / "two"}
    for count, run in runs.items():
        done = subprocess.run(
            [
                *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count)),
                *("--standalone", "-m", "orbat", *map(str, arguments), "--output", str(run)),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("run: ") == 1
    first, second = (load_file(run / "model" / "model.safetensors") for run in runs.values())
    assert first.keys() == second.keys()
    # Each process averages over its own words, so rounding and weighting differ slightly.
    assert max((first[name] - second[name]).abs().max().item() for name in first) < 0.02
    assert {path.name for path in runs[2].iterdir()} == {path.name for path in runs[1].iterdir()}


def test_a_batch_that_processes_cannot_share_is_refused(
    refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    line = refused(
        *(*arguments, *settings("batch_size=3"), "--output", tmp_path / "run"),
        env={"WORLD_SIZE": "2"},
    )
    assert "batch_size 3 cannot be divided among 2 processes" in line
    assert not (tmp_path / "run").exists()


def test_a_run_folder_reproduces_its_weights(
    orbat: Orbat, arguments: list[object], tmp_path: Path
) -> None:
    assert orbat(*arguments, "--output", tmp_path / "run").code == 0
    moved = tmp_path / "elsewhere"
    (tmp_path / "run").rename(moved)
    for name in ("train.jsonl", "dev.jsonl"):
        (tmp_path / name).unlink()
    outcome = orbat("train", moved, "--output", tmp_path / "again")
    assert outcome.code == 0, outcome.err
    assert weights(tmp_path / "again") == weights(moved)


def test_a_full_disk_is_reported_and_the_run_resumes(
    orbat: Orbat, arguments: list[object], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    whole = orbat(*arguments, "--output", tmp_path / "whole")
    assert whole.code == 0, whole.err
    # No file may grow beyond this: a checkpoint's optimizer does.
    command = " ".join(map(str, [sys.executable, "-m", "orbat", *arguments, "--output", run]))
    blocked = subprocess.run(
        ["bash", "-c", f"ulimit -f 100; exec {command}"], capture_output=True, text=True
    )
    assert blocked.returncode == 2, blocked.stderr
    last = blocked.stderr.strip().splitlines()[-1]
    assert last.startswith(f"error: {run}: the model cannot be written (")
    assert "free disk space and run again with --resume" in last
    assert "Traceback" not in blocked.stderr
    resumed = orbat(*arguments, "--output", run, "--resume")
    assert resumed.code == 0, resumed.err
    assert weights(run) == weights(tmp_path / "whole")


def test_an_incomplete_checkpoint_is_skipped(
    orbat: Orbat, arguments: list[object], tmp_path: Path
) -> None:
    assert orbat(*arguments, "--output", tmp_path / "whole").code == 0
    run = tmp_path / "run"
    shutil.copytree(tmp_path / "whole", run)
    # A kill while a checkpoint is written leaves no state or half of it.
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "training"}))
    for name, state in (("checkpoint-7", None), ("checkpoint-8", '{"epoch": 4')):
        folder = run / "checkpoints" / name
        folder.mkdir(parents=True)
        shutil.copyfile(run / "model" / "model.safetensors", folder / "model.safetensors")
        if state:
            (folder / "trainer_state.json").write_text(state)
    resumed = orbat(*arguments, "--output", run, "--resume")
    assert resumed.code == 0, resumed.err
    assert weights(run) == weights(tmp_path / "whole")


def test_a_damaged_checkpoint_is_told_with_the_mend(
    orbat: Orbat, refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    assert orbat(*arguments, "--output", tmp_path / "whole").code == 0
    run = tmp_path / "run"
    command = " ".join(map(str, [sys.executable, "-m", "orbat", *arguments, "--output", run]))
    process = subprocess.Popen(["bash", "-c", f"exec {command}"], stderr=subprocess.PIPE, text=True)
    checkpoints = run / "checkpoints"
    while not list(checkpoints.glob("*/sha256.json")):
        assert process.poll() is None
    process.kill()
    process.wait()
    saved = tmp_path / "saved"
    shutil.copytree(run, saved)
    for name in ("optimizer.pt", "model.safetensors", "trainer_state.json", "sha256.json"):
        shutil.rmtree(run)
        shutil.copytree(saved, run)
        path = sorted(checkpoints.glob(f"*/{name}"))[0]
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        line = refused(*arguments, "--output", run, "--resume")
        assert "the checkpoint is damaged; delete" in line
        assert str(path.parent) in line
    shutil.rmtree(checkpoints)
    resumed = orbat(*arguments, "--output", run, "--resume")
    assert resumed.code == 0, resumed.err
    assert weights(run) == weights(tmp_path / "whole")


@pytest.mark.parametrize(
    ("epochs", "line"),
    [
        (9, "the loss is nan at step 10; lower learning_rate or set dtype to fp32"),
        # The loss is looked at every ten steps.
        (2, "the trained weights are not finite; lower learning_rate or set dtype to fp32"),
    ],
)
def test_a_training_that_is_not_finite_ends(
    orbat: Orbat, arguments: list[object], tmp_path: Path, epochs: int, line: str
) -> None:
    weights = load_file(tmp_path / "encoder" / "model.safetensors")
    weights[next(name for name in weights if name.endswith("query.weight"))][:] = float("nan")
    save_file(weights, tmp_path / "encoder" / "model.safetensors", metadata={"format": "pt"})
    outcome = orbat(*arguments, *settings(f"epochs={epochs}"), "--output", tmp_path / "run")
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1] == f"error: {line}"


def test_one_document_is_enough_and_an_empty_file_is_refused(
    orbat: Orbat, refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    # Most windows have no label at all.
    text = "Gen. Smith leads . " + "the the the " * 60
    write_documents(tmp_path / "train.jsonl", [Document("one", text, (Span(0, 4, "RANK"),))])
    outcome = orbat(*arguments, "--output", tmp_path / "run", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json()["training_windows"] > 3
    assert (
        "warning: no training document has a span of UNIT, ROLE, OPERATION; "
        "the model will never predict these labels"
    ) in outcome.err
    (tmp_path / "dev.jsonl").write_text("")
    line = refused(*arguments, "--output", tmp_path / "none")
    assert line.startswith(f"{tmp_path / 'dev.jsonl'}: is empty")
    assert not (tmp_path / "none").exists()
