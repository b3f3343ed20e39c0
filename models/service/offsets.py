"""Offsets of spans in the unit that a client counts in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from ...annotation.utf16 import Utf16Offsets

OffsetUnit = Literal["code_points", "utf16", "bytes"]
"""Unicode code points (Python), UTF-16 code units (JavaScript, Java), or bytes of UTF-8."""


def offset_converter(text: str, unit: OffsetUnit) -> Callable[[int], int]:
    """Return a function that converts code point offsets of a text into another unit."""
    if unit == "code_points" or text.isascii():
        return int
    if unit == "utf16":
        return Utf16Offsets(text).to_units
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    widths = 1 + (points > 0x7F) + (points > 0x7FF) + (points > 0xFFFF)
    starts = np.concatenate([[0], np.cumsum(widths)]).tolist()
    return starts.__getitem__  # type: ignore[no-any-return]
