"""A network in 8 bits: its large matrix products computed in integers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..training.tagger.arrays import Floats

LARGE = 10_000
"""Numbers in a weight from which on 8 bits pay."""
EVERY = 8
"""Of the rows that go into a product each so manyeth is kept, to try roundings on."""
EXPONENTS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""How much of a channel's range may be moved to its weights; see :func:`quantize`."""


@dataclass(frozen=True)
class InputStatistics:
    """What goes into a matrix product.

    Attributes:
        low: lowest number of each channel, at most 0. *Shape:* (channels,).
        high: highest number of each channel, at least 0. *Shape:* (channels,).
        rows: some of what went in. *Shape:* (rows, channels).
    """

    low: Floats
    high: Floats
    rows: Floats


def measure_inputs(
    source: Path, batches: Iterable[Mapping[str, Any]]
) -> dict[str, InputStatistics]:
    """Return what goes into each large matrix product, by its name.

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
    zero = np.zeros(1, np.float32)
    ranges = dict.fromkeys(names, (zero, zero))
    rows: dict[str, list[Floats]] = defaultdict(list)
    for batch in batches:
        read = batch["attention_mask"].astype(bool)
        # A model without word features and gazetteer takes no features.
        feed = {name: array for name, array in batch.items() if name in wanted}
        for name, numbers in zip(names, session.run(names, feed), strict=True):
            low, high = ranges[name]
            # What does not come from the pieces, such as distances, has no padding.
            real = numbers[read] if numbers.shape[:2] == read.shape else numbers
            real = real.reshape(-1, real.shape[-1])
            ranges[name] = np.minimum(low, real.min(axis=0)), np.maximum(high, real.max(axis=0))
            rows[name].append(real[::EVERY])
    return {name: InputStatistics(*ranges[name], np.concatenate(rows[name])) for name in names}


def inputs_after_pruning(
    source: Path, inputs: Mapping[str, InputStatistics]
) -> dict[str, InputStatistics]:
    """Return of the inputs those of layers that read what a network that skims has chosen.

    Args:
        source: an exported model.
        inputs: see :func:`measure_inputs`.
    """
    import onnx

    after_choice: set[str] = set()
    for node in onnx.load(str(source)).graph.node:
        if node.op_type == "NonZero" or not after_choice.isdisjoint(node.input):
            after_choice.update(node.output)
    return {name: measured for name, measured in inputs.items() if name in after_choice}


def quantize(source: Path, target: Path, inputs: Mapping[str, InputStatistics]) -> None:
    """Write a model that computes its large matrix products in 8-bit integers.

    Static post-training quantisation (Jacob et al. 2018): what goes into a product is cut to 256
    steps over its range, weights to 127 steps a column. As the ranges are fixed, a text's scores
    do not depend on the texts beside it in a batch. Weights have 7 bits: with 8, processors
    without VNNI would saturate where they add two products in 16 bits. Channels of wide range are
    first made narrower at their weights' cost, or they would leave the others few steps
    (SmoothQuant, Xiao et al. 2022, arXiv:2211.10438); by how much is tried for each product.

    Args:
        source: an exported model.
        target: the model to write.
        inputs: see :func:`measure_inputs`. Products of what it lacks stay as they are; tables of
            embeddings are stored in 8 bits in any case.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(source))
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    readers: dict[str, list[Any]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            readers[name].append(node)
    even: dict[str, Any] = {}

    def constant(name: str, value: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def put(place: Any, nodes: Sequence[Any]) -> None:
        position = list(graph.node).index(place)
        graph.node.remove(place)
        for node in reversed(nodes):
            graph.node.insert(position, node)

    products = [node for node in _large_products(model) if node.input[0] in inputs]
    matrices: dict[str, list[Any]] = defaultdict(list)
    for node in products:
        matrices[node.input[0]].append(numpy_helper.to_array(weights[node.input[1]]))
    for node in products:
        given, weight = node.input
        nodes = []
        if given not in even:
            rounding = _choose_quantization(inputs[given], matrices[given])
            even[given] = rounding.factors
            constant(f"{given}/step", np.array(rounding.step))
            constant(f"{given}/zero", np.array(rounding.zero, np.uint8))
            names = [given, constant(f"{given}/factor", 1 / rounding.factors)]
            nodes.append(helper.make_node("Mul", names, [f"{given}/even"]))
            names = [f"{given}/even", f"{given}/step", f"{given}/zero"]
            nodes.append(helper.make_node("QuantizeLinear", names, [f"{given}/int8"]))
        matrix = numpy_helper.to_array(weights[weight])
        rounded, steps = _quantize_weights(matrix * even[given][:, None])
        if len(readers[weight]) == 1:
            graph.initializer.remove(weights[weight])
        constant(f"{weight}/int8", rounded.astype(np.int8))
        names = [
            *(f"{given}/int8", f"{weight}/int8", f"{given}/step"),
            constant(f"{weight}/step", steps),
            f"{given}/zero",
            constant(f"{weight}/zero", np.array(0, np.int8)),
        ]
        output = node.output[0]
        added = _added_vector(readers[output], output, weights)
        if added is not None:
            sum_node, vector = added
            names.append(vector)
            output = sum_node.output[0]
            graph.node.remove(sum_node)
        nodes.append(
            helper.make_node("MatMulIntegerToFloat", names, [output], domain="com.microsoft")
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


class _Quantization(NamedTuple):
    """How what goes into a product is cut to 8 bits.

    Attributes:
        factors: what each channel is divided by, and its weights are multiplied by.
        step: between two numbers of the grid.
        zero: the place of 0 in it.
    """

    factors: Floats
    step: np.float32
    zero: int


def _choose_quantization(given: InputStatistics, matrices: Sequence[Floats]) -> _Quantization:
    """Return of several roundings the one by which the products come nearest to the true ones.

    Args:
        given: what goes into the products.
        matrices: what it is multiplied by, each *Shape:* (channels, outputs).
    """
    reach = np.maximum(np.maximum(-given.low, given.high), 1e-3)
    weight = np.maximum(np.max([np.abs(each).max(axis=1) for each in matrices], axis=0), 1e-3)
    matrix = np.concatenate(matrices, axis=1)
    wanted = given.rows @ matrix
    tried: list[tuple[float, _Quantization]] = []
    for exponent in EXPONENTS:
        factors = (reach**exponent / weight ** (1 - exponent)).astype(np.float32)
        low, high = (given.low / factors).min(), (given.high / factors).max()
        step = np.float32(max(high - low, 1e-6) / 255)
        zero = round(-low / step)
        rows = np.clip(np.round(given.rows / factors / step), -zero, 255 - zero) * step
        rounded, steps = _quantize_weights(matrix * factors[:, None])
        error = float(np.square(rows @ (rounded * steps) - wanted).mean())
        tried.append((error, _Quantization(factors, step, zero)))
    return min(tried, key=lambda each: each[0])[1]


def _quantize_weights(matrix: Floats) -> tuple[Floats, Floats]:
    """Return a matrix in whole steps, and the step of each column, *Shape:* (columns,)."""
    steps = (np.maximum(np.abs(matrix).max(axis=0), 1e-12) / _HIGHEST_WEIGHT).astype(np.float32)
    return np.round(matrix / steps), steps


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
