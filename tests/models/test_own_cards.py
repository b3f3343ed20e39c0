"""Cards and packages of other people's models: German, one label without a description."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Orbat
from tests.german_news import write_german_news

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(orbat: Orbat, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data, and a run of the real encoder on them with two dev documents."""
    folder = tmp_path_factory.mktemp("own")
    write_german_news(folder)
    lines = (folder / "dev.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "dev.jsonl").write_text("".join(lines[:2]), encoding="utf-8")
    outcome = orbat(
        *("train", "quick", "--train", "train.jsonl", "--dev", "dev.jsonl", "--output", "run"),
        *("--labels", "labels.toml", "--set", "layers=1", "--set", "epochs=1"),
        cwd=folder,
    )
    assert outcome.code == 0, outcome.err
    return folder


def test_a_card_says_what_is_known_and_no_more(orbat: Orbat, folder: Path) -> None:
    outcome = orbat("package", "run", "--output", "dist", "--lang", "de", cwd=folder)
    assert outcome.code == 0, outcome.err
    card = (folder / "dist" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "\n- **Language**: de\n" in card
    assert "\n- The base model was trained on English text.\n" in card
    assert "\n- **ORT**\n" in card
    assert "calibrated the confidences" not in card and "were calibrated" not in card
    assert "weakest label" not in card
    assert card.count("Warning: ") == 1
    assert "\nDocuments for training: 24; dev, for model selection: 2.\n" in card


def packaged(wheel: Path) -> tuple[str, dict[str, bytes]]:
    """The license of a wheel, and its license texts by name."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        texts = {Path(n).name: archive.read(n) for n in names if "/licenses/" in n}
        lines = archive.read(metadata).decode().splitlines()
    (expression,) = (line for line in lines if line.startswith("License-Expression: "))
    return expression.removeprefix("License-Expression: "), texts


def test_what_is_not_stated_is_named(orbat: Orbat, folder: Path) -> None:
    package = ("package", "run", "--output", "unstated", "--license", "cc-by-4.0")
    outcome = orbat(*package, cwd=folder)
    assert outcome.code == 0, outcome.err
    wheel = folder / "unstated" / "xx_orte-0.1.0-py3-none-any.whl"
    assert {path.name for path in wheel.parent.iterdir()} == {"MODEL_CARD.md", wheel.name}
    lines = outcome.err.splitlines()
    assert "warning: language xx: several, or not stated; name one with --lang" in lines
    missing = "the wheel has no text of CC-BY-4.0, the license of the weights; give it with"
    assert f"warning: {missing} --license-file" in lines
    assert any(line.startswith("warning: confidences are not calibrated: ") for line in lines)
    card = (wheel.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "\n- **Language**: several, or not stated (`xx`)\n" in card
    assert "A text of CC-BY-4.0, the license of the weights, is not in it:" in card
    expression, texts = packaged(wheel)
    assert expression == "Apache-2.0 AND CC-BY-4.0"
    assert set(texts) == {"Apache-2.0.txt"}, "nothing of the shipped gazetteer is in it"


def test_a_license_text_is_handed_over(
    orbat: Orbat, refused: Callable[..., str], folder: Path
) -> None:
    package = ("package", folder / "run", "--output", folder / "licensed", "--lang", "de")
    package = (*package, "--license", "cc-by-4.0", "--license-file")
    assert "none.txt: no such file" in refused(*package, folder / "none.txt")
    (folder / "by.txt").write_text("Terms")
    outcome = orbat(*package, folder / "by.txt")
    assert outcome.code == 0, outcome.err
    assert "license" not in outcome.err and "language" not in outcome.err
    expression, texts = packaged(folder / "licensed" / "de_orte-0.1.0-py3-none-any.whl")
    assert expression == "Apache-2.0 AND CC-BY-4.0"
    assert set(texts) == {"Apache-2.0.txt", "weights-by.txt"}
    assert texts["weights-by.txt"] == b"Terms"
    assert "is not in it" not in (folder / "licensed" / "MODEL_CARD.md").read_text(encoding="utf-8")
