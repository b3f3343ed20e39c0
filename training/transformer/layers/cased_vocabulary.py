"""A cased vocabulary for an uncased encoder.

An uncased tokenizer drops case before the network sees it. Here each entry of its vocabulary gets
cased variants (`sergeant`, `Sergeant`, `SERGEANT`; `##ant`, `##Ant`, `##ANT`). A text is split
into the same pieces as before, but each piece keeps its case. The embedding of a variant is that of
its uncased entry plus that of its shape; only the embeddings of shapes are new weights.

The sum can be computed in advance for all entries; see :meth:`CasedEmbedding.table`. With that
table and the tokenizer, a plain transformers checkpoint keeps case and needs no code of orbat.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ....errors import InputError
from ...tagger.arrays import Ints
from ...tagger.words import SHAPES, WORD, word_shape

LINE_BREAKS = ("\n", "\r")
"""Line breaks, which become entries of the vocabulary too."""
SHAPE_COUNT = len(SHAPES) + 1
"""Number of shapes: those of words, and one for line breaks."""
_LINE_BREAK_SHAPE = len(SHAPES)
_CONTINUATION = "##"


class CasedVocabulary(NamedTuple):
    """The composition of each entry of a cased vocabulary.

    Attributes:
        base_ids: id of the uncased entry, *Shape:* (entries,).
        shape_ids: id of the shape, *Shape:* (entries,).
    """

    base_ids: Ints
    shape_ids: Ints


class CasedEmbedding(nn.Module):
    """Embeds the entries of a cased vocabulary.

    The embedding of shapes starts at zero.

    Args:
        vocabulary: composition of the entries.
        width: width of the encoder's embeddings.
    """

    base_ids: Tensor
    shape_ids: Tensor

    def __init__(self, vocabulary: CasedVocabulary, width: int) -> None:
        super().__init__()
        self.register_buffer("base_ids", torch.as_tensor(vocabulary.base_ids))
        self.register_buffer("shape_ids", torch.as_tensor(vocabulary.shape_ids))
        self.shapes = nn.Embedding(SHAPE_COUNT, width)
        nn.init.zeros_(self.shapes.weight)

    def forward(self, input_ids: Tensor, uncased: nn.Module) -> Tensor:
        """Embed pieces.

        Args:
            input_ids: ids of the cased vocabulary. *Shape:* (batch, pieces), or any other.
            uncased: the encoder's own embedding.

        Returns:
            *Shape:* (batch, pieces, width).
        """
        embedded: Tensor = uncased(self.base_ids[input_ids]) + self.shapes(
            self.shape_ids[input_ids]
        )
        return embedded

    @torch.no_grad()
    def table(self, uncased: nn.Module) -> Tensor:
        """Return the embedding of every entry, *Shape:* (entries, width)."""
        return self.forward(torch.arange(len(self.base_ids)), uncased)


def make_cased_tokenizer(tokenizer: Any, encoder: str) -> tuple[Any, CasedVocabulary]:
    """Return a tokenizer that keeps case and line breaks, and its vocabulary.

    Existing entries keep their ids. The tokenizer splits texts by the rule of
    :mod:`orbat.training.tagger.words`. If it is cased already, only line breaks are added.

    Args:
        tokenizer: a `tokenizers.Tokenizer` of WordPieces (Wu et al. 2016, arXiv:1609.08144).
        encoder: name of its encoder, for the error message.

    Raises:
        InputError: if the tokenizer is of another kind.
    """
    from tokenizers import Regex, Tokenizer, pre_tokenizers

    parts = json.loads(tokenizer.to_str())
    normalizer = parts["normalizer"] or {"type": "BertNormalizer", "lowercase": False}
    if parts["model"]["type"] != "WordPiece" or normalizer["type"] != "BertNormalizer":
        raise InputError(
            f"encoder '{encoder}' does not use WordPieces as BERT does; "
            "transformers_compatible needs such an encoder"
        )
    vocabulary = _add_variants(parts["model"], tokenizer, lowercase=normalizer["lowercase"])
    parts["normalizer"] = _case_keeping_normalizer(normalizer)
    cased = Tokenizer.from_str(json.dumps(parts))
    pieces = Regex(f"{WORD}|[{''.join(LINE_BREAKS)}]")
    cased.pre_tokenizer = pre_tokenizers.Split(pieces, "removed", invert=True)
    return cased, vocabulary


def _add_variants(model: dict[str, Any], tokenizer: Any, *, lowercase: bool) -> CasedVocabulary:
    """Add cased variants and line breaks to the vocabulary of a WordPiece model in JSON.

    Args:
        model: the model, changed in place.
        tokenizer: its tokenizer.
        lowercase: whether the tokenizer is uncased; otherwise only line breaks are added.
    """
    vocabulary: dict[str, int] = model["vocab"]
    uncased = dict(vocabulary)
    base_ids = list(range(tokenizer.get_vocab_size()))
    shape_ids = [word_shape(".")] * len(base_ids)

    def add(entry: str, base_id: int, shape_id: int) -> None:
        vocabulary[entry] = len(base_ids)
        base_ids.append(base_id)
        shape_ids.append(shape_id)

    for entry, entry_id in uncased.items():
        # Entries with brackets are special tokens.
        if "[" in entry or entry == _CONTINUATION:
            continue
        prefix = _CONTINUATION if entry.startswith(_CONTINUATION) else ""
        stem = entry.removeprefix(prefix)
        shape_ids[entry_id] = word_shape(stem)
        for variant in (stem[:1].upper() + stem[1:], stem.upper()):
            # Some letters become several in upper case.
            new = len(variant) == len(stem) and prefix + variant not in vocabulary
            if new and lowercase:
                add(prefix + variant, entry_id, word_shape(variant))
    for line_break in LINE_BREAKS:
        base_id = uncased.get(".", uncased[model["unk_token"]])
        add(line_break, base_id, _LINE_BREAK_SHAPE)
    return CasedVocabulary(np.array(base_ids, dtype=np.int64), np.array(shape_ids, dtype=np.int64))


def _case_keeping_normalizer(normalizer: dict[str, Any]) -> dict[str, Any]:
    """Return a BERT normalizer that keeps case and line breaks, and treats accents as before."""
    # Unless set, accents are stripped if the normalizer lower-cases. Cleaning removes line breaks.
    strip_accents = normalizer.get("strip_accents")
    return {
        "type": "BertNormalizer",
        "clean_text": False,
        "handle_chinese_chars": normalizer.get("handle_chinese_chars", True),
        "strip_accents": normalizer["lowercase"] if strip_accents is None else strip_accents,
        "lowercase": False,
    }
