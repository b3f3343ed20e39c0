"""A tagger of texts of any length around a token classifier.

Training, evaluation and the installed model share the modules of this folder, and a model wheel
contains a copy of them. So they require numpy and tokenizers only, and do not import other modules
of orbat.

How a text is tagged:

1. :mod:`.line_wraps` finds its hard-wrapped paragraphs, :mod:`.words` splits it into words,
   :mod:`.gazetteer` finds known phrases in it.
2. :mod:`.windows` tokenizes it, aligns words with pieces and cuts windows that fit the network.
3. The network scores the tags of each piece, in batches of windows of similar length.
4. :mod:`.decoding` finds the best tag sequence of each line, or of the whole text.
5. :mod:`.mentions` turns tags into mentions with code point offsets, and
   :mod:`.span_constraints` makes them valid. Those of low confidence are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .arrays import Doubles, Floats, Ints
from .config import TaggerConfig
from .decoding import TagDecoder, argmax_tags, label_probabilities
from .mentions import Mention, keep_longest_mentions, tags_to_mentions
from .sequences import sequence_bounds
from .thresholds import drop_below
from .windows import (
    EncodedText,
    FindPhrases,
    Window,
    batch_inputs,
    cut_piece_windows,
    cut_windows,
    encode_by_pieces,
    encode_texts,
    scored_words,
    word_positions,
)

CHUNK_CHARACTERS = 30_000
"""Characters of a chunk: enough windows of similar length to fill batches."""

Network = Callable[[Ints, Ints, Ints], Floats]
"""Takes input ids, attention mask and feature ids, each *Shape:* (batch, pieces); returns logits,
*Shape:* (batch, pieces, tags)."""


class _Task(NamedTuple):
    """A window to score: the index of its text, and the words that are scored in it."""

    text_index: int
    window: Window
    word_start: int
    word_end: int


class _PendingScores(NamedTuple):
    """Encoded texts, and batches of their windows, each with a function that returns its logits.

    With several workers, the function waits for the result of a worker; otherwise it runs the
    network.
    """

    texts: Sequence[EncodedText]
    batches: list[tuple[list[_Task], Callable[[], Floats]]]


class NeuralTagger:
    """Tags texts of any length with a token classifier.

    Args:
        network: the classifier.
        tokenizer: a `tokenizers.Tokenizer` without truncation and padding.
        config: labels, windows, special tokens and decoding.
        find_phrases: finds gazetteer matches; needed if `config.gazetteer` is set.
        batch_size: windows in a batch if they are full; a batch has more windows if they are
            shorter.
        workers: batches that the network scores in parallel. More than one need a network that
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
        workers: int = 1,
    ) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.config = config
        self.find_phrases = find_phrases if config.gazetteer else None
        self.batch_size = batch_size
        self._decoder = TagDecoder(len(config.tags), config.transitions, config.start_transitions)
        self._thresholds = dict.fromkeys(config.labels, config.threshold)
        self._calibration = np.array(config.calibration, dtype=np.float64).reshape(-1, 2)
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, "tagger") if workers > 1 else None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model can predict."""
        return self.config.labels

    def tag(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Return the mentions of each text, in order of position."""
        return self._find_mentions(self._submit(self.encode(texts)))

    def pipe(self, texts: Iterable[str], *, chunk_size: int = 64) -> Iterator[list[Mention]]:
        """Yield the mentions of each text of a stream, in order.

        Args:
            texts: the texts.
            chunk_size: texts that are encoded together, at most. Two chunks are read ahead; with 1,
                each text's mentions are yielded before the next is read.
        """
        if chunk_size == 1:
            for text in texts:
                yield self.tag([text])[0]
            return
        previous: _PendingScores | None = None
        for chunk in _chunks(texts, chunk_size):
            # The network scores one chunk while the next is encoded.
            pending = self._submit(self.encode(chunk))
            if previous is not None:
                yield from self._find_mentions(previous)
            previous = pending
        if previous is not None:
            yield from self._find_mentions(previous)

    def probabilities(
        self, texts: Iterable[str], *, chunk_size: int = 64
    ) -> Iterator[tuple[Ints, Doubles]]:
        """Yield the words of each text, and their probabilities of no label and of each label.

        *Shapes:* (words, 2), (words, 1 + labels). Words are given by start and end in code points.

        Args:
            texts: the texts.
            chunk_size: texts that are encoded together, at most.
        """
        for chunk in _chunks(texts, chunk_size):
            encoded = self.encode(chunk)
            for text, logits in zip(encoded, self.logits(encoded), strict=True):
                bounds = sequence_bounds(text.line_starts, self.config)
                empty = np.empty((0, len(self.config.tags)))
                marginals = self._decoder.marginals(logits, bounds) if len(bounds) > 1 else empty
                yield text.words, label_probabilities(marginals)

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """Tokenize texts and find gazetteer matches in them."""
        if self.config.words_from_pieces:
            return encode_by_pieces(self.tokenizer, texts, self.config.unk_id)
        return encode_texts(
            self.tokenizer,
            texts,
            self.find_phrases,
            self.config.tags,
            unwrap=self.config.unwrap_lines,
        )

    def batches(self, texts: Sequence[str]) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Yield the inputs of the network for some texts; see :data:`Network`."""
        encoded = self.encode(texts)
        for batch in self._batches(encoded):
            yield self._inputs(encoded, batch)

    def logits(self, encoded: Sequence[EncodedText]) -> list[Floats]:
        """Return the logits of each text's words, *Shape:* (words, tags) each."""
        return self._word_logits(self._submit(encoded))

    def _batches(self, encoded: Sequence[EncodedText]) -> list[list[_Task]]:
        config = self.config
        cut = cut_piece_windows if config.transformers_compatible else cut_windows
        tasks: list[_Task] = []
        for index, text in enumerate(encoded):
            windows = cut(text, config)
            for window, words in zip(windows, scored_words(windows), strict=True):
                tasks.append(_Task(index, window, *words))
        # Windows of similar length share a batch, so that there is little padding.
        tasks.sort(key=lambda task: task.window.piece_start - task.window.piece_end)
        # If there are few windows, batches are smaller, so that each worker gets a similar share.
        lengths = [task.window.piece_end - task.window.piece_start for task in tasks]
        share = sum(lengths) // self._workers + max(lengths, default=0)
        return list(_group(tasks, min(self.batch_size * config.window, share)))

    def _inputs(
        self, encoded: Sequence[EncodedText], batch: Sequence[_Task]
    ) -> tuple[Ints, Ints, Ints]:
        return batch_inputs(
            encoded, [(task.text_index, task.window) for task in batch], self.config
        )

    def _submit(self, encoded: Sequence[EncodedText]) -> _PendingScores:
        """Start to score texts."""
        batches: list[tuple[list[_Task], Callable[[], Floats]]] = []
        for batch in self._batches(encoded):
            score = partial(self._score, encoded, batch)
            batches.append((batch, self._pool.submit(score).result if self._pool else score))
        return _PendingScores(encoded, batches)

    def _score(self, encoded: Sequence[EncodedText], batch: Sequence[_Task]) -> Floats:
        return self.network(*self._inputs(encoded, batch))

    def _find_mentions(self, pending: _PendingScores) -> list[list[Mention]]:
        if self.config.transformers_compatible:
            return self._decode_windows(pending)
        return self._decode_texts(pending.texts, self._word_logits(pending))

    def _decode_windows(self, pending: _PendingScores) -> list[list[Mention]]:
        """Decode each window by itself, and resolve overlaps between windows."""
        config = self.config
        results: list[list[Mention]] = [[] for _ in pending.texts]
        for batch, outputs in pending.batches:
            for output, (index, window, _, _) in zip(outputs(), batch, strict=True):
                # The window is inside one long word, which is scored in the preceding window.
                if window.word_start == window.word_end:
                    continue
                text, words = pending.texts[index], slice(window.word_start, window.word_end)
                positions = word_positions(text, window, config)
                # A word without a piece becomes O.
                logits = np.zeros((len(positions), len(config.tags)), np.float32)
                logits[positions >= 0] = output[positions[positions >= 0]]
                bounds = sequence_bounds(text.line_starts[words], config)
                path, log_probs = argmax_tags(logits, bounds)
                results[index] += tags_to_mentions(
                    text.words[words], path, log_probs, config.labels
                )
        return [
            self._finish(text, keep_longest_mentions(mentions))
            for text, mentions in zip(pending.texts, results, strict=True)
        ]

    def _word_logits(self, pending: _PendingScores) -> list[Floats]:
        """Return the logits of each text's words, each from the window that scores the word."""
        tags = len(self.config.tags)
        logits = [np.zeros((len(text.words), tags), np.float32) for text in pending.texts]
        for batch, outputs in pending.batches:
            for output, (index, window, start, end) in zip(outputs(), batch, strict=True):
                positions = word_positions(pending.texts[index], window, self.config)[
                    start - window.word_start : end - window.word_start
                ]
                # A word without a piece keeps equal logits, so its neighbors decide its tag.
                present = positions >= 0
                logits[index][start:end][present] = output[positions[present]]
        return logits

    def _decode_texts(
        self, encoded: Sequence[EncodedText], logits: Sequence[Floats]
    ) -> list[list[Mention]]:
        """Decode the sequences of all texts together."""
        bounds = [0]
        for text in encoded:
            base = bounds[-1]
            bounds += [base + end for end in sequence_bounds(text.line_starts, self.config)[1:]]
        if len(bounds) == 1:
            return [[] for _ in encoded]
        path, log_probs = self._decoder.decode(np.concatenate(logits), bounds)
        results, start = [], 0
        for text in encoded:
            words = slice(start, start + len(text.words))
            start = words.stop
            mentions = tags_to_mentions(
                text.words, path[words], log_probs[words], self.config.labels
            )
            results.append(self._finish(text, mentions))
        return results

    def _finish(self, text: EncodedText, mentions: Sequence[Mention]) -> list[Mention]:
        """Return mentions made valid, without those below the threshold, with calibrated scores."""
        if self.config.span_constraints is not None:
            mentions = self.config.span_constraints.apply(text.text, mentions)
        mentions = drop_below(mentions, self._thresholds)
        if not len(self._calibration):
            return mentions
        raw, calibrated = self._calibration.T
        return [
            mention._replace(score=float(np.interp(mention.score or 0.0, raw, calibrated)))
            for mention in mentions
        ]


def _chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Cut a stream into chunks of at most `size` texts, fewer if they are long.

    Small chunks let the network start early.
    """
    chunk: list[str] = []
    length = 0
    for text in texts:
        chunk.append(text)
        length += len(text)
        if len(chunk) == size or length >= CHUNK_CHARACTERS:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


def _group(tasks: Iterable[_Task], size: int) -> Iterator[list[_Task]]:
    """Group windows, longest first, into batches of at most `size` pieces, padding included."""
    batch: list[_Task] = []
    for task in tasks:
        longest = (batch or [task])[0].window
        if batch and (longest.piece_end - longest.piece_start) * (len(batch) + 1) > size:
            yield batch
            batch = []
        batch.append(task)
    if batch:
        yield batch
