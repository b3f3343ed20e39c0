"""Decoding of tag sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Ints
from .config import TaggerConfig


class TagDecoder:
    """Finds the best lawful tag sequence, and how sure each of its tags is.

    A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) whose emissions
    come from a network: the best sequence by Viterbi's algorithm (Forney 1973), the tags'
    probabilities by the forward-backward algorithm (Rabiner 1989). Many sequences go forward side
    by side; none changes another's result.

    Args:
        tags: number of tags; see :func:`tag_names`.
        transitions: see :attr:`TaggerConfig.transitions`.
        starts: see :attr:`TaggerConfig.starts`.
    """

    def __init__(
        self,
        tags: int,
        transitions: Sequence[Sequence[float]] = (),
        starts: Sequence[float] = (),
    ) -> None:
        lawful, begins = lawful_transitions(tags)
        self._transitions = np.where(lawful, transitions or np.zeros((tags, tags)), -np.inf)
        self._starts = np.where(begins, starts or np.zeros(tags), -np.inf)
        self._odds = np.exp(self._transitions)
        self._start_odds = np.exp(self._starts)
        # The most that a step into, within or out of a span gains over one outside.
        gain = max(
            0.0,
            self._transitions.max() - self._transitions[0, 0],
            self._starts.max() - self._starts[0],
        )
        # A span of n words takes at most n + 1, thus 2 n, such steps.
        self._surely_outside = -2 * gain - 1e-3

    def decode(self, logits: Floats, bounds: Sequence[int]) -> tuple[Ints, Floats]:
        """Decode sequences that stand one behind the other.

        Args:
            logits: *Shape:* (words, tags).
            bounds: where each sequence begins, in rising order from 0, and the number of words.

        Returns:
            Tag indices, and the log probability of each that is of a span, else 0, both *Shape:*
            (words,).
        """
        path = np.zeros(len(logits), dtype=np.int64)
        log_probs = np.zeros(len(logits), dtype=np.float32)
        # Where no word's emissions make up for the steps, all are outside.
        doubt = logits[:, 1:].max(axis=1) - logits[:, 0] > self._surely_outside
        rows, own = _some_sequences(bounds, doubt)
        if len(rows):
            path[rows] = self._best_path(logits[rows], *_side_by_side(own))
        rows, own = _some_sequences(bounds, path > 0)
        if len(rows):
            chances = self.marginals(logits[rows], own)[np.arange(len(rows)), path[rows]]
            log_probs[rows] = np.log(np.maximum(chances, 1e-12))
        return path, np.where(path > 0, log_probs, 0)

    def marginals(self, logits: Floats, bounds: Sequence[int]) -> NDArray[np.float64]:
        """Return each tag's probability for each word, *Shape:* (words, tags); see `decode`."""
        begin, _, running = _side_by_side(bounds)
        return self._chances(logits, begin, running)

    def _chances(self, logits: Floats, begin: Ints, running: Sequence[int]) -> NDArray[np.float64]:
        steps = len(running)
        chances = np.empty(logits.shape)
        scores = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
        forward = np.empty((len(logits), scores.shape[1]))
        state = _normalised(self._start_odds * scores[begin])
        forward[begin] = state
        for step in range(1, steps):
            rows = begin[: running[step]] + step
            arrive = (state[: len(rows), :, None] * self._odds).sum(axis=1)
            state = _normalised(arrive * scores[rows])
            forward[rows] = state
        back = np.ones((0, scores.shape[1]))
        for step in range(steps - 1, -1, -1):
            rows = begin[: running[step]] + step
            ended = np.ones((len(rows) - len(back), scores.shape[1]))
            back = np.concatenate((back, ended))
            chances[rows] = _normalised(forward[rows] * back)
            back = _normalised((self._odds * (back * scores[rows])[:, None, :]).sum(axis=2))
        return chances

    def _best_path(
        self, logits: Floats, begin: Ints, lengths: Ints, running: Sequence[int]
    ) -> Ints:
        best = self._starts + logits[begin]
        origins = np.zeros(logits.shape, dtype=np.int16)
        ends = np.empty(len(begin), dtype=np.int64)
        for step in range(1, len(running)):
            count = running[step]
            # Those that ended at the step before.
            ends[count : len(best)] = best[count:].argmax(axis=1)
            rows = begin[:count] + step
            options = best[:count, :, None] + self._transitions
            origin = options.argmax(axis=1)
            origins[rows] = origin
            best = np.take_along_axis(options, origin[:, None, :], axis=1)[:, 0] + logits[rows]
        ends[: len(best)] = best.argmax(axis=1)
        path = np.empty(len(logits), dtype=np.int64)
        path[begin + lengths - 1] = ends
        for step in range(len(running) - 1, 0, -1):
            rows = begin[: running[step]] + step
            path[rows - 1] = origins[rows, path[rows]]
        return path


