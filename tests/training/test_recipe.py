"""Recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import InputError
from training.recipe import load_recipe, shipped_recipes


def test_shipped_recipes_can_be_read_by_name() -> None:
    assert shipped_recipes() == ["default", "quick"]
    for name in shipped_recipes():
        assert load_recipe(name).encoder == "minilm"


def test_settings_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("epochs = 2\nwindow = 64\n")
    recipe = load_recipe(str(path), ["epochs=3.5", "encoder=org/model", "word_features=false"])
    assert (recipe.epochs, recipe.window, recipe.encoder) == (3.5, 64, "org/model")
    assert recipe.word_features is False


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("epoch = 3", [], "unknown key 'epoch'; remove it or correct its name"),
        ("", ["learning=1"], "unknown key 'learning'"),
        ("epochs = 'many'", [], "epochs: "),
        ("epochs = 0", [], "epochs: "),
        ("window = 64\noverlap = 40", [], "overlap must be at most half the window (32)"),
        ("epochs 3", [], "broken TOML"),
        ("", ["epochs"], "--set epochs: write key=value"),
    ],
)
def test_bad_recipes_are_named(
    tmp_path: Path, content: str, settings: list[str], message: str
) -> None:
    path = tmp_path / "r.toml"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        load_recipe(str(path), settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_lists_the_shipped_ones() -> None:
    with pytest.raises(InputError, match="shipped are default, quick"):
        load_recipe("best")
