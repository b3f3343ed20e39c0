"""Sequences of words that are computed side by side, and the probabilities of their tags.

Sequences follow each other in one array. *Bounds* list the index at which each starts, in rising
order from 0, and the total number of words. No sequence may be empty.

Probabilities are found by the forward-backward algorithm (Rabiner 1989), word by word in all
sequences together. A long sequence would take many such steps for a few words each, so it is cut
into blocks, which are computed side by side too. The words of a block change the weights of the
tags before it to those after it by a matrix, the product of the matrices of its words. With these
products, the weights are carried from block to block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .arrays import Bools, Doubles, Floats, Ints
from .config import TaggerConfig

_BLOCK_WORDS = 32
"""Words in a block. With more, fewer blocks are carried, in more steps."""
_MAX_TAGS = 40
"""Number of tags up to which sequences are cut into blocks. The products of matrices cost the third
power of it for each word."""


class SortedSequences(NamedTuple):
    """Sequences by length, longest first, so that they can be processed word by word together.

    Attributes:
        order: indices of the sequences. *Shape:* (sequences,).
        begin: index of the first word of each. *Shape:* (sequences,).
        lengths: number of words of each. *Shape:* (sequences,).
        running: how many sequences have a word at each step. They are the first ones.
    """

    order: Ints
    begin: Ints
    lengths: Ints
    running: list[int]


def sequence_bounds(line_starts: Bools, config: TaggerConfig) -> list[int]:
    """Return the bounds of the sequences of a text, or [0] if it has no words.

    Args:
        line_starts: whether a line break precedes each word. *Shape:* (words,).
        config: whether each line is a sequence of its own.
    """
    starts = np.flatnonzero(line_starts) if config.by_line else np.array([], int)
    return [0, *starts[starts > 0].tolist(), len(line_starts)] if len(line_starts) else [0]


def sort_by_length(bounds: Sequence[int], selected: Ints | None = None) -> SortedSequences:
    """Sort sequences, at least one, by length.

    Args:
        bounds: bounds of the sequences.
        selected: indices of those to sort; None for all. The order has indices of this array.
    """
    begin, end = np.array(bounds[:-1]), np.array(bounds[1:])
    if selected is not None:
        begin, end = begin[selected], end[selected]
    order = np.argsort(begin - end, kind="stable")
    begin, lengths = begin[order], (end - begin)[order]
    steps = np.arange(int(lengths[0]))
    running = np.searchsorted(-lengths, -steps, side="left").tolist()
    return SortedSequences(order, begin, lengths, running)


def select_sequences(bounds: Sequence[int], selected: Bools) -> tuple[Ints, list[int]]:
    """Return the indices of all words of sequences with a selected word, and new bounds.

    Args:
        bounds: bounds of at least one sequence.
        selected: *Shape:* (words,).
    """
    lengths = np.diff(bounds)
    kept = np.logical_or.reduceat(selected, bounds[:-1])
    rows = np.flatnonzero(np.repeat(kept, lengths))
    return rows, [0, *np.cumsum(lengths[kept]).tolist()]


def tag_probabilities(
    logits: Floats, bounds: Sequence[int], transitions: Doubles, starts: Doubles
) -> Doubles:
    """Return the probability of each tag for each word, *Shape:* (words, tags).

    The result for a sequence does not depend on the other sequences.

    Args:
        logits: emission scores. *Shape:* (words, tags).
        bounds: the starts of the sequences, at least one, and the number of words.
        transitions: exponentials of the scores of transitions. *Shape:* (tags, tags).
        starts: exponentials of the scores of start transitions. *Shape:* (tags,).
    """
    emissions = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    size = _BLOCK_WORDS if len(starts) <= _MAX_TAGS else max(1, len(logits))
    blocks, first_blocks = _cut_blocks(bounds, size)
    before, after = np.ones((2, len(blocks) - 1, len(starts)))
    if len(before) > len(first_blocks):
        products = _multiply_blocks(emissions, blocks, first_blocks, transitions, starts)
        _carry(products, [*first_blocks.tolist(), len(before)], before, after)
    arrivals = _apply(before, transitions)
    arrivals[first_blocks] = starts
    order, begin, _, running = sort_by_length(blocks)
    probabilities, forward = np.empty((2, *emissions.shape))
    state = arrivals[order]
    for step, count in enumerate(running):
        rows = begin[:count] + step
        state = _normalize(state[:count] * emissions[rows])
        forward[rows] = state
        state = _apply(state, transitions)
    after = after[order]
    backward = after[:0]
    for step in range(len(running) - 1, -1, -1):
        rows = begin[: running[step]] + step
        # Blocks that end at this step join.
        backward = np.concatenate((backward, after[len(backward) : len(rows)]))
        probabilities[rows] = _normalize(forward[rows] * backward)
        backward = _normalize(_apply(backward * emissions[rows], transitions.T))
    result: Doubles = probabilities
    return result


def _cut_blocks(bounds: Sequence[int], size: int) -> tuple[list[int], Ints]:
    """Cut sequences into blocks of at most `size` words.

    Returns:
        The bounds of the blocks, and the index of the first block of each sequence, *Shape:*
        (sequences,).
    """
    lengths = np.diff(bounds)
    counts = -(-lengths // size)
    first_blocks = np.cumsum(counts) - counts
    within = np.arange(counts.sum()) - np.repeat(first_blocks, counts)
    starts = np.repeat(bounds[:-1], counts) + size * within
    return [*starts.tolist(), bounds[-1]], first_blocks


def _multiply_blocks(
    emissions: Doubles,
    blocks: Sequence[int],
    first_blocks: Ints,
    transitions: Doubles,
    starts: Doubles,
) -> Doubles:
    """Return the product of the matrices of each block's words, up to a factor.

    Those of sequences with one block are not needed and left out: they are not a number.

    Args:
        emissions: exponentials of emission scores. *Shape:* (words, tags).
        blocks: bounds of the blocks.
        first_blocks: the first block of each sequence. *Shape:* (sequences,).
        transitions: see :func:`tag_probabilities`.
        starts: see :func:`tag_probabilities`.

    Returns:
        *Shape:* (blocks, tags, tags).
    """
    counts = np.diff(np.append(first_blocks, len(blocks) - 1))
    needed = np.flatnonzero(np.repeat(counts > 1, counts))
    order, begin, _, running = sort_by_length(blocks, needed)
    is_first = np.isin(needed, first_blocks)[order]
    arrivals = np.where(is_first[:, None, None], starts, transitions)
    products = arrivals * emissions[begin][:, None, :]
    for step, count in enumerate(running[1:], start=1):
        factors = transitions * emissions[begin[:count] + step][:, None, :]
        product = products[:count] @ factors
        largest = product.max(axis=(1, 2), keepdims=True)
        products[:count] = product / np.maximum(largest, 1e-300)
    result = np.full((len(blocks) - 1, *transitions.shape), np.nan)
    result[needed[order]] = products
    return result


def _carry(products: Doubles, bounds: Sequence[int], before: Doubles, after: Doubles) -> None:
    """Set the weights of the tags at the word before, and at the last word of, each block.

    Args:
        products: see :func:`_multiply_blocks`. *Shape:* (blocks, tags, tags).
        bounds: the first block of each sequence, and the number of blocks.
        before: ones; set to the weights of the paths up to the word before the block. A sequence
            begins with the start transitions, whatever is before it. *Shape:* (blocks, tags).
        after: ones; set to the weights of the paths after the last word of the block. *Shape:*
            (blocks, tags).
    """
    _, first, _, running = sort_by_length(bounds)
    for step, count in enumerate(running[1:]):
        rows = first[:count] + step
        before[rows + 1] = _normalize((before[rows, None] @ products[rows])[:, 0])
    for step in range(len(running) - 1, 0, -1):
        rows = first[: running[step]] + step
        after[rows - 1] = _normalize((products[rows] @ after[rows][:, :, None])[:, :, 0])


def _apply(rows: Doubles, matrix: Doubles) -> Doubles:
    """Return rows times a matrix.

    Not by BLAS, whose result for a row depends on the number of rows. *Shape:* (rows, tags).
    """
    result: Doubles = (rows[:, :, None] * matrix).sum(axis=1)
    return result


def _normalize(rows: Doubles) -> Doubles:
    """Scale rows to a sum of 1, *Shape:* (rows, tags)."""
    total: Doubles = rows.sum(axis=1, keepdims=True)
    return rows / np.maximum(total, 1e-300)
