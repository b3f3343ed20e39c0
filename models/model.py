"""A trained model that tags documents, and the results of its evaluations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..annotation.word_probabilities import WordProbabilities
from ..corpus.document import Document
from ..corpus.files import write_json
from ..corpus.labels import NO_EXAMPLE
from ..corpus.reading.json_files import read_json_object
from ..corpus.tagger import Tagger
from ..errors import InputError, ModelError
from ..evaluation.operating_points import tabulate_operating_points
from ..training.base import RemoteTextTagger, TextTagger
from ..training.external.label_map import LabelMap, make_label_map
from ..training.external.loading import rename_fingerprint
from ..training.run_folder import EVALUATIONS_FOLDER, run_documents
from ..training.tagger.thresholds import check_thresholds, drop_below, find_thresholds
from ..training.tagging import predict_probabilities, tag_documents, with_norms
from ..training.values.normalizer import ValueNormalizer
from ..training.values.tables import ValueTables

_LONGEST_EXAMPLE = 300
"""Characters of a line of the training documents that is shown as example."""


@dataclass(frozen=True)
class Model(Tagger):
    """A trained model that tags documents.

    Attributes:
        name: the folder, file or package that it was loaded from.
        tagger: finds the mentions in texts.
        seen: SHA-256 of every text that it was trained or selected on.
        family: hash that is equal for models that differ in their seed only.
        fingerprint: hash that is equal for copies of the same model only.
        run: its run folder; None for a packaged model.
        packaged_operating_points: the operating points that a packaged model has; see
            :meth:`operating_points`.
        thresholds: the lowest confidence that is kept, by label; see :meth:`with_threshold`.
        normalizer: gives mentions their values.
        label_example: the example text of its label set; "" if there is none.
        label_map: other names of its labels; None for none. See :meth:`with_label_map`.
    """

    name: str
    tagger: TextTagger
    seen: frozenset[str]
    family: str
    fingerprint: str
    run: Path | None = None
    packaged_operating_points: Mapping[str, Any] | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    normalizer: ValueNormalizer = field(default=ValueNormalizer(ValueTables()), repr=False)
    label_example: str = ""
    label_map: LabelMap | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model can predict."""
        return self.tagger.labels if self.label_map is None else self.label_map.labels

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents in order, their spans replaced by the model's.

        Ids, texts and meta are not changed. Spans below the threshold are left out; the others
        have the values of their mentions.

        Raises:
            ModelError: if there is a threshold, and the model gives no confidences.
        """
        label_map, thresholds = self.label_map, self.thresholds
        if label_map is not None:
            thresholds = label_map.old_thresholds(thresholds)
        for document in tag_documents(self.tagger, documents):
            try:
                spans = drop_below(document.spans, thresholds)
            except ValueError as error:
                raise ModelError(f"{self.name}: {error}") from error
            # Values are those of the labels that the model was trained with.
            tagged = with_norms(document.with_spans(spans), self.normalizer)
            yield tagged if label_map is None else label_map.rename(tagged)

    def with_threshold(
        self,
        threshold: float | Mapping[str, float] | None = None,
        target_precision: float | Mapping[str, float] | None = None,
    ) -> Model:
        """Return the same model with a threshold: it leaves out spans of lower confidence.

        Args:
            threshold: a confidence for all labels, or by label. Of other labels, all spans are
                kept.
            target_precision: a precision on the dev documents for all labels together, or by
                label. The lowest threshold that reaches it is used.

        Raises:
            InputError: if both are given, a number is not from 0 to 1, a label is unknown, the
                target precision was not reached on the dev documents, or there are none.
        """
        try:
            check_thresholds(threshold, target_precision)
            points = None if target_precision is None else self.operating_points()
            thresholds = find_thresholds(self.labels, threshold, target_precision, points)
        except ValueError as error:
            raise InputError(f"{self.name}: {error}") from error
        return replace(self, thresholds=thresholds)

    def with_label_map(self, names: Mapping[str, str], source: str) -> Model:
        """Return the same model with other names of labels.

        Args:
            names: the new name of each label; "" drops its spans. Other labels keep their names.
            source: names the model or option in messages.

        Raises:
            InputError: if the model has no such label, a name cannot be a label's, the model is
                told the labels, or it has thresholds already.
        """
        if not names:
            return self
        if self.address is not None:
            raise InputError(f"{source}: a language model is told the labels; remove the map")
        if self.thresholds:
            raise InputError(f"{source}: rename labels before a threshold is set")
        label_map = (self.label_map or make_label_map(self.tagger.labels)).then(names, source)
        fingerprint, family = (
            rename_fingerprint(value, names) for value in (self.fingerprint, self.family)
        )
        return replace(self, label_map=label_map, fingerprint=fingerprint, family=family)

    @property
    def address(self) -> str | None:
        """Where texts are sent to be tagged; None if the model runs in this process."""
        return self.tagger.address if isinstance(self.tagger, RemoteTextTagger) else None

    def notes(self) -> list[str]:
        """Return lines on what was sent so far, what it cost, and what was left out."""
        return self.tagger.notes() if isinstance(self.tagger, RemoteTextTagger) else []

    def operating_points(self) -> Mapping[str, Any] | None:
        """Return precision and recall on the dev documents by threshold.

        A packaged model has them; for a run, they are computed from its dev documents. The form is
        that of :mod:`orbat.training.tagger.thresholds`.

        Returns:
            The operating points; None for a checkpoint, and for a model that was packaged without
            dev documents.

        Raises:
            InputError: if the run gives no confidences, or labels of a packaged model are dropped
                or joined.
            ModelError: if the run's documents were changed after training.
        """
        label_map = self.label_map
        if self.run is None:
            points = self.packaged_operating_points
            if points is None or label_map is None:
                return points
            try:
                return label_map.rename_points(points)
            except ValueError as error:
                raise InputError(f"{self.name}: {error}") from error
        dev = run_documents(self.run, "dev")
        tagged: Iterable[Document] = tag_documents(self.tagger, dev)
        if label_map is not None:
            dev, tagged = list(map(label_map.rename, dev)), map(label_map.rename, tagged)
        return tabulate_operating_points(zip(dev, tagged, strict=True), self.labels)

    def probabilities(self, documents: Iterable[Document]) -> Iterator[WordProbabilities]:
        """Yield the label probabilities of each document's words.

        Raises:
            ModelError: if the model is of a kind without probabilities.
        """
        texts = (document.text for document in documents)
        predicted = predict_probabilities(self.tagger, texts, self.name)
        return (
            predicted
            if self.label_map is None
            else map(self.label_map.join_probabilities, predicted)
        )

    def documents(self, part: str) -> list[Document] | None:
        """Return the documents of `train` or `dev`; None for a packaged model, which has none.

        Raises:
            ModelError: if the documents were changed after training.
        """
        if self.run is None:
            return None
        documents = run_documents(self.run, part)
        return documents if self.label_map is None else list(map(self.label_map.rename, documents))

    @cached_property
    def example(self) -> str:
        """A text to try the model on.

        It is that of the label set, else a line with a mention from the run's training documents,
        which a packaged model does not have.

        Raises:
            ModelError: if the documents were changed after training.
        """
        if self.label_example or self.run is None:
            return self.label_example or NO_EXAMPLE
        for document in run_documents(self.run, "train"):
            for span in document.spans:
                line, start = document.text, span.start
                first, last = line.rfind("\n", 0, start) + 1, line.find("\n", span.end)
                line = line[first : last if last >= 0 else None].strip()
                if len(line) <= _LONGEST_EXAMPLE:
                    return line
        return NO_EXAMPLE

    def record_evaluation(self, gold: str, result: Mapping[str, Any]) -> None:
        """Write an evaluation's result into the run folder.

        Do nothing for a packaged model, and for one with other names of labels.

        The model card shows all recorded results. A later result on gold of the same name replaces
        an earlier one.

        Args:
            gold: the name of the gold file.
            result: the evaluation as JSON.
        """
        if self.run is not None and self.label_map is None:
            name = re.sub(r"[^\w.=-]+", "-", gold)
            write_json(self.run / EVALUATIONS_FOLDER / f"{name}.json", result)


def read_evaluations(run: Path) -> list[dict[str, Any]]:
    """Return the results recorded in a run folder, ordered by the names of the gold files.

    Raises:
        ModelError: if one of them is broken.
    """
    evaluations = []
    for path in sorted((Path(run) / EVALUATIONS_FOLDER).glob("*.json")):
        try:
            evaluations.append(read_json_object(path))
        except InputError as error:
            raise ModelError(f"{path}: broken; delete it and evaluate again") from error
    return evaluations
