"""Encoding of texts, and windows of them that fit the network.

The tokenizer cuts a text into *pieces*. A word is scored at its first piece: the first one that
ends after the word's first character. Long texts are cut into *windows* of whole words that share
:attr:`TaggerConfig.stride` pieces. A word in two windows is scored in the one that shows more
context on both its sides; see :func:`scored_words`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .arrays import Bools, Ints
from .config import TaggerConfig
from .line_wraps import unwrap_lines
from .mentions import spans_to_tags
from .words import (
    FEATURE_COUNT,
    find_caseless_words,
    find_features,
    find_piece_words,
    find_words,
    hide_case,
    starts_line,
)

FindPhrases = Callable[
    [str, Sequence[Sequence[int]], Sequence[bool]], Sequence[tuple[int, int, str]]
]
"""Takes a text, the start and end of its words, and whether each belongs to text without case;
returns start, end and label of each phrase."""


@dataclass(frozen=True)
class EncodedText:
    """The words and pieces of a text, and how they align.

    Attributes:
        text: the text.
        words: start and end of each word in code points, end exclusive. *Shape:* (words, 2).
        piece_ids: tokenizer ids. *Shape:* (pieces,).
        first_pieces: index of each word's first piece; of the next piece for a word that the
            tokenizer drops. *Shape:* (words,).
        has_piece: whether the word has a piece. *Shape:* (words,).
        features: of each piece the feature id of its word, plus :data:`FEATURE_COUNT` times the tag
            that a gazetteer match gives the word. *Shape:* (pieces,).
        line_starts: whether a line break precedes the word. *Shape:* (words,).
    """

    text: str
    words: Ints
    piece_ids: Ints
    first_pieces: Ints
    has_piece: Bools
    features: Ints
    line_starts: Bools


class Window(NamedTuple):
    """A part of a text that the network reads at once; ends are exclusive.

    Attributes:
        word_start: index of the first word.
        word_end: index after the last word.
        piece_start: index of the first piece.
        piece_end: index after the last piece.
    """

    word_start: int
    word_end: int
    piece_start: int
    piece_end: int


def encode_texts(
    tokenizer: Any,
    texts: Sequence[str],
    find_phrases: FindPhrases | None = None,
    tags: Sequence[str] = (),
    *,
    unwrap: bool = False,
) -> list[EncodedText]:
    """Tokenize texts and align words with pieces.

    Args:
        tokenizer: a `tokenizers.Tokenizer` without truncation and padding.
        texts: the texts.
        find_phrases: finds gazetteer matches; None if the network does not take them.
        tags: the tags; see :attr:`TaggerConfig.tags`. Needed with `find_phrases` only.
        unwrap: whether to read hard-wrapped paragraphs across their line breaks.
    """
    if unwrap:
        texts = [unwrap_lines(text) for text in texts]
    encoded = []
    for text, encoding in zip(
        texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True
    ):
        words = find_words(text)
        piece_ids = np.array(encoding.ids, dtype=np.int64)
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        # Byte-level pieces of one character repeat its offsets, so ends never decrease.
        first_pieces = np.searchsorted(offsets[:, 1], words[:, 0], side="right")
        inside = np.minimum(first_pieces, max(len(piece_ids) - 1, 0))
        has_piece = (first_pieces < len(piece_ids)) & (
            offsets[inside, 0] < words[:, 1] if len(piece_ids) else np.zeros(len(words), bool)
        )
        word_features = find_features(text, words)
        caseless = find_caseless_words(word_features)
        word_features = hide_case(word_features, caseless)
        line_starts = starts_line(word_features)
        if find_phrases is not None and len(words):
            phrases = find_phrases(text, words.tolist(), caseless.tolist())
            word_features += FEATURE_COUNT * spans_to_tags(words, phrases, tags)
        features = np.zeros(len(piece_ids), dtype=np.int64)
        if len(words):
            owners = np.searchsorted(first_pieces, np.arange(len(piece_ids)), side="right") - 1
            features = np.where(owners >= 0, word_features[np.maximum(owners, 0)], 0)
        encoded.append(
            EncodedText(text, words, piece_ids, first_pieces, has_piece, features, line_starts)
        )
    return encoded


def encode_by_pieces(tokenizer: Any, texts: Sequence[str], unk_id: int | None) -> list[EncodedText]:
    """Tokenize texts, and take groups of pieces for words; see :func:`find_piece_words`.

    The features are zero; networks with this word rule do not take them.

    Args:
        tokenizer: a `tokenizers.Tokenizer` without truncation and padding.
        texts: the texts.
        unk_id: id of the piece for unknown characters, if there is one.
    """
    prefix = getattr(tokenizer.model, "continuing_subword_prefix", None)
    encoded = []
    for text, encoding in zip(
        texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True
    ):
        words, first_pieces = find_piece_words(text, encoding, prefix, unk_id)
        piece_ids = np.array(encoding.ids, dtype=np.int64)
        present = np.ones(len(words), dtype=bool)
        encoded.append(
            EncodedText(
                text, words, piece_ids, first_pieces, present, np.zeros_like(piece_ids), ~present
            )
        )
    return encoded


def cut_windows(
    text: EncodedText, config: TaggerConfig, first_capacity: int | None = None
) -> list[Window]:
    """Cut a text into overlapping windows of whole words; every word is in at least one.

    A word with more pieces than a window holds is cut off after the pieces that fit.

    Args:
        text: the text.
        config: length and stride of the windows.
        first_capacity: pieces in the first window, if it is to be shorter than the others.
    """
    full, count = config.capacity, len(text.words)
    bounds = np.append(text.first_pieces, len(text.piece_ids))
    windows: list[Window] = []
    start = 0
    while start < count:
        capacity = full if windows else first_capacity or full
        end = int(np.searchsorted(bounds, bounds[start] + capacity, side="right")) - 1
        end = min(max(end, start + 1), count)
        piece_end = min(int(bounds[end]), int(bounds[start]) + capacity)
        windows.append(Window(start, end, int(bounds[start]), piece_end))
        if end == count:
            break
        next_start = int(np.searchsorted(bounds, bounds[end] - config.stride, side="left"))
        start = min(max(next_start, start + 1), end)
    return windows


def cut_piece_windows(text: EncodedText, config: TaggerConfig) -> list[Window]:
    """Cut a text into overlapping windows of pieces, as truncation in tokenizers does.

    Windows may begin and end inside a word. Except for the last, all have the same length.

    Args:
        text: the text.
        config: length and stride of the windows.
    """
    capacity = config.capacity
    windows = []
    for start in range(0, len(text.piece_ids), capacity - config.stride):
        end = min(start + capacity, len(text.piece_ids))
        word_start, word_end = np.searchsorted(text.first_pieces, (start, end)).tolist()
        windows.append(Window(word_start, word_end, start, end))
        if end == len(text.piece_ids):
            break
    return windows


def scored_words(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Return for each window the start and end of the words that are scored in it.

    Overlaps are split in the middle, so each word of the text is scored in one window.
    """
    cuts = [
        (left.word_end + right.word_start + 1) // 2 for left, right in itertools.pairwise(windows)
    ]
    starts = [windows[0].word_start, *cuts] if windows else []
    ends = [*cuts, windows[-1].word_end] if windows else []
    return list(zip(starts, ends, strict=True))


