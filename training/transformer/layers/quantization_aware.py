"""Quantization-aware training: linear layers that round as the packaged 8-bit model will.

In training, inputs and weights of each linear layer are rounded to the 8-bit grid, and gradients
pass through the rounding unchanged (Jacob et al. 2018, arXiv:1712.05877). The network learns
weights that lose little in 8 bits. In evaluation the layers are ordinary linear layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...int8_grid import MAX_INPUT, MAX_WEIGHT

EXPONENT = 0.7
"""Share of a channel's range that is moved to its weights; close to what packaging chooses."""


class FakeQuantLinear(nn.Linear):
    """A linear layer that rounds its inputs and weights to 8 bits in training.

    Inputs are rounded to 256 steps and the weights of each output to 127, as by
    :func:`orbat.models.onnx.quantization.quantize`, but with the ranges of the batch. Before, part
    of the range of wide channels is moved to their weights (SmoothQuant, Xiao et al. 2022,
    arXiv:2211.10438).
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the product.

        Args:
            inputs: *Shape:* (..., in_features).

        Returns:
            *Shape:* (..., out_features).
        """
        if not self.training:
            return super().forward(inputs)
        with torch.no_grad():
            input_range = inputs.abs().flatten(0, -2).amax(dim=0).float().clamp(min=1e-3)
            weight_range = self.weight.abs().amax(dim=0).clamp(min=1e-3)
            factors = input_range**EXPONENT / weight_range ** (1 - EXPONENT)
        smoothed = inputs.float() / factors
        weight = self.weight * factors
        with torch.no_grad():
            low, high = smoothed.min().clamp(max=0), smoothed.max().clamp(min=0)
            scale = ((high - low) / MAX_INPUT).clamp(min=1e-8)
            zero_point = torch.round(-low / scale).int()
            weight_scales = weight.abs().amax(dim=1).clamp(min=1e-12) / MAX_WEIGHT
            weight_zero_points = torch.zeros_like(weight_scales, dtype=torch.int32)
        rounded = torch.fake_quantize_per_tensor_affine(smoothed, scale, zero_point, 0, MAX_INPUT)
        weight = torch.fake_quantize_per_channel_affine(
            weight, weight_scales, weight_zero_points, 0, -MAX_WEIGHT, MAX_WEIGHT
        )
        return nn.functional.linear(rounded, weight, self.bias)


def insert_fake_quantization(module: nn.Module) -> None:
    """Replace every linear layer inside a module by a :class:`FakeQuantLinear`, keeping weights."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Linear:
                layer = FakeQuantLinear(
                    child.in_features, child.out_features, child.bias is not None, device="meta"
                )
                layer.weight, layer.bias = child.weight, child.bias
                setattr(parent, name, layer)
