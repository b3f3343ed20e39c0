"""Knowledge distillation: a model that learns from trained ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.conftest import Orbat
from tests.training.test_training import settings, tiny_data, tiny_encoder

pytestmark = pytest.mark.slow


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    """A training that takes seconds."""
    train, dev = tiny_data(tmp_path)
    encoder = tiny_encoder(tmp_path / "encoder", layers=2)
    return [
        *("train", "quick", "--train", train, "--dev", dev),
        *settings(f"encoder={encoder}", "window=32", "stride=8", "epochs=16", "batch_size=2"),
    ]


def test_a_smaller_student_learns_from_its_teacher(
    orbat: Orbat, refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    teacher, student, alone = (tmp_path / name for name in ("teacher", "student", "alone"))
    assert orbat(*arguments, "--output", teacher).code == 0
    small = settings("layers=1")
    distilled = [*small, *settings(f'teachers=["{teacher}"]')]
    for run, changes in ((student, distilled), (alone, small)):
        outcome = orbat(*arguments, *changes, "--output", run)
        assert outcome.code == 0, outcome.err
    layers = {
        run: {n for n in load_file(run / "model" / "model.safetensors") if ".layer.1." in n}
        for run in (teacher, student)
    }
    assert layers[teacher] and not layers[student]
    manifest = json.loads((student / "manifest.json").read_text())
    assert [entry["run"] for entry in manifest["teachers"]] == ["teacher"]
    weights = [(run / "model" / "model.safetensors").read_bytes() for run in (student, alone)]
    assert weights[0] != weights[1]
    f1 = json.loads((student / "metrics.json").read_text())["dev"]["f1"]
    assert f1 > 0.5
    tagged = tmp_path / "tagged.jsonl"
    assert orbat("tag", student, tmp_path / "dev.jsonl", "--output", tagged).code == 0
    assert "has 2 layers" in refused(
        *arguments, *settings("layers=3"), "--output", tmp_path / "more"
    )


def test_a_teacher_may_have_other_inputs_than_the_student(
    orbat: Orbat, arguments: list[object], tmp_path: Path
) -> None:
    teacher, student = tmp_path / "teacher", tmp_path / "student"
    assert orbat(*arguments, *settings("crf=true"), "--output", teacher).code == 0
    other = settings("word_features=false", "gazetteer=none", "crf=false", "window=48", "stride=0")
    quick = settings("learning_rate=3e-3", "head_learning_rate=3e-3", "epochs=40")
    outcome = orbat(
        *arguments, *other, *quick, *settings(f'teachers=["{teacher}"]'), "--output", student
    )
    assert outcome.code == 0, outcome.err
    assert json.loads((student / "metrics.json").read_text())["dev"]["f1"] > 0.5


def test_an_unusable_teacher_is_refused(
    orbat: Orbat, refused: Callable[..., str], arguments: list[object], tmp_path: Path
) -> None:
    teacher, output = tmp_path / "teacher", tmp_path / "student"

    def refusal(*options: object) -> str:
        teachers = settings(f'teachers=["{teacher}"]')
        line = refused(*arguments, *teachers, *options, "--output", output)
        assert not output.exists()
        return line

    assert "not a run folder" in refusal()
    assert orbat(*arguments, "--output", teacher).code == 0
    labels = tmp_path / "labels.toml"
    labels.write_text('name = "two"\n[[label]]\nname = "RANK"\n[[label]]\nname = "UNIT"\n')
    assert "has other labels" in refusal("--labels", labels)
    swapped = [tmp_path / "train.jsonl", tmp_path / "dev.jsonl"]
    swap = dict(zip(swapped, reversed(swapped), strict=True))
    arguments[:] = [swap.get(part, part) if isinstance(part, Path) else part for part in arguments]
    assert "was trained on" in refusal()
