"""Code points to UTF-16 units and back: how offsets cross the border to a browser."""

from __future__ import annotations

from bisect import bisect_left


class Utf16Offsets:
    """Converts offsets into one text.

    orbat counts Unicode code points; doccano's page counts UTF-16 code units, of which characters
    beyond U+FFFF take two.
    """

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self._astral = [i for i, character in enumerate(text) if character > "\uffff"]
        self._astral_units = [i + n for n, i in enumerate(self._astral)]

    def to_units(self, offset: int) -> int:
        """Return the UTF-16 offset of a code point offset from 0 to the text's length."""
        return offset + bisect_left(self._astral, offset)

    def to_code_points(self, units: int) -> int:
        """Return the code point offset of a UTF-16 offset.

        Raises:
            ValueError: if it is beyond the text or in the middle of a surrogate pair.
        """
        passed = bisect_left(self._astral_units, units)
        if passed and self._astral_units[passed - 1] == units - 1:
            raise ValueError(f"offset {units} cuts a surrogate pair")
        offset = units - passed
        if not 0 <= offset <= self.length:
            raise ValueError(f"offset {units} is beyond the text")
        return offset
