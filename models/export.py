"""From a torch network to ONNX: exported, made small and fast."""

from __future__ import annotations

import logging
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.runtime import MODEL, READ_ON

if TYPE_CHECKING:
    from training.network import TokenClassifier

OPSET = 17

Ranges = Mapping[str, tuple[float, float]]
"""By name of what goes into a matrix product, its lowest and highest number."""


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


LARGE = 10_000
"""Numbers in a weight from which on 8 bits pay."""


def measure_ranges(source: Path, batches: Iterable[Mapping[str, Any]]) -> Ranges:
    """Return the lowest and highest number that goes into each large matrix product.

    Args:
        source: an exported model.
        batches: its inputs by name; one of them is `attention_mask`.
    """
    import onnx
    import onnxruntime
    from onnx import helper

    model = onnx.load(str(source))
    names = list(dict.fromkeys(node.input[0] for node in _large_products(model)))
    if not names:
        return {}
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    wanted = {each.name for each in session.get_inputs()}
    # 0 must be a number of the 8-bit grid.
    ranges = dict.fromkeys(names, (0.0, 0.0))
    for batch in batches:
        read = batch["attention_mask"].astype(bool)
        # A model without word features and gazetteer takes no features.
        feed = {name: array for name, array in batch.items() if name in wanted}
        for name, numbers in zip(names, session.run(names, feed), strict=True):
            low, high = ranges[name]
            # What does not come from the pieces, such as distances, has no padding.
            real = numbers[read] if numbers.shape[:2] == read.shape else numbers
            ranges[name] = min(low, float(real.min())), max(high, float(real.max()))
    return ranges


def quantise(source: Path, target: Path, ranges: Ranges) -> None:
    """Write a model that computes its large matrix products in 8-bit integers.

    Static post-training quantisation (Jacob et al. 2018): what goes into a product is cut to 256
    steps over its range, weights to 127 steps a column. As the ranges are fixed, a text's scores
    do not depend on the texts beside it in a batch. Weights have 7 bits: with 8, processors
    without VNNI would saturate where they add two products in 16 bits.

    Args:
        source: an exported model.
        target: the model to write.
        ranges: see :func:`measure_ranges`.
    """
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(source))
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    readers: dict[str, list[Any]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            readers[name].append(node)
    cut: set[str] = set()

    def constant(name: str, value: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def put(place: Any, nodes: Sequence[Any]) -> None:
        position = list(graph.node).index(place)
        graph.node.remove(place)
        for node in reversed(nodes):
            graph.node.insert(position, node)

    for node in _large_products(model):
        given, weight = node.input
        nodes = []
        if given not in cut:
            cut.add(given)
            low, high = ranges[given]
            step = np.float32(max(high - low, 1e-6) / 255)
            constant(f"{given}/step", np.array(step))
            constant(f"{given}/zero", np.array(round(-low / step), np.uint8))
            inputs = [given, f"{given}/step", f"{given}/zero"]
            nodes.append(helper.make_node("QuantizeLinear", inputs, [f"{given}/int8"]))
        matrix = numpy_helper.to_array(weights[weight])
        steps = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / _HIGHEST_WEIGHT
        if len(readers[weight]) == 1:
            graph.initializer.remove(weights[weight])
        constant(f"{weight}/int8", np.round(matrix / steps).astype(np.int8))
        inputs = [
            *(f"{given}/int8", f"{weight}/int8", f"{given}/step"),
            constant(f"{weight}/step", steps.astype(np.float32)),
            f"{given}/zero",
            constant(f"{weight}/zero", np.array(0, np.int8)),
        ]
        output = node.output[0]
        added = _added_vector(readers[output], output, weights)
        if added is not None:
            sum_node, vector = added
            inputs.append(vector)
            output = sum_node.output[0]
            graph.node.remove(sum_node)
        nodes.append(
            helper.make_node("MatMulIntegerToFloat", inputs, [output], domain="com.microsoft")
        )
        put(node, nodes)
    for node in [node for node in graph.node if node.op_type == "Gather"]:
        table, rows = node.input
        if table not in weights or len(weights[table].dims) != 2 or len(readers[table]) > 1:
            continue
        matrix = numpy_helper.to_array(weights[table])
        if matrix.size < LARGE:
            continue
        steps = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
        graph.initializer.remove(weights[table])
        constant(f"{table}/int8", np.round(matrix / steps).astype(np.int8))
        constant(f"{table}/step", steps.astype(np.float32))
        parts = [f"{table}/row", f"{table}/wide", f"{table}/row-step"]
        put(
            node,
            [
                helper.make_node("Gather", [f"{table}/int8", rows], parts[:1]),
                helper.make_node("Cast", parts[:1], parts[1:2], to=onnx.TensorProto.FLOAT),
                helper.make_node("Gather", [f"{table}/step", rows], parts[2:]),
                helper.make_node("Mul", parts[1:], node.output),
            ],
        )
    if not any(each.domain == "com.microsoft" for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(target))


_HIGHEST_WEIGHT = 63


def _large_products(model: Any) -> list[Any]:
    """Return the nodes that multiply by a large constant matrix."""
    large = {
        tensor.name
        for tensor in model.graph.initializer
        if len(tensor.dims) == 2 and tensor.dims[0] * tensor.dims[1] >= LARGE
    }
    return [
        node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in large
    ]


def _added_vector(
    readers: Sequence[Any], output: str, weights: Mapping[str, Any]
) -> tuple[Any, str] | None:
    """Return the one node that reads `output` and the vector that it adds, if it does just that."""
    if len(readers) != 1 or readers[0].op_type != "Add":
        return None
    for name in readers[0].input:
        if name != output and name in weights and len(weights[name].dims) == 1:
            return readers[0], name
    return None


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
