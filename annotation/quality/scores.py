"""Scores of an annotator against known gold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...corpus.document import Document
from ...evaluation.metrics import ALL_LABELS, Evaluation, ScoreTable, score_to_json
from ...ui import DataTable, format_interval


def score_annotator(
    gold: Mapping[str, Document], annotated: Iterable[Document], labels: Sequence[str]
) -> Evaluation:
    """Score an annotator's documents against their gold.

    Args:
        gold: documents with gold spans, by id.
        annotated: the annotator's documents; those without gold are left out.
        labels: the labels of the session.
    """
    table = ScoreTable(labels)
    for document in annotated:
        if document.id in gold:
            table.add(gold[document.id], document)
    return table.evaluate()


def scores_to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return strict scores as a JSON object: of all labels together and of each label."""
    strict = evaluation.strict
    return {
        "documents": evaluation.documents,
        **score_to_json(strict.micro),
        "labels": {name: score_to_json(score) for name, score in strict.labels.items()},
    }


def annotator_score_table(title: str, evaluation: Evaluation, note: str = "") -> DataTable:
    """Return the strict scores of an annotator as a table, all labels together first."""
    strict = evaluation.strict
    rows = tuple(
        (
            *(name, score.precision, score.recall, score.f1),
            *(format_interval(score.low, score.high), score.gold, score.predicted, score.credit),
        )
        for name, score in ((ALL_LABELS, strict.micro), *strict.labels.items())
    )
    columns = (
        *("label", "precision", "recall", "F1", "95 % interval"),
        *("gold", "marked", "correct"),
    )
    return DataTable(title, columns, rows, note=note)
