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

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

# Combining marks stay with their letter, or decomposed accents would cut words in two.
WORD = r"(?:[^\W_][\u0300-\u036f]*)+|[^\w\s]|_"
"""Regular expression of a word: letters and digits, or a single other character."""
_WORD = re.compile(WORD)
SHAPES = ("lower", "title", "upper", "initial", "mixed", "digits", "alphanumeric", "other")
_GAPS = ("none", "space", "line break")
_LINE = _GAPS.index("line break")
_LINE_BREAK = re.compile(r"[\n\r]")
ENOUGH = 30_000
"""Characters of texts that are read side by side, so that windows of like length fill batches."""
FEATURE_COUNT = 1 + len(SHAPES) * len(_GAPS)
"""Number of word features; 0 stands for special tokens and padding."""


class Mention(NamedTuple):
    """A labelled stretch of text: code point offsets, end exclusive, and a confidence, if any."""

    start: int
    end: int
    label: str
    score: float | None


def tag_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of some labels: O, then B- and I- of each label in turn."""
    return ("O", *(f"{mark}-{label}" for label in labels for mark in "BI"))


@dataclass(frozen=True)
class TaggerConfig:
    """What a trained tagger must know beside its weights.

    Attributes:
        labels: the label names.
        window: pieces in a window, special tokens included.
        overlap: pieces that neighbouring windows share.
        prefix: ids of the special tokens before the pieces of a window.
        suffix: ids of the special tokens behind them.
        pad: id that fills up a batch.
        features: whether the network takes word features.
        gazetteer: whether it is told of known phrases.
        by_line: whether no span goes over a line break: each line is decoded by itself.
        greedy: whether texts are read as transformers' pipeline does: windows begin at any piece,
            each word has its own best tag instead of its tag in the best sequence, and of spans
            that overlap in two windows the longer is kept.
        transitions: score of each tag (column) behind each tag (row), *Shape:* (tags, tags);
            empty for none but those that BIO tags allow.
        starts: score of each tag at the beginning, *Shape:* (tags,); empty for none.
        calibration: confidences that the model gives and the share of mentions that are right at
            each, in rising order, *Shape:* (points, 2); empty for none.
    """

    labels: tuple[str, ...]
    window: int
    overlap: int
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int
    features: bool
    gazetteer: bool = False
    by_line: bool = False
    greedy: bool = False
    transitions: tuple[tuple[float, ...], ...] = ()
    starts: tuple[float, ...] = ()
    calibration: tuple[tuple[float, float], ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The classes of the classifier."""
        return tag_names(self.labels)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TaggerConfig:
        """Build from the object that `dataclasses.asdict` gave, lists for tuples."""
        return cls(**{name: _to_tuples(each) for name, each in value.items()})


def _to_tuples(value: Any) -> Any:
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class EncodedText:
    """A text as the network sees it.

    Attributes:
        words: start and end of each word in code points, *Shape:* (words, 2).
        pieces: tokenizer ids, *Shape:* (pieces,).
        first: index of the piece at which each word is read off, *Shape:* (words,); for a word
            that the tokenizer drops, that of the next piece.
        read: whether the word has a piece at all, *Shape:* (words,).
        features: of each piece its word's feature id, and :data:`FEATURE_COUNT` times the tag
            that known phrases give the word, *Shape:* (pieces,).
        breaks: whether a line break stands before the word, *Shape:* (words,).
    """

    words: Ints
    pieces: Ints
    first: Ints
    read: NDArray[np.bool_]
    features: Ints
    breaks: NDArray[np.bool_]


class Window(NamedTuple):
    """Words `start` to `end` (exclusive) of a text, and the pieces `first` to `last` they are."""

    start: int
    end: int
    first: int
    last: int


Network = Callable[[Ints, Ints, Ints], Floats]
"""Input ids, attention mask and feature ids, each *Shape:* (batch, pieces), to logits over the
tags, *Shape:* (batch, pieces, tags)."""


FindPhrases = Callable[[str, Sequence[Sequence[int]]], list[tuple[int, int, str]]]
"""A text and the start and end of its words, to start, end and label of the phrases in it."""


