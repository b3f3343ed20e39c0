"""Decoding: from the network's scores of tags to one valid tag for each word.

:class:`TagDecoder` finds the best tag sequence of a linear-chain conditional random field and the
probability of each of its tags. :func:`argmax_tags` takes the best tag of each word independently,
as the token-classification pipeline of transformers does.

Many sequences are decoded together; see :mod:`.sequences`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import Bools, Doubles, Floats, Ints
from .sequences import select_sequences, sort_by_length, tag_probabilities


class TagDecoder:
    """Finds the best valid tag sequence, and the probability of each of its tags.

    A linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) whose emission
    scores come from a network. The result for a sequence does not depend on the sequences decoded
    with it.

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
        self._margins = _outside_margins(self._transitions, self._starts)

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
        uncertain = ~self._is_outside(logits, bounds)
        if uncertain.any():
            path[uncertain] = self._best_path(logits, bounds, uncertain)
        rows, row_bounds = select_sequences(bounds, path > 0)
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
        return tag_probabilities(logits, bounds, self._exp_transitions, self._exp_starts)

    def _is_outside(self, logits: Floats, bounds: Sequence[int]) -> Bools:
        """Return which words are O on the best path, as far as their own emissions tell.

        They are if O outweighs the other tags by more than the rest of a path can gain from
        another tag. From a path that is not O there, one that is can be made by at most one more
        change: the I- tag of the next word becomes a B- tag.
        """
        margin, continuing_margin = self._margins
        changed = (logits[:, 2::2] - logits[:, 1::2]).max(axis=1, initial=0)
        # The tag of the next word counts, if there is one in the sequence.
        needed = np.maximum(margin, continuing_margin + np.append(changed[1:], 0))
        needed[np.asarray(bounds[1:]) - 1] = margin
        outside: Bools = logits[:, 0] - logits[:, 1:].max(axis=1) > needed
        return outside

    def _best_path(self, logits: Floats, bounds: Sequence[int], uncertain: Bools) -> Ints:
        """Return the best tags of uncertain words by the Viterbi algorithm (Forney 1973).

        As all other words are O, the words between them are sequences of their own, which begin
        and end with the transitions from and to O.

        Args:
            logits: emission scores. *Shape:* (words, tags).
            bounds: the starts of the sequences, and the number of words.
            uncertain: which words are decoded, at least one. *Shape:* (words,).

        Returns:
            *Shape:* (uncertain words,).
        """
        is_start = np.zeros(len(logits) + 1, dtype=bool)
        is_start[bounds] = True
        rows = np.flatnonzero(uncertain)
        after_gap = np.append(True, np.diff(rows) > 1)
        starts = np.flatnonzero(after_gap | is_start[rows])
        _, begin, lengths, running = sort_by_length([*starts.tolist(), len(rows)])
        scores = logits[rows].astype(np.float64)
        ends = rows[begin + lengths - 1] + 1
        scores[begin + lengths - 1] += np.where(
            is_start[ends][:, None], 0.0, self._transitions[:, 0]
        )
        scores[begin] += np.where(
            is_start[rows[begin]][:, None], self._starts, self._transitions[0]
        )
        best = scores[begin]
        origins = np.zeros(scores.shape, dtype=np.int16)
        last_tags = np.empty(len(begin), dtype=np.int64)
        for step in range(1, len(running)):
            count = running[step]
            # Sequences that ended at the step before.
            last_tags[count : len(best)] = best[count:].argmax(axis=1)
            words = begin[:count] + step
            options = best[:count, :, None] + self._transitions
            origins[words] = options.argmax(axis=1)
            best = options.max(axis=1) + scores[words]
        last_tags[: len(best)] = best.argmax(axis=1)
        path = np.empty(len(rows), dtype=np.int64)
        path[begin + lengths - 1] = last_tags
        for step in range(len(running) - 1, 0, -1):
            words = begin[: running[step]] + step
            path[words - 1] = origins[words, path[words]]
        return path


def _outside_margins(transitions: Doubles, starts: Doubles) -> tuple[float, float]:
    """Return what transitions can gain if a word has another tag than O.

    Args:
        transitions: scores of transitions. *Shape:* (tags, tags).
        starts: scores of start transitions. *Shape:* (tags,).

    Returns:
        The gain if the next word continues no mention, and if it continues one and would have a B-
        tag instead of an I- tag.
    """
    other, begins, inside = slice(1, None), slice(1, None, 2), slice(2, None, 2)
    into = max(
        (transitions[:, other] - transitions[:, :1]).max(), (starts[other] - starts[0]).max()
    )
    out_of = max(
        (transitions[other, 0] - transitions[0, 0]).max(),
        (transitions[other, begins] - transitions[0, begins]).max(),
    )
    labels = np.arange(1, len(starts), 2)
    within = max(
        (transitions[labels, labels + 1] - transitions[0, labels]).max(),
        (transitions[labels + 1, labels + 1] - transitions[0, labels]).max(),
    )
    # What follows an I- tag may follow the B- tag of its label, and the reverse.
    with np.errstate(invalid="ignore"):
        after = np.nanmax(transitions[inside] - transitions[begins])
    rounding = 1e-3
    return (
        float(max(into, 0.0) + max(out_of, 0.0) + rounding),
        float(max(into, 0.0) + within + max(after, 0.0) + rounding),
    )


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


def label_probabilities(marginals: Doubles) -> Doubles:
    """Sum the probabilities of tags to those of no label and of each label.

    Args:
        marginals: probabilities of tags, *Shape:* (words, tags).

    Returns:
        *Shape:* (words, 1 + labels).
    """
    return np.concatenate([marginals[:, :1], marginals[:, 1::2] + marginals[:, 2::2]], axis=1)
