"""Export of a torch network to ONNX, in the form that onnxruntime runs fastest on CPUs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...training.transformer.network import TokenClassifier

OPSET = 17
"""Version of the ONNX operator set."""
SLOWER_FUSIONS = ("SkipLayerNormFusion", "BiasGeluFusion")
"""Fused kernels that are slower on CPUs than the operators that they replace."""


def export_onnx(network: TokenClassifier, path: Path) -> None:
    """Export a network to ONNX with free batch and sequence axes.

    Uses torch's TorchScript-based exporter with eager attention: onnxruntime turns that graph into
    plain matrix products, which are faster on CPUs than the fused attention. With token pruning,
    the upper layers read the kept pieces of the whole batch at once; see
    :meth:`TokenClassifier.run_upper_layers`.

    Args:
        network: the network.
        path: the file to write.
    """
    import torch
    from torch import Tensor, nn

    class Logits(nn.Module):
        """The network with positional inputs and the logits as its only output."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: Tensor, mask: Tensor, features: Tensor) -> Tensor:
            if self.network.pruner is None:
                logits: Tensor = self.network(ids, mask, features)["logits"]
                return logits
            return self.network.run_upper_layers(
                *self.network.run_lower_layers(ids, mask, features)
            )

    # The exporter restores the mode of the module that it is given.
    logits = Logits().eval()
    ids = torch.ones((2, 16), dtype=torch.int64)
    mask = torch.ones_like(ids)
    # Padding in one row, so that tracing keeps the mask.
    mask[1, 10:] = 0
    inputs = {"input_ids": ids, "attention_mask": mask, "features": torch.zeros_like(ids)}
    axes = {0: "batch", 1: "pieces"}
    attention = network.encoder.config._attn_implementation
    network.encoder.set_attn_implementation("eager")
    try:
        with _no_warnings():
            torch.onnx.export(
                logits,
                tuple(inputs.values()),
                str(path),
                dynamo=False,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=["logits"],
                dynamic_axes=dict.fromkeys([*inputs, "logits"], axes),
            )
    finally:
        network.encoder.set_attn_implementation(attention)


def optimize(source: Path, target: Path) -> None:
    """Apply onnxruntime's hardware-independent graph optimizations, so that loading is fast."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(
        str(source),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=list(SLOWER_FUSIONS),
    )


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Suppress the exporter's warnings and log messages."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)
