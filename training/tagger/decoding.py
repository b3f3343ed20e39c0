"""Decoding: from the network's scores of tags to one valid tag for each word.

:class:`TagDecoder` finds the best tag sequence of a linear-chain conditional random field and the
probability of each of its tags. :func:`argmax_tags` takes the best tag of each word independently,
as the token-classification pipeline of transformers does.

Many sequences are decoded together: their words follow each other in one array, and `bounds` lists
the index at which each sequence starts, in rising order from 0, and the total number of words. No
sequence may be empty.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import Bools, Doubles, Floats, Ints
from .config import TaggerConfig


class TagDecoder:
    """Finds the best valid tag sequence, and the probability of each of its tags.

    A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) whose emission
    scores come from a network. The best sequence is found by the Viterbi algorithm (Forney 1973),
    the probabilities by the forward-backward algorithm (Rabiner 1989). The result for a sequence
    does not depend on the sequences decoded with it.

    Args:
        tags: number of tags; see :func:`tag_names`.
        transitions: see :attr:`TaggerConfig.transitions`; empty for zeros. *Shape:* (tags, tags).
        start_transitions: see :attr:`TaggerConfig.start_transitions`; empty for zeros. *Shape:*
            (tags,).
    """

    def __init__(
        self,
        tags: int,
        transitions: Sequence[Sequence[float]] = (),
        start_transitions: Sequence[float] = (),
    ) -> None:
        allowed, allowed_starts = allowed_transitions(tags)
        self._transitions = np.where(allowed, transitions or np.zeros((tags, tags)), -np.inf)
        self._starts = np.where(allowed_starts, start_transitions or np.zeros(tags), -np.inf)
        self._exp_transitions = np.exp(self._transitions)
        self._exp_starts = np.exp(self._starts)
        # The most that a step into, within or out of a mention gains over a step from O to O.
        gain = max(
            0.0,
            self._transitions.max() - self._transitions[0, 0],
            self._starts.max() - self._starts[0],
        )
        # A mention of n words takes at most n + 1, and so at most 2 n, such steps.
        self._outside_margin = -2 * gain - 1e-3

    def decode(self, logits: Floats, bounds: Sequence[int]) -> tuple[Ints, Floats]:
        """Decode sequences.

        Args:
            logits: emission scores, *Shape:* (words, tags).
            bounds: the starts of the sequences, and the number of words.

        Returns:
            Tag indices, and the log-probability of each tag other than O, 0 for O; both *Shape:*
            (words,).
        """
        path = np.zeros(len(logits), dtype=np.int64)
        log_probs = np.zeros(len(logits), dtype=np.float32)
        # If no word's emissions outweigh the transitions, the best path consists of O only.
        may_be_inside = logits[:, 1:].max(axis=1) - logits[:, 0] > self._outside_margin
        rows, row_bounds = _select_sequences(bounds, may_be_inside)
        if len(rows):
            path[rows] = self._best_path(logits[rows], *_sort_by_length(row_bounds))
        rows, row_bounds = _select_sequences(bounds, path > 0)
        if len(rows):
            marginals = self.marginals(logits[rows], row_bounds)
            probabilities = marginals[np.arange(len(rows)), path[rows]]
            log_probs[rows] = np.log(np.maximum(probabilities, 1e-12))
        return path, np.where(path > 0, log_probs, 0)

    def marginals(self, logits: Floats, bounds: Sequence[int]) -> Doubles:
        """Return the probability of each tag for each word, *Shape:* (words, tags).

        Args:
            logits: emission scores, *Shape:* (words, tags).
            bounds: the starts of the sequences, and the number of words.
        """
        begin, _, running = _sort_by_length(bounds)
        steps = len(running)
        marginals = np.empty(logits.shape)
        emissions = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
        forward = np.empty((len(logits), emissions.shape[1]))
        state = _normalize(self._exp_starts * emissions[begin])
        forward[begin] = state
        for step in range(1, steps):
            rows = begin[: running[step]] + step
            arrival = (state[: len(rows), :, None] * self._exp_transitions).sum(axis=1)
            state = _normalize(arrival * emissions[rows])
            forward[rows] = state
        backward = np.ones((0, emissions.shape[1]))
        for step in range(steps - 1, -1, -1):
            rows = begin[: running[step]] + step
            ended = np.ones((len(rows) - len(backward), emissions.shape[1]))
            backward = np.concatenate((backward, ended))
            marginals[rows] = _normalize(forward[rows] * backward)
            departure = self._exp_transitions * (backward * emissions[rows])[:, None, :]
            backward = _normalize(departure.sum(axis=2))
        return marginals

    def _best_path(
        self, logits: Floats, begin: Ints, lengths: Ints, running: Sequence[int]
    ) -> Ints:
        """Return the tag indices of the best path by the Viterbi algorithm, *Shape:* (words,).

        Args:
            logits: emission scores, *Shape:* (words, tags).
            begin: see :func:`_sort_by_length`. *Shape:* (sequences,).
            lengths: see :func:`_sort_by_length`. *Shape:* (sequences,).
            running: see :func:`_sort_by_length`.
        """
        best = self._starts + logits[begin]
        origins = np.zeros(logits.shape, dtype=np.int16)
        last_tags = np.empty(len(begin), dtype=np.int64)
        for step in range(1, len(running)):
            count = running[step]
            # Sequences that ended at the step before.
            last_tags[count : len(best)] = best[count:].argmax(axis=1)
            rows = begin[:count] + step
            options = best[:count, :, None] + self._transitions
            origin = options.argmax(axis=1)
            origins[rows] = origin
            best = np.take_along_axis(options, origin[:, None, :], axis=1)[:, 0] + logits[rows]
        last_tags[: len(best)] = best.argmax(axis=1)
        path = np.empty(len(logits), dtype=np.int64)
        path[begin + lengths - 1] = last_tags
        for step in range(len(running) - 1, 0, -1):
            rows = begin[: running[step]] + step
            path[rows - 1] = origins[rows, path[rows]]
        return path


def argmax_tags(logits: Floats, bounds: Sequence[int]) -> tuple[Ints, Floats]:
    """Return the best tag of each word, independently of the other words.

    An I- tag that continues no mention becomes B-, as in the pipeline of transformers.

    Args:
        logits: emission scores, *Shape:* (words, tags).
        bounds: the starts of the sequences, and the number of words.

    Returns:
        Tag indices and the log-probability of each, both *Shape:* (words,).
    """
    path = logits.argmax(axis=1)
    label = (path + 1) // 2
    previous = np.append(0, label[:-1])
    previous[np.asarray(bounds[:-1])] = 0
    inside = (path > 0) & (path % 2 == 0)
    path = np.where(inside & (label != previous), path - 1, path)
    best = logits.max(axis=1)
    return path, best - np.logaddexp.reduce(logits, axis=1)


def allowed_transitions(tags: int) -> tuple[Bools, Bools]:
    """Return the BIO constraints.

    An I- tag (2, 4, …) may follow only itself or the B- tag of its label (1, 3, …).

    Returns:
        Whether a tag (column) may follow a tag (row), *Shape:* (tags, tags), and whether it may
        start a sequence, *Shape:* (tags,).
    """
    allowed = np.ones((tags, tags), dtype=bool)
    allowed_starts = np.ones(tags, dtype=bool)
    for inside in range(2, tags, 2):
        allowed[:, inside] = False
        allowed[inside - 1 : inside + 1, inside] = True
        allowed_starts[inside] = False
    return allowed, allowed_starts


def sequence_bounds(line_starts: Bools, config: TaggerConfig) -> list[int]:
    """Return the bounds of the sequences of a text, or [0] if it has no words.

    Args:
        line_starts: whether a line break precedes each word. *Shape:* (words,).
        config: whether each line is a sequence of its own.
    """
    starts = np.flatnonzero(line_starts) if config.by_line else np.array([], int)
    return [0, *starts[starts > 0].tolist(), len(line_starts)] if len(line_starts) else [0]


def label_probabilities(marginals: Doubles) -> Doubles:
    """Sum the probabilities of tags to those of no label and of each label.

    Args:
        marginals: probabilities of tags, *Shape:* (words, tags).

    Returns:
        *Shape:* (words, 1 + labels).
    """
    return np.concatenate([marginals[:, :1], marginals[:, 1::2] + marginals[:, 2::2]], axis=1)


def _select_sequences(bounds: Sequence[int], selected: Bools) -> tuple[Ints, list[int]]:
    """Return the indices of all words of sequences with a selected word, and new bounds.

    Args:
        bounds: the starts of the sequences, and the number of words.
        selected: *Shape:* (words,).
    """
    lengths = np.diff(bounds)
    kept = np.logical_or.reduceat(selected, bounds[:-1])
    rows = np.flatnonzero(np.repeat(kept, lengths))
    return rows, [0, *np.cumsum(lengths[kept]).tolist()]


def _sort_by_length(bounds: Sequence[int]) -> tuple[Ints, Ints, list[int]]:
    """Return starts and lengths of sequences, longest first, and how many have each step.

    As the sequences are sorted, those that have a word at step n are the first `running[n]`.
    """
    begin, end = np.array(bounds[:-1]), np.array(bounds[1:])
    order = np.argsort(begin - end, kind="stable")
    begin, lengths = begin[order], (end - begin)[order]
    steps = np.arange(int(lengths[0]))
    return begin, lengths, np.searchsorted(-lengths, -steps, side="left").tolist()


def _normalize(rows: Doubles) -> Doubles:
    """Scale rows to a sum of 1, *Shape:* (rows, tags)."""
    total: Doubles = rows.sum(axis=1, keepdims=True)
    return rows / np.maximum(total, 1e-300)
