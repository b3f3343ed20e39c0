"""Recognition of hard-wrapped paragraphs, so that texts are read across their line breaks.

A program that wraps text at a width starts a new line where the next word no longer fits. So the
width *explains* every break inside a paragraph: the line is not longer than the width, and would be
with the next word. It does not explain the breaks after titles, list items, verses and parts of
addresses, which end before the width, nor those between paragraphs that stand on one line each.

The width is not known. It is the one that explains the most breaks, counted in *blocks*, the runs
of lines between blank lines, of which it explains at least half of the breaks. A few lines may have
the length of a width by chance, so a sentence must *go on* over some of the breaks: the next line
begins in lower case, or, in text without case, the line ends without punctuation. Text without case
must also have several such breaks. Blocks may have different widths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .arrays import Bools, Ints

MIN_WIDTH = 45
"""Width from which a paragraph is taken for wrapped, in characters."""
MAX_WIDTH = 130
"""Width up to which a paragraph is taken for wrapped. A longer line is a block of its own."""
_MIN_SHARE = 0.25
"""Least share of the explained breaks over which a sentence goes on."""
_MIN_BREAKS_WITHOUT_CASE = 3
"""Least number of explained breaks in text without case."""

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_COLUMN_GAPS = ("\t", "|", "   ")
"""What separates the columns of a table."""
_LIST_ITEM = re.compile(r"\s*(?:[-*•·▪‣◦]\s|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)]\s)")
_QUOTE_MARKS = re.compile(r"(?:[ \t]*>)+ ?")


class _Breaks(NamedTuple):
    """The single line breaks of a text. Each array has an entry for each break.

    Attributes:
        starts: the code point at which the break begins.
        ends: the code point after it.
        lengths: the length of the line before it.
        next_lengths: the length of that line with the first word of the next; 0 if the next line
            cannot continue it.
        goes_on: whether a sentence seems to go on over the break.
        blocks: the number of the block.
    """

    starts: Ints
    ends: Ints
    lengths: Ints
    next_lengths: Ints
    goes_on: Bools
    blocks: Ints

    def select(self, kept: Bools) -> _Breaks:
        """Return some of the breaks. *Shape:* (breaks,)."""
        return _Breaks(
            self.starts[kept],
            self.ends[kept],
            self.lengths[kept],
            self.next_lengths[kept],
            self.goes_on[kept],
            self.blocks[kept],
        )


def unwrap_lines(text: str) -> str:
    """Replace the line breaks inside hard-wrapped paragraphs by blanks.

    Other characters stay the same, and so do the length of the text, its words and all offsets.
    """
    if "\n" not in text and "\r" not in text:
        return text
    breaks, cased = _find_breaks(text)
    characters: list[str] = []
    while len(breaks.starts):
        explained, in_block = _explain_breaks(breaks)
        count = int(explained.sum())
        if count < (1 if cased else _MIN_BREAKS_WITHOUT_CASE):
            break
        if breaks.goes_on[explained].sum() < _MIN_SHARE * count:
            break
        characters = characters or list(text)
        for start, end in zip(breaks.starts[explained], breaks.ends[explained], strict=True):
            characters[start:end] = " " * (end - start)
        breaks = breaks.select(~in_block)
    return "".join(characters) or text


def _find_breaks(text: str) -> tuple[_Breaks, bool]:
    """Return the breaks of a text, and whether it has case: most lines after them do."""
    rows = np.array(list(_iterate_breaks(text)), dtype=np.int64).reshape(-1, 8)
    starts, ends, lengths, next_lengths, blocks, is_upper, starts_lower, ends_open = rows.T
    cased = not text.islower() and 2 * int(is_upper.sum()) <= len(rows)
    goes_on = (starts_lower if cased else ends_open).astype(bool)
    return _Breaks(starts, ends, lengths, next_lengths, goes_on, blocks), cased


def _iterate_breaks(text: str) -> Iterator[tuple[int, ...]]:
    """Yield of each break the numbers of :class:`_Breaks`, block last, and whether the next line is
    in capitals, whether it starts in lower case, and whether the line before ends without
    punctuation.
    """
    block = line_start = previous_end = 0
    previous = ""
    for line_end, next_start in [*(m.span() for m in _LINE_BREAK.finditer(text)), (len(text),) * 2]:
        line = text[line_start:line_end].rstrip() if line_end - line_start <= MAX_WIDTH else ""
        if ">" in line and (marks := _QUOTE_MARKS.match(line)):
            line = line[marks.end() :]
        if not line:
            block += 1
        elif previous:
            word = line.split(None, 1)[0]
            continues = not (_LIST_ITEM.match(line) or _is_row(line) or _is_row(previous))
            length = len(previous)
            next_length = length + 1 + len(word) if continues else 0
            case = line.isupper(), word[0].islower(), previous[-1].isalnum()
            yield (previous_end, line_start, length, next_length, block, *case)
        previous, previous_end, line_start = line, line_end, next_start


def _is_row(line: str) -> bool:
    """Return whether a line is a row of a table."""
    content = line.lstrip()
    return any(gap in content for gap in _COLUMN_GAPS)


def _explain_breaks(breaks: _Breaks) -> tuple[Bools, Bools]:
    """Find the width that explains the most breaks.

    Returns:
        Of each break whether the width explains it, and whether it explains at least half of the
        breaks of its block. No break outside such a block counts as explained.
    """
    _, block_starts, blocks, sizes = np.unique(
        breaks.blocks, return_index=True, return_inverse=True, return_counts=True
    )
    # The best width is the length of a line: a smaller one explains no break of that line.
    widths = np.unique(breaks.lengths)
    widths = widths[(widths >= MIN_WIDTH) & (widths <= MAX_WIDTH), None]
    if not len(widths):
        nothing = np.zeros(len(breaks.starts), dtype=bool)
        return nothing, nothing
    explained = (breaks.lengths <= widths) & (breaks.next_lengths > widths)
    by_block = np.add.reduceat(explained, block_starts, axis=1, dtype=np.int64)
    wrapped = 2 * by_block >= sizes
    best = int(np.where(wrapped, by_block, 0).sum(axis=1).argmax())
    in_block = (wrapped & (by_block > 0))[best][blocks]
    return explained[best] & in_block, in_block