def find_words(text: str) -> Ints:
    """Return start and end of each word, *Shape:* (words, 2)."""
    words = [match.span() for match in _WORD.finditer(text)]
    return np.array(words, dtype=np.int64).reshape(-1, 2)


def find_features(text: str, words: Ints) -> Ints:
    """Return of each word its shape, and what stands before it, as one id, *Shape:* (words,).

    Uncased encoders lose case and every encoder loses line breaks; this gives both back.

    Args:
        text: the text.
        words: its words; see :func:`find_words`.
    """
    shapes = np.array([word_shape(text[a:b]) for a, b in words.tolist()], dtype=np.int64)
    breaks = np.array([match.start() for match in _LINE_BREAK.finditer(text)], dtype=np.int64)
    starts, ends = words[:, 0], np.append(0, words[:-1, 1])[: len(words)]
    gaps = np.where(starts > ends, _GAPS.index("space"), _GAPS.index("none"))
    gaps[np.searchsorted(breaks, starts) > np.searchsorted(breaks, ends)] = _LINE
    return 1 + shapes * len(_GAPS) + gaps


@lru_cache(maxsize=100_000)
def word_shape(word: str) -> int:
    """Return which of :data:`SHAPES` a word has."""
    if word.isdigit():
        shape = "digits"
    elif not word[0].isalnum():
        shape = "other"
    elif any(c.isdigit() for c in word):
        shape = "alphanumeric"
    elif word.islower():
        shape = "lower"
    elif word.isupper():
        shape = "upper" if len(word) > 1 else "initial"
    else:
        shape = "title" if word[1:].islower() else "mixed"
    return SHAPES.index(shape)


def begins_line(features: Any) -> Any:
    """Tell of word feature ids, an array or tensor, whether a line break stands before the word."""
    return (features > 0) & ((features - 1) % len(_GAPS) == _LINE)


def encode_texts(
    tokenizer: Any,
    texts: Sequence[str],
    find_phrases: FindPhrases | None = None,
    tags: Sequence[str] = (),
) -> list[EncodedText]:
    """Tokenize texts and align words with pieces.

    Args:
        tokenizer: a `tokenizers.Tokenizer`.
        texts: the texts.
        find_phrases: finds known phrases, where the network is told of them.
        tags: the tags that they are told as; see :attr:`TaggerConfig.tags`.
    """
    encoded = []
    for text, encoding in zip(
        texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True
    ):
        words = find_words(text)
        pieces = np.array(encoding.ids, dtype=np.int64)
        offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        # Byte-level pieces of one character repeat its offsets: ends never fall.
        first = np.searchsorted(offsets[:, 1], words[:, 0], side="right")
        inside = np.minimum(first, max(len(pieces) - 1, 0))
        read = (first < len(pieces)) & (
            offsets[inside, 0] < words[:, 1] if len(pieces) else np.zeros(len(words), bool)
        )
        word_features = find_features(text, words)
        breaks = begins_line(word_features)
        if find_phrases is not None and len(words):
            known = spans_to_tags(words, find_phrases(text, words.tolist()), tags)
            word_features += FEATURE_COUNT * known
        features = np.zeros(len(pieces), dtype=np.int64)
        if len(words):
            owner = np.searchsorted(first, np.arange(len(pieces)), side="right") - 1
            features = np.where(owner >= 0, word_features[np.maximum(owner, 0)], 0)
        encoded.append(EncodedText(words, pieces, first, read, features, breaks))
    return encoded


def cut_windows(
    text: EncodedText, config: TaggerConfig, first_room: int | None = None
) -> list[Window]:
    """Cut a text into overlapping windows of whole words; every word is in at least one.

    A word of more pieces than a window holds is read from its first pieces.

    Args:
        text: the text.
        config: length and overlap of the windows.
        first_room: pieces that the first window holds, where it shall be shorter.
    """
    full = config.window - len(config.prefix) - len(config.suffix)
    count = len(text.words)
    bounds = np.append(text.first, len(text.pieces))
    windows: list[Window] = []
    start = 0
    while start < count:
        room = full if windows else first_room or full
        end = int(np.searchsorted(bounds, bounds[start] + room, side="right")) - 1
        end = min(max(end, start + 1), count)
        last = min(int(bounds[end]), int(bounds[start]) + room)
        windows.append(Window(start, end, int(bounds[start]), last))
        if end == count:
            break
        back = int(np.searchsorted(bounds, bounds[end] - config.overlap, side="left"))
        start = min(max(back, start + 1), end)
    return windows


