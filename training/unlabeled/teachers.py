"""Teachers of unlabeled articles: runs of any kind, and spans that the articles have already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from ...corpus.document import Document
from ...ui import OnProgress, Progress
from ..base import ProbabilisticTextTagger, TextTagger
from ..tagger.arrays import Floats, Ints
from ..tagger.mentions import spans_to_tags, tag_names
from ..tagger.windows import Window
from ..tagger.words import find_words
from .scores import ScoreStore

_MINIMUM = 1e-6
"""The least probability of a tag."""
_DOCUMENTS_A_COMMIT = 16

CutWindows = Callable[[Sequence[str]], list[list[Window]]]
"""Returns the windows of each text, which together contain all its words."""


@runtime_checkable
class WindowTagger(Protocol):
    """A tagger that scores the words of each window without the text around it."""

    def log_probs(self, text: str, windows: Sequence[Window]) -> Floats:
        """Return the log-probabilities of the tags of a text's words, *Shape:* (words, tags)."""


@dataclass(frozen=True)
class RunTeacher:
    """A finished run that teaches.

    Attributes:
        fingerprint: hash of its model, and of how it scores.
        store: keeps its scores.
        load: loads it.
    """

    fingerprint: str
    store: ScoreStore
    load: Callable[[], WindowTagger | TextTagger]


