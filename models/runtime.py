"""A packaged tagger: ONNX weights, tokenizer and configuration, run by onnxruntime.

A model wheel carries a copy of this file; it needs numpy, onnxruntime and tokenizers only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.gazetteer import Gazetteer
from training.tagging import Floats, Ints, Tagger, TaggerConfig

MODEL = "model.onnx"
"""The network; of one that skims the first layers."""
READ_ON = "read-on.onnx"
"""Of a network that skims the other layers."""
FILES = (MODEL, "tokenizer.json", "tagger.json", "gazetteer.json")
"""The files that every packaged tagger has."""
HASHES = "sha256.json"
"""Beside them: the SHA-256 of each file of the model, by name."""
FORMAT = 5
WINDOWS_AT_ONCE = 8
"""Of a model that skims: batches of windows that are skimmed before some are read on."""
READ_ON_PIECES = 128
"""About so many are read on at a time: more would have more padding, as few of each window are."""


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
            the model was trained with them, `features`. Its output is `logits`; that of a model
            that skims gives `hidden` and `chosen` too: what is read on, and which pieces are.
        read_on: of a model that skims the other layers, with inputs `hidden` and `attention_mask`.
        pieces: about so many go through the layers at a time.
    """

    def __init__(self, model: bytes, read_on: bytes | None = None, *, pieces: int = 512) -> None:
        self._model = _session(model)
        self._read_on = _session(read_on) if read_on is not None else None
        self._pieces = pieces
        self._inputs = {each.name for each in self._model.get_inputs()}

    def __call__(self, ids: Ints, mask: Ints, features: Ints) -> Floats:
        """Score a batch; see :data:`training.tagging.Network`."""
        if self._read_on is None:
            (logits,) = self._run(ids, mask, features)
            return logits  # type: ignore[no-any-return]
        logits, hidden, places, counts = self.skim(ids, mask, features)
        flat = logits.reshape(-1, logits.shape[2])
        for index, real in pack(counts, READ_ON_PIECES):
            feed = {"hidden": hidden[index], "attention_mask": real.astype(np.int64)}
            (scores,) = self._read_on.run(["logits"], feed)
            flat[places[index[real]]] = scores[real]
        return logits

    def skim(self, ids: Ints, mask: Ints, features: Ints) -> tuple[Floats, Floats, Ints, Ints]:
        """Read a batch by the first layers of a model that skims.

        Returns:
            The tags' scores, *Shape:* (windows, pieces, tags); of the pieces that are read on what
            the other layers read, *Shape:* (chosen, width), and their places in the batch,
            *Shape:* (chosen,); how many of each window these are, *Shape:* (windows,).
        """
        step = max(1, self._pieces // ids.shape[1])
        parts = [
            self._run(*(array[begin : begin + step] for array in (ids, mask, features)))
            for begin in range(0, len(ids), step)
        ]
        logits = np.concatenate([logits for logits, _, _ in parts])
        hidden = np.concatenate([hidden[chosen] for _, hidden, chosen in parts])
        chosen = np.concatenate([chosen for _, _, chosen in parts])
        return logits, hidden, np.flatnonzero(chosen), chosen.sum(axis=1)

    def _run(self, ids: Ints, mask: Ints, features: Ints) -> list[Any]:
        given = {"input_ids": ids, "attention_mask": mask, "features": features}
        feed = {name: array for name, array in given.items() if name in self._inputs}
        outputs: list[Any] = self._model.run(None, feed)
        return outputs


def pack(counts: Ints, pieces: int) -> Iterator[tuple[Ints, NDArray[np.bool_]]]:
    """Lay sequences that stand one behind the other side by side, those of like length together.

    Args:
        counts: their lengths; empty ones are left out.
        pieces: about so many make a batch.

    Yields:
        Indices of a batch's elements, any where there is none, and where there is one, both
        *Shape:* (sequences, longest).
    """
    starts = np.cumsum(counts) - counts
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    begin = 0
    while begin < len(order):
        longest = int(counts[order[begin]])
        rows = order[begin : begin + max(1, pieces // longest)]
        begin += len(rows)
        real = np.arange(longest) < counts[rows, None]
        yield np.where(real, starts[rows, None] + np.arange(longest), starts[rows, None]), real


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Batches run side by side, which shares out the work better than threads within one.
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_packaged(files: Mapping[str, bytes], *, batch_size: int = 8, lanes: int = 0) -> Tagger:
    """Make a tagger of a packaged model's files.

    Args:
        files: contents by name.
        batch_size: full windows in a batch.
        lanes: batches scored side by side; 0 for as many as there are processors.

    Raises:
        ValueError: if a file is missing, changed or of another version.
    """
    from tokenizers import Tokenizer

    check_hashes(files)
    value = json.loads(files["tagger.json"])
    if value.pop("format", None) != FORMAT:
        raise ValueError("the model was packaged by another version of orbat")
    tokenizer = Tokenizer.from_buffer(files["tokenizer.json"])
    config = TaggerConfig.from_json(value)
    gazetteer = Gazetteer.from_bytes(files["gazetteer.json"])
    read_on = files.get(READ_ON)
    network = OnnxNetwork(files[MODEL], read_on, pieces=batch_size * config.window)
    if read_on is not None:
        # Of more windows those can be read on together that have alike many pieces to be read.
        batch_size *= WINDOWS_AT_ONCE
    return Tagger(
        network,
        tokenizer,
        config,
        gazetteer.find,
        batch_size=batch_size,
        lanes=lanes or processors(),
    )
