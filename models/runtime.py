"""Inference with a packaged model: ONNX weights, tokenizer and configuration, on onnxruntime.

A model wheel contains a copy of this file. It needs numpy, onnxruntime and tokenizers only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..training.tagger.arrays import Floats, Ints
from ..training.tagger.config import TaggerConfig
from ..training.tagger.gazetteer import Gazetteer
from ..training.tagger.tagger import NeuralTagger
from ..training.values.normalizer import ValueNormalizer
from ..training.values.tables import ValueTables

ONNX_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "tagger.json"
GAZETTEER_FILE = "gazetteer.json"
MODEL_FILES = (ONNX_FILE, TOKENIZER_FILE, CONFIG_FILE, GAZETTEER_FILE)
"""The files that every packaged model has."""
OPERATING_POINTS_FILE = "operating_points.json"
"""Precision and recall by threshold, if there were dev documents; see `tagger/thresholds.py`."""
VALUES_FILE = "values.json"
"""The value tables; a model without them gives mentions no values."""
HASHES_FILE = "sha256.json"
"""File beside them: the SHA-256 of each file of the model, by name."""
WHEEL_FORMAT = 8
"""Version of the packaged model's files, stored in :data:`CONFIG_FILE`."""

_FILE_NAME = re.compile(r"\w[\w.-]*")


def check_names(names: Iterable[object]) -> None:
    """Refuse names that are not those of files in the model's own folder, such as `../other`.

    Raises:
        ValueError: naming the first one.
    """
    for name in names:
        if not isinstance(name, str) or not _FILE_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no file name in a model; install the model again")


def add_hashes(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a model's files with :data:`HASHES_FILE` added; see :func:`check_hashes`."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return {**files, HASHES_FILE: json.dumps(hashes, indent=1).encode()}


def read_hashes(content: bytes) -> dict[str, str]:
    """Return the SHA-256 of each of a model's files by name.

    Args:
        content: the content of :data:`HASHES_FILE`.

    Raises:
        ValueError: if the content is damaged, or names a file outside of the model's folder.
    """
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not set(MODEL_FILES) <= set(value):
        raise ValueError(f"{HASHES_FILE} is damaged; install the model again")
    check_names(value)
    return value


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the contents of a packaged model's files by name.

    Raises:
        ValueError: naming the first file that is missing or cannot be read.
    """
    contents = {}
    try:
        for name in (*MODEL_FILES, HASHES_FILE):
            contents[name] = (folder / name).read_bytes()
        for name in read_hashes(contents[HASHES_FILE]):
            if name not in contents:
                contents[name] = (folder / name).read_bytes()
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}; install the model again") from error
    return contents


def check_hashes(files: Mapping[str, bytes]) -> None:
    """Check that a model's files are complete and unchanged.

    Raises:
        ValueError: naming the first file that is missing or changed.
    """
    if HASHES_FILE not in files:
        raise ValueError(f"the model has no {HASHES_FILE}")
    for name, expected in read_hashes(files[HASHES_FILE]).items():
        if name not in files:
            raise ValueError(f"the model has no {name}")
        if hashlib.sha256(files[name]).hexdigest() != expected:
            raise ValueError(f"{name} was changed after packaging; install the model again")


class OnnxNetwork:
    """A token classifier on onnxruntime's CPU provider. Thread-safe.

    Args:
        model: the bytes of an optimized ONNX file with the output `logits` and the inputs
            `input_ids`, `attention_mask` and, if the model was trained with them, `features`.

    Raises:
        ValueError: if onnxruntime cannot read it.
    """

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # The file has been optimized already.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # Batches run in parallel, which uses the processors better than threads in one batch.
        options.intra_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        except Exception as error:  # onnxruntime's exceptions have no other base class
            reason = " ".join(str(error).split())
            raise ValueError(
                f"onnxruntime {onnxruntime.__version__} cannot read {ONNX_FILE}: {reason}"
            ) from error
        self._input_names = {node.name for node in self._session.get_inputs()}

    def __call__(self, ids: Ints, mask: Ints, features: Ints) -> Floats:
        """Return the logits of a batch; see :data:`orbat.training.tagger.tagger.Network`."""
        inputs = {"input_ids": ids, "attention_mask": mask, "features": features}
        feed = {name: array for name, array in inputs.items() if name in self._input_names}
        (logits,) = self._session.run(["logits"], feed)
        return logits  # type: ignore[no-any-return]


def count_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_packaged(
    files: Mapping[str, bytes], *, batch_size: int = 8, workers: int = 0
) -> NeuralTagger:
    """Load a packaged model.

    Args:
        files: contents of its files by name.
        batch_size: number of full windows in a batch.
        workers: batches scored in parallel; 0 for one per processor.

    Raises:
        ValueError: if a file is missing, changed or of another format.
    """
    from tokenizers import Tokenizer

    check_hashes(files)
    value = json.loads(files[CONFIG_FILE])
    version = value.pop("format", None)
    if version != WHEEL_FORMAT:
        raise ValueError(
            f"the model has format {version}, this version of orbat reads format {WHEEL_FORMAT}"
        )
    tokenizer = Tokenizer.from_buffer(files[TOKENIZER_FILE])
    config = TaggerConfig.from_json(value)
    gazetteer = Gazetteer.from_bytes(files[GAZETTEER_FILE])
    return NeuralTagger(
        OnnxNetwork(files[ONNX_FILE]),
        tokenizer,
        config,
        gazetteer.find,
        batch_size=batch_size,
        workers=workers or count_processors(),
    )


def load_normalizer(files: Mapping[str, bytes]) -> ValueNormalizer:
    """Load what gives the mentions of a packaged model their values.

    Args:
        files: contents of the model's files by name.

    Returns:
        The normalizer; one that gives no values if the model has no tables.

    Raises:
        ValueError: if the tables are damaged or of another version.
    """
    content = files.get(VALUES_FILE)
    return ValueNormalizer(ValueTables() if content is None else ValueTables.from_bytes(content))
