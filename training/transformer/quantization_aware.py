"""Quantisation-aware training: a network learns to bear the rounding that 8 bits bring."""

from __future__ import annotations

import torch
from torch import Tensor, nn

EXPONENT = 0.7
"""How much of a channel's range is moved to its weights, about what packaging finds best."""
_HIGHEST_INPUT = 255
_HIGHEST_WEIGHT = 63


class RoundedLinear(nn.Linear):
    """A linear layer that in training sees only what 8 bits leave of its inputs and weights.

    They are rounded as :func:`models.quantization.quantize` rounds them, but that the ranges are
    those of the batch; gradients go through as if nothing were rounded (Jacob et al. 2018,
    arXiv:1712.05877). Outside training it is the plain layer.
    """

    def forward(self, given: Tensor) -> Tensor:
        """Return the product, *Shape:* (..., outputs), of an input *Shape:* (..., inputs)."""
        if not self.training:
            return super().forward(given)
        with torch.no_grad():
            reach = given.abs().flatten(0, -2).amax(dim=0).float().clamp(min=1e-3)
            weight = self.weight.abs().amax(dim=0).clamp(min=1e-3)
            factors = reach**EXPONENT / weight ** (1 - EXPONENT)
        even = given.float() / factors
        matrix = self.weight * factors
        with torch.no_grad():
            low, high = even.min().clamp(max=0), even.max().clamp(min=0)
            step = ((high - low) / _HIGHEST_INPUT).clamp(min=1e-8)
            zero = torch.round(-low / step).int()
            steps = matrix.abs().amax(dim=1).clamp(min=1e-12) / _HIGHEST_WEIGHT
            zeros = torch.zeros_like(steps, dtype=torch.int32)
        rounded = torch.fake_quantize_per_tensor_affine(even, step, zero, 0, _HIGHEST_INPUT)
        matrix = torch.fake_quantize_per_channel_affine(
            matrix, steps, zeros, 0, -_HIGHEST_WEIGHT, _HIGHEST_WEIGHT
        )
        return nn.functional.linear(rounded, matrix, self.bias)


def round_products(module: nn.Module) -> None:
    """Make every linear layer inside a module a :class:`RoundedLinear` with the same weights."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Linear:
                rounded = RoundedLinear(
                    child.in_features, child.out_features, child.bias is not None, device="meta"
                )
                rounded.weight, rounded.bias = child.weight, child.bias
                setattr(parent, name, rounded)