def word_positions(text: EncodedText, window: Window, config: TaggerConfig) -> Ints:
    """Return the position in the network's input at which each word of a window is scored.

    Returns:
        Positions, special tokens counted; -1 for a word without a piece in the window. *Shape:*
        (words in the window,).
    """
    words = slice(window.word_start, window.word_end)
    first_pieces = text.first_pieces[words]
    positions = first_pieces - window.piece_start + len(config.prefix_ids)
    inside = text.has_piece[words] & (first_pieces < window.piece_end)
    return np.where(inside, positions, -1)


def batch_inputs(
    texts: Sequence[EncodedText],
    windows: Sequence[tuple[int, Window]],
    config: TaggerConfig,
) -> tuple[Ints, Ints, Ints]:
    """Return the network's inputs for a batch of windows, padded to the longest.

    Args:
        texts: the texts.
        windows: windows, each with the index of its text.
        config: the special tokens.

    Returns:
        Input ids, attention mask and feature ids, each *Shape:* (windows, pieces).
    """
    before, after = len(config.prefix_ids), len(config.suffix_ids)
    width = max(window.piece_end - window.piece_start for _, window in windows) + before + after
    ids = np.full((len(windows), width), config.pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    features = np.zeros_like(ids)
    for row, (index, window) in enumerate(windows):
        text, pieces = texts[index], slice(window.piece_start, window.piece_end)
        end = before + window.piece_end - window.piece_start
        ids[row, :before] = config.prefix_ids
        ids[row, before:end] = text.piece_ids[pieces]
        ids[row, end : end + after] = config.suffix_ids
        mask[row, : end + after] = 1
        features[row, before:end] = text.features[pieces]
    return ids, mask, features
