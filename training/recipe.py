"""The recipe: everything that decides how a model is trained, checked once at the border."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from corpus.errors import InputError, first_fault
from corpus.files import read_toml

SHIPPED_RECIPES = Path(__file__).parent / "recipes"


class Recipe(BaseModel):
    """How to fine-tune one model.

    Attributes:
        encoder: `minilm` for the encoder that installs with orbat, else a Hugging Face id or a
            local folder with safetensors weights and a fast tokenizer.
        word_features: give the encoder each word's shape and the gap before it, which uncased
            vocabularies and tokenizers throw away.
        gazetteer: `default` tells the network of the phrases of the gazetteer that ships with
            orbat, `none` of none; else a gazetteer file. Phrases of labels that the label set
            lacks are left out.
        gazetteer_dropout: share of the training windows that are left without known phrases, so
            that the network does not come to trust them blindly.
        window: pieces in a window, special tokens included.
        overlap: pieces that neighbouring windows share.
        epochs: passes over the training windows.
        batch_size: windows in a step.
        learning_rate: peak rate of the encoder.
        head_learning_rate: peak rate of the new layers (classifier, word features).
        weight_decay: AdamW's, for matrices only.
        warmup: share of the steps in which the rate rises; it then falls linearly to 0.
        dropout: before the classifier.
        seed: of every random choice.
        precision: `bf16` autocast, `fp32`, or `auto`: bf16 where the hardware has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: Annotated[str, Field(min_length=1)] = "minilm"
    word_features: bool = True
    gazetteer: Annotated[str, Field(min_length=1)] = "default"
    gazetteer_dropout: Annotated[float, Field(ge=0, le=1)] = 0.3
    window: Annotated[int, Field(ge=16, le=8192)] = 128
    overlap: Annotated[int, Field(ge=0)] = 32
    epochs: Annotated[float, Field(gt=0, le=1000)] = 9
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 16
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    head_learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    precision: Literal["auto", "bf16", "fp32"] = "auto"

    @model_validator(mode="after")
    def _room_for_overlap(self) -> Recipe:
        if self.overlap > self.window // 2:
            raise ValueError(f"overlap must be at most half the window ({self.window // 2})")
        return self


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with orbat."""
    return sorted(path.stem for path in SHIPPED_RECIPES.glob("*.toml"))


def load_recipe(name: str, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe by shipped name or file, and change single fields.

    Args:
        name: a shipped recipe's name or a TOML file.
        settings: `key=value` pairs that win over the file; values as in TOML, bare words are
            texts.

    Raises:
        InputError: naming the file or setting, the field and the mend.
    """
    path = SHIPPED_RECIPES / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
        if not path.is_file():
            raise InputError(
                f"{name}: no such recipe; shipped are {', '.join(shipped_recipes())}, "
                "or name a TOML file"
            )
    values = read_toml(path)
    where = str(path)
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {setting}: write key=value")
        try:
            values[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            values[key.strip()] = value.strip()
        where = f"{path} with --set"
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        known = ", ".join(Recipe.model_fields)
        raise InputError(f"{where}: {first_fault(error)} (fields: {known})") from error
