"""Taggers that orbat did not train as teachers of unlabeled articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...corpus.labels import LabelSet
from ..base import RemoteTextTagger, TextTagger
from ..external.label_map import LabelMap
from ..tagger.arrays import Bools, Floats, Ints
from ..tagger.mentions import Mention
from ..tagger.words import find_words
from .hard_tags import hard_tags

STORE_FOLDER = "teachers"
"""Folder in the user's cache with a file of scores for each such teacher."""


class ExternalTeacher:
    """Teaches the mentions that a tagger finds in whole articles.

    Words outside its mentions are O, but for two kinds, of which it teaches nothing (not a number):
    all of them if the student has labels that it does not know, and those of passages to which a
    language model gave no answer. Mentions with labels that the student does not have are left out.

    Args:
        name: names the teacher in messages.
        tagger: the tagger.
        label_map: the names that its labels get.
        labels: the labels of the student.
    """

    def __init__(
        self, name: str, tagger: TextTagger, label_map: LabelMap, labels: LabelSet
    ) -> None:
        self._name = name
        self._tagger = tagger
        self._names = label_map.names
        self._labels = labels.names
        self._unknown = [x.name for x in labels.choices if x.name not in label_map.labels]
        self._articles = self._untaught = self._taught_words = 0
        self._found: Counter[str] = Counter()

    @property
    def is_remote(self) -> bool:
        """Whether it sends the articles to an address."""
        return isinstance(self._tagger, RemoteTextTagger)

    def score(self, texts: Sequence[str]) -> Iterator[Floats]:
        """Yield the log-probabilities of the tags of each text's words, *Shape:* (words, tags)."""
        for text, (mentions, gaps) in zip(texts, self._tag(texts), strict=True):
            named = (m._replace(label=self._names.get(m.label, m.label)) for m in mentions)
            mentions = [mention for mention in named if mention.label]
            known = [mention for mention in mentions if mention.label in self._labels]
            log_probs = hard_tags(text, known, self._labels)
            words = find_words(text)
            if self._unknown:
                log_probs[~_overlap(words, ((m.start, m.end) for m in known))] = np.nan
            log_probs[_overlap(words, gaps)] = np.nan
            self._articles += 1
            self._untaught += bool(gaps)
            self._taught_words += int((~np.isnan(log_probs[:, 0])).sum())
            self._found.update(mention.label for mention in mentions)
            yield log_probs

    def _tag(
        self, texts: Iterable[str]
    ) -> Iterator[tuple[list[Mention], Sequence[tuple[int, int]]]]:
        if isinstance(self._tagger, RemoteTextTagger):
            yield from self._tagger.pipe_with_gaps(texts)
            return
        # One at a time, so that the scores of an article do not depend on the others.
        for text in texts:
            (mentions,) = self._tagger.pipe([text])
            yield mentions, ()

    def forecast(self, texts: Iterable[str]) -> list[str]:
        """Return lines on what it teaches, and what scoring texts would send; send nothing."""
        lines = self._remarks()
        if isinstance(self._tagger, RemoteTextTagger):
            lines.append(f"{self._name}: {self._tagger.forecast(texts)}")
        return lines

    def notes(self, kept_in: Path) -> list[str]:
        """Return lines on what it was asked and found, what that cost, and what was left out.

        Args:
            kept_in: the file of its scores.
        """
        if not self._articles:
            return []
        lines = self._remarks()
        known = sum(count for label, count in self._found.items() if label in self._labels)
        left_out = {name: n for name, n in self._found.items() if name not in self._labels}
        found = f"{known:,} mentions" if known else "no mention, so it teaches that there are none"
        if not self._taught_words:
            found = "no mention, so it teaches nothing"
        if left_out:
            names = ", ".join(f"{name} {count:,}" for name, count in left_out.items())
            found += f"; left out, with labels that the label set does not have: {names}"
        if self._untaught:
            found += (
                f"; articles with passages that are not taught: {self._untaught:,} (delete "
                f"{kept_in} to ask again)"
            )
        lines.append(f"{self._name}: {self._articles:,} articles, {found}")
        if isinstance(self._tagger, RemoteTextTagger):
            lines += self._tagger.notes()
        return lines

    def _remarks(self) -> list[str]:
        if not self._unknown:
            return []
        return [
            f"{self._name}: does not know {', '.join(self._unknown)}, so that words outside its "
            "mentions are not taught"
        ]


def _overlap(words: Ints, passages: Iterable[tuple[int, int]]) -> Bools:
    """Return which words overlap with one of some passages, *Shape:* (words,)."""
    inside = np.zeros(len(words), dtype=bool)
    for start, end in passages:
        inside |= (words[:, 0] < end) & (words[:, 1] > start)
    return inside


def default_store(fingerprint: str) -> Path:
    """Return the file that keeps the scores of a teacher that has no run folder.

    Args:
        fingerprint: hash of everything that its answers depend on.
    """
    from platformdirs import user_cache_path

    return user_cache_path("orbat") / STORE_FOLDER / f"{fingerprint[:32]}.sqlite"
