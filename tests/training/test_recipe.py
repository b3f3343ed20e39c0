"""Recipes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orbat.errors import InputError
from orbat.training.recipe import describe_fields, load_recipe, shipped_recipes
from tests.conftest import Orbat


def test_shipped_recipes_can_be_read_by_name() -> None:
    assert shipped_recipes() == [
        *("accurate", "baseline-cnn", "baseline-linear", "baseline-rules"),
        *("default", "fast", "fastest", "large", "quick", "transformers"),
    ]
    kinds = {name: load_recipe(name).kind for name in shipped_recipes()}
    assert set(kinds.values()) == {"transformer", "rules", "linear", "cnn"}


def test_the_help_names_every_shipped_recipe(orbat: Orbat) -> None:
    words = re.findall(r"[\w-]+", orbat("train", "--help").out)
    assert set(shipped_recipes()) <= set(words)


def test_every_field_is_documented() -> None:
    for name in shipped_recipes():
        for field, _, _, meaning in describe_fields(load_recipe(name)):
            assert meaning.endswith("."), field


def test_settings_override_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("epochs = 2\nwindow = 64\n")
    recipe = load_recipe(str(path), ["epochs=3.5", "encoder=org/model", "word_features=false"])
    assert (recipe.epochs, recipe.window, recipe.encoder) == (3.5, 64, "org/model")
    assert recipe.word_features is False


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("epoch = 3", [], "unknown key 'epoch' (did you mean 'epochs'?); remove it or"),
        ("", ["learning=1"], "unknown key 'learning'"),
        ("epochs = 'many'", [], "epochs: "),
        ("epochs = 0", [], "epochs: "),
        ("window = 64\nstride = 40", [], "stride must be at most half the window (32)"),
        ("epochs 3", [], "invalid TOML"),
        ("", ["epochs"], "--set epochs: write key=value"),
        (
            "transformers_compatible = true\ngazetteer = 'none'\nword_features = false\n"
            "crf = false\nunwrap_lines = false\nprune_after_layer = 1",
            [],
            "transformers_compatible needs gazetteer=none, word_features=false, crf=false, "
            "unwrap_lines=false, no prune_after_layer and no threshold",
        ),
        ("threshold = 2", [], "threshold: must be a number from 0 to below 1, or auto"),
        ("", ["threshold=high"], "threshold: must be a number from 0 to below 1, or auto"),
        ("kind = 'lstm'", [], "kind: must be one of transformer, rules, linear, cnn"),
        ("kind = 'liner'", [], "transformer, rules, linear, cnn (did you mean 'linear'?)"),
        ("kind = 'linear'\nwindow = 64", [], "unknown key 'window'"),
    ],
)
def test_bad_recipes_are_refused(
    tmp_path: Path, content: str, settings: list[str], message: str
) -> None:
    path = tmp_path / "r.toml"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        load_recipe(str(path), settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_lists_the_shipped_ones() -> None:
    with pytest.raises(InputError, match=r"shipped are accurate, .*, transformers"):
        load_recipe("best")
