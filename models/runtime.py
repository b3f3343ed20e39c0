"""A packaged tagger: ONNX weights, tokenizer and configuration, run by onnxruntime.

A model wheel carries a copy of this file; it needs numpy, onnxruntime and tokenizers only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from training.gazetteer import Gazetteer
from training.tagging import Floats, Ints, Tagger, TaggerConfig

FILES = ("model.onnx", "tokenizer.json", "tagger.json", "gazetteer.json")
"""The files that make a packaged tagger."""
FORMAT = 3


class OnnxNetwork:
    """A token classifier run by onnxruntime on the CPU.

    Args:
        model: an ONNX file's bytes, with inputs `input_ids`, `attention_mask` and, where the
            model was trained with them, `features`.
    """

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {each.name for each in self._session.get_inputs()}

    def __call__(self, ids: Ints, mask: Ints, features: Ints) -> Floats:
        """Score a batch; see :data:`training.tagging.Network`."""
        given = {"input_ids": ids, "attention_mask": mask, "features": features}
        feed = {name: array for name, array in given.items() if name in self._inputs}
        logits: Any = self._session.run(["logits"], feed)[0]
        return logits  # type: ignore[no-any-return]


def load_packaged(files: Mapping[str, bytes], *, batch_size: int = 8) -> Tagger:
    """Make a tagger of the contents of :data:`FILES`.

    Raises:
        ValueError: if a file is missing or of another version.
    """
    from tokenizers import Tokenizer

    missing = [name for name in FILES if name not in files]
    if missing:
        raise ValueError(f"the model lacks {missing[0]}")
    value = json.loads(files["tagger.json"])
    if value.pop("format", None) != FORMAT:
        raise ValueError("the model was packaged by another version of orbat")
    tokenizer = Tokenizer.from_buffer(files["tokenizer.json"])
    config = TaggerConfig.from_json(value)
    gazetteer = Gazetteer.from_bytes(files["gazetteer.json"])
    network = OnnxNetwork(files["model.onnx"])
    return Tagger(network, tokenizer, config, gazetteer.find, batch_size=batch_size)