def cut_pieces(text: EncodedText, config: TaggerConfig) -> list[Window]:
    """Cut a text into overlapping windows of pieces, wherever words end, as tokenizers do.

    Args:
        text: the text.
        config: length and overlap of the windows.
    """
    room = config.window - len(config.prefix) - len(config.suffix)
    windows = []
    for first in range(0, len(text.pieces), room - config.overlap):
        last = min(first + room, len(text.pieces))
        start, end = np.searchsorted(text.first, (first, last)).tolist()
        windows.append(Window(start, end, first, last))
        if last == len(text.pieces):
            break
    return windows


def owned_words(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Return for each window the words that it decides: overlaps are shared out at their middle."""
    cuts = [(left.end + right.start + 1) // 2 for left, right in itertools.pairwise(windows)]
    starts = [windows[0].start, *cuts] if windows else []
    ends = [*cuts, windows[-1].end] if windows else []
    return list(zip(starts, ends, strict=True))


def batch_inputs(
    texts: Sequence[EncodedText],
    windows: Sequence[tuple[int, Window]],
    config: TaggerConfig,
) -> tuple[Ints, Ints, Ints]:
    """Lay windows, each with the index of its text, side by side as a padded batch.

    Returns:
        Input ids, attention mask and feature ids, each *Shape:* (windows, longest window).
    """
    before, behind = len(config.prefix), len(config.suffix)
    width = max(w.last - w.first for _, w in windows) + before + behind
    ids = np.full((len(windows), width), config.pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    features = np.zeros_like(ids)
    for row, (index, window) in enumerate(windows):
        text, length = texts[index], window.last - window.first
        ids[row, :before] = config.prefix
        ids[row, before : before + length] = text.pieces[window.first : window.last]
        ids[row, before + length : before + length + behind] = config.suffix
        mask[row, : before + length + behind] = 1
        features[row, before : before + length] = text.features[window.first : window.last]
    return ids, mask, features


def read_off(text: EncodedText, window: Window, config: TaggerConfig) -> Ints:
    """Return the row position at which each word of the window is read off; -1 where it is not."""
    words = slice(window.start, window.end)
    position = text.first[words] - window.first + len(config.prefix)
    inside = text.read[words] & (text.first[words] < window.last)
    return np.where(inside, position, -1)


def spans_to_tags(words: Ints, spans: Iterable[tuple[int, int, str]], tags: Sequence[str]) -> Ints:
    """Return the tag index of each word, *Shape:* (words,).

    A word belongs to a span when its first character does.
    """
    result = np.zeros(len(words), dtype=np.int64)
    for start, end, label in spans:
        first, last = np.searchsorted(words[:, 0], (start, end))
        if first < last:
            result[first:last] = tags.index(f"I-{label}")
            result[first] = tags.index(f"B-{label}")
    return result


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


def tags_to_mentions(
    words: Ints, path: Ints, log_probs: Floats, labels: Sequence[str]
) -> list[Mention]:
    """Read the spans off a lawful tag sequence; the score is the geometric mean over its words."""
    mentions = []
    begins = np.flatnonzero(path % 2 == 1)
    for begin in begins.tolist():
        end = begin + 1
        while end < len(path) and path[end] == path[begin] + 1:
            end += 1
        score = float(np.exp(log_probs[begin:end].mean()))
        label = labels[(int(path[begin]) - 1) // 2]
        mentions.append(Mention(int(words[begin, 0]), int(words[end - 1, 1]), label, score))
    return mentions


def keep_longer(mentions: Iterable[Mention]) -> list[Mention]:
    """Return of mentions that overlap the longer, of equally long ones the surer.

    As `TokenClassificationPipeline.aggregate_overlapping_entities` of transformers does.
    """

    def weight(mention: Mention) -> tuple[int, float]:
        return mention.end - mention.start, mention.score or 0.0

    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda mention: mention.start):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
        elif weight(mention) > weight(kept[-1]):
            kept[-1] = mention
    return kept


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
