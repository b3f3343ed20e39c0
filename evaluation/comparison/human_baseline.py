"""The model beside people who labelled the same documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ...corpus.document import Document
from ...errors import InputError
from ..bootstrap import RESAMPLES
from ..metrics import Score, ScoreTable, score_to_json


@dataclass(frozen=True)
class AnnotatorScores:
    """One annotator and the model on the documents that the annotator labelled.

    Attributes:
        name: the annotator's name.
        documents: how many of the scored documents the annotator labelled.
        annotator: the annotator's strict scores against gold. Where gold was adjudicated from this
            reading among others, it flatters the annotator.
        model: the model's on the same documents.
    """

    name: str
    documents: int
    annotator: Score
    model: Score


@dataclass(frozen=True)
class AnnotatorPair:
    """Strict scores of one annotator's spans against another's, on documents both labelled."""

    first: str
    second: str
    documents: int
    score: Score


@dataclass(frozen=True)
class HumanBaseline:
    """Annotators beside the model, and beside each other."""

    annotators: tuple[AnnotatorScores, ...]
    pairs: tuple[AnnotatorPair, ...]


class HumanBaselineTable:
    """Gathers counts of annotators' readings, one scored document at a time.

    Args:
        readings: each annotator's documents, spans without text allowed.
    """

    def __init__(self, readings: Mapping[str, Sequence[Document]]) -> None:
        self._readings = {
            name: {document.id: document for document in documents}
            for name, documents in readings.items()
        }
        self._annotators = {name: (ScoreTable(), ScoreTable()) for name in readings}
        self._pairs = {pair: ScoreTable() for pair in combinations(readings, 2)}

    def add(self, gold: Document, predicted: Document) -> None:
        """Count one document.

        Raises:
            InputError: if an annotator read another text under this id.
        """
        for name, (person, model) in self._annotators.items():
            reading = self._readings[name].get(gold.id)
            if reading is not None:
                if reading.text and reading.text != gold.text:
                    raise InputError(
                        f"{name}: text of '{gold.id}' differs from the gold's; "
                        "give readings of the same texts"
                    )
                person.add(gold, reading)
                model.add(gold, predicted)
        for (first, second), table in self._pairs.items():
            a, b = self._readings[first].get(gold.id), self._readings[second].get(gold.id)
            if a is not None and b is not None:
                table.add(a, b)

    def baseline(self, *, resamples: int = RESAMPLES, seed: int = 0) -> HumanBaseline:
        """Return who labelled any of the documents, with intervals of F1."""

        def micro(table: ScoreTable) -> Score:
            return table.evaluate(resamples=resamples, seed=seed).strict.micro

        return HumanBaseline(
            tuple(
                AnnotatorScores(name, person.documents, micro(person), micro(model))
                for name, (person, model) in self._annotators.items()
                if person.documents
            ),
            tuple(
                AnnotatorPair(first, second, table.documents, micro(table))
                for (first, second), table in self._pairs.items()
                if table.documents
            ),
        )


def human_baseline_to_json(people: HumanBaseline) -> dict[str, Any]:
    """Return the comparison with people as a JSON object."""
    return {
        "annotators": [
            {
                "name": person.name,
                "documents": person.documents,
                "annotator": score_to_json(person.annotator),
                "model": score_to_json(person.model),
            }
            for person in people.annotators
        ],
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "documents": pair.documents,
                **score_to_json(pair.score),
            }
            for pair in people.pairs
        ],
    }
