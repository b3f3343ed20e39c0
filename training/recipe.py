"""Recipes: all settings of a training, checked when they are loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from ..corpus.files import read_toml
from ..errors import InputError, did_you_mean, first_error

SHIPPED_RECIPES = Path(__file__).parent / "recipes"


def _with_message(message: str) -> WrapValidator:
    """Return a validator of a field of several types; pydantic's message has a line for each."""

    def validate(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        try:
            return check(value)
        except ValidationError:
            raise ValueError(message) from None

    return WrapValidator(validate)


class _Recipe(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    gazetteer: Annotated[str, Field(min_length=1)] = "default"
    """`default` for the gazetteer that ships with orbat, `none` for none, or a gazetteer file
    (TOML). Phrases and patterns of labels that are not in the label set are skipped."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of all random choices. The same seed gives the same weights on the same CPU, if the
    number of threads is the same."""


class Recipe(_Recipe):
    """Fine-tune a pretrained transformer."""

    kind: Literal["transformer"] = "transformer"
    """Kind of model."""
    encoder: Annotated[str, Field(min_length=1)] = "minilm"
    """The pretrained encoder: `minilm` for the one that is installed with orbat, a Hugging Face id,
    or a local folder with safetensors weights and a fast tokenizer."""
    start_from: Annotated[str, Field(min_length=1)] | None = None
    """The run folder whose weights training starts from, instead of the encoder's alone: to
    train a run longer, or on more documents. It needs the same labels, tokenizer and parts of the
    network; the learning rate rises and falls anew."""
    layers: Annotated[int, Field(ge=1)] | None = None
    """Number of encoder layers to keep, counted from the input. Fewer layers make a faster model.
    All layers are kept by default."""
    prune_after_layer: Annotated[int, Field(ge=1)] | None = None
    """Token pruning: number of layers that process every piece. The layers above them process only
    pieces that may belong to a mention, which makes a much faster model. No pruning by default."""
    prune_threshold: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Prune a piece if its probability of being outside all mentions is at least this. Lower values
    prune more."""
    quantization_aware: bool = False
    """Round inputs and weights during training as 8-bit arithmetic does, so that the packaged 8-bit
    model loses less accuracy. Training takes longer."""
    teachers: tuple[str, ...] = ()
    """Run folders of trained transformers whose tag probabilities the model learns in addition to
    the gold tags (knowledge distillation). They may have other encoders, but need the same labels.
    With unlabeled articles, runs of other kinds can teach too, and so can taggers that orbat did
    not train: a token classifier of transformers (folder or Hugging Face id), `spacy:NAME`,
    `gliner:MODEL`, `llm:MODEL@URL` or a model file. `spans` stands for the spans that the articles
    have already. Without teachers, a model of the same recipe is trained on the gold first, and
    teaches (self-training)."""
    teach_gold: bool = True
    """Learn the teachers' tag probabilities on the training documents too. Their windows differ
    from epoch to epoch, so the teachers score them in each; with unlabeled articles, `false` saves
    that time."""
    unlabeled_ratio: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Words of unlabeled articles in an epoch for each word of the training documents. Every epoch
    uses other articles until all have been used."""
    unwrap_lines: bool = True
    """Read hard-wrapped paragraphs across their line breaks. Titles, lists and tables still end at
    their lines."""
    transformers_compatible: bool = False
    """Train a model that a plain transformers checkpoint can represent: the vocabulary keeps case
    and line breaks, and each word takes its best tag independently. Excludes token pruning, a
    threshold, and the gazetteer, word_features, crf and unwrap_lines, which make better models."""
    word_features: bool = True
    """Give the encoder the shape of each word and whether a space or line break precedes it.
    Uncased vocabularies lose case, and all tokenizers lose line breaks."""
    gazetteer_dropout: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of the training windows whose gazetteer matches are hidden, so that the model does not
    rely on the gazetteer alone."""
    case_dropout: Annotated[float, Field(ge=0, le=1)] = 0.15
    """Share of the training documents that are shown in lower case or in capitals, so that the
    model reads text without case too. Others are chosen in every epoch."""
    threshold: Annotated[
        Annotated[float, Field(ge=0, lt=1)] | Literal["auto"],
        _with_message("must be a number from 0 to below 1, or auto"),
    ] = "auto"
    """Lowest confidence of a mention that the model predicts, before calibration. `auto` chooses
    the highest one that costs at most half a point of F1 on the dev documents, and 0 if fewer than
    100 mentions are predicted in them. A plain transformers checkpoint has none."""
    crf: bool = True
    """Learn which tag follows which, and train on whole tag sequences: a linear-chain conditional
    random field."""
    window: Annotated[int, Field(ge=16, le=8192)] = 64
    """Length of a window in pieces, special tokens included. Longer texts are split into
    windows."""
    stride: Annotated[int, Field(ge=0)] = 16
    """Number of pieces by which neighboring windows overlap when the model tags. At most half of
    the window."""
    epochs: Annotated[
        Annotated[float, Field(gt=0, le=1000)] | Literal["auto"],
        _with_message("must be a number above 0 and at most 1000, or auto"),
    ] = 6
    """Passes over the training windows. The model of the epoch with the best dev F1 is kept. `auto`
    trains until the dev F1 no longer rises, within `min_steps` and `max_steps`."""
    patience: Annotated[int, Field(ge=1)] = 300
    """With `epochs = "auto"`: steps without a better dev F1, two evaluations at least, after which
    the learning rate falls to 0 and training ends. Dev is scored after every epoch, but every 50
    steps at most and every 1,000 at least."""
    min_steps: Annotated[int, Field(ge=1)] = 200
    """With `epochs = "auto"`: steps before the learning rate may fall."""
    max_steps: Annotated[int, Field(ge=4)] = 10_000
    """With `epochs = "auto"`: steps after which training ends, even if the dev F1 still rises."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 16
    """Windows in a training step, over all processes and parts of the step."""
    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=4096)] = 1
    """Parts of a step that are computed one after the other, which takes less memory. The step
    still has `batch_size` windows."""
    gradient_checkpointing: bool = False
    """Compute the encoder's layers again in the backward pass, which takes less memory and more
    time."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    """Peak learning rate of the encoder."""
    head_learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    """Peak learning rate of the new layers: classifier, word features, gazetteer and tag
    transitions."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Weight decay (AdamW); not applied to biases and norms."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the steps in which the learning rate rises. It then falls linearly to 0. With
    `epochs = "auto"`, the share is one of `min_steps` or of an epoch, whichever is longer."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Dropout before the classifier."""
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout of the encoder's attention weights. Values above 0 make training slower."""
    freeze_embeddings: bool = True
    """Do not train the encoder's piece embeddings. This makes training faster."""
    dtype: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    """Arithmetic of training: `bf16` or `fp16` (mixed precision; fp16 on a GPU only), `fp32`, or
    `auto` for bf16 if the hardware is fast in it."""

    @model_validator(mode="after")
    def _fits_plain_checkpoint(self) -> Recipe:
        extras = (
            self.gazetteer != "none",
            self.word_features,
            self.crf,
            self.unwrap_lines,
            self.prune_after_layer,
            self.threshold not in ("auto", 0),
        )
        if self.transformers_compatible and any(extras):
            raise ValueError(
                "transformers_compatible needs gazetteer=none, word_features=false, crf=false, "
                "unwrap_lines=false, no prune_after_layer and no threshold"
            )
        return self

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> Recipe:
        if self.epochs == "auto" and self.min_steps > self.max_steps:
            raise ValueError(f"min_steps must be at most max_steps ({self.max_steps})")
        return self

    @model_validator(mode="after")
    def _stride_fits_window(self) -> Recipe:
        if self.stride > self.window // 2:
            raise ValueError(f"stride must be at most half the window ({self.window // 2})")
        return self


