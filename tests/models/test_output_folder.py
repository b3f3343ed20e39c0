"""A tiny transformer: every file of its run is checked, and one process at a time packages it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.corpus.output.locks import lock_folder
from orbat.errors import ModelError
from orbat.models.loading import load_model
from orbat.models.packaging import package
from orbat.training.inputs import load_inputs
from orbat.training.run_folder import read_hashes
from orbat.training.train import train
from tests.training.test_training import tiny_data, tiny_encoder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    train_file, dev_file = tiny_data(folder)
    encoder = tiny_encoder(folder / "encoder")
    settings = [f"encoder={encoder}", "window=32", "stride=8", "epochs=1", "dtype=fp32"]
    inputs = load_inputs("transformers", [train_file], [dev_file], settings=settings)
    assert inputs.data is not None
    train(inputs.recipe, inputs.data, inputs.labels, folder / "run")
    return folder / "run"


def test_a_flipped_bit_in_any_file_of_the_model_is_found(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    names = [name for name in read_hashes(run) if name.startswith(("model/", "values.json"))]
    assert {"model/model.safetensors", "model/tokenizer.json", "model/config.json"} <= set(names)
    for name in names:
        path = copy / name
        content = path.read_bytes()
        changed = bytearray(content)
        changed[len(content) // 2] ^= 1
        path.write_bytes(changed)
        with pytest.raises(ModelError, match=rf"{name}: was changed after training; restore"):
            load_model(copy)
        path.write_bytes(content)
    assert load_model(copy).fingerprint == load_model(run).fingerprint


def test_one_process_at_a_time_packages_and_removes_what_a_killed_one_left(
    refused: Callable[..., str], run: Path, tmp_path: Path
) -> None:
    output = tmp_path / "dist"
    with lock_folder(output):
        line = refused("package", run, "--output", output, "--transformers")
    assert line == f"{output}: another orbat command works in this folder; wait until it has ended"
    left = output / ".orbat-package" / "half.onnx"
    left.parent.mkdir()
    left.touch()
    for _ in range(2):  # the second one replaces what the first one wrote
        report = package(run, output, transformers=True)
        assert {path.name for path in output.iterdir()} == {
            *("MODEL_CARD.md", "transformers", report.wheel.name),
        }
    assert load_model(report.wheel).labels == load_model(run).labels
