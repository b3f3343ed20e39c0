"""The tokens of a source, which stay with a document as its field `meta.tokens`.

Tokens are written as they differ from the words between white space, because most do not:

    {"count": 7, "cuts": [9, 31]}

`count` is their number, and each of `cuts` an offset at which a token begins directly after
another one. Two more lists are there only if they are needed: `joins`, the offsets of white space
inside tokens, and `sentences`, the offsets at which sentences begin, if these are not the lines of
the text.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from ...corpus.document import Document
from .conversion_report import ConversionReport

Offsets = tuple[int, int]
"""Start and end of a token in code points, the end exclusive."""
META_KEY = "tokens"
_NEEDED, _OPTIONAL = {"count", "cuts"}, {"joins", "sentences"}
_BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_MISFIT = "source tokens that do not fit the text (documents)"


def split_lines(text: str, tokens: Iterable[Offsets]) -> list[list[Offsets]]:
    """Return the tokens of each line of a text; lines without tokens are left out."""
    lines: list[list[Offsets]] = []
    last = 0
    for start, end in tokens:
        if not lines or _BREAK.search(text, last, start):
            lines.append([])
        lines[-1].append((start, end))
        last = end
    return lines


def split_sentences(tokens: Iterable[Offsets], begins: Sequence[int]) -> list[list[Offsets]]:
    """Return the tokens of each sentence, given the ascending offsets at which these begin."""
    groups = itertools.groupby(tokens, key=lambda token: bisect_right(begins, token[0]))
    return [list(group) for _, group in groups]


def describe_tokens(text: str, sentences: Sequence[Sequence[Offsets]]) -> dict[str, Any]:
    """Return the value of `meta.tokens` for the tokens of each sentence.

    Raises:
        ValueError: if the tokens are not in order, or characters other than white space are in
            none of them.
    """
    tokens = [token for sentence in sentences for token in sentence]
    value: dict[str, Any] = {
        "count": len(tokens),
        "cuts": [b[0] for a, b in itertools.pairwise(tokens) if a[1] == b[0]],
    }
    blanks = (i for start, end in tokens for i in range(start, end) if text[i : i + 1].isspace())
    if joins := list(blanks):
        value["joins"] = joins
    filled = [list(sentence) for sentence in sentences if sentence]
    if filled != split_lines(text, tokens):
        value["sentences"] = [sentence[0][0] for sentence in filled]
    if _parse(text, value) != filled:
        raise ValueError("the tokens do not cover the text")
    return value


def find_source_tokens(
    document: Document, report: ConversionReport | None = None
) -> list[list[Offsets]] | None:
    """Return the source's tokens of each sentence of a document.

    Args:
        document: the document.
        report: counts the document if its tokens do not fit its text.

    Returns:
        None if the document has no such tokens, or they do not fit.
    """
    value = document.meta.get(META_KEY)
    if not _is_description(value):
        return None
    try:
        return _parse(document.text, value)
    except ValueError:
        if report is not None:
            report.drop(_MISFIT)
        return None


def with_source_tokens(
    meta: dict[str, Any],
    text: str,
    sentences: Sequence[Sequence[Offsets]] | None,
    report: ConversionReport,
) -> dict[str, Any]:
    """Return metadata with the tokens that a reader found, or without those that do not fit.

    Args:
        meta: the metadata. A field `tokens` of another program stays as it is.
        text: the text of the document.
        sentences: the tokens of each sentence; None if the source tells none.
        report: counts the document if its tokens do not fit its text.
    """
    if _is_description(meta.get(META_KEY)):
        document = Document("", text, (), meta)
        if find_source_tokens(document, report) is None:
            return {key: value for key, value in meta.items() if key != META_KEY}
    elif sentences is not None and META_KEY not in meta:
        try:
            return {**meta, META_KEY: describe_tokens(text, sentences)}
        except ValueError:
            report.drop(_MISFIT)
    return meta


def _is_description(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value of metadata is of this module; other programs use the name too."""
    return isinstance(value, Mapping) and _NEEDED <= set(value) <= _NEEDED | _OPTIONAL


def _parse(text: str, value: Mapping[str, Any]) -> list[list[Offsets]]:
    """Return the tokens of each sentence.

    Raises:
        ValueError: if the value is not that of tokens of this text.
    """
    cuts, joins = (_read_offsets(value.get(name, []), text) for name in ("cuts", "joins"))
    if not all(text[offset].isspace() for offset in joins):
        raise ValueError("a join is no white space")
    tokens = list(_split(text, set(cuts), set(joins)))
    starts = {start for start, _ in tokens}
    if len(tokens) != value["count"] or not starts.issuperset(cuts):
        raise ValueError("other tokens")
    if "sentences" not in value:
        return split_lines(text, tokens)
    begins = _read_offsets(value["sentences"], text)
    if not starts.issuperset(begins) or begins[:1] != [start for start, _ in tokens[:1]]:
        raise ValueError("a sentence begins inside of a token")
    return split_sentences(tokens, begins)


def _split(text: str, cuts: set[int], joins: set[int]) -> Iterator[Offsets]:
    start: int | None = None
    for offset, character in enumerate(text):
        is_blank = character.isspace() and offset not in joins
        if start is not None and (is_blank or offset in cuts):
            yield start, offset
            start = None
        if start is None and not is_blank:
            start = offset
    if start is not None:
        yield start, len(text)


def _read_offsets(value: Any, text: str) -> list[int]:
    """Return ascending offsets into a text.

    Raises:
        ValueError: if they are not.
    """
    if not isinstance(value, list) or not all(type(offset) is int for offset in value):
        raise ValueError("not a list of offsets")
    if any(a >= b for a, b in itertools.pairwise([-1, *value, len(text)])):
        raise ValueError("not ascending offsets of this text")
    return value