class PoolTeachers:
    """Teachers that score unlabeled articles once, and keep the scores on disk.

    A transformer scores the windows that its student learns from, each without the text around it.
    Taggers of other kinds read whole articles. One that gives no probabilities, and the spans of
    the articles, give each word its tag with the confidence of the mention, and O with the rest;
    the confidence is 1 if there is none. The answers of several teachers are averaged.

    Args:
        runs: the teachers.
        spans: whether the spans of the articles are a teacher too.
        labels: the label names.
        cut: cuts texts into the windows of the student.
    """

    def __init__(
        self, runs: Sequence[RunTeacher], spans: bool, labels: tuple[str, ...], cut: CutWindows
    ) -> None:
        self._runs = runs
        self._spans = spans
        self._labels = labels
        self._cut = cut

    def missing(self, documents: Sequence[Document]) -> list[Document]:
        """Return the documents that not all teachers have scored."""
        keys = self._keys(documents)
        missing: set[bytes] = set()
        for teacher, teacher_keys in zip(self._runs, zip(*keys, strict=True), strict=True):
            missing.update(teacher.store.missing(list(teacher_keys)))
        return [
            document
            for document, document_keys in zip(documents, keys, strict=True)
            if not missing.isdisjoint(document_keys)
        ]

    def score(self, documents: Sequence[Document], on_progress: OnProgress) -> None:
        """Score the documents that not all teachers have scored, and keep the scores.

        Each document is scored by itself, so that its scores do not depend on the others.

        Raises:
            InputError: if the scores cannot be kept.
            ModelError: if a teacher cannot be loaded.
        """
        missing = self.missing(documents)
        done = len(documents) - len(missing)
        taggers = [teacher.load() for teacher in self._runs] if missing else []
        for start in range(0, len(missing), _DOCUMENTS_A_COMMIT):
            part = missing[start : start + _DOCUMENTS_A_COMMIT]
            keys, windows = self._keys(part), self._cut([document.text for document in part])
            for index, (teacher, tagger) in enumerate(zip(self._runs, taggers, strict=True)):
                scores = {}
                for number, document in enumerate(part):
                    scores[keys[number][index]] = self._ask(tagger, document.text, windows[number])
                teacher.store.add(scores)
            done += len(part)
            on_progress(Progress("Scoring unlabeled articles", done, len(documents)))

    def try_out(self, documents: Sequence[Document]) -> None:
        """Score documents, and keep nothing: to measure the time that scoring takes."""
        windows = self._cut([document.text for document in documents])
        for tagger in [teacher.load() for teacher in self._runs]:
            for document, document_windows in zip(documents, windows, strict=True):
                self._ask(tagger, document.text, document_windows)

    def log_probs(self, documents: Sequence[Document]) -> Iterator[Floats]:
        """Yield the log-probabilities of the tags of each scored document, averaged over teachers.

        Yields:
            *Shape:* (words, tags).
        """
        tags = len(tag_names(self._labels))
        keys = list(zip(*self._keys(documents), strict=True))
        answers = [
            teacher.store.read(list(teacher_keys), tags)
            for teacher, teacher_keys in zip(self._runs, keys, strict=True)
        ]
        if self._spans:
            answers.append([self._spans_of(document) for document in documents])
        for log_probs in zip(*answers, strict=True):
            yield _to_log_probs(np.mean([np.exp(values) for values in log_probs], axis=0))

    def _keys(self, documents: Sequence[Document]) -> list[list[bytes]]:
        """Return the keys of each document's scores, one for each teacher that is a run."""
        windows = self._cut([document.text for document in documents])
        return [
            self._document_keys(document, document_windows)
            for document, document_windows in zip(documents, windows, strict=True)
        ]

    def _document_keys(self, document: Document, windows: Sequence[Window]) -> list[bytes]:
        bounds = [(window.word_start, window.word_end) for window in windows]
        return [
            hashlib.sha256(
                repr((document.text, bounds, self._labels, teacher.fingerprint)).encode()
            ).digest()
            for teacher in self._runs
        ]

    def _ask(
        self, tagger: WindowTagger | TextTagger, text: str, windows: Sequence[Window]
    ) -> Floats:
        """Return the log-probabilities of a tagger for a text, *Shape:* (words, tags)."""
        if isinstance(tagger, WindowTagger):
            return tagger.log_probs(text, windows)
        if isinstance(tagger, ProbabilisticTextTagger):
            _, probabilities = next(tagger.probabilities([text]))
            return _to_log_probs(_split_labels(probabilities.astype(np.float32)))
        (mentions,) = tagger.pipe([text])
        return self._hard_tags(text, mentions)

    def _spans_of(self, document: Document) -> Floats:
        spans = ((span.start, span.end, span.label, span.score) for span in document.spans)
        return self._hard_tags(document.text, spans)

    def _hard_tags(
        self, text: str, mentions: Iterable[tuple[int, int, str, float | None]]
    ) -> Floats:
        """Return the log-probabilities of tags with a confidence, *Shape:* (words, tags)."""
        words, tags = find_words(text), tag_names(self._labels)
        probabilities = np.zeros((len(words), len(tags)), np.float32)
        probabilities[:, 0] = 1
        for start, end, label, score in mentions:
            path = spans_to_tags(words, [(start, end, label)], tags)
            rows = np.flatnonzero(path)
            confidence = 1.0 if score is None else score
            probabilities[rows, 0] = 1 - confidence
            probabilities[rows, path[rows]] = confidence
        return _to_log_probs(probabilities)


def _split_labels(probabilities: Floats) -> Floats:
    """Split probabilities of labels into those of B- and I- tags, *Shape:* (words, tags).

    A word continues a mention if the word before it most likely has the same label.

    Args:
        probabilities: of no label and of each label, *Shape:* (words, 1 + labels).
    """
    words, columns = probabilities.shape
    tags = np.zeros((words, 2 * columns - 1), np.float32)
    tags[:, 0] = probabilities[:, 0]
    tags[:, 1::2] = probabilities[:, 1:]
    best: Ints = probabilities.argmax(axis=1)
    for word in range(1, words):
        if label := int(best[word - 1]):
            tags[word, 2 * label] = tags[word, 2 * label - 1]
            tags[word, 2 * label - 1] = 0
    return tags


def _to_log_probs(probabilities: Floats) -> Floats:
    """Return logarithms of probabilities that are at least :data:`_MINIMUM` and sum to 1."""
    clipped = np.maximum(probabilities, _MINIMUM)
    log_probs: Floats = np.log(clipped / clipped.sum(axis=1, keepdims=True)).astype(np.float32)
    return log_probs
