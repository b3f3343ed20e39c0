"""A cased vocabulary for an uncased encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from orbat.training.transformer.layers.cased_vocabulary import (
    LINE_BREAKS,
    CasedVocabulary,
    make_cased_tokenizer,
)
from tests.corpus.test_document import texts
from tests.training.test_encoders import byte_level, roberta
from tests.training.test_training import settings, tiny_data


@pytest.fixture(scope="module")
def uncased() -> Any:
    from orbat.training.transformer.encoder import load_encoder

    tokenizer = load_encoder("minilm")[1].backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.fixture(scope="module")
def cased(uncased: Any) -> tuple[Any, CasedVocabulary]:
    return make_cased_tokenizer(uncased, "minilm")


def ids(tokenizer: Any, text: str) -> list[int]:
    piece_ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return piece_ids


@pytest.mark.parametrize("text", ["sergeant major of düsseldorf", "mechanised brigade, 42 of it"])
def test_cased_variants_have_the_same_pieces_and_other_shapes(
    uncased: Any, cased: tuple[Any, CasedVocabulary], text: str
) -> None:
    tokenizer, vocabulary = cased
    seen = set()
    for form in (text, text.title(), text.upper()):
        piece_ids = np.array(ids(tokenizer, form))
        assert vocabulary.base_ids[piece_ids].tolist() == ids(uncased, text)
        seen.add(tuple(vocabulary.shape_ids[piece_ids]))
    assert len(seen) == 3


@given(texts)
def test_each_line_break_is_a_piece(cased: tuple[Any, CasedVocabulary], text: str) -> None:
    tokenizer, vocabulary = cased
    assert len(vocabulary.base_ids) == len(vocabulary.shape_ids) == tokenizer.get_vocab_size()
    encoding = tokenizer.encode(text, add_special_tokens=False)
    breaks = [
        start
        for token, (start, _) in zip(encoding.tokens, encoding.offsets, strict=True)
        if token in LINE_BREAKS
    ]
    assert breaks == [index for index, char in enumerate(text) if char in LINE_BREAKS]
    for start, end in encoding.offsets:
        assert end == start + 1 or not set(LINE_BREAKS) & set(text[start:end])


def test_a_cased_vocabulary_keeps_its_entries() -> None:
    from tokenizers import Tokenizer, models

    entries = ["[UNK]", "Gen", "gen", ".", "##eral"]
    ids_by_entry = {entry: index for index, entry in enumerate(entries)}
    tokenizer, vocabulary = make_cased_tokenizer(
        Tokenizer(models.WordPiece(ids_by_entry, unk_token="[UNK]")), "x"
    )
    assert tokenizer.encode("Gen.\ngeneral").tokens == ["Gen", ".", "\n", "gen", "##eral"]
    assert vocabulary.base_ids.tolist() == [0, 1, 2, 3, 4, 3, 3]


def test_an_incompatible_recipe_or_encoder_is_refused(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    from transformers import PreTrainedTokenizerFast

    train, dev = tiny_data(tmp_path)
    arguments = (
        *("train", "transformers", "--train", train, "--dev", dev),
        *("--output", tmp_path / "run"),
    )
    assert "needs gazetteer=none" in refused(*arguments, *settings("crf=true"))
    tokenizer = byte_level()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>").save_pretrained(tmp_path)
    roberta(tokenizer.get_vocab_size()).save_pretrained(tmp_path)
    line = refused(*arguments, *settings(f"encoder={tmp_path}", "window=32", "stride=8"))
    assert "does not use WordPieces" in line
    assert not (tmp_path / "run").exists()
