"""Training windows: documents encoded once, and cut anew in every epoch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ...corpus.document import Document
from ..tagger.arrays import Floats, Ints
from ..tagger.config import TaggerConfig
from ..tagger.gazetteer import Gazetteer
from ..tagger.mentions import spans_to_tags
from ..tagger.windows import EncodedText, Window, cut_windows, encode_texts, read_off

IGNORED = -100
"""Label of a piece at which no word is read off; cross-entropy leaves it out."""

Row = dict[str, Any]
Teach = Callable[[Sequence[tuple[int, Window]]], Iterable[Floats]]
"""Windows, each with the index of its document, to the logarithms of the odds that teachers give
the tags of its words, *Shape:* (words, tags)."""


def encode_documents(
    documents: Sequence[Document], tokenizer: Any, config: TaggerConfig, gazetteer: Gazetteer
) -> list[tuple[EncodedText, Ints]]:
    """Return of each document its encoded text and its words' gold tags, *Shape:* (words,).

    Args:
        documents: documents with gold spans.
        tokenizer: a `tokenizers.Tokenizer`.
        config: the tags, and whether the gazetteer is used.
        gazetteer: finds known phrases.
    """
    find_phrases = gazetteer.find if config.gazetteer else None
    texts = [document.text for document in documents]
    encoded = encode_texts(tokenizer, texts, find_phrases, config.tags)
    spans = ([(span.start, span.end, span.label) for span in d.spans] for d in documents)
    return [
        (text, spans_to_tags(text.words, gold, config.tags))
        for text, gold in zip(encoded, spans, strict=True)
    ]


def make_windows(
    documents: Sequence[tuple[EncodedText, Ints]],
    config: TaggerConfig,
    rng: np.random.Generator,
    outside: Collection[int] = (),
    teach: Teach | None = None,
) -> list[Row]:
    """Cut documents into training windows.

    Args:
        documents: encoded texts and their words' tags.
        config: length and overlap of the windows.
        rng: shortens the first window of each document at random, so that other words come to
            stand at the windows' ends.
        outside: ids of pieces that are no word's and shall be learnt as outside of any span.
        teach: what teachers think of the words.

    Returns:
        For each window `input_ids`, `features` and `labels`, of one length, and with teachers
        `odds`, *Shape:* (pieces, tags). A word's tag stands at the piece where it is read off,
        all other pieces are :data:`IGNORED`. Windows without any word to learn from are left out.
    """
    before, behind = len(config.prefix), len(config.suffix)
    room = config.window - before - behind
    windows = []
    for index, (text, _) in enumerate(documents):
        first_room = int(rng.integers(room // 4, room + 1))
        for window in cut_windows(text, config, first_room):
            if (read_off(text, window, config) >= 0).any():
                windows.append((index, window))
    rows = []
    taught = teach(windows) if teach else repeat(None, len(windows))
    for (index, window), odds in zip(windows, taught, strict=True):
        text, tags = documents[index]
        pieces = text.pieces[window.first : window.last].tolist()
        ids = [*config.prefix, *pieces, *config.suffix]
        labels = np.full(len(ids), IGNORED)
        labels[np.isin(ids, list(outside))] = 0
        position = read_off(text, window, config)
        found = position >= 0
        labels[position[found]] = tags[window.start : window.end][found]
        features = text.features[window.first : window.last].tolist()
        row: Row = {
            "input_ids": ids,
            "features": [0] * before + features + [0] * behind,
            "labels": labels.tolist(),
        }
        if odds is not None:
            row["odds"] = np.tile(_surely_outside(len(config.tags)), (len(ids), 1))
            row["odds"][position[found]] = odds[found]
        rows.append(row)
    return rows


def _surely_outside(tags: int) -> Floats:
    """Return the odds, as logarithms, of a piece that cannot be inside a span."""
    odds = np.full(tags, -1e4, dtype=np.float32)
    odds[0] = 0
    return odds


class TrainingWindows(Dataset[Row]):
    """Windows that differ from epoch to epoch, though never in their number.

    A seed and an epoch give the same windows whatever came before, so that a resumed run sees
    what an unbroken one sees. Of an epoch that has more windows than the first, some are left
    out at random; one that has fewer repeats some.

    Args:
        make: makes the windows of one epoch.
        seed: of the random choices.
    """

    def __init__(self, make: Callable[[np.random.Generator], list[Row]], seed: int) -> None:
        self._make = make
        self._seed = seed
        self._rows: list[Row] = []
        self.set_epoch(0)
        self._count = len(self._rows)

    def set_epoch(self, epoch: int) -> None:
        """Make the windows of an epoch."""
        rng = np.random.default_rng([self._seed, epoch])
        rows = self._make(rng)
        self._rows = [rows[place] for place in rng.permutation(len(rows)).tolist()]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: int) -> Row:
        return self._rows[place % len(self._rows)]


class Collator:
    """Pads windows to the longest of their batch."""

    def __init__(self, pad: int) -> None:
        self.fill = {"input_ids": pad, "features": 0, "labels": IGNORED, "attention_mask": 0}

    def __call__(self, rows: list[Row]) -> dict[str, torch.Tensor]:
        """Return a batch with its attention mask, each field *Shape:* (rows, longest row).

        `odds` have the tags as a third axis.
        """
        width = max(len(row["input_ids"]) for row in rows)
        rows = [{**row, "attention_mask": [1] * len(row["input_ids"])} for row in rows]
        batch = {
            name: torch.tensor([row[name] + [fill] * (width - len(row[name])) for row in rows])
            for name, fill in self.fill.items()
        }
        if "odds" in rows[0]:
            odds = [torch.from_numpy(row["odds"]) for row in rows]
            batch["odds"] = torch.nn.utils.rnn.pad_sequence(odds, batch_first=True)
        return batch
