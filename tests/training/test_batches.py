"""Training windows and their batches: texts that fit stay whole, and little is padding."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from orbat.training.tagger.config import TaggerConfig
from orbat.training.tagger.gazetteer import Gazetteer
from orbat.training.transformer.dataset import (
    Collator,
    Row,
    TrainingWindows,
    encode_documents,
    make_windows,
)

BATCH = 16
CONFIG = TaggerConfig(load_labels().names, 64, 0, (101,), (102,), 0, word_features=False)


@pytest.fixture(scope="module")
def sentences(train_articles: list[Document]) -> list[Document]:
    """A few hundred sentences of very different lengths, without their spans."""
    texts = [text for article in train_articles[:60] for text in article.text.split(". ")]
    return [Document(str(number), text) for number, text in enumerate(texts) if text.strip()]


@pytest.fixture(scope="module")
def windows(sentences: list[Document], tokenizer: Any) -> TrainingWindows:
    encoded = encode_documents(sentences, tokenizer, CONFIG, Gazetteer({}))

    def make(epoch: int, rng: np.random.Generator) -> list[Row]:
        return make_windows(encoded, CONFIG, rng)

    return TrainingWindows(make, BATCH, seed=3)


def rows_of(windows: TrainingWindows, epoch: int) -> list[tuple[int, ...]]:
    windows.set_epoch(epoch)
    return [tuple(windows[index]["input_ids"]) for index in range(len(windows))]


def test_a_text_that_fits_into_a_window_is_one(
    sentences: list[Document], windows: TrainingWindows, tokenizer: Any
) -> None:
    pieces = [
        tuple(tokenizer.encode(sentence.text, add_special_tokens=False).ids)
        for sentence in sentences
    ]
    whole = Counter((101, *ids, 102) for ids in pieces if 0 < len(ids) <= CONFIG.capacity)
    assert whole.total() > 300
    for epoch in (0, 1):
        assert whole <= Counter(rows_of(windows, epoch))


def test_batches_have_little_padding_and_differ_in_every_epoch(windows: TrainingWindows) -> None:
    def padding(rows: list[tuple[int, ...]]) -> float:
        batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        computed = sum(len(batch) * max(map(len, batch)) for batch in batches)
        return 1 - sum(map(len, rows)) / computed

    first, second = rows_of(windows, 0), rows_of(windows, 1)
    at_random = [first[index] for index in np.random.default_rng(0).permutation(len(first))]
    assert padding(at_random) > 0.35
    assert max(padding(first), padding(second)) < 0.12
    assert first != second
    assert rows_of(windows, 0) == first
    # Neither short nor long windows come first, and a batch has other windows in each epoch.
    means = [np.mean([len(row) for row in part]) for part in (first[:160], first[-160:])]
    assert 0.5 < means[0] / means[1] < 2
    batches = [
        {frozenset(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH)}
        for rows in (first, second)
    ]
    assert len(batches[0] & batches[1]) < 3


def test_the_collator_pads_to_the_longest_of_a_batch(windows: TrainingWindows) -> None:
    rows = [windows[index] for index in range(BATCH)]
    batch = Collator(CONFIG.pad_id)(rows)
    assert batch["input_ids"].shape == (BATCH, max(len(row["input_ids"]) for row in rows))
    assert int(batch["attention_mask"].sum()) == sum(len(row["input_ids"]) for row in rows)
