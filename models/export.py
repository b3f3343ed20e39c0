"""From a torch network to ONNX: exported, fused and quantised."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Quantisation:
    """Which operators of a model take 8-bit weights; none leaves it in float."""

    name: str
    operators: tuple[str, ...]


QUANTISATIONS = (
    Quantisation("int8", ("MatMul", "Attention", "Gather")),
    Quantisation("int8, float attention", ("MatMul", "Gather")),
    Quantisation("int8 embeddings", ("Gather",)),
    Quantisation("float32", ()),
)
"""From the smallest and fastest to the exact one."""


def quantise(source: Path, target: Path, quantisation: Quantisation) -> None:
    """Write a model with 8-bit weights for some operators.

    Matrix products are quantised dynamically, one scale per output channel (Jacob et al. 2018,
    https://arxiv.org/abs/1712.05877), embeddings one scale in all.
    """
    if not quantisation.operators:
        shutil.copyfile(source, target)
        return
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            str(source),
            str(target),
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(quantisation.operators),
            per_channel=True,
            # Shape inference does not know the fused operators' outputs.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
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


def attention_shape(config: Any) -> tuple[int, int]:
    """Return an encoder's number of attention heads and hidden width, 0 where it names none."""
    return getattr(config, "num_attention_heads", 0), getattr(config, "hidden_size", 0)
