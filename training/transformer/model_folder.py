"""The model folder of a transformer run: writing it, and loading it as a network or tagger.

RUN/model/model.safetensors   weights of encoder and head
RUN/model/config.json         configuration of the encoder
RUN/model/tokenizer.json      the tokenizer
RUN/model/tagger.json         labels, windows and decoding: TaggerConfig
RUN/model/gazetteer.json      phrases and patterns
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...corpus.files import write_json
from ...corpus.output.atomic import open_folder_atomic
from ...errors import ModelError, first_line
from ..run_folder import (
    GAZETTEER_FILE,
    MODEL_FOLDER,
    RUN_FORMAT,
    check_files,
    read_json,
    read_manifest,
)
from ..tagger.arrays import Floats, Ints
from ..tagger.config import TaggerConfig
from ..tagger.gazetteer import Gazetteer
from ..tagger.tagger import Network, NeuralTagger
from ..tagger.words import FEATURE_COUNT
from .encoder import refuse_pickles

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel

    from .network import TokenClassifier


def save_model(
    folder: Path,
    network: TokenClassifier,
    tokenizer: Any,
    config: TaggerConfig,
    gazetteer: Gazetteer,
) -> None:
    """Write a model folder atomically, replacing an existing one."""
    from safetensors.torch import save_file

    weights = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    with open_folder_atomic(folder, replace=True) as draft:
        save_file(weights, draft / "model.safetensors", metadata={"format": "pt"})
        network.encoder.config.save_pretrained(draft)
        tokenizer.save(str(draft / "tokenizer.json"))
        write_json(draft / "tagger.json", {"format": RUN_FORMAT, **dataclasses.asdict(config)})
        (draft / GAZETTEER_FILE).write_bytes(gazetteer.to_bytes())


def read_tagger_config(folder: Path) -> TaggerConfig:
    """Read `tagger.json` of a model folder.

    Raises:
        ModelError: if it is missing, broken or of another version.
    """
    path = Path(folder) / "tagger.json"
    value = read_json(path)
    try:
        if value.pop("format") != RUN_FORMAT:
            raise ModelError(f"{path}: written by another version of orbat; train again")
        return TaggerConfig.from_json(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: missing or broken; train again") from error


def load_network(run: Path) -> tuple[TokenClassifier, TaggerConfig]:
    """Load the network of a finished run in evaluation mode, and its tagger configuration.

    Raises:
        InputError: if the run contains a pickle.
        ModelError: if the run is unfinished or of another kind, or a file of its model is missing
            or was changed.
    """
    recipe = read_manifest(run)["recipe"]
    kind = recipe["kind"]
    if kind != "transformer":
        raise ModelError(f"{run}: a run of kind {kind}; name one of a transformer")
    refuse_pickles(Path(run))
    folder = check_files(run, MODEL_FOLDER)
    config = read_tagger_config(folder)

    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(folder / "model.safetensors")
        network = _build_network(folder, recipe, config, weights)
        network.load_state_dict(weights)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{folder}: the model cannot be loaded ({first_line(error)}); train again"
        ) from error
    return network.eval(), config


def _build_network(
    folder: Path, recipe: Mapping[str, Any], config: TaggerConfig, weights: Mapping[str, Tensor]
) -> TokenClassifier:
    """Build the network of a model folder; only a cased vocabulary is taken from its weights."""
    from transformers import AutoConfig, AutoModel

    from .encoder import without_pooler
    from .layers.cased_vocabulary import CasedVocabulary
    from .network import TokenClassifier

    cased_vocabulary = None
    if "cased_embedding.base_ids" in weights:
        cased_vocabulary = CasedVocabulary(
            weights["cased_embedding.base_ids"].numpy(),
            weights["cased_embedding.shape_ids"].numpy(),
        )
    encoder: PreTrainedModel = AutoModel.from_config(
        AutoConfig.from_pretrained(folder, trust_remote_code=False)
    )
    return TokenClassifier(
        without_pooler(encoder),
        tags=len(config.tags),
        features=FEATURE_COUNT,
        word_features=config.word_features,
        gazetteer=config.gazetteer,
        crf=bool(config.transitions),
        by_line=config.by_line,
        cased_vocabulary=cased_vocabulary,
        prune_after_layer=recipe["prune_after_layer"],
        prune_threshold=recipe["prune_threshold"],
    )


def load_tagger(
    run: Path, *, device: str | torch.device = "cpu", autocast: torch.dtype | None = None
) -> NeuralTagger:
    """Load a finished transformer run as a tagger on torch.

    Args:
        run: the run folder.
        device: the device that the network runs on.
        autocast: dtype of mixed precision; None for full precision.

    Raises:
        InputError: if the run contains a pickle.
        ModelError: if the run is unfinished or of another kind, or a file of its model is missing
            or was changed.
    """
    from tokenizers import Tokenizer

    network, config = load_network(run)
    network.to(device)
    tokenizer = Tokenizer.from_file(str(Path(run) / MODEL_FOLDER / "tokenizer.json"))
    gazetteer = load_run_gazetteer(run)
    run_network = torch_network(network, autocast=autocast)
    return NeuralTagger(run_network, tokenizer, config, gazetteer.find, batch_size=16)


def load_run_gazetteer(run: Path) -> Gazetteer:
    """Load the gazetteer that a transformer was trained with.

    Raises:
        ModelError: if it is missing, was changed or is broken.
    """
    path = check_files(run, f"{MODEL_FOLDER}/{GAZETTEER_FILE}")
    try:
        return Gazetteer.from_bytes(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: missing or broken; train again") from error


def torch_network(network: TokenClassifier, *, autocast: torch.dtype | None = None) -> Network:
    """Wrap a torch network as a function of numpy arrays.

    Args:
        network: the network.
        autocast: dtype of mixed precision; None for full precision.
    """
    import torch

    device = next(network.parameters()).device

    def run(ids: Ints, mask: Ints, features: Ints) -> Floats:
        inputs = [torch.from_numpy(array).to(device) for array in (ids, mask, features)]
        with (
            torch.inference_mode(),
            torch.autocast(device.type, autocast, enabled=autocast is not None),
        ):
            logits: Floats = network(*inputs)["logits"].float().cpu().numpy()
            return logits

    return run
