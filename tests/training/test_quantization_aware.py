"""Layers that learn to bear 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from orbat.models import smooth_quant
from orbat.models.quantization import measure_inputs, quantize
from orbat.training.transformer.quantization_aware import (
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
def given() -> Tensor:
    """Two windows of inputs, some of whose channels reach much further than others."""
    rng = torch.Generator().manual_seed(1)
    reach = torch.logspace(-1, 1.5, 96)
    return (torch.randn(2, 20, 96, generator=rng) + 0.3) * reach


def rounded(layer: nn.Linear) -> FakeQuantLinear:
    parent = nn.Sequential(nn.Sequential(layer))
    insert_fake_quantization(parent)
    found = parent[0][0]  # type: ignore[index]
    assert isinstance(found, FakeQuantLinear)
    return found


def test_only_training_rounds(layer: nn.Linear, given: Tensor) -> None:
    plain, other = layer(given), rounded(layer)
    assert dict(other.named_parameters()) == dict(layer.named_parameters())
    assert torch.equal(other.eval()(given), plain)
    change = (other.train()(given) - plain).abs().max() / plain.abs().max()
    assert 1e-4 < change < 0.05


def test_training_sees_what_the_packaged_product_gives(
    layer: nn.Linear, given: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    monkeypatch.setattr(smooth_quant, "EXPONENTS", (EXPONENT,))
    plain, small = tmp_path / "plain.onnx", tmp_path / "small.onnx"
    torch.onnx.export(layer, (given,), str(plain), dynamo=False, input_names=["given"])
    batch = {"given": given.numpy(), "attention_mask": np.ones(given.shape[:2])}
    quantize(plain, small, measure_inputs(plain, [batch]))
    session = onnxruntime.InferenceSession(str(small), providers=["CPUExecutionProvider"])
    (packaged,) = session.run(None, {"given": batch["given"]})
    seen = rounded(layer).train()(given).detach().numpy()
    assert np.abs(packaged - layer(given).detach().numpy()).max() > 1e-3
    np.testing.assert_allclose(seen, packaged, atol=1e-4 * np.abs(packaged).max())


def test_gradients_go_through_as_if_nothing_were_rounded(layer: nn.Linear, given: Tensor) -> None:
    weights = torch.randn(2, 20, 128, generator=torch.Generator().manual_seed(2))
    gradients = []
    for each in (layer, rounded(layer).train()):
        place = given.clone().requires_grad_()
        layer.weight.grad = None
        (each(place) * weights).sum().backward()  # type: ignore[no-untyped-call]
        assert place.grad is not None and layer.weight.grad is not None
        gradients.append((place.grad, layer.weight.grad.clone()))
    for plain, through in zip(*gradients, strict=True):
        # Channels of short reach are left few steps by the others.
        assert float(nn.functional.cosine_similarity(through, plain, dim=-1).min()) > 0.95