class RulesRecipe(_Recipe):
    """Match the phrases and token patterns of a gazetteer; nothing is trained."""

    kind: Literal["rules"]
    """Kind of model."""


class LinearRecipe(_Recipe):
    """Train a linear classifier of words with scikit-learn."""

    kind: Literal["linear"]
    """Kind of model."""
    context: Annotated[int, Field(ge=0, le=5)] = 2
    """Number of words on each side whose features are added to those of a word."""
    features: Annotated[int, Field(ge=2**10, le=2**24)] = 2**18
    """Size of the hashed feature space."""
    penalty: Annotated[float, Field(gt=0, le=1)] = 1e-6
    """Strength of the L2 penalty on the weights."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 20
    """Passes over the training words. The model of the pass with the best dev F1 is kept."""


class CnnRecipe(_Recipe):
    """Train spaCy's entity recognizer on its tok2vec layer, with the settings of `init config`."""

    kind: Literal["cnn"]
    """Kind of model."""
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 3000
    """Maximum number of updates. spaCy stops earlier if the dev score no longer rises."""
    eval_every: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    """Number of updates between two evaluations on the dev documents."""


AnyRecipe = Recipe | RulesRecipe | LinearRecipe | CnnRecipe
_KINDS: dict[str, type[AnyRecipe]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(AnyRecipe)
}
"""The recipe classes by the only value of their field `kind`."""


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with orbat."""
    return sorted(path.stem for path in SHIPPED_RECIPES.glob("*.toml"))


def load_recipe(name: str, settings: Iterable[str] = ()) -> AnyRecipe:
    """Load a recipe by its name or from a file, and override fields.

    Args:
        name: a shipped recipe's name or a TOML file.
        settings: `key=value` pairs that override fields of the file. Values are written as in
            TOML; strings need no quotes.

    Raises:
        InputError: naming the file or setting, the field and the fix.
    """
    path = SHIPPED_RECIPES / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
        if not path.is_file():
            raise InputError(
                f"{name}: no such recipe{did_you_mean(name, shipped_recipes())}; shipped are "
                f"{', '.join(shipped_recipes())}, or name a TOML file"
            )
    return override(read_toml(path), settings, str(path))


def override(values: dict[str, Any], settings: Iterable[str], where: str) -> AnyRecipe:
    """Build a recipe from field values, after overriding some of them.

    Args:
        values: the field values.
        settings: `key=value` pairs that override them; see :func:`load_recipe`.
        where: names the recipe in error messages.

    Raises:
        InputError: naming the recipe or setting, the field and the fix.
    """
    values = dict(values)
    source = where
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {setting}: write key=value")
        try:
            values[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):  # as TOML refuses it, it is a string
            values[key.strip()] = value.strip()
        where = f"{source} with --set"
    kind = values.get("kind", "transformer")
    if not isinstance(kind, str) or kind not in _KINDS:
        hint = did_you_mean(str(kind), _KINDS)
        raise InputError(f"{where}: kind: must be one of {', '.join(_KINDS)}{hint}")
    model = _KINDS[kind]
    known = ", ".join(model.model_fields)
    unknown = next((name for name in values if name not in model.model_fields), None)
    if unknown is not None:
        raise InputError(
            f"{where}: unknown key '{unknown}'{did_you_mean(unknown, model.model_fields)}; remove "
            f"it or correct its name (fields: {known})"
        )
    try:
        return TypeAdapter[AnyRecipe](model).validate_python(values)
    except ValidationError as error:
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
