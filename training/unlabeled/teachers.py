"""Teachers of unlabeled articles: taggers of any kind, and spans that the articles have already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from ...corpus.document import Document
from ...ui import OnProgress, Progress
from ..base import ProbabilisticTextTagger, TextTagger
from ..tagger.arrays import Floats, Ints
from ..tagger.mentions import tag_names
from ..tagger.windows import Window
from .external import ExternalTeacher
from .hard_tags import hard_tags, to_log_probs
from .scores import ScoreStore

_TASK = "Scoring unlabeled articles"
_DOCUMENTS_A_COMMIT = 16

CutWindows = Callable[[Sequence[str]], list[list[Window]]]
"""Returns the windows of each text, which together contain all its words."""


@runtime_checkable
class WindowTagger(Protocol):
    """A tagger that scores the words of each window without the text around it."""

    def log_probs(self, text: str, windows: Sequence[Window]) -> Floats:
        """Return the log-probabilities of the tags of a text's words, *Shape:* (words, tags)."""


Scorer = WindowTagger | TextTagger | ExternalTeacher
"""A teacher that is loaded."""


@dataclass(frozen=True)
class StoredTeacher:
    """A teacher whose scores are kept.

    Attributes:
        fingerprint: hash of its model, and of how it scores.
        store: keeps its scores.
        load: loads it.
        by_window: whether it scores the windows of the student, and not whole articles.
    """

    fingerprint: str
    store: ScoreStore
    load: Callable[[], Scorer]
    by_window: bool


