"""From a torch network to ONNX, as onnxruntime reads it fastest."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.runtime import MODEL, READ_ON

if TYPE_CHECKING:
    from training.network import TokenClassifier

OPSET = 17


def export_onnx(network: TokenClassifier, folder: Path) -> dict[str, Path]:
    """Export a network to ONNX with free batch and sequence axes.

    Uses torch's TorchScript-based exporter with eager attention: of its graph onnxruntime makes
    plain matrix products, which are faster on CPUs than the fused attention.

    Args:
        network: the network.
        folder: where the files go.

    Returns:
        The files by their names in a packaged model, see :data:`models.runtime.FILES`: of a network
        that skims two, of any other one.
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

    class Skim(Logits):
        def forward(  # type: ignore[override]
            self, ids: Tensor, mask: Tensor, features: Tensor
        ) -> tuple[Tensor, Tensor, Tensor]:
            return self.network.skim(ids, mask, features)

    class ReadOn(Logits):
        def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
            return self.network.read_on(hidden, mask)

    network.eval()
    ids = torch.ones((2, 16), dtype=torch.int64)
    mask = torch.ones_like(ids)
    # A padded row, so that tracing keeps the mask.
    mask[1, 10:] = 0
    given = {"input_ids": ids, "attention_mask": mask, "features": torch.zeros_like(ids)}
    if network.skimmer is None:
        _export(Logits(), given, ["logits"], network, folder / MODEL)
        return {MODEL: folder / MODEL}
    _export(Skim(), given, ["logits", "hidden", "chosen"], network, folder / MODEL)
    hidden = torch.zeros((2, 16, network.encoder.config.hidden_size))
    given = {"hidden": hidden, "attention_mask": mask}
    _export(ReadOn(), given, ["logits"], network, folder / READ_ON)
    return {MODEL: folder / MODEL, READ_ON: folder / READ_ON}


def _export(
    module: Any,
    given: Mapping[str, Any],
    outputs: Sequence[str],
    network: TokenClassifier,
    path: Path,
) -> None:
    import torch

    attention = network.encoder.config._attn_implementation
    network.encoder.set_attn_implementation("eager")
    axes = {0: "batch", 1: "pieces"}
    try:
        with _quiet():
            torch.onnx.export(
                module,
                tuple(given.values()),
                str(path),
                dynamo=False,
                opset_version=OPSET,
                input_names=list(given),
                output_names=list(outputs),
                dynamic_axes=dict.fromkeys([*given, *outputs], axes),
            )
    finally:
        network.encoder.set_attn_implementation(attention)


def optimise(source: Path, target: Path) -> None:
    """Write a model as onnxruntime optimises it for any processor; loading it is faster then."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(
        str(source),
        options,
        providers=["CPUExecutionProvider"],
        # On CPUs the fused kernels are slower than their parts: 1.0 ms to 0.2, and 0.9 to 0.5.
        disabled_optimizers=["SkipLayerNormFusion", "BiasGeluFusion"],
    )


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
