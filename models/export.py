"""From a torch network to ONNX: exported, fused and made small."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.network import TokenClassifier

OPSET = 17


def export_onnx(network: TokenClassifier, path: Path) -> None:
    """Export a network to ONNX with free batch and sequence axes.

    Uses torch's TorchScript-based exporter with eager attention: onnxruntime's fusions know the
    graph that it writes, not yet the one of the newer exporter.
    """
    import torch
    from torch import Tensor, nn

    class Logits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: Tensor, mask: Tensor, features: Tensor) -> Tensor:
            logits: Tensor = self.network(ids, mask, features)["logits"]
            return logits

    network.eval()
    attention = network.encoder.config._attn_implementation
    network.encoder.set_attn_implementation("eager")
    ids = torch.ones((2, 16), dtype=torch.int64)
    mask = torch.ones_like(ids)
    # A padded row, so that tracing keeps the mask.
    mask[1, 10:] = 0
    names = ["input_ids", "attention_mask", "features"]
    axes = {0: "batch", 1: "pieces"}
    try:
        with _quiet():
            torch.onnx.export(
                Logits(),
                (ids, mask, torch.zeros_like(ids)),
                str(path),
                dynamo=False,
                opset_version=OPSET,
                input_names=names,
                output_names=["logits"],
                dynamic_axes=dict.fromkeys([*names, "logits"], axes),
            )
    finally:
        network.encoder.set_attn_implementation(attention)


def fuse(source: Path, target: Path, *, heads: int, width: int) -> dict[str, int]:
    """Fuse attention, GELU and layer norms by onnxruntime's transformer optimiser.

    Returns:
        How many of each fused operator the graph has; empty where nothing could be fused.
    """
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    options = FusionOptions("bert")
    # The embeddings have word features added, which that fusion does not know.
    options.enable_embed_layer_norm = False
    with _quiet():
        model = optimizer.optimize_model(
            str(source),
            model_type="bert",
            num_heads=heads,
            hidden_size=width,
            optimization_options=options,
            opt_level=0,
        )
        model.save_model_to_file(str(target))
        fused: dict[str, int] = model.get_fused_operator_statistics()
    return {name: count for name, count in fused.items() if count}


LARGE = 10_000
"""Numbers in a weight from which on 8-bit storage pays."""


def store_as_int8(source: Path, target: Path) -> None:
    """Write a model with its large weights kept in 8 bits, one scale per row.

    onnxruntime restores them when it loads the model, so that arithmetic stays in float.
    Computing in 8 bits would be faster, but onnxruntime's dynamic quantisation scales activations
    over the whole batch: a text's entities would depend on the texts tagged beside it.
    """
    import onnx

    model = onnx.load(str(source))
    _store_weights(model)
    onnx.save(model, str(target))


def _store_weights(model: Any) -> None:
    """Replace large float matrices by 8-bit ones, a scale per row, and the product of both."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    restored = []
    for tensor in list(graph.initializer):
        matrix = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or matrix.ndim != 2 or matrix.size < LARGE:
            continue
        scale = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
        small = np.round(matrix / scale).astype(np.int8)
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(small, f"{name}/int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}/scale"))
        restored.append(helper.make_node("Cast", [f"{name}/int8"], [f"{name}/wide"], to=1))
        restored.append(helper.make_node("Mul", [f"{name}/wide", f"{name}/scale"], [name]))
    for position, node in enumerate(restored):
        graph.node.insert(position, node)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' warnings and notes from the screen."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)


def attention_shape(config: Any) -> tuple[int, int]:
    """Return an encoder's number of attention heads and hidden width, 0 where it names none."""
    return getattr(config, "num_attention_heads", 0), getattr(config, "hidden_size", 0)
