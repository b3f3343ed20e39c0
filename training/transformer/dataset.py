"""Training windows: documents are encoded once, and cut into new windows in every epoch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
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
from ..tagger.windows import EncodedText, Window, cut_windows, encode_texts, word_positions
from ..tagger.words import lower_case, upper_case
from .length_batches import order_by_batches

IGNORE_INDEX = -100
"""Label of a piece at which no word is scored; cross-entropy ignores it."""
TEACHER_LOG_PROBS = "teacher_log_probs"
"""Field of rows and batches with the log-probabilities that teachers give to tags."""
TAUGHT = "taught"
"""Field of rows and batches that is 1 at pieces whose tags teachers have scored. At words that no
teacher knows, where its log-probabilities are not a number, it is 0."""

Row = dict[str, Any]
TeacherScorer = Callable[[Sequence[tuple[int, Window]]], Iterable[Floats]]
"""Takes windows, each with the index of its document; yields for each window the log-probabilities
that teachers give to the tags of its words, *Shape:* (words, tags)."""


def encode_documents(
    documents: Sequence[Document], tokenizer: Any, config: TaggerConfig, gazetteer: Gazetteer
) -> list[tuple[EncodedText, Ints]]:
    """Return the encoded text and the gold tags of the words of each document.

    Args:
        documents: documents with gold spans.
        tokenizer: a `tokenizers.Tokenizer`.
        config: the tags, and how texts are read.
        gazetteer: finds known phrases.

    Returns:
        Of each document its text, and the tag indices of its words, *Shape:* (words,).
    """
    find_phrases = gazetteer.find if config.gazetteer else None
    texts = [document.text for document in documents]
    encoded = encode_texts(tokenizer, texts, find_phrases, config.tags, unwrap=config.unwrap_lines)
    spans = (
        [(span.start, span.end, span.label) for span in document.spans] for document in documents
    )
    return [
        (text, spans_to_tags(text.words, gold, config.tags))
        for text, gold in zip(encoded, spans, strict=True)
    ]


def encode_without_case(
    documents: Sequence[Document], tokenizer: Any, config: TaggerConfig, gazetteer: Gazetteer
) -> list[list[tuple[EncodedText, Ints]]]:
    """Return what :func:`encode_documents` does, for the documents in lower case and in capitals.

    The words of a copy are those of its document.
    """
    return [
        encode_documents(
            [replace(document, text=change(document.text)) for document in documents],
            tokenizer,
            config,
            gazetteer,
        )
        for change in (lower_case, upper_case)
    ]


def choose_copies(
    documents: Sequence[tuple[EncodedText, Ints]],
    copies: Sequence[Sequence[tuple[EncodedText, Ints]]],
    share: float,
    rng: np.random.Generator,
) -> list[tuple[EncodedText, Ints]]:
    """Replace a random share of the documents by one of their copies.

    Args:
        documents: encoded texts and the tag indices of their words.
        copies: the same for each kind of copies; see :func:`encode_without_case`.
        share: the share of the documents to replace.
        rng: source of the choices.
    """
    replaced = rng.random(len(documents)) < share
    kinds = rng.integers(len(copies), size=len(documents))
    return [
        copies[kind][index] if replaced[index] else document
        for index, (document, kind) in enumerate(zip(documents, kinds.tolist(), strict=True))
    ]


def make_windows(
    documents: Sequence[tuple[EncodedText, Ints]],
    config: TaggerConfig,
    rng: np.random.Generator,
    outside_ids: Collection[int] = (),
    teachers: TeacherScorer | None = None,
) -> list[Row]:
    """Cut documents into training windows.

    A document that fits into a window is one. Of the others, the first window has a random length,
    so that windows end at different words in every epoch. Windows without a word to score are left
    out.

    Args:
        documents: encoded texts and the tag indices of their words.
        config: length and stride of the windows.
        rng: source of the random lengths.
        outside_ids: ids of pieces that belong to no word but are labeled O, such as line breaks.
        teachers: gives the words' log-probabilities by teachers.

    Returns:
        For each window `input_ids`, `features` and `labels`, each with one entry a piece, and with
        teachers :data:`TEACHER_LOG_PROBS`, *Shape:* (pieces, tags). The label of a word is at its
        first piece; all other pieces have :data:`IGNORE_INDEX`. :data:`TAUGHT` is 1 at the pieces
        with a label whose log-probabilities are known.
    """
    windows = []
    for index, (text, _) in enumerate(documents):
        first_capacity = None
        if len(text.piece_ids) > config.capacity:
            first_capacity = int(rng.integers(config.capacity // 4, config.capacity + 1))
        for window in cut_windows(text, config, first_capacity):
            if (word_positions(text, window, config) >= 0).any():
                windows.append((index, window))
    log_probs = teachers(windows) if teachers else repeat(None, len(windows))
    return [
        _make_row(*documents[index], window, config, outside_ids, window_log_probs)
        for (index, window), window_log_probs in zip(windows, log_probs, strict=True)
    ]


def make_unlabeled_windows(
    texts: Sequence[EncodedText],
    config: TaggerConfig,
    outside_ids: Collection[int],
    log_probs: Iterable[Floats] | None,
) -> list[Row]:
    """Cut unlabeled texts into training windows, which are the same in every epoch.

    Args:
        texts: the encoded texts.
        config: length and stride of the windows.
        outside_ids: see :func:`make_windows`.
        log_probs: the log-probabilities that teachers give to the words of each text, *Shape:*
            (words, tags) each; None before the teachers have scored them.

    Returns:
        Rows as of :func:`make_windows`, whose labels are all :data:`IGNORE_INDEX`.
    """
    rows = []
    scores_by_text = repeat(None, len(texts)) if log_probs is None else log_probs
    for text, text_scores in zip(texts, scores_by_text, strict=True):
        no_tags = np.zeros(len(text.words), dtype=np.int64)
        for window in cut_windows(text, config):
            if not (word_positions(text, window, config) >= 0).any():
                continue
            words = slice(window.word_start, window.word_end)
            scores = None if text_scores is None else text_scores[words]
            row = _make_row(text, no_tags, window, config, outside_ids, scores)
            rows.append({**row, "labels": [IGNORE_INDEX] * len(row["labels"])})
    return rows


def _make_row(
    text: EncodedText,
    tags: Ints,
    window: Window,
    config: TaggerConfig,
    outside_ids: Collection[int],
    log_probs: Floats | None,
) -> Row:
    """Return a window as a row; see :func:`make_windows`.

    Args:
        text: the text of the window.
        tags: tag indices of the text's words. *Shape:* (words of the text,).
        window: the window.
        config: the special tokens.
        outside_ids: ids of pieces that are labeled O.
        log_probs: of the teachers. *Shape:* (words of the window, tags).
    """
    pieces = text.piece_ids[window.piece_start : window.piece_end].tolist()
    features = text.features[window.piece_start : window.piece_end].tolist()
    before, after = [0] * len(config.prefix_ids), [0] * len(config.suffix_ids)
    input_ids = [*config.prefix_ids, *pieces, *config.suffix_ids]
    labels = np.full(len(input_ids), IGNORE_INDEX)
    labels[np.isin(input_ids, list(outside_ids))] = 0
    positions = word_positions(text, window, config)
    present = positions >= 0
    labels[positions[present]] = tags[window.word_start : window.word_end][present]
    row: Row = {
        "input_ids": input_ids,
        "features": before + features + after,
        "labels": labels.tolist(),
    }
    if log_probs is not None:
        row_log_probs = np.tile(_certainly_outside(len(config.tags)), (len(input_ids), 1))
        known = present & ~np.isnan(log_probs).any(axis=1)
        row_log_probs[positions[known]] = log_probs[known]
        row[TEACHER_LOG_PROBS] = row_log_probs
        taught = (labels != IGNORE_INDEX).astype(np.int64)
        taught[positions[present & ~known]] = 0
        row[TAUGHT] = taught.tolist()
    return row


def _certainly_outside(tags: int) -> Floats:
    """Return the log-probabilities of a piece that is O for certain, *Shape:* (tags,)."""
    log_probs = np.full(tags, -1e4, dtype=np.float32)
    log_probs[0] = 0
    return log_probs


class TrainingWindows(Dataset[Row]):
    """Windows that differ from epoch to epoch, in constant number.

    They are in the order of training, in batches of similar length. Windows and order depend on
    seed and epoch only, so a resumed run trains on the same batches as an uninterrupted one. If an
    epoch has more windows than the first, a random selection of them is used; if it has fewer, some
    are repeated.

    Args:
        make: makes the windows of one epoch; takes its number and a source of random choices.
        batch_size: windows in a step.
        seed: seed of the random choices.
    """

    def __init__(
        self, make: Callable[[int, np.random.Generator], list[Row]], batch_size: int, seed: int
    ) -> None:
        self._make = make
        self._batch_size = batch_size
        self._seed = seed
        self._count: int | None = None
        self._rows: list[Row] = []
        self.set_epoch(0)
        self._count = len(self._rows)

    def set_epoch(self, epoch: int) -> None:
        """Make the windows of an epoch."""
        rng = np.random.default_rng([self._seed, epoch])
        rows = self._make(epoch, rng)
        lengths = np.array([len(row["input_ids"]) for row in rows], dtype=np.int64)
        count = len(rows) if self._count is None else self._count
        order = np.resize(rng.permutation(len(rows)), count)
        order = order_by_batches(order, lengths, self._batch_size, rng)
        self._rows = [rows[index] for index in order.tolist()]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        return self._rows[index]


class Collator:
    """Pads windows to the longest of their batch.

    Args:
        pad_id: id of the padding token.
    """

    def __init__(self, pad_id: int) -> None:
        self._padding = {
            "input_ids": pad_id,
            "features": 0,
            "labels": IGNORE_INDEX,
            "attention_mask": 0,
        }

    def __call__(self, rows: list[Row]) -> dict[str, torch.Tensor]:
        """Return a batch with its attention mask.

        Returns:
            Each field *Shape:* (rows, pieces); :data:`TEACHER_LOG_PROBS` *Shape:* (rows, pieces,
            tags). The fields of teachers are left out if no row has them.
        """
        width = max(len(row["input_ids"]) for row in rows)
        rows = [{**row, "attention_mask": [1] * len(row["input_ids"])} for row in rows]
        batch = {
            name: torch.tensor([row[name] + [padding] * (width - len(row[name])) for row in rows])
            for name, padding in self._padding.items()
        }
        taught = [row for row in rows if TEACHER_LOG_PROBS in row]
        if taught:
            tags = taught[0][TEACHER_LOG_PROBS].shape[1]
            log_probs = torch.zeros(len(rows), width, tags)
            mask = torch.zeros(len(rows), width, dtype=torch.int64)
            for number, row in enumerate(rows):
                if TEACHER_LOG_PROBS in row:
                    length = len(row["input_ids"])
                    log_probs[number, :length] = torch.from_numpy(row[TEACHER_LOG_PROBS])
                    mask[number, :length] = torch.tensor(row[TAUGHT])
            batch |= {TEACHER_LOG_PROBS: log_probs, TAUGHT: mask}
        return batch
