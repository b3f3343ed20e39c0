"""The tagger with a network that finds one rank: streams, windows and unusual texts."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from orbat.training.tagger.tagger import NeuralTagger
from tests.corpus.test_document import HARD_TEXT
from tests.training.test_windows import config, texts_of_parts

TAGS = ("O", "B-UNIT", "I-UNIT", "B-RANK", "I-RANK")


def rank_network(tokenizer: Any) -> Any:
    """A network that predicts RANK for each piece "gen" and for a dot after it."""
    gen, dot = tokenizer.token_to_id("gen"), tokenizer.token_to_id(".")

    def network(ids: Any, mask: Any, features: Any) -> Any:
        logits = np.zeros((*ids.shape, len(TAGS)), np.float32)
        logits[..., 0] = 2
        logits[ids == gen, TAGS.index("B-RANK")] = 8
        after = np.zeros_like(ids, bool)
        after[:, 1:] = (ids[:, 1:] == dot) & (ids[:, :-1] == gen)
        logits[after, TAGS.index("I-RANK")] = 8
        return logits

    return network


@settings(max_examples=30)
@given(texts_of_parts, st.integers(8, 30))
def test_mentions_do_not_depend_on_windows(tokenizer: Any, parts: list[str], size: int) -> None:
    text = " Gen. ".join(parts)
    expected = [(m.start(), m.end(), "RANK") for m in re.finditer(r"(?<= )Gen\.(?= )", text)]
    tagger = NeuralTagger(rank_network(tokenizer), tokenizer, config(size, size // 2), batch_size=3)
    (mentions,) = tagger.tag([text])
    spans = [mention[:3] for mention in mentions]
    assert [span for span in expected if span not in spans] == []
    assert all(0 < mention.score <= 1 for mention in mentions)


def test_wrapped_text_has_the_mentions_of_the_text_on_one_line(tokenizer: Any) -> None:
    text = "Yesterday the late Gen . Smith left with Gen . Brown for the town, " + (
        "where they met a few of those whom Gen . Jones had sent home. Nobody but Gen . Miller "
        "and Gen . Rees, who had been there for weeks, knew anything about the plans of Gen . Wu."
    )
    wrapping = dataclasses.replace(config(), by_line=True, unwrap_lines=True)
    tagger = NeuralTagger(rank_network(tokenizer), tokenizer, wrapping)
    expected = [mention[:3] for mention in tagger.tag([text])[0]]
    assert [text[start:end] for start, end, _ in expected] == ["Gen ."] * 6
    wrapped = [textwrap.fill(text, width) for width in range(50, 100)]
    for mentions in tagger.tag(wrapped):
        assert [mention[:3] for mention in mentions] == expected
    assert any("Gen\n." in text for text in wrapped)


def test_mentions_below_the_threshold_are_dropped(tokenizer: Any) -> None:
    text = "Gen. Smith met Gen Brown"

    def tag(threshold: float) -> list[float]:
        changed = dataclasses.replace(config(), threshold=threshold)
        (mentions,) = NeuralTagger(rank_network(tokenizer), tokenizer, changed).tag([text])
        return [mention.score for mention in mentions]

    dotted, plain = tag(0.0)
    assert tag(min(dotted, plain)) == [dotted, plain]
    assert tag((dotted + plain) / 2) == [max(dotted, plain)]
    assert tag(1.0) == []


def test_a_stream_of_unusual_texts_is_tagged_in_order(tokenizer: Any) -> None:
    texts = ["", " \n", "Gen. A", "\u200b", "x" * 100_000, "😀", "a\0b Gen. B", HARD_TEXT]
    tagger = NeuralTagger(rank_network(tokenizer), tokenizer, config())
    results = list(tagger.pipe(texts, chunk_size=2))
    assert len(results) == len(texts)
    surfaces = [
        [text[mention.start : mention.end] for mention in mentions]
        for text, mentions in zip(texts, results, strict=True)
    ]
    assert surfaces == [[], [], ["Gen."], [], [], [], ["Gen."], ["Gen."]]
