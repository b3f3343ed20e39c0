"""Encoded texts, their windows and padded batches of windows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Ints
from .config import TaggerConfig
from .mentions import spans_to_tags
from .words import FEATURE_COUNT, begins_line, find_features, find_words

FindPhrases = Callable[[str, Sequence[Sequence[int]]], list[tuple[int, int, str]]]
"""A text and the start and end of its words, to start, end and label of the phrases in it."""


@dataclass(frozen=True)
class EncodedText:
    """A text as the network sees it.

    Attributes:
        words: start and end of each word in code points, *Shape:* (words, 2).
        pieces: tokenizer ids, *Shape:* (pieces,).
        first: index of the piece at which each word is read off, *Shape:* (words,); for a word
            that the tokenizer drops, that of the next piece.
        read: whether the word has a piece at all, *Shape:* (words,).
        features: of each piece its word's feature id, and :data:`FEATURE_COUNT` times the tag
            that known phrases give the word, *Shape:* (pieces,).
        breaks: whether a line break stands before the word, *Shape:* (words,).
    """

    words: Ints
    pieces: Ints
    first: Ints
    read: NDArray[np.bool_]
    features: Ints
    breaks: NDArray[np.bool_]


class Window(NamedTuple):
    """Words `start` to `end` (exclusive) of a text, and the pieces `first` to `last` they are."""

    start: int
    end: int
    first: int
    last: int


def encode_texts(
    tokenizer: Any,
    texts: Sequence[str],
    find_phrases: FindPhrases | None = None,
    tags: Sequence[str] = (),
) -> list[EncodedText]:
    """Tokenize texts and align words with pieces.

    Args:
        tokenizer: a `tokenizers.Tokenizer`.
        texts: the texts.
        find_phrases: finds known phrases, where the network is told of them.
        tags: the tags that they are told as; see :attr:`TaggerConfig.tags`.
    """
    encoded = []
    for text, encoding in zip(
        texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True
    ):
        words = find_words(text)
        pieces = np.array(encoding.ids, dtype=np.int64)
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        # Byte-level pieces of one character repeat its offsets: ends never fall.
        first = np.searchsorted(offsets[:, 1], words[:, 0], side="right")
        inside = np.minimum(first, max(len(pieces) - 1, 0))
        read = (first < len(pieces)) & (
            offsets[inside, 0] < words[:, 1] if len(pieces) else np.zeros(len(words), bool)
        )
        word_features = find_features(text, words)
        breaks = begins_line(word_features)
        if find_phrases is not None and len(words):
            known = spans_to_tags(words, find_phrases(text, words.tolist()), tags)
            word_features += FEATURE_COUNT * known
        features = np.zeros(len(pieces), dtype=np.int64)
        if len(words):
            owner = np.searchsorted(first, np.arange(len(pieces)), side="right") - 1
            features = np.where(owner >= 0, word_features[np.maximum(owner, 0)], 0)
        encoded.append(EncodedText(words, pieces, first, read, features, breaks))
    return encoded


def cut_windows(
    text: EncodedText, config: TaggerConfig, first_room: int | None = None
) -> list[Window]:
    """Cut a text into overlapping windows of whole words; every word is in at least one.

    A word of more pieces than a window holds is read from its first pieces.

    Args:
        text: the text.
        config: length and overlap of the windows.
        first_room: pieces that the first window holds, where it shall be shorter.
    """
    full = config.window - len(config.prefix) - len(config.suffix)
    count = len(text.words)
    bounds = np.append(text.first, len(text.pieces))
    windows: list[Window] = []
    start = 0
    while start < count:
        room = full if windows else first_room or full
        end = int(np.searchsorted(bounds, bounds[start] + room, side="right")) - 1
        end = min(max(end, start + 1), count)
        last = min(int(bounds[end]), int(bounds[start]) + room)
        windows.append(Window(start, end, int(bounds[start]), last))
        if end == count:
            break
        back = int(np.searchsorted(bounds, bounds[end] - config.overlap, side="left"))
        start = min(max(back, start + 1), end)
    return windows


def cut_pieces(text: EncodedText, config: TaggerConfig) -> list[Window]:
    """Cut a text into overlapping windows of pieces, wherever words end, as tokenizers do.

    Args:
        text: the text.
        config: length and overlap of the windows.
    """
    room = config.window - len(config.prefix) - len(config.suffix)
    windows = []
    for first in range(0, len(text.pieces), room - config.overlap):
        last = min(first + room, len(text.pieces))
        start, end = np.searchsorted(text.first, (first, last)).tolist()
        windows.append(Window(start, end, first, last))
        if last == len(text.pieces):
            break
    return windows


def owned_words(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Return for each window the words that it decides: overlaps are shared out at their middle."""
    cuts = [(left.end + right.start + 1) // 2 for left, right in itertools.pairwise(windows)]
    starts = [windows[0].start, *cuts] if windows else []
    ends = [*cuts, windows[-1].end] if windows else []
    return list(zip(starts, ends, strict=True))


def batch_inputs(
    texts: Sequence[EncodedText],
    windows: Sequence[tuple[int, Window]],
    config: TaggerConfig,
) -> tuple[Ints, Ints, Ints]:
    """Lay windows, each with the index of its text, side by side as a padded batch.

    Returns:
        Input ids, attention mask and feature ids, each *Shape:* (windows, longest window).
    """
    before, behind = len(config.prefix), len(config.suffix)
    width = max(w.last - w.first for _, w in windows) + before + behind
    ids = np.full((len(windows), width), config.pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    features = np.zeros_like(ids)
    for row, (index, window) in enumerate(windows):
        text, length = texts[index], window.last - window.first
        ids[row, :before] = config.prefix
        ids[row, before : before + length] = text.pieces[window.first : window.last]
        ids[row, before + length : before + length + behind] = config.suffix
        mask[row, : before + length + behind] = 1
        features[row, before : before + length] = text.features[window.first : window.last]
    return ids, mask, features


def read_off(text: EncodedText, window: Window, config: TaggerConfig) -> Ints:
    """Return the row position at which each word of the window is read off; -1 where it is not."""
    words = slice(window.start, window.end)
    position = text.first[words] - window.first + len(config.prefix)
    inside = text.read[words] & (text.first[words] < window.last)
    return np.where(inside, position, -1)
