"""Cards and packages of other people's models: German, one label without a description."""

from __future__ import annotations

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
