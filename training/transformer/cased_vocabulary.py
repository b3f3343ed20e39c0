"""Case for an uncased encoder, kept in the vocabulary itself.

An uncased tokenizer throws case away before the network sees it. Here every entry of its
vocabulary gets its forms in capitals beside it (`sergeant`, `Sergeant`, `SERGEANT`; `##ant`,
`##Ant`, `##ANT`), so that a text falls into the same pieces as before, and each piece says how it
was written. A form is embedded as its small form plus a sign for its shape, which is all that has
to be learnt. As both are sums of rows of a table, any program that reads the tokenizer and the
summed table has the whole of it: no code of ours is needed.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from ...errors import InputError
from ..tagger.arrays import Ints
from ..tagger.words import SHAPES, WORD, word_shape

LINE_BREAKS = ("\n", "\r")
_MARK = "##"
_LINE = len(SHAPES)
SIGNS = len(SHAPES) + 1
"""Number of signs: one for each shape of a word, the last for line breaks."""


class Casing(NamedTuple):
    """What a cased vocabulary says of its entries.

    Attributes:
        base: the uncased entry of each, *Shape:* (entries,).
        signs: the sign of each, *Shape:* (entries,).
    """

    base: Ints
    signs: Ints


def give_case(tokenizer: Any, encoder: str) -> tuple[Any, Casing]:
    """Return a tokenizer that keeps case and line breaks, and what its entries stand for.

    Old entries keep their ids. It cuts texts at the words of :mod:`training.tagging`. Of one that
    keeps case already the line breaks alone are new.

    Args:
        tokenizer: a `tokenizers.Tokenizer` that makes WordPieces (Wu et al. 2016,
            arXiv:1609.08144).
        encoder: whose it is, for the error.

    Raises:
        InputError: if it is of another kind.
    """
    from tokenizers import Regex, Tokenizer, pre_tokenizers

    parts = json.loads(tokenizer.to_str())
    normalizer = parts["normalizer"] or {"type": "BertNormalizer", "lowercase": False}
    if parts["model"]["type"] != "WordPiece" or normalizer["type"] != "BertNormalizer":
        raise InputError(
            f"encoder '{encoder}' does not read WordPieces, as BERT does; a portable model needs "
            "such an encoder"
        )
    vocabulary: dict[str, int] = parts["model"]["vocab"]
    own = dict(vocabulary)
    base = list(range(tokenizer.get_vocab_size()))
    signs = [word_shape(".")] * len(base)

    def add(entry: str, stands_for: int, sign: int) -> None:
        vocabulary[entry] = len(base)
        base.append(stands_for)
        signs.append(sign)

    for entry, number in own.items():
        # Brackets mark what is no text.
        if "[" in entry or entry == _MARK:
            continue
        mark = _MARK if entry.startswith(_MARK) else ""
        small = entry.removeprefix(mark)
        signs[number] = word_shape(small)
        for form in (small[:1].upper() + small[1:], small.upper()):
            # Some letters are several in capitals.
            new = len(form) == len(small) and mark + form not in vocabulary
            if new and normalizer["lowercase"]:
                add(mark + form, number, word_shape(form))
    for line_break in LINE_BREAKS:
        add(line_break, own.get(".", own[parts["model"]["unk_token"]]), _LINE)
    # Lower-casing takes accents along, unless told otherwise; cleaning takes line breaks.
    accents = normalizer.get("strip_accents")
    parts["normalizer"] = {
        "type": "BertNormalizer",
        "clean_text": False,
        "handle_chinese_chars": normalizer.get("handle_chinese_chars", True),
        "strip_accents": normalizer["lowercase"] if accents is None else accents,
        "lowercase": False,
    }
    cased = Tokenizer.from_str(json.dumps(parts))
    pieces = Regex(f"{WORD}|[{''.join(LINE_BREAKS)}]")
    cased.pre_tokenizer = pre_tokenizers.Split(pieces, "removed", invert=True)
    return cased, Casing(np.array(base, dtype=np.int64), np.array(signs, dtype=np.int64))
