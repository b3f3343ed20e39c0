"""Text to spans around any token classifier: words, windows, the label rule and decoding.

Training, evaluation and the installed model share this one file (a model wheel carries a copy of
it), so it needs numpy and tokenizers only and imports nothing of orbat.

The way of a text: it is split into *words* (runs of letters and digits, or single other
characters); the tokenizer cuts it into *pieces*; each word is read off at the first piece that
covers its first character; *windows* of whole words overlap, and each word is scored in the
window that shows most context on both its sides; the tags of a whole line, or of the whole text,
are decoded together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Ints
from .config import TaggerConfig
from .decoding import TagDecoder, best_tags, label_chances, sequence_bounds
from .mentions import Mention, keep_longer, tags_to_mentions
from .windows import (
    EncodedText,
    FindPhrases,
    Window,
    batch_inputs,
    cut_pieces,
    cut_windows,
    encode_texts,
    owned_words,
    read_off,
)

ENOUGH = 30_000
"""Characters of texts that are read side by side, so that windows of like length fill batches."""
Network = Callable[[Ints, Ints, Ints], Floats]
"""Input ids, attention mask and feature ids, each *Shape:* (batch, pieces), to logits over the
tags, *Shape:* (batch, pieces, tags)."""


class Tagger:
    """Tags texts of any length with a token classifier.

    Args:
        network: the classifier.
        tokenizer: a `tokenizers.Tokenizer` without truncation and padding.
        config: labels, windows and special tokens.
        find_phrases: finds known phrases; needed where the configuration asks for them.
        batch_size: full windows in a batch; of shorter ones more.
        lanes: batches that the network scores side by side; more than one need a network that
            threads may call.
    """

    def __init__(
        self,
        network: Network,
        tokenizer: Any,
        config: TaggerConfig,
        find_phrases: FindPhrases | None = None,
        *,
        batch_size: int = 8,
        lanes: int = 1,
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.config = config
        self.find_phrases = find_phrases if config.gazetteer else None
        self.batch_size = batch_size
        self._decoder = TagDecoder(len(config.tags), config.transitions, config.starts)
        self._calibration = np.array(config.calibration, dtype=np.float64).reshape(-1, 2)
        self._lane_count = lanes
        self._lanes = ThreadPoolExecutor(lanes, "tagger") if lanes > 1 else None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model knows."""
        return self.config.labels

    def tag(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Return the mentions of each text, in order of position."""
        return self._finish(self._begin(self.encode(texts)))

    def pipe(self, texts: Iterable[str], *, texts_at_once: int = 64) -> Iterator[list[Mention]]:
        """Tag a stream of texts, a few at a time, in order."""
        begun: _Begun | None = None
        for chunk in _chunks(texts, texts_at_once):
            # The network works on one chunk while the next is being encoded.
            begun, before = self._begin(self.encode(chunk)), begun
            if before is not None:
                yield from self._finish(before)
        if begun is not None:
            yield from self._finish(begun)

    def batches(self, texts: Sequence[str]) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Give what the network is asked about some texts; see :data:`Network`."""
        encoded = self.encode(texts)
        for batch in self._batches(encoded):
            yield self._inputs(encoded, batch)

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """Tokenize texts, and find what the network is told of them."""
        return encode_texts(self.tokenizer, texts, self.find_phrases, self.config.tags)

    def scores(self, encoded: Sequence[EncodedText]) -> list[Floats]:
        """Return the network's scores of each text's words, *Shape:* (words, tags)."""
        return self._gather(self._begin(encoded))[1]

    def _batches(self, encoded: Sequence[EncodedText]) -> list[list[_Job]]:
        config = self.config
        jobs: list[_Job] = []
        for index, text in enumerate(encoded):
            windows = (cut_pieces if config.greedy else cut_windows)(text, config)
            for window, owned in zip(windows, owned_words(windows), strict=True):
                jobs.append((index, window, owned))
        # Windows of like length share a batch, so that little is padding.
        jobs.sort(key=lambda job: job[1].first - job[1].last)
        # Few windows are shared out among the lanes too, up to one more or less.
        lengths = [window.last - window.first for _, window, _ in jobs]
        share = sum(lengths) // self._lane_count + max(lengths, default=0)
        return list(_in_batches(jobs, min(self.batch_size * config.window, share)))

    def _inputs(
        self, encoded: Sequence[EncodedText], batch: Sequence[_Job]
    ) -> tuple[Ints, Ints, Ints]:
        return batch_inputs(encoded, [(index, window) for index, window, _ in batch], self.config)

    def _begin(self, encoded: Sequence[EncodedText]) -> _Begun:
        """Set the network to work on texts."""
        scored: list[tuple[list[_Job], Callable[[], Floats]]] = []
        for batch in self._batches(encoded):
            score = partial(self._score, encoded, batch)
            scored.append((batch, self._lanes.submit(score).result if self._lanes else score))
        return encoded, scored

    def _score(self, encoded: Sequence[EncodedText], batch: Sequence[_Job]) -> Floats:
        return self.network(*self._inputs(encoded, batch))

    def probabilities(
        self, texts: Iterable[str], *, texts_at_once: int = 64
    ) -> Iterator[tuple[Ints, NDArray[np.float64]]]:
        """Give the words of each text, and the chances of no label and of each label for them.

        *Shapes:* (words, 2), (words, 1 + labels).
        """
        for chunk in _chunks(texts, texts_at_once):
            encoded = self.encode(chunk)
            for text, own in zip(encoded, self.scores(encoded), strict=True):
                bounds = sequence_bounds(text.breaks, self.config)
                empty = np.empty((0, len(self.config.tags)))
                chances = self._decoder.marginals(own, bounds) if len(bounds) > 1 else empty
                yield text.words, label_chances(chances)

    def _finish(self, begun: _Begun) -> list[list[Mention]]:
        if self.config.greedy:
            return self._join(begun)
        return self._decode(*self._gather(begun))

    def _join(self, begun: _Begun) -> list[list[Mention]]:
        """Read each window by itself, and join what they give."""
        encoded, scored = begun
        config = self.config
        found: list[list[Mention]] = [[] for _ in encoded]
        for batch, outputs in scored:
            for output, (index, window, _) in zip(outputs(), batch, strict=True):
                # Of a word of many pieces that is read in the window before.
                if window.start == window.end:
                    continue
                text, own = encoded[index], slice(window.start, window.end)
                position = read_off(text, window, config)
                # A word without a piece is outside.
                logits = np.zeros((len(position), len(config.tags)), np.float32)
                logits[position >= 0] = output[position[position >= 0]]
                path, log_probs = best_tags(logits, sequence_bounds(text.breaks[own], config))
                found[index] += tags_to_mentions(text.words[own], path, log_probs, config.labels)
        return [self._calibrate(keep_longer(mentions)) for mentions in found]

    def _gather(self, begun: _Begun) -> tuple[Sequence[EncodedText], list[Floats]]:
        """Gather what the network has said of each word."""
        encoded, scored = begun
        tags = len(self.config.tags)
        logits = [np.zeros((len(text.words), tags), np.float32) for text in encoded]
        for batch, outputs in scored:
            for output, (index, window, (start, end)) in zip(outputs(), batch, strict=True):
                position = read_off(encoded[index], window, self.config)[
                    start - window.start : end - window.start
                ]
                # A word without a piece keeps even odds: its neighbours decide.
                found = position >= 0
                logits[index][start:end][found] = output[position[found]]
        return encoded, logits

    def _decode(
        self, encoded: Sequence[EncodedText], logits: Sequence[Floats]
    ) -> list[list[Mention]]:
        bounds = [0]
        for text in encoded:
            base = bounds[-1]
            bounds += [base + end for end in sequence_bounds(text.breaks, self.config)[1:]]
        if len(bounds) == 1:
            return [[] for _ in encoded]
        path, log_probs = self._decoder.decode(np.concatenate(logits), bounds)
        results, first = [], 0
        for text in encoded:
            own = slice(first, first + len(text.words))
            first = own.stop
            mentions = tags_to_mentions(text.words, path[own], log_probs[own], self.config.labels)
            results.append(self._calibrate(mentions))
        return results

    def _calibrate(self, mentions: Iterable[Mention]) -> list[Mention]:
        if not len(self._calibration):
            return list(mentions)
        known, right = self._calibration.T
        return [m._replace(score=float(np.interp(m.score or 0.0, known, right))) for m in mentions]


_Job = tuple[int, Window, tuple[int, int]]
"""The index of a text, a window of it and the words that the window decides."""
_Begun = tuple[Sequence[EncodedText], list[tuple[list[_Job], Callable[[], Floats]]]]
"""Encoded texts, and batches of windows with what gives their scores."""


def _chunks(texts: Iterable[str], most: int) -> Iterator[list[str]]:
    """Cut a stream into chunks of at most so many texts, fewer of long ones.

    The less is encoded at a time, the sooner the network has something to do.
    """
    chunk: list[str] = []
    length = 0
    for text in texts:
        chunk.append(text)
        length += len(text)
        if len(chunk) == most or length >= ENOUGH:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


def _in_batches(jobs: Iterable[_Job], size: int) -> Iterator[list[_Job]]:
    """Cut windows, the longest first, into batches of at most so many pieces, padding included."""
    batch: list[_Job] = []
    for job in jobs:
        longest = (batch or [job])[0][1]
        if batch and (longest.last - longest.first) * (len(batch) + 1) > size:
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch
