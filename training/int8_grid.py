"""The grid of 8-bit integers to which training and packaging round in the same way."""

from __future__ import annotations

MAX_INPUT = 255
"""Largest unsigned integer of an input of a matrix product."""
MAX_WEIGHT = 63
"""Largest integer of a weight. With 127, processors without VNNI saturate when they add two
products in 16 bits."""
