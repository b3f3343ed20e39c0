"""Learning from trained models beside the gold: knowledge distillation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import InputError
from ..run_folder import read_manifest
from ..tagger.arrays import Floats
from ..tagger.decoding import TagDecoder, sequence_bounds
from ..tagger.tagger import Tagger
from ..tagger.windows import EncodedText, Window
from .dataset import IGNORED
from .model_folder import load_tagger


class Teachers:
    """Trained runs whose odds a network learns beside the gold tags (Hinton et al. 2015).

    The mean of several seeds' odds is better than each; what they are unsure of tells the network
    more than the gold tag alone. They read the words of a window and none around it, as the network
    that learns does: reading whole articles they taught worse where it was tried. But each reads in
    its own way, and may have other pieces, features or gazetteer than that network.

    Args:
        runs: finished run folders.
        labels: those of the network that learns.
        texts: what it learns from.
        held_out: SHA-256 of the texts that no teacher may have been trained on.
        chain: whether the network that learns has a chain of tags itself: it is then taught what
            words look like, else what the teachers' own chains make of that.
        autocast: whether they compute in bf16.

    Raises:
        InputError: if a run cannot be used, has other labels or has been trained on a text that is
            held out.
    """

    def __init__(
        self,
        runs: Sequence[Path],
        labels: tuple[str, ...],
        texts: Sequence[str],
        held_out: set[str],
        *,
        chain: bool,
        autocast: bool,
    ) -> None:
        self._teachers: list[tuple[Tagger, list[EncodedText]]] = []
        self._chain = chain
        device = "cuda" if torch.cuda.is_available() else "cpu"
        for run in runs:
            tagger = load_tagger(run, device=device, autocast=autocast)
            if tagger.labels != labels:
                raise InputError(f"teacher {run}: knows other labels; train it with the same file")
            taught = {entry["sha256"] for entry in read_manifest(run)["documents"]["train"]}
            if taught & held_out:
                raise InputError(
                    f"teacher {run}: was trained on {len(taught & held_out)} of the dev documents; "
                    "name a teacher that was not"
                )
            self._teachers.append((tagger, tagger.encode(texts)))

    def read(self, windows: Sequence[tuple[int, Window]]) -> Iterator[Floats]:
        """Give the logarithms of the odds of each tag for the words of windows.

        Args:
            windows: each with the index of its text.

        Yields:
            Of each window, *Shape:* (words, tags).
        """
        readings = [self._read(*teacher, windows) for teacher in self._teachers]
        for each in zip(*readings, strict=True):
            mean = np.mean(each, axis=0)
            scores = mean if self._chain else np.log(np.maximum(mean, 1e-6))
            yield scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)

    def _read(
        self, tagger: Tagger, encoded: Sequence[EncodedText], windows: Sequence[tuple[int, Window]]
    ) -> Iterator[Floats]:
        """Give a teacher's scores, or the chances of the tags, of the words of windows."""
        config = tagger.config
        decoder = TagDecoder(len(config.tags), config.transitions, config.starts)
        for place in range(0, len(windows), _AT_ONCE):
            some = windows[place : place + _AT_ONCE]
            parts = [_cut(encoded[index], window.start, window.end) for index, window in some]
            for part, scores in zip(parts, tagger.scores(parts), strict=True):
                if self._chain:
                    yield scores
                else:
                    bounds = sequence_bounds(part.breaks, config)
                    yield decoder.marginals(scores, bounds).astype(np.float32)


_AT_ONCE = 64


def _cut(text: EncodedText, start: int, end: int) -> EncodedText:
    """Return some of a text's words as a text of their own."""
    first, last = np.append(text.first, len(text.pieces))[[start, end]]
    words, pieces = slice(start, end), slice(first, last)
    return EncodedText(
        words=text.words[words],
        pieces=text.pieces[pieces],
        first=text.first[words] - first,
        read=text.read[words],
        features=text.features[pieces],
        breaks=text.breaks[words],
    )


def teaching_loss(odds: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
    """Return how far a batch's odds are from the teachers', averaged over its words.

    The Kullback-Leibler divergence of the tags' odds, word by word.

    Args:
        odds: of the teachers, as logarithms, *Shape:* (batch, pieces, tags).
        labels: gold tags, *Shape:* (batch, pieces); see :func:`training.windows.make_windows`.
        logits: the network's, *Shape:* (batch, pieces, tags).
    """
    read = labels != IGNORED
    found = logits[read].log_softmax(dim=1)
    return nn.functional.kl_div(found, odds[read], log_target=True, reduction="batchmean")
