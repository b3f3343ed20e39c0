"""Static post-training quantization of an ONNX model: large matrix products in 8-bit integers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...training.tagger.arrays import Floats
from .smooth_quant import InputStatistics, choose_quantization, quantize_weights

LARGE = 10_000
"""Number of weights of a matrix from which 8-bit integers are faster."""
SAMPLE_EVERY = 8
"""Of the inputs of a product, every n-th row is kept as a sample."""
_CONTRIB_DOMAIN = "com.microsoft"


def measure_inputs(
    source: Path, batches: Iterable[Mapping[str, Any]]
) -> dict[str, InputStatistics]:
    """Run a model on sample texts and measure the inputs of its large matrix products.

    Args:
        source: an exported model.
        batches: inputs of the model by name; one of them is `attention_mask`.

    Returns:
        The statistics by the name of the product's input in the graph.
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
    input_names = {node.name for node in session.get_inputs()}
    # Ranges start at 0, because 0 must be a number of the 8-bit grid.
    zero = np.zeros(1, np.float32)
    ranges = dict.fromkeys(names, (zero, zero))
    rows: dict[str, list[Floats]] = defaultdict(list)
    for batch in batches:
        mask = batch["attention_mask"].astype(bool)
        # A model without word features and gazetteer has no input `features`.
        feed = {name: array for name, array in batch.items() if name in input_names}
        for name, values in zip(names, session.run(names, feed), strict=True):
            low, high = ranges[name]
            # Padding is left out. Values of another shape than the mask have no padding.
            kept = values[mask] if values.shape[:2] == mask.shape else values
            kept = kept.reshape(-1, kept.shape[-1])
            ranges[name] = np.minimum(low, kept.min(axis=0)), np.maximum(high, kept.max(axis=0))
            rows[name].append(kept[::SAMPLE_EVERY])
    return {name: InputStatistics(*ranges[name], np.concatenate(rows[name])) for name in names}


def inputs_after_pruning(
    source: Path, inputs: Mapping[str, InputStatistics]
) -> dict[str, InputStatistics]:
    """Return only the inputs of layers after the token pruning.

    Args:
        source: an exported model that prunes tokens.
        inputs: the statistics of all layers; see :func:`measure_inputs`.
    """
    import onnx

    # The indices of the kept tokens come from the graph's NonZero nodes.
    after_pruning: set[str] = set()
    for node in onnx.load(str(source)).graph.node:
        if node.op_type == "NonZero" or not after_pruning.isdisjoint(node.input):
            after_pruning.update(node.output)
    return {name: statistics for name, statistics in inputs.items() if name in after_pruning}


def quantize(source: Path, target: Path, inputs: Mapping[str, InputStatistics]) -> None:
    """Write a model that computes its large matrix products in 8-bit integers.

    Static post-training quantization (Jacob et al. 2018, arXiv:1712.05877): inputs have 256 steps
    over their range, weights 127 steps a column. Because the ranges are fixed, a text's scores do
    not depend on the other texts of its batch. See :mod:`.smooth_quant` for the choice of the
    steps.

    Args:
        source: an exported model.
        target: the file to write.
        inputs: the statistics of the inputs; see :func:`measure_inputs`. Products whose inputs are
            not in it stay in float32. Embedding tables are stored in 8 bits in any case.
    """
    import onnx

    model = onnx.load(str(source))
    quantizer = _GraphQuantizer(model)
    products = [node for node in _large_products(model) if node.input[0] in inputs]
    matrices: dict[str, list[Floats]] = defaultdict(list)
    for node in products:
        matrices[node.input[0]].append(quantizer.weight(node.input[1]))
    for node in products:
        name = node.input[0]
        quantizer.quantize_product(node, inputs[name], matrices[name])
    for node in [node for node in model.graph.node if node.op_type == "Gather"]:
        quantizer.quantize_embedding(node)
    if not any(entry.domain == _CONTRIB_DOMAIN for entry in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(_CONTRIB_DOMAIN, 1))
    onnx.save(model, str(target))


