"""Recipes: everything that decides how a model is trained, checked once at the border."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from ..corpus.files import read_toml
from ..errors import InputError, first_error

SHIPPED_RECIPES = Path(__file__).parent / "recipes"


class _Recipe(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    gazetteer: Annotated[str, Field(min_length=1)] = "default"
    """`default` for the gazetteer that ships with orbat, `none` for none, or a gazetteer file. What
    it says of labels that the label set lacks is left out."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of every random choice."""


class Recipe(_Recipe):
    """Fine-tune a pretrained transformer."""

    kind: Literal["transformer"] = "transformer"
    """What is trained."""
    encoder: Annotated[str, Field(min_length=1)] = "minilm"
    """`minilm` for the encoder that installs with orbat, else a Hugging Face id or a local folder
    with safetensors weights and a fast tokenizer."""
    layers: Annotated[int, Field(ge=1)] | None = None
    """How many of the encoder's layers to keep, the first ones: fewer make a faster model. All if
    it is left out."""
    prune_after_layer: Annotated[int, Field(ge=1)] | None = None
    """Token pruning: the number of layers that read every piece. The layers above them read only
    pieces that may belong to a mention, which makes a much faster model. No pruning by default."""
    prune_threshold: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Prune a piece when its probability of being outside every mention is at least this."""
    quantization_aware: bool = False
    """Round inputs and weights in training as 8-bit arithmetic does, so that the packaged model
    loses less accuracy. Training takes longer."""
    teachers: tuple[str, ...] = ()
    """Run folders of trained models, of any encoder, whose tag probabilities the model learns
    beside the gold tags (knowledge distillation)."""
    transformers_compatible: bool = False
    """Train a model that a plain transformers checkpoint can hold: the vocabulary keeps case and
    line breaks, and each word takes its own best tag. Excludes gazetteer, word_features and crf,
    which make better models, and token pruning."""
    word_features: bool = True
    """Give the encoder each word's shape and the gap before it, which uncased vocabularies and
    tokenizers throw away."""
    gazetteer_dropout: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of the training windows that are not told what the gazetteer finds, so that the
    network does not come to trust them blindly."""
    crf: bool = True
    """Learn which tag follows which, and train on whole sequences: a conditional random field."""
    window: Annotated[int, Field(ge=16, le=8192)] = 64
    """Pieces in a window, special tokens included."""
    stride: Annotated[int, Field(ge=0)] = 16
    """Pieces that neighboring windows share when the model tags."""
    epochs: Annotated[float, Field(gt=0, le=1000)] = 6
    """Passes over the training windows."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 16
    """Windows in a step, over all processes."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    """Peak rate of the encoder."""
    head_learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    """Peak rate of the new layers: classifier, word features, gazetteer, transitions."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    """AdamW's, for matrices only."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the steps in which the rate rises; it then falls linearly to 0."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Before the classifier."""
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Of the encoder's attention weights; drawing it costs time."""
    freeze_embeddings: bool = True
    """Leave the encoder's piece embeddings as they are, which trains faster."""
    dtype: Literal["auto", "bf16", "fp32"] = "auto"
    """`bf16` autocast, `fp32`, or `auto`: bf16 where the hardware has it."""

    @model_validator(mode="after")
    def _fits_plain_checkpoint(self) -> Recipe:
        extras = (self.gazetteer != "none", self.word_features, self.crf, self.prune_after_layer)
        if self.transformers_compatible and any(extras):
            raise ValueError(
                "transformers_compatible needs gazetteer=none, word_features=false, crf=false and "
                "no prune_after_layer"
            )
        return self

    @model_validator(mode="after")
    def _stride_fits_window(self) -> Recipe:
        if self.stride > self.window // 2:
            raise ValueError(f"stride must be at most half the window ({self.window // 2})")
        return self


class RulesRecipe(_Recipe):
    """Train nothing: the gazetteer's phrases and token patterns, longest match first."""

    kind: Literal["rules"]
    """What is trained."""


class LinearRecipe(_Recipe):
    """Train a linear classifier of words by scikit-learn."""

    kind: Literal["linear"]
    """What is trained."""
    context: Annotated[int, Field(ge=0, le=5)] = 2
    """Words on each side whose features a word is given too."""
    features: Annotated[int, Field(ge=2**10, le=2**24)] = 2**18
    """Size of the hashed feature space."""
    penalty: Annotated[float, Field(gt=0, le=1)] = 1e-6
    """Strength of the penalty on large weights."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 20
    """Passes over the training words."""


class CnnRecipe(_Recipe):
    """Train spaCy's own recogniser on its convolutional tok2vec, as `spacy init config` sets it."""

    kind: Literal["cnn"]
    """What is trained."""
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 3000
    """Updates at most; spaCy stops earlier where the dev score no longer rises."""
    eval_every: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    """Updates between two looks at the dev score."""


AnyRecipe = Recipe | RulesRecipe | LinearRecipe | CnnRecipe
_KINDS: dict[str, type[AnyRecipe]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(AnyRecipe)
}
"""The recipe classes by the only value of their field `kind`."""


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with orbat."""
    return sorted(path.stem for path in SHIPPED_RECIPES.glob("*.toml"))


def load_recipe(name: str, settings: Iterable[str] = ()) -> AnyRecipe:
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
    return override(read_toml(path), settings, str(path))


def override(values: dict[str, Any], settings: Iterable[str], where: str) -> AnyRecipe:
    """Check a recipe's fields after changing some of them.

    Args:
        values: the fields.
        settings: `key=value` pairs that win over them.
        where: names the recipe in errors.

    Raises:
        InputError: naming the recipe or setting, the field and the mend.
    """
    values = dict(values)
    source = where
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {setting}: write key=value")
        try:
            values[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            values[key.strip()] = value.strip()
        where = f"{source} with --set"
    kind = values.get("kind", "transformer")
    if kind not in _KINDS:
        raise InputError(f"{where}: kind: must be one of {', '.join(_KINDS)}")
    model = _KINDS[kind]
    try:
        return TypeAdapter[AnyRecipe](model).validate_python(values)
    except ValidationError as error:
        known = ", ".join(model.model_fields)
        raise InputError(f"{where}: {first_error(error)} (fields: {known})") from error


class FieldDescription(NamedTuple):
    """A recipe field.

    Attributes:
        name: its name.
        value: its value in a recipe.
        default: its default; None if it has none.
        meaning: its documentation, on one line.
    """

    name: str
    value: Any
    default: Any
    meaning: str


def describe_fields(recipe: AnyRecipe) -> list[FieldDescription]:
    """Return the description of each field of a recipe, in order of declaration."""
    return [
        FieldDescription(
            name,
            getattr(recipe, name),
            None if field.is_required() else field.default,
            " ".join((field.description or "").split()),
        )
        for name, field in type(recipe).model_fields.items()
    ]
