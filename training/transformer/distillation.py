"""Knowledge distillation: learning from trained models in addition to the gold tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from ..tagger.arrays import Floats
from ..tagger.decoding import TagDecoder
from ..tagger.sequences import sequence_bounds
from ..tagger.tagger import NeuralTagger
from ..tagger.windows import EncodedText, Window
from ..teachers import read_teacher
from .dataset import TAUGHT, TEACHER_LOG_PROBS
from .device import Precision, autocast_dtype, training_device
from .model_folder import load_tagger

_CHUNK_WINDOWS = 64
"""Windows that a teacher scores together."""


class Teachers:
    """Trained runs whose tag probabilities a network learns in addition to the gold tags.

    Knowledge distillation (Hinton, Vinyals and Dean 2015, arXiv:1503.02531). The mean over several
    teachers is better than each of them. It carries more information about uncertain words than the
    gold tag alone.

    Teachers score the words of a training window without the surrounding text, as the student does:
    in experiments, scoring whole documents gave worse students. A teacher may have another
    tokenizer, features or gazetteer than the student.

    Args:
        runs: finished run folders.
        labels: the labels of the student.
        texts: the training texts of the student.
        held_out: SHA-256 of the texts on which no teacher may have been trained.
        crf: whether the student has a CRF. It then learns the teachers' emission scores, otherwise
            the marginal probabilities after the teachers' own CRFs.
        precision: the arithmetic of the teachers.

    Raises:
        InputError: if a run has other labels, was trained on a held-out text or contains a pickle.
        ModelError: if a run is unfinished, damaged or not of a transformer.
    """

    def __init__(
        self,
        runs: Sequence[Path],
        labels: tuple[str, ...],
        texts: Sequence[str],
        held_out: set[str],
        *,
        crf: bool,
        precision: Precision,
    ) -> None:
        self._teachers: list[tuple[NeuralTagger, list[EncodedText]]] = []
        self._crf = crf
        device, autocast = training_device(), autocast_dtype(precision)
        for run in runs:
            read_teacher(run, labels, held_out)
            tagger = load_tagger(run, device=device, autocast=autocast)
            self._teachers.append((tagger, tagger.encode(texts)))

    def log_probs(self, windows: Sequence[tuple[int, Window]]) -> Iterator[Floats]:
        """Yield the log-probabilities of the tags of each window's words.

        Args:
            windows: windows of the student, each with the index of its text.

        Yields:
            *Shape:* (words, tags).
        """
        by_teacher = [
            score_windows(tagger, encoded, windows, crf=self._crf)
            for tagger, encoded in self._teachers
        ]
        for window_scores in zip(*by_teacher, strict=True):
            mean = np.mean(window_scores, axis=0)
            scores = mean if self._crf else np.log(np.maximum(mean, 1e-6))
            yield scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


class WindowTeacher:
    """A transformer that teaches on the windows of unlabeled articles.

    See :class:`orbat.training.unlabeled.teachers.WindowTagger`.

    Args:
        tagger: the transformer.
        crf: see :class:`Teachers`.
    """

    def __init__(self, tagger: NeuralTagger, *, crf: bool) -> None:
        self._tagger = tagger
        self._crf = crf

    def log_probs(self, text: str, windows: Sequence[Window]) -> Floats:
        """Return the log-probabilities of the tags of a text's words, *Shape:* (words, tags)."""
        (encoded,) = self._tagger.encode([text])
        scores = np.zeros((len(encoded.words), len(self._tagger.config.tags)), np.float32)
        numbered = [(0, window) for window in windows]
        parts = score_windows(self._tagger, [encoded], numbered, crf=self._crf)
        for window, part in zip(windows, parts, strict=True):
            values = part if self._crf else np.log(np.maximum(part, 1e-6))
            scores[window.word_start : window.word_end] = values
        normalized: Floats = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return normalized


def score_windows(
    tagger: NeuralTagger,
    encoded: Sequence[EncodedText],
    windows: Sequence[tuple[int, Window]],
    *,
    crf: bool,
) -> Iterator[Floats]:
    """Yield the scores of the words of windows, each without the text around it.

    Args:
        tagger: the tagger.
        encoded: texts, encoded by the tagger.
        windows: windows of another tagger, each with the index of its text.
        crf: see :class:`Teachers`.

    Yields:
        Emission scores with `crf`, otherwise marginal probabilities. *Shape:* (words, tags).
    """
    config = tagger.config
    decoder = TagDecoder(len(config.tags), config.transitions, config.start_transitions)
    for start in range(0, len(windows), _CHUNK_WINDOWS):
        parts = [
            _slice_words(encoded[index], window.word_start, window.word_end)
            for index, window in windows[start : start + _CHUNK_WINDOWS]
        ]
        for part, logits in zip(parts, tagger.logits(parts), strict=True):
            if crf:
                yield logits
            else:
                bounds = sequence_bounds(part.line_starts, config)
                yield decoder.marginals(logits, bounds).astype(np.float32)


def _slice_words(text: EncodedText, start: int, end: int) -> EncodedText:
    """Return the words `start` to `end` (exclusive) of a text as a text of their own."""
    bounds = np.append(text.first_pieces, len(text.piece_ids))
    first, last = bounds[[start, end]]
    words, pieces = slice(start, end), slice(first, last)
    return EncodedText(
        text=text.text,
        words=text.words[words],
        piece_ids=text.piece_ids[pieces],
        first_pieces=text.first_pieces[words] - first,
        has_piece=text.has_piece[words],
        features=text.features[pieces],
        line_starts=text.line_starts[words],
    )


def distillation_loss(teacher_log_probs: Tensor, taught: Tensor, logits: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence from the teachers' tags, averaged over words.

    Args:
        teacher_log_probs: *Shape:* (batch, pieces, tags).
        taught: 1 where teachers have scored a word. *Shape:* (batch, pieces).
        logits: of the student. *Shape:* (batch, pieces, tags).

    Returns:
        *Shape:* ().
    """
    has_word = taught > 0
    if not has_word.any():
        return logits.sum() * 0
    log_probs = logits[has_word].log_softmax(dim=1)
    return nn.functional.kl_div(
        log_probs, teacher_log_probs[has_word], log_target=True, reduction="batchmean"
    )


def batch_loss(network: Any, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of a batch, distillation included, and the network's outputs.

    Args:
        network: a :class:`.network.TokenClassifier`, perhaps wrapped.
        batch: what :class:`.dataset.Collator` returns.
    """
    inputs = {name: batch[name] for name in batch if name not in (TEACHER_LOG_PROBS, TAUGHT)}
    outputs: dict[str, Tensor] = network(**inputs)
    loss = outputs["loss"]
    if TEACHER_LOG_PROBS in batch:
        loss = loss + distillation_loss(batch[TEACHER_LOG_PROBS], batch[TAUGHT], outputs["logits"])
    return loss, outputs
