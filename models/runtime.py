"""A packaged tagger: ONNX weights, tokenizer and configuration, run by onnxruntime.

A model wheel carries a copy of this file; it needs numpy, onnxruntime and tokenizers only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping

from ..training.tagger.arrays import Floats, Ints
from ..training.tagger.config import TaggerConfig
from ..training.tagger.gazetteer import Gazetteer
from ..training.tagger.tagger import NeuralTagger

FILES = ("model.onnx", "tokenizer.json", "tagger.json", "gazetteer.json")
"""The files that every packaged tagger has."""
HASHES = "sha256.json"
"""Beside them: the SHA-256 of each file of the model, by name."""
FORMAT = 7


def write_hashes(files: Mapping[str, bytes]) -> bytes:
    """Return the content of :data:`HASHES` for a model's files."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return json.dumps(hashes, indent=1).encode()


def file_names(hashes: bytes) -> list[str]:
    """Return the names of a model's files, :data:`HASHES` the last of them.

    Raises:
        ValueError: if the content is not that of :data:`HASHES`.
    """
    value = json.loads(hashes)
    if not isinstance(value, dict) or not set(FILES) <= set(value):
        raise ValueError(f"{HASHES} is damaged")
    return [*value, HASHES]


def check_hashes(files: Mapping[str, bytes]) -> None:
    """Check that a model's files are those that were packaged.

    Raises:
        ValueError: naming the first that is missing or changed.
    """
    if HASHES not in files:
        raise ValueError(f"the model lacks {HASHES}")
    for name in file_names(files[HASHES])[:-1]:
        if name not in files:
            raise ValueError(f"the model lacks {name}")
        if hashlib.sha256(files[name]).hexdigest() != json.loads(files[HASHES])[name]:
            raise ValueError(f"{name} is not as it was packaged; install the model again")


class OnnxNetwork:
    """A token classifier run by onnxruntime on the CPU; many threads may call it at once.

    Args:
        model: an optimised ONNX file's bytes, with inputs `input_ids`, `attention_mask` and, where
            the model was trained with them, `features`, and the one output `logits`.
    """

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # Batches run side by side, which shares out the work better than threads within one.
        options.intra_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        self._inputs = {each.name for each in self._session.get_inputs()}

    def __call__(self, ids: Ints, mask: Ints, features: Ints) -> Floats:
        """Score a batch; see :data:`training.tagging.Network`."""
        given = {"input_ids": ids, "attention_mask": mask, "features": features}
        feed = {name: array for name, array in given.items() if name in self._inputs}
        (logits,) = self._session.run(["logits"], feed)
        return logits  # type: ignore[no-any-return]


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_packaged(
    files: Mapping[str, bytes], *, batch_size: int = 8, workers: int = 0
) -> NeuralTagger:
    """Make a tagger of a packaged model's files.

    Args:
        files: contents by name.
        batch_size: full windows in a batch.
        workers: batches scored side by side; 0 for as many as there are processors.

    Raises:
        ValueError: if a file is missing, changed or of another version.
    """
    from tokenizers import Tokenizer

    check_hashes(files)
    value = json.loads(files["tagger.json"])
    found = value.pop("format", None)
    if found != FORMAT:
        raise ValueError(
            f"the model has format {found}, this version of orbat reads format {FORMAT}; "
            "package the run again"
        )
    tokenizer = Tokenizer.from_buffer(files["tokenizer.json"])
    config = TaggerConfig.from_json(value)
    gazetteer = Gazetteer.from_bytes(files["gazetteer.json"])
    return NeuralTagger(
        OnnxNetwork(files["model.onnx"]),
        tokenizer,
        config,
        gazetteer.find,
        batch_size=batch_size,
        workers=workers or processors(),
    )
