"""Other names for the labels of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...annotation.word_probabilities import WordProbabilities
from ...corpus.document import Document
from ...corpus.labels import label_fault
from ...errors import InputError


@dataclass(frozen=True)
class LabelMap:
    """The new name of each label of a model.

    Attributes:
        names: the new names by label, in the order of the model's labels; "" drops its spans.
    """

    names: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """The new names, in order."""
        return tuple(dict.fromkeys(filter(None, self.names.values())))

    @property
    def only_renames(self) -> bool:
        """Whether no label is dropped and no two get the same name."""
        return len(self.labels) == len(self.names)

    def then(self, names: Mapping[str, str], source: str) -> LabelMap:
        """Return this map with other new names.

        Args:
            names: a newer name of some of :attr:`labels`; "" drops the spans. Others stay.
            source: names the model or option in messages.

        Raises:
            InputError: if there is no such label, or a new name cannot be a label's.
        """
        for label, name in names.items():
            if label not in self.labels:
                raise InputError(
                    f"{source}: has no label '{label}' to map; it has {', '.join(self.labels)}"
                )
            if name and (fault := label_fault(name)):
                raise InputError(f"{source}: map: the new name of '{label}' {fault}")
        return LabelMap({label: names.get(name, name) for label, name in self.names.items()})

    def rename(self, document: Document) -> Document:
        """Return a document with the new names; spans of labels that the model lacks stay."""
        renamed = (replace(s, label=self.names.get(s.label, s.label)) for s in document.spans)
        return replace(document, spans=tuple(span for span in renamed if span.label))

    def old_thresholds(self, thresholds: Mapping[str, float]) -> dict[str, float]:
        """Return thresholds by new names as thresholds by the model's labels."""
        return {old: thresholds[new] for old, new in self.names.items() if new in thresholds}

    def rename_points(self, points: Mapping[str, Any]) -> dict[str, Any]:
        """Return the operating points of a model with the new names of its labels.

        Raises:
            ValueError: if labels are dropped or joined, for which no points were computed.
        """
        if not self.only_renames:
            raise ValueError(
                "the operating points are not those of a model whose labels are left out or "
                "joined; set threshold instead"
            )
        by_label = {self.names.get(old, old): part for old, part in points["labels"].items()}
        return {**points, "labels": by_label}

    def join_probabilities(self, words: WordProbabilities) -> WordProbabilities:
        """Return the probabilities of the new labels.

        Those of labels with the same new name are added, and those of dropped labels belong to no
        label.
        """
        labels = self.labels
        values = np.zeros((len(words.values), 1 + len(labels)))
        values[:, 0] = words.values[:, 0]
        for number, old in enumerate(words.labels, start=1):
            new = self.names[old]
            values[:, 1 + labels.index(new) if new else 0] += words.values[:, number]
        return WordProbabilities(words.words, labels, values)


def make_label_map(labels: Sequence[str]) -> LabelMap:
    """Return the map by which all labels keep their names."""
    return LabelMap({label: label for label in labels})


def parse_label_map(pairs: Iterable[str], option: str) -> dict[str, str]:
    """Return the new name of each label.

    Args:
        pairs: `LABEL=NAME`; without a name, mentions with the label are dropped.
        option: the option that gives them, for messages.

    Raises:
        InputError: if one is no such pair, or a label is mapped twice.
    """
    names: dict[str, str] = {}
    for pair in pairs:
        label, equals, name = (part.strip() for part in pair.partition("="))
        if not equals or not label:
            raise InputError(f"{option} {pair}: write LABEL=NAME, such as PER=PERSON")
        if names.setdefault(label, name) != name:
            raise InputError(f"{option} {pair}: '{label}' is mapped twice; keep one")
    return names
