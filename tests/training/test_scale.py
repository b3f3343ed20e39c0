"""Training of large models: parts of steps, recomputed layers and mixed precision."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from orbat.training.data import TrainingData
from orbat.training.recipe import load_recipe
from orbat.training.train import train
from orbat.training.transformer.device import choose_precision, training_device
from tests.training.test_training import settings, tiny_data, tiny_encoder

LABELS = load_labels()
Train = Callable[..., tuple[dict[str, Any], dict[str, torch.Tensor]]]


@pytest.fixture
def train_tiny(tmp_path: Path) -> Train:
    """Train a tiny encoder without dropout; return metrics and weights."""
    train_file, dev_file = tiny_data(tmp_path)
    torch.manual_seed(0)
    encoder = tiny_encoder(tmp_path / "encoder")
    config = json.loads((encoder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (encoder / "config.json").write_text(json.dumps(config))
    data = TrainingData.from_files([train_file], [dev_file], LABELS)

    def run(name: str, *fields: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        fixed = [f"encoder={encoder}", "window=32", "stride=8", "epochs=8", "batch_size=2"]
        fixed += ["dropout=0", "gazetteer_dropout=0", "dtype=fp32", "learning_rate=1e-3"]
        metrics = train(load_recipe("quick", [*fixed, *fields]), data, LABELS, tmp_path / name)
        return metrics, load_file(tmp_path / name / "model" / "model.safetensors")

    return run


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max((one[name] - other[name]).abs().max().item() for name in one)


@pytest.mark.slow
def test_parts_of_steps_and_recomputed_layers_train_the_same_model(train_tiny: Train) -> None:
    metrics, whole = train_tiny("whole")
    assert metrics["dev"]["f1"] > 0.5
    _, recomputed = train_tiny("recomputed", "gradient_checkpointing=true")
    assert largest_difference(whole, recomputed) < 1e-5
    # A step's windows in two parts: the mean over words is that of each part, as among processes.
    parts_metrics, parts = train_tiny("parts", "gradient_accumulation_steps=2")
    assert 0 < largest_difference(whole, parts) < 0.02
    assert len(parts_metrics["epochs"]) == len(metrics["epochs"]) == 8
    half_metrics, _ = train_tiny("bf16", "dtype=bf16", "gradient_checkpointing=true")
    assert half_metrics["dtype"] == "bf16"


def test_a_step_that_cannot_be_divided_and_fp16_on_a_cpu_are_refused(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_file, dev_file = tiny_data(tmp_path)
    gold = ("--train", train_file, "--dev", dev_file, "--output", tmp_path / "run")
    line = refused("train", "quick", *gold, *settings("gradient_accumulation_steps=3"))
    assert (
        "batch_size 16 cannot be divided into parts of gradient_accumulation_steps 3; "
        "set it to a multiple of 3"
    ) in line
    assert not (tmp_path / "run").exists()
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert training_device() == torch.device("cpu")
    with pytest.raises(InputError, match="dtype fp16 needs a GPU; set dtype to bf16, fp32 or auto"):
        choose_precision("fp16")
