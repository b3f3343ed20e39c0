"""Scores of a written model on its dev documents: as they are, at ordinary density, untidy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...corpus.document import Document
from ...evaluation.false_alarms.rates import FalseAlarmTable, false_alarms_to_json
from ...evaluation.metrics import ScoreTable, evaluation_to_json
from ...evaluation.robustness.measurement import measure_robustness, robustness_to_json
from ...ui import OnProgress, ignore_progress

ORDINARY_SPANS = 2
"""Most gold spans of a document that counts as one of ordinary density."""


@dataclass(frozen=True)
class DevScores:
    """Scores on dev documents, as JSON objects.

    Attributes:
        tidy: scores and false alarms on all documents as written: `documents`, the strict scores
            (`micro` and `labels`) and `false_alarms`.
        ordinary: the same on the documents with at most :data:`ORDINARY_SPANS` gold spans; None if
            there is none.
        robustness: scores on the documents in lower case, hard-wrapped and so on; see
            :func:`orbat.measure_robustness`.
    """

    tidy: Mapping[str, Any]
    ordinary: Mapping[str, Any] | None
    robustness: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return precision, recall and F1 of each measurement, for a model's metadata."""
        ordinary = self.ordinary
        return {
            "tidy": _figures(self.tidy["micro"], self.tidy["documents"]),
            "ordinary": _figures(ordinary["micro"], ordinary["documents"]) if ordinary else None,
            "untidy": {
                version["name"]: _figures(version, self.robustness["documents"])
                for version in self.robustness["versions"][1:]
            },
        }


def _figures(score: Mapping[str, Any], documents: int) -> dict[str, Any]:
    return {
        "documents": documents,
        **{name: score[name] for name in ("precision", "recall", "f1", "low", "high")},
    }


def measure_dev_scores(
    gold: Sequence[Document],
    tag: Callable[[Iterable[Document]], Iterable[Document]],
    labels: Sequence[str],
    *,
    tagged: Sequence[Document] | None = None,
    on_progress: OnProgress = ignore_progress,
) -> DevScores:
    """Tag the dev documents as they are and in other forms, and score them.

    Args:
        gold: the dev documents.
        tag: returns documents with the spans of the written model.
        labels: the label set.
        tagged: the dev documents with the model's spans; None tags them, too.
        on_progress: receives the number of forms that are tagged.
    """
    predicted = list(tag(gold)) if tagged is None else tagged
    pairs = list(zip(gold, predicted, strict=True))
    sparse = [pair for pair in pairs if len(pair[0].spans) <= ORDINARY_SPANS]
    return DevScores(
        _score(pairs, labels),
        _score(sparse, labels) if sparse else None,
        robustness_to_json(
            measure_robustness(gold, tag, labels, tagged=predicted, on_progress=on_progress)
        ),
    )


def _score(pairs: Iterable[tuple[Document, Document]], labels: Sequence[str]) -> dict[str, Any]:
    scores, alarms = ScoreTable(labels), FalseAlarmTable(labels)
    for pair in pairs:
        scores.add(*pair)
        alarms.add(*pair)
    evaluation = evaluation_to_json(scores.evaluate())
    return {
        "documents": evaluation["documents"],
        **evaluation["strict"],
        "false_alarms": false_alarms_to_json(alarms.false_alarms()),
    }