class PoolTeachers:
    """Teachers that score unlabeled articles once, and keep the scores on disk.

    A transformer scores the windows that its student learns from, each without the text around it.
    Taggers of other kinds read whole articles. One that gives no probabilities, and the spans of
    the articles, give hard tags, see :mod:`.hard_tags`. The answers of several teachers are
    averaged, for each word those that are known, see :mod:`.external`.

    Args:
        stored: the teachers.
        spans: whether the spans of the articles are a teacher too.
        labels: the label names.
        cut: cuts texts into the windows of the student.
    """

    def __init__(
        self, stored: Sequence[StoredTeacher], spans: bool, labels: tuple[str, ...], cut: CutWindows
    ) -> None:
        self._stored = stored
        self._spans = spans
        self._labels = labels
        self._cut = cut

    def missing(self, documents: Sequence[Document]) -> list[Document]:
        """Return the documents that not all teachers have scored."""
        keys = self._keys(documents)
        missing: set[bytes] = set()
        for teacher, teacher_keys in zip(self._stored, zip(*keys, strict=True), strict=True):
            missing.update(teacher.store.missing(list(teacher_keys)))
        return [
            document
            for document, document_keys in zip(documents, keys, strict=True)
            if not missing.isdisjoint(document_keys)
        ]

    def score(self, documents: Sequence[Document], on_progress: OnProgress) -> None:
        """Score documents by the teachers that have not scored them, and keep the scores.

        Each document is scored by itself, so that its scores do not depend on the others. What
        teachers have to say of it is reported at the end, also of an interrupted call.

        Raises:
            InputError: if the scores cannot be kept.
            ModelError: if a teacher cannot be loaded.
            ServerError: if the API of a language model does not answer.
        """
        missing = self.missing(documents)
        done = len(documents) - len(missing)
        scorers = [teacher.load() for teacher in self._stored] if missing else []
        try:
            for start in range(0, len(missing), _DOCUMENTS_A_COMMIT):
                part = missing[start : start + _DOCUMENTS_A_COMMIT]
                for teacher, scorer, keys in zip(
                    self._stored, scorers, zip(*self._keys(part), strict=True), strict=True
                ):
                    unknown = set(teacher.store.missing(list(keys)))
                    asked = [n for n, key in enumerate(keys) if key in unknown]
                    scores = self._ask(scorer, [part[number].text for number in asked])
                    teacher.store.add(dict(zip((keys[n] for n in asked), scores, strict=True)))
                done += len(part)
                on_progress(Progress(_TASK, done, len(documents)))
        finally:
            for teacher, scorer in zip(self._stored, scorers, strict=False):
                if isinstance(scorer, ExternalTeacher):
                    for note in scorer.notes(teacher.store.path):
                        on_progress(Progress(_TASK, done, len(documents), note=note))

    def try_out(self, documents: Sequence[Document], measured: int) -> list[str]:
        """Score a few documents and keep nothing, to measure the time; send nothing anywhere.

        Args:
            documents: those that are to be scored.
            measured: the number of those that are scored.

        Returns:
            Lines on the teachers that orbat did not train; see :meth:`ExternalTeacher.forecast`.
        """
        texts, lines = [document.text for document in documents], []
        for scorer in [teacher.load() for teacher in self._stored]:
            if isinstance(scorer, ExternalTeacher):
                lines += scorer.forecast(texts)
                if scorer.is_remote:
                    continue
            list(self._ask(scorer, texts[:measured]))
        return lines

    def log_probs(self, documents: Sequence[Document]) -> Iterator[Floats]:
        """Yield the log-probabilities of the tags of each scored document, averaged over teachers.

        Yields:
            *Shape:* (words, tags).
        """
        tags = len(tag_names(self._labels))
        keys = list(zip(*self._keys(documents), strict=True))
        answers = [
            teacher.store.read(list(teacher_keys), tags)
            for teacher, teacher_keys in zip(self._stored, keys, strict=True)
        ]
        if self._spans:
            answers.append([self._spans_of(document) for document in documents])
        for log_probs in zip(*answers, strict=True):
            yield _average(np.exp(np.stack(log_probs)))

    def _keys(self, documents: Sequence[Document]) -> list[list[bytes]]:
        """Return the keys of each document's scores, one for each teacher."""
        windows = self._cut([document.text for document in documents])
        return [
            self._document_keys(document, document_windows)
            for document, document_windows in zip(documents, windows, strict=True)
        ]

    def _document_keys(self, document: Document, windows: Sequence[Window]) -> list[bytes]:
        bounds = [(window.word_start, window.word_end) for window in windows]
        return [
            hashlib.sha256(
                repr(
                    (
                        document.text,
                        bounds if teacher.by_window else None,
                        self._labels,
                        teacher.fingerprint,
                    )
                ).encode()
            ).digest()
            for teacher in self._stored
        ]

    def _ask(self, scorer: Scorer, texts: Sequence[str]) -> Iterator[Floats]:
        """Yield the log-probabilities of a teacher for each text, *Shape:* (words, tags)."""
        if isinstance(scorer, ExternalTeacher):
            yield from scorer.score(texts)
            return
        windows = self._cut(texts) if isinstance(scorer, WindowTagger) else [[]] * len(texts)
        for text, text_windows in zip(texts, windows, strict=True):
            if isinstance(scorer, WindowTagger):
                yield scorer.log_probs(text, text_windows)
            elif isinstance(scorer, ProbabilisticTextTagger):
                _, probabilities = next(scorer.probabilities([text]))
                yield to_log_probs(_split_labels(probabilities.astype(np.float32)))
            else:
                (mentions,) = scorer.pipe([text])
                yield hard_tags(text, mentions, self._labels)

    def _spans_of(self, document: Document) -> Floats:
        spans = ((span.start, span.end, span.label, span.score) for span in document.spans)
        return hard_tags(document.text, spans, self._labels)


def _average(probabilities: Floats) -> Floats:
    """Return the logarithms of the averages of those probabilities that are known.

    Args:
        probabilities: not a number where they are unknown. *Shape:* (teachers, words, tags).

    Returns:
        Not a number for words of which no teacher knows. *Shape:* (words, tags).
    """
    known = ~np.isnan(probabilities)
    counts = known.sum(axis=0).astype(np.float32)
    counts[counts == 0] = np.nan
    return to_log_probs(np.where(known, probabilities, 0).sum(axis=0) / counts)


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