def best_tags(logits: Floats, bounds: Sequence[int]) -> tuple[Ints, Floats]:
    """Take the best tag of each word by itself; see :meth:`TagDecoder.decode`.

    An I- tag that goes on nothing begins a span, as in transformers' pipeline.
    """
    path = logits.argmax(axis=1)
    label = (path + 1) // 2
    before = np.append(0, label[:-1])
    before[np.asarray(bounds[:-1])] = 0
    inside = (path > 0) & (path % 2 == 0)
    path = np.where(inside & (label != before), path - 1, path)
    best = logits.max(axis=1)
    return path, best - np.logaddexp.reduce(logits, axis=1)


def _some_sequences(bounds: Sequence[int], wanted: NDArray[np.bool_]) -> tuple[Ints, list[int]]:
    """Return the words of the sequences that have a wanted one, and these sequences' bounds.

    Args:
        bounds: see :meth:`TagDecoder.decode`.
        wanted: *Shape:* (words,).
    """
    lengths = np.diff(bounds)
    kept = np.logical_or.reduceat(wanted, bounds[:-1])
    rows = np.flatnonzero(np.repeat(kept, lengths))
    return rows, [0, *np.cumsum(lengths[kept]).tolist()]


def _side_by_side(bounds: Sequence[int]) -> tuple[Ints, Ints, list[int]]:
    """Return where sequences begin and how long they are, the longest first, and how many run.

    Of each step the number of sequences that still run: the first so many.
    """
    begin, end = np.array(bounds[:-1]), np.array(bounds[1:])
    order = np.argsort(begin - end, kind="stable")
    begin, lengths = begin[order], (end - begin)[order]
    steps = np.arange(int(lengths[0]))
    return begin, lengths, np.searchsorted(-lengths, -steps, side="left").tolist()


def label_chances(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fold the chances of tags, *Shape:* (words, tags), to those of no label and of each label."""
    return np.concatenate([chances[:, :1], chances[:, 1::2] + chances[:, 2::2]], axis=1)


def sequence_bounds(breaks: NDArray[np.bool_], config: TaggerConfig) -> list[int]:
    """Return where the sequences that are decoded begin in some words, and the words' number.

    Args:
        breaks: whether a line break stands before each, *Shape:* (words,).
        config: whether each line is a sequence of its own.
    """
    starts = np.flatnonzero(breaks) if config.by_line else np.array([], int)
    return [0, *starts[starts > 0].tolist(), len(breaks)] if len(breaks) else [0]


def lawful_transitions(tags: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which tag may follow which, *Shape:* (tags, tags), and which may begin, (tags,).

    An I- tag (2, 4, …) follows only itself or its own B- (1, 3, …).
    """
    lawful = np.ones((tags, tags), dtype=bool)
    begins = np.ones(tags, dtype=bool)
    for inside in range(2, tags, 2):
        lawful[:, inside] = False
        lawful[inside - 1 : inside + 1, inside] = True
        begins[inside] = False
    return lawful, begins


def _normalised(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = rows.sum(axis=1, keepdims=True)
    return rows / np.maximum(total, 1e-300)
