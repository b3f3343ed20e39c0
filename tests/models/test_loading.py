"""Models that cannot be loaded, and what loading a model imports."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Trained

pytestmark = pytest.mark.slow


def test_a_changed_file_is_refused_when_the_model_is_loaded(
    refused: Callable[..., str], installed: Path, tmp_path: Path
) -> None:
    import spacy

    original = next(installed.glob("en_orbat_news/en_orbat_news-*"))
    for name in ("model.onnx", "gazetteer.json", "tagger.json", "sha256.json"):
        folder = tmp_path / name
        shutil.copytree(original, folder)
        path = folder / "orbat_ner" / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"."):
            spacy.load(folder)
        line = refused("tag", folder, tmp_path / "in.txt", "--output", tmp_path / "out.jsonl")
        assert "cannot be loaded" in line


def test_damaged_models_are_refused(
    refused: Callable[..., str], trained: Trained, wheel: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("Gen. Doe")
    rest = (tmp_path / "in.txt", "--output", tmp_path / "out.jsonl")
    cut = tmp_path / wheel.name
    cut.write_bytes(wheel.read_bytes()[:100_000])
    assert "not a complete wheel file" in refused("tag", cut, *rest)
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    (run / "model" / "extra.weights").write_bytes(pickle.dumps({"a": 1}))
    for command in (("tag", run, *rest), ("package", run, "--output", tmp_path / "dist")):
        line = refused(*command)
        assert "extra.weights: pickled weights are never read" in line
    (run / "model" / "extra.weights").unlink()
    (run / "model" / "model.safetensors").write_bytes(b"nothing")
    assert "model.safetensors: was changed after training" in refused("tag", run, *rest)
    assert "not a run folder" in refused("tag", tmp_path, *rest)
    assert "no run folder, wheel file or installed model" in refused("tag", "en_nothing", *rest)
    assert "--version new" in refused(
        "package", trained.run, "--output", tmp_path, "--version", "new"
    )
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "dist").exists()


def test_a_wheel_is_tagged_without_the_modules_of_training(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Gen. Doe")
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules)); "
        "from orbat.cli import main; main(sys.argv[1:])"
    )
    arguments = ["tag", wheel, tmp_path / "in.txt", "--output", tmp_path / "out.jsonl"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    loaded = set(done.stdout.split())
    assert "orbat.training.tagger.tagger" in loaded
    assert not loaded & {"orbat.training.recipe", "orbat.training.backends", "torch", "spacy"}
