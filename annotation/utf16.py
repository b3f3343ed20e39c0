"""Conversion of offsets between Unicode code points and UTF-16 code units."""

from __future__ import annotations

from bisect import bisect_left


class Utf16Offsets:
    """Converts offsets into one text.

    orbat counts Unicode code points. Browsers, and with them doccano's annotation page, count
    UTF-16 code units, of which characters beyond U+FFFF take two.

    Args:
        text: the text that the offsets refer to.
    """

    def __init__(self, text: str) -> None:
        self.length = len(text)
        # Positions of the characters that take two units, in code points and in units.
        self._astral = [i for i, character in enumerate(text) if character > "\uffff"]
        self._astral_units = [i + n for n, i in enumerate(self._astral)]

    def to_units(self, offset: int) -> int:
        """Return the UTF-16 offset of a code point offset from 0 to the text's length."""
        return offset + bisect_left(self._astral, offset)

    def to_code_points(self, units: int) -> int:
        """Return the code point offset of a UTF-16 offset.

        Raises:
            ValueError: if the offset is outside the text or inside a surrogate pair.
        """
        astral_before = bisect_left(self._astral_units, units)
        if astral_before and self._astral_units[astral_before - 1] == units - 1:
            raise ValueError(f"offset {units} is inside a surrogate pair")
        offset = units - astral_before
        if not 0 <= offset <= self.length:
            raise ValueError(f"offset {units} is outside the text")
        return offset
