"""False alarms on documents that need no annotation, since some labels do not occur in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...corpus.document import Document
from ...corpus.files import read_documents, sha256_path
from ...errors import InputError
from ...ui import OnProgress, Progress, ignore_progress
from ..bootstrap import RESAMPLES
from ..comparison.systems import (
    GoldDocuments,
    Pairs,
    ReadGold,
    System,
    TrainedModel,
    system_from_file,
    system_from_model,
)
from ..mentions import surface_of
from .rates import FalseAlarms, FalseAlarmTable, false_alarms_to_json

SHOWN_SURFACES = 20
"""Surfaces that are listed; all false alarms are counted."""


@dataclass(frozen=True)
class AlarmSurface:
    """The false alarms with one surface and label.

    Attributes:
        label: the label.
        surface: the marked text.
        spans: their number.
        doc_id: the first document with one.
    """

    label: str
    surface: str
    spans: int
    doc_id: str


@dataclass(frozen=True)
class UnannotatedEvaluation:
    """One system's false alarms on documents in which some labels do not occur.

    Attributes:
        name: the name of the system.
        file: the name of the documents' file, and the condition that selects some of them.
        sha256: SHA-256 of the file.
        seen_in_training: number of documents that the system was trained or selected on.
        false_alarms: every prediction with one of the labels counts as false.
        surfaces: the most frequent false alarms, at most :data:`SHOWN_SURFACES`.
        notes: what the user should know of how the documents were paired.
    """

    name: str
    file: str
    sha256: str
    seen_in_training: int
    false_alarms: FalseAlarms
    surfaces: tuple[AlarmSurface, ...]
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """Reasons to doubt the rates: documents matched by text, or seen in training."""
        if not self.seen_in_training:
            return list(self.notes)
        return [
            *self.notes,
            f"{self.seen_in_training} of these {self.false_alarms.documents} documents were used "
            "for training or model selection",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as a JSON object."""
        return {
            "model": self.name,
            "unannotated": self.file,
            "sha256": self.sha256,
            "seen_in_training": self.seen_in_training,
            "false_alarms": false_alarms_to_json(self.false_alarms),
            "surfaces": [vars(surface) for surface in self.surfaces],
        }


def measure_false_alarms(
    systems: Sequence[TrainedModel | Path | str],
    documents: Path | str,
    labels: Sequence[str],
    *,
    where: str | None = None,
    read: ReadGold = read_documents,
    resamples: int = RESAMPLES,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> list[UnannotatedEvaluation]:
    """Count what systems mark in documents that have no entity of some labels.

    The documents need no annotation. Predictions with other labels are not counted. A model
    records the result in its run folder, if it has one.

    Example:
        >>> (result,) = measure_false_alarms([model], "sport.jsonl", ["UNIT", "RANK"])
        >>> result.false_alarms.micro.per_1000_words
        0.25

    Args:
        systems: models, or paths of files with predictions for the documents.
        documents: file of the documents.
        labels: the labels that do not occur in the documents.
        where: ``KEY=VALUE``; only documents with this value in their meta are used.
        read: reads the documents and the predictions; by default JSON Lines.
        resamples: number of bootstrap resamples.
        seed: random seed of the resampling.
        on_progress: receives the progress by system.

    Returns:
        One evaluation for each system.

    Raises:
        InputError: if a file, record or label is not valid, a document has a gold span with one of
            the labels, or the predictions are not for the same documents.
    """
    if not systems or not labels:
        raise InputError("no system or no label to count false alarms of; give one of each")
    unannotated = GoldDocuments(Path(documents), None, where, annotated=False, read=read)
    unannotated.check()
    for system in systems:
        known = None if isinstance(system, Path | str) else system.labels
        unknown = [label for label in labels if known is not None and label not in known]
        if unknown:
            raise InputError(
                f"--false-alarms {unknown[0]}: the model has no such label; its labels are "
                f"{', '.join(known or ())}"
            )
    results = []
    for number, system in enumerate(systems):
        on_progress(Progress("Counting false alarms", number, len(systems)))
        prepared = (
            system_from_file(Path(system), unannotated)
            if isinstance(system, Path | str)
            else system_from_model(system, unannotated)
        )
        results.append(_evaluate(prepared, unannotated, labels, resamples, seed))
    on_progress(Progress("Counting false alarms", len(systems), len(systems)))
    return results


def _evaluate(
    system: System, documents: GoldDocuments, labels: Sequence[str], resamples: int, seed: int
) -> UnannotatedEvaluation:
    table = FalseAlarmTable(labels)
    surfaces = Counter[tuple[str, str]]()
    first: dict[tuple[str, str], str] = {}
    for gold, predicted in _with_labels(system.pairs(), documents.file, labels):
        table.add(gold, predicted)
        for span in predicted.spans:
            key = (span.label, " ".join(surface_of(gold, span).split()))
            surfaces[key] += 1
            first.setdefault(key, gold.id)
    file = documents.file
    result = UnannotatedEvaluation(
        system.name,
        documents.name,
        sha256_path(file),
        system.seen,
        table.false_alarms(resamples=resamples, seed=seed),
        tuple(
            AlarmSurface(*key, spans=count, doc_id=first[key])
            for key, count in surfaces.most_common(SHOWN_SURFACES)
        ),
        tuple(system.matches.lines()),
    )
    system.record(f"false-alarms-{documents.record_name}", result.to_json())
    return result


def _with_labels(pairs: Pairs, file: Path, labels: Sequence[str]) -> Pairs:
    """Yield the pairs with the predictions of some labels, and without gold spans."""
    for gold, predicted in pairs:
        contradiction = next((span for span in gold.spans if span.label in labels), None)
        if contradiction is not None:
            raise InputError(
                f"{file}: document '{gold.id}' has a gold span with the label "
                f"{contradiction.label}, which --false-alarms says does not occur; leave the "
                "label out, or score the file as gold without this option"
            )
        kept = [span for span in predicted.spans if span.label in labels]
        yield Document(gold.id, gold.text, (), gold.meta), predicted.with_spans(kept)
