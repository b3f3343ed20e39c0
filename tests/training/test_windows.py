"""Windows of texts: what they cover and what is scored in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from orbat.training.tagger.config import TaggerConfig
from orbat.training.tagger.windows import cut_piece_windows, cut_windows, encode_texts, scored_words

LABELS = ("UNIT", "RANK")


def config(window: int = 16, stride: int = 4) -> TaggerConfig:
    return TaggerConfig(LABELS, window, stride, (101,), (102,), 0, True)


texts_of_parts = st.lists(
    st.sampled_from(
        [
            "Gen",
            "brigade",
            "internationalisation",
            " ",
            "\n",
            "😀",
            "\u200b",
            "\u0301",
            "—",
            "x" * 300,
        ]
    ),
    max_size=60,
)


@given(texts_of_parts, st.integers(8, 40), st.data())
def test_windows_fit_and_every_word_is_scored_in_one(
    tokenizer: Any, parts: list[str], size: int, data: st.DataObject
) -> None:
    tagger_config = config(size, data.draw(st.integers(0, size // 2)))
    (text,) = encode_texts(tokenizer, ["".join(parts)])
    windows = cut_windows(text, tagger_config)
    scored = [word for start, end in scored_words(windows) for word in range(start, end)]
    assert scored == list(range(len(text.words)))
    for window, (start, end) in zip(windows, scored_words(windows), strict=True):
        assert window.piece_end - window.piece_start <= size - 2
        assert window.word_start <= start <= end <= window.word_end
        assert window.word_start < window.word_end


@given(texts_of_parts, st.integers(8, 40), st.integers(0, 4))
def test_piece_windows_are_those_of_tokenizers(
    tokenizer: Any, parts: list[str], size: int, stride: int
) -> None:
    text = "".join(parts)
    (encoded,) = encode_texts(tokenizer, [text])
    windows = cut_piece_windows(encoded, config(size, stride))
    truncating = Tokenizer.from_str(tokenizer.to_str())
    truncating.enable_truncation(size - 2, stride=stride)
    first = truncating.encode(text, add_special_tokens=False)
    expected = [part.ids for part in (first, *first.overflowing) if part.ids]
    assert [encoded.piece_ids[w.piece_start : w.piece_end].tolist() for w in windows] == expected
    for window in windows:
        inside = (encoded.first_pieces >= window.piece_start) & (
            encoded.first_pieces < window.piece_end
        )
        assert np.flatnonzero(inside).tolist() == list(range(window.word_start, window.word_end))