class _GraphQuantizer:
    """Replaces nodes of an ONNX graph by quantized ones.

    Args:
        model: an `onnx.ModelProto`; it is changed in place.
    """

    def __init__(self, model: Any) -> None:
        self._graph = model.graph
        self._weights = {tensor.name: tensor for tensor in self._graph.initializer}
        self._consumers: dict[str, list[Any]] = defaultdict(list)
        for node in self._graph.node:
            for name in node.input:
                self._consumers[name].append(node)
        self._factors: dict[str, Floats] = {}
        """Smoothing factors of the inputs that have been quantized, by name."""

    def weight(self, name: str) -> Floats:
        """Return a weight as an array."""
        from onnx import numpy_helper

        return numpy_helper.to_array(self._weights[name])  # type: ignore[no-any-return]

    def quantize_product(
        self, node: Any, statistics: InputStatistics, matrices: Sequence[Floats]
    ) -> None:
        """Replace a MatMul, and an addition of a bias after it, by an 8-bit product.

        Args:
            node: the MatMul of an input and a weight.
            statistics: of the input.
            matrices: all weights that the input is multiplied by, in this and other nodes.
        """
        from onnx import helper

        source, weight = node.input
        nodes = []
        if source not in self._factors:
            nodes += self._quantize_input(source, statistics, matrices)
        quantized, scales = quantize_weights(self.weight(weight) * self._factors[source][:, None])
        if len(self._consumers[weight]) == 1:
            self._graph.initializer.remove(self._weights[weight])
        names = [
            f"{source}/int8",
            self._add_constant(f"{weight}/int8", quantized.astype(np.int8)),
            f"{source}/scale",
            self._add_constant(f"{weight}/scale", scales),
            f"{source}/zero_point",
            self._add_constant(f"{weight}/zero_point", np.array(0, np.int8)),
        ]
        output = node.output[0]
        bias = self._find_bias(output)
        if bias is not None:
            addition, vector = bias
            names.append(vector)
            output = addition.output[0]
            self._graph.node.remove(addition)
        nodes.append(
            helper.make_node("MatMulIntegerToFloat", names, [output], domain=_CONTRIB_DOMAIN)
        )
        self._replace(node, nodes)

    def _quantize_input(
        self, name: str, statistics: InputStatistics, matrices: Sequence[Floats]
    ) -> list[Any]:
        """Return the nodes that smooth and quantize an input."""
        from onnx import helper

        quantization = choose_quantization(statistics, matrices)
        self._factors[name] = quantization.factors
        factors = self._add_constant(f"{name}/factors", 1 / quantization.factors)
        scale = self._add_constant(f"{name}/scale", np.array(quantization.scale))
        zero_point = self._add_constant(
            f"{name}/zero_point", np.array(quantization.zero_point, np.uint8)
        )
        smoothed = f"{name}/smoothed"
        return [
            helper.make_node("Mul", [name, factors], [smoothed]),
            helper.make_node("QuantizeLinear", [smoothed, scale, zero_point], [f"{name}/int8"]),
        ]

    def quantize_embedding(self, node: Any) -> None:
        """Replace a Gather from a large table by one from an 8-bit table with a scale per row."""
        import onnx
        from onnx import helper

        table, rows = node.input
        if table not in self._weights or len(self._weights[table].dims) != 2:
            return
        matrix = self.weight(table)
        if matrix.size < LARGE or len(self._consumers[table]) > 1:
            return
        scales = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
        self._graph.initializer.remove(self._weights[table])
        quantized = self._add_constant(f"{table}/int8", np.round(matrix / scales).astype(np.int8))
        scale = self._add_constant(f"{table}/scale", scales.astype(np.float32))
        row, row_float, row_scale = (
            f"{table}/{part}" for part in ("row", "row_float", "row_scale")
        )
        self._replace(
            node,
            [
                helper.make_node("Gather", [quantized, rows], [row]),
                helper.make_node("Cast", [row], [row_float], to=onnx.TensorProto.FLOAT),
                helper.make_node("Gather", [scale, rows], [row_scale]),
                helper.make_node("Mul", [row_float, row_scale], node.output),
            ],
        )

    def _find_bias(self, output: str) -> tuple[Any, str] | None:
        """Return the node that adds a vector to an output, and the vector's name.

        None if the output has other consumers.
        """
        consumers = self._consumers[output]
        if len(consumers) != 1 or consumers[0].op_type != "Add":
            return None
        for name in consumers[0].input:
            if name != output and name in self._weights and len(self._weights[name].dims) == 1:
                return consumers[0], name
        return None

    def _add_constant(self, name: str, value: Any) -> str:
        """Add an initializer, and return its name."""
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def _replace(self, node: Any, nodes: Sequence[Any]) -> None:
        """Replace a node by others at its position."""
        position = list(self._graph.node).index(node)
        self._graph.node.remove(node)
        for new in reversed(nodes):
            self._graph.node.insert(position, new)


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
