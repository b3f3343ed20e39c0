"""Quantization-aware training: layers that round as the packaged model does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from orbat.models.onnx import smooth_quant
from orbat.models.onnx.quantization import measure_inputs, quantize
from orbat.training.transformer.layers.quantization_aware import (
    EXPONENT,
    FakeQuantLinear,
    insert_fake_quantization,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(96, 128)


@pytest.fixture
def inputs() -> Tensor:
    """Two windows of inputs; some channels have a much wider range than others."""
    rng = torch.Generator().manual_seed(1)
    ranges = torch.logspace(-1, 1.5, 96)
    return (torch.randn(2, 20, 96, generator=rng) + 0.3) * ranges


def fake_quantized(layer: nn.Linear) -> FakeQuantLinear:
    parent = nn.Sequential(nn.Sequential(layer))
    insert_fake_quantization(parent)
    replaced = parent[0][0]  # type: ignore[index]
    assert isinstance(replaced, FakeQuantLinear)
    return replaced


def test_layers_round_in_training_only(layer: nn.Linear, inputs: Tensor) -> None:
    plain, quantized = layer(inputs), fake_quantized(layer)
    assert dict(quantized.named_parameters()) == dict(layer.named_parameters())
    assert torch.equal(quantized.eval()(inputs), plain)
    change = (quantized.train()(inputs) - plain).abs().max() / plain.abs().max()
    assert 1e-4 < change < 0.05


def test_training_computes_what_the_packaged_product_computes(
    layer: nn.Linear, inputs: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    monkeypatch.setattr(smooth_quant, "EXPONENTS", (EXPONENT,))
    plain, small = tmp_path / "plain.onnx", tmp_path / "small.onnx"
    torch.onnx.export(layer, (inputs,), str(plain), dynamo=False, input_names=["inputs"])
    batch = {"inputs": inputs.numpy(), "attention_mask": np.ones(inputs.shape[:2])}
    quantize(plain, small, measure_inputs(plain, [batch]))
    session = onnxruntime.InferenceSession(str(small), providers=["CPUExecutionProvider"])
    (packaged,) = session.run(None, {"inputs": batch["inputs"]})
    trained = fake_quantized(layer).train()(inputs).detach().numpy()
    assert np.abs(packaged - layer(inputs).detach().numpy()).max() > 1e-3
    np.testing.assert_allclose(trained, packaged, atol=1e-4 * np.abs(packaged).max())


def test_gradients_pass_through_the_rounding(layer: nn.Linear, inputs: Tensor) -> None:
    weights = torch.randn(2, 20, 128, generator=torch.Generator().manual_seed(2))
    gradients = []
    for module in (layer, fake_quantized(layer).train()):
        leaf = inputs.clone().requires_grad_()
        layer.weight.grad = None
        (module(leaf) * weights).sum().backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is not None and layer.weight.grad is not None
        gradients.append((leaf.grad, layer.weight.grad.clone()))
    for plain, through in zip(*gradients, strict=True):
        # Channels of narrow range have few steps, so gradients differ a little.
        assert float(nn.functional.cosine_similarity(through, plain, dim=-1).min()) > 0.95
