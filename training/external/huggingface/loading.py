"""Loading a token classifier of transformers: its checks, and the tagger around it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....errors import InputError, ModelError, first_line
from ...run_folder import MANIFEST_FILE
from ...tagger.config import TaggerConfig
from ...tagger.tagger import NeuralTagger
from ...transformer.encoder import (
    fetch_from_hub,
    longest_window,
    quiet_transformers,
    special_tokens,
)
from ...transformer.model_folder import torch_network
from .label_schemes import LabelScheme, read_label_scheme

CONFIG_FILE = "config.json"
"""The file by which a checkpoint's folder is recognized."""
DEFAULT_WINDOW, LONGEST_WINDOW = 512, 1024
"""Pieces in a window if neither tokenizer nor model names a limit, and at most."""
_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json")
"""Files of which a fast tokenizer has at least one."""
_HUB_ID = r"[A-Za-z0-9][\w.-]*/[\w.-]+"


@dataclass(frozen=True)
class HuggingFaceModel:
    """A token classifier of transformers.

    Attributes:
        name: the folder or Hub id that it was loaded from.
        folder: its files.
        model: the model in evaluation mode, in float32.
        tokenizer: its fast tokenizer.
        scheme: its labels.
        config: labels, windows and special tokens for a tagger.
    """

    name: str
    folder: Path
    model: Any
    tokenizer: Any
    scheme: LabelScheme
    config: TaggerConfig

    @property
    def backend(self) -> Any:
        """A copy of the `tokenizers.Tokenizer`, without truncation and padding."""
        from tokenizers import Tokenizer

        # transformers switches truncation of its own one on and off.
        backend = Tokenizer.from_str(self.tokenizer.backend_tokenizer.to_str())
        backend.no_truncation()
        backend.no_padding()
        return backend

    @property
    def run_manifest(self) -> dict[str, Any]:
        """The manifest of the run that it was written from; empty if orbat did not train it."""
        try:
            manifest = json.loads((self.folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        is_of_orbat = isinstance(manifest, dict) and {"recipe", "documents"} <= set(manifest)
        return manifest if is_of_orbat else {}

    def network(self) -> Any:
        """Return the network with BIO tags as its outputs, for export and tagging."""
        from .network import BioClassifier

        return BioClassifier(self.model, self.scheme.classes).eval()

    def tagger(self) -> NeuralTagger:
        """Return a tagger on torch."""
        return NeuralTagger(torch_network(self.network()), self.backend, self.config)


def is_checkpoint(name: str | Path) -> bool:
    """Return whether a name is a folder with a checkpoint, or may be an id on the Hub.

    A folder with weights but no configuration is a checkpoint too, an incomplete one. An id has
    one slash, and its first part is not a local folder.
    """
    path = Path(name)
    if path.is_dir():
        return (path / CONFIG_FILE).is_file() or any(path.glob("*.safetensors"))
    return bool(re.fullmatch(_HUB_ID, str(name))) and not path.parent.exists()


def load_checkpoint(name: str | Path) -> HuggingFaceModel:
    """Load a token classifier of transformers from a folder or the Hugging Face Hub.

    Only data is read: weights as safetensors, never pickles, and none of the checkpoint's code.

    Args:
        name: the folder, or an id such as `org/model`.

    Raises:
        ModelError: if there is no such model, or it is not a complete token classifier with a fast
            tokenizer and named BIO classes.
        InputError: if its weights are pickled.
    """
    folder = Path(name) if Path(name).is_dir() else fetch_from_hub(str(name))
    settings = _read_settings(str(name), folder)
    scheme = read_label_scheme(_class_names(str(name), settings), str(name))
    # What it warns of is refused in one line, or harmless.
    with quiet_transformers():
        tokenizer = _load_tokenizer(str(name), folder)
        model = _load_weights(str(name), folder)
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise ModelError(
            f"{name}: the tokenizer has more entries than the model; add the right one"
        )
    return HuggingFaceModel(
        str(name), folder, model, tokenizer, scheme, _tagger_config(model, tokenizer, scheme)
    )


def _read_settings(name: str, folder: Path) -> dict[str, Any]:
    """Check the files of a checkpoint, and return its `config.json`."""
    try:
        settings = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("not a JSON object")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{name}: no readable {CONFIG_FILE}; name the folder of a token classifier written by "
            "save_pretrained"
        ) from error
    architectures = settings.get("architectures") or "of an unnamed architecture"
    if isinstance(architectures, str):
        architectures = [architectures]
    if not any(str(kind).endswith("ForTokenClassification") for kind in architectures):
        raise ModelError(
            f"{name}: not a token classifier, but {', '.join(map(str, architectures))}; name a "
            "checkpoint of …ForTokenClassification"
        )
    if not any(folder.glob("*.safetensors")):
        if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
            raise InputError(
                f"{name}: has pickled weights only, which are never read; save the model as "
                "safetensors"
            )
        raise ModelError(f"{name}: has no weights; add model.safetensors")
    return settings


def _class_names(name: str, settings: dict[str, Any]) -> dict[int, str]:
    """Return the name of each class in `config.json`; transformers' own names if it has none."""
    value = settings.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    if not isinstance(value, dict) or set(value) != {str(index) for index in range(len(value))}:
        raise ModelError(
            f"{name}: id2label in {CONFIG_FILE} must name classes 0, 1, 2 and so on; number them "
            "in the order of the model's outputs"
        )
    return {int(index): str(label) for index, label in value.items()}


def _load_tokenizer(name: str, folder: Path) -> Any:
    from transformers import AutoTokenizer

    fix = "save its fast tokenizer (tokenizer.json) into the folder"
    # Without these files, transformers makes a tokenizer without a vocabulary.
    if not any((folder / file).is_file() for file in _VOCABULARIES):
        raise ModelError(f"{name}: has no fast tokenizer; {fix}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
    # Damaged or missing tokenizer files raise whatever their reader raises.
    except Exception as error:
        raise ModelError(f"{name}: has no fast tokenizer ({first_line(error)}); {fix}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(f"{name}: has no fast tokenizer; {fix}")
    return tokenizer


def _load_weights(name: str, folder: Path) -> Any:
    from safetensors import SafetensorError
    from transformers import AutoModelForTokenClassification

    try:
        model, info = AutoModelForTokenClassification.from_pretrained(
            folder,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            dtype="float32",
            # Those of another size are refused below; transformers would print a table of them.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"{name}: the model cannot be loaded ({first_line(error)}); save it again with this "
            "version of transformers, as safetensors"
        ) from error
    missing = [*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])]
    if missing:
        raise ModelError(
            f"{name}: the weights of {', '.join(missing[:3])} are missing or of another size; it "
            "is not a complete token classifier"
        )
    return model.eval()


def _tagger_config(model: Any, tokenizer: Any, scheme: LabelScheme) -> TaggerConfig:
    limits = [tokenizer.model_max_length, longest_window(model.base_model)]
    window = min([limit for limit in limits if limit and limit < 10**6] or [DEFAULT_WINDOW])
    window = min(window, LONGEST_WINDOW)
    prefix_ids, suffix_ids = special_tokens(tokenizer)
    pad_id = tokenizer.pad_token_id
    if pad_id is None:
        pad_id = model.config.pad_token_id or 0
    return TaggerConfig(
        labels=scheme.labels,
        window=window,
        stride=window // 4,
        prefix_ids=prefix_ids,
        suffix_ids=suffix_ids,
        pad_id=pad_id,
        word_features=False,
        transformers_compatible=True,
        words_from_pieces=True,
        unk_id=tokenizer.unk_token_id,
    )
