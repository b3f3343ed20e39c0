"""The human baseline: scores of annotators on the same documents as the model."""

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
    """Scores of an annotator and of the model on the documents that the annotator annotated.

    Attributes:
        name: the annotator's name.
        documents: number of scored documents that the annotator annotated.
        annotator: strict scores of the annotator against gold. They are too high if the gold was
            adjudicated from these annotations.
        model: strict scores of the model on the same documents.
    """

    name: str
    documents: int
    annotator: Score
    model: Score


@dataclass(frozen=True)
class AnnotatorPair:
    """Strict scores of one annotator against another, on documents that both annotated."""

    first: str
    second: str
    documents: int
    score: Score


@dataclass(frozen=True)
class HumanBaseline:
    """Scores of annotators against gold, and of each two annotators against each other."""

    annotators: tuple[AnnotatorScores, ...]
    pairs: tuple[AnnotatorPair, ...]


class HumanBaselineTable:
    """Collects counts of annotators' spans, document by document.

    Args:
        annotations: each annotator's documents; their texts may be missing.
    """

    def __init__(self, annotations: Mapping[str, Sequence[Document]]) -> None:
        self._annotations = {
            name: {document.id: document for document in documents}
            for name, documents in annotations.items()
        }
        self._annotators = {name: (ScoreTable(), ScoreTable()) for name in annotations}
        self._pairs = {pair: ScoreTable() for pair in combinations(annotations, 2)}

    def add(self, gold: Document, predicted: Document) -> None:
        """Add one document.

        Raises:
            InputError: if an annotator has another text under the same id.
        """
        for name, (annotator, model) in self._annotators.items():
            annotated = self._annotations[name].get(gold.id)
            if annotated is not None:
                if annotated.text and annotated.text != gold.text:
                    raise InputError(
                        f"{name}: text of '{gold.id}' differs from the gold; "
                        "give annotations of the same texts"
                    )
                annotator.add(gold, annotated)
                model.add(gold, predicted)
        for (first, second), table in self._pairs.items():
            a, b = self._annotations[first].get(gold.id), self._annotations[second].get(gold.id)
            if a is not None and b is not None:
                table.add(a, b)

    def baseline(self, *, resamples: int = RESAMPLES, seed: int = 0) -> HumanBaseline:
        """Return the scores of those who annotated any of the documents, with intervals of F1.

        Args:
            resamples: number of bootstrap resamples.
            seed: random seed of the resampling.
        """

        def micro(table: ScoreTable) -> Score:
            return table.evaluate(resamples=resamples, seed=seed).strict.micro

        return HumanBaseline(
            tuple(
                AnnotatorScores(name, annotator.documents, micro(annotator), micro(model))
                for name, (annotator, model) in self._annotators.items()
                if annotator.documents
            ),
            tuple(
                AnnotatorPair(first, second, table.documents, micro(table))
                for (first, second), table in self._pairs.items()
                if table.documents
            ),
        )


def human_baseline_to_json(baseline: HumanBaseline) -> dict[str, Any]:
    """Return the human baseline as a JSON object."""
    return {
        "annotators": [
            {
                "name": scores.name,
                "documents": scores.documents,
                "annotator": score_to_json(scores.annotator),
                "model": score_to_json(scores.model),
            }
            for scores in baseline.annotators
        ],
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "documents": pair.documents,
                **score_to_json(pair.score),
            }
            for pair in baseline.pairs
        ],
    }
