"""UTF-16 offsets, as browsers count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.utf16 import Utf16Offsets

texts = st.text(
    alphabet=st.one_of(
        st.sampled_from("a😀\u0301\u00a0\r\n\t\u200bש👨\u200d"),
        st.characters(exclude_categories=["Cs"]),
    )
)


@given(texts)
def test_offsets_are_those_of_the_encoded_text(text: str) -> None:
    offsets = Utf16Offsets(text)
    for position in range(len(text) + 1):
        units = len(text[:position].encode("utf-16-le")) // 2
        assert offsets.to_units(position) == units
        assert offsets.to_code_points(units) == position


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        (1, "inside a surrogate pair"),
        (3, "inside a surrogate pair"),
        (6, "outside the text"),
        (-1, "outside the text"),
    ],
)
def test_invalid_offsets_are_refused(units: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Utf16Offsets("😀😀x").to_code_points(units)
