"""Quantization of a matrix product's inputs and weights to 8 bits, after SmoothQuant.

If one channel has a wide range, the others get few steps of the grid. So each channel is divided by
a factor, and its weights are multiplied by it (Xiao et al. 2022, arXiv:2211.10438).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...training.int8_grid import MAX_INPUT, MAX_WEIGHT
from ...training.tagger.arrays import Floats

EXPONENTS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of a channel's range that may be moved to its weights (`alpha` in SmoothQuant)."""


@dataclass(frozen=True)
class InputStatistics:
    """The inputs of a matrix product on sample texts.

    Attributes:
        low: lowest value of each channel, at most 0. *Shape:* (channels,).
        high: highest value of each channel, at least 0. *Shape:* (channels,).
        rows: a sample of the inputs. *Shape:* (rows, channels).
    """

    low: Floats
    high: Floats
    rows: Floats


@dataclass(frozen=True)
class InputQuantization:
    """How the inputs of a matrix product are quantized to unsigned 8-bit integers.

    Attributes:
        factors: divisors of the channels, by which their weights are multiplied.
            *Shape:* (channels,).
        scale: difference between the values of neighboring integers.
        zero_point: the integer that represents 0.
    """

    factors: Floats
    scale: np.float32
    zero_point: int


def choose_quantization(
    statistics: InputStatistics, matrices: Sequence[Floats]
) -> InputQuantization:
    """Return the quantization with the smallest mean squared error of the products.

    One candidate is tried for each of :data:`EXPONENTS`.

    Args:
        statistics: the inputs.
        matrices: the weights that they are multiplied by, each *Shape:* (channels, outputs).
    """
    input_range = np.maximum(np.maximum(-statistics.low, statistics.high), 1e-3)
    weight_range = np.maximum(
        np.max([np.abs(matrix).max(axis=1) for matrix in matrices], axis=0), 1e-3
    )
    weights = np.concatenate(matrices, axis=1)
    exact = statistics.rows @ weights
    candidates: list[tuple[float, InputQuantization]] = []
    for exponent in EXPONENTS:
        factors = (input_range**exponent / weight_range ** (1 - exponent)).astype(np.float32)
        low, high = (statistics.low / factors).min(), (statistics.high / factors).max()
        scale = np.float32(max(high - low, 1e-6) / MAX_INPUT)
        zero_point = round(-low / scale)
        integers = np.round(statistics.rows / factors / scale)
        rows = np.clip(integers, -zero_point, MAX_INPUT - zero_point) * scale
        quantized, scales = quantize_weights(weights * factors[:, None])
        error = float(np.square(rows @ (quantized * scales) - exact).mean())
        candidates.append((error, InputQuantization(factors, scale, zero_point)))
    return min(candidates, key=lambda candidate: candidate[0])[1]


def quantize_weights(matrix: Floats) -> tuple[Floats, Floats]:
    """Return a matrix as integers from -63 to 63, and the scale of each column.

    *Shapes:* (channels, outputs), (outputs,).
    """
    scales = (np.maximum(np.abs(matrix).max(axis=0), 1e-12) / MAX_WEIGHT).astype(np.float32)
    return np.round(matrix / scales), scales
