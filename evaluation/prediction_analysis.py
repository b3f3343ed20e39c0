"""Analysis of one system's predictions: all measurements, taken in one pass over the documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..corpus.document import Document
from ..errors import InputError
from .bootstrap import RESAMPLES
from .calibration import Calibration, Confidences, calibration_to_json, measure_calibration
from .comparison.human_baseline import HumanBaseline, HumanBaselineTable, human_baseline_to_json
from .error_analysis.analysis import ErrorLog, ErrorSummary, summary_to_json
from .false_alarms.rates import FalseAlarms, FalseAlarmTable, false_alarms_to_json
from .mentions import MentionIndex
from .metrics import Evaluation, ScoreTable, evaluation_to_json
from .slices import Slice, SliceTable, dimensions, slice_to_json, worst_slice


@dataclass(frozen=True)
class PredictionAnalysis:
    """Measurements of one system's predictions against gold.

    Attributes:
        evaluation: the scores.
        slices: scores of groups of mentions and documents.
        worst_slice: the group with the lowest F1 among the large ones.
        calibration: reliability of the confidences; None if the predictions have none.
        errors: the errors.
        false_alarms: false alarms per 1,000 words, perfect documents and those without entities.
        human_baseline: annotators' scores on the same documents; None if no annotations were
            given.
    """

    evaluation: Evaluation
    slices: tuple[Slice, ...]
    worst_slice: Slice | None
    calibration: Calibration | None
    errors: ErrorSummary
    false_alarms: FalseAlarms
    human_baseline: HumanBaseline | None


def analyze_predictions(
    pairs: Iterable[tuple[Document, Document]],
    *,
    labels: Iterable[str] = (),
    train: Iterable[Document] | None = None,
    dev: Iterable[tuple[Document, Document]] | None = None,
    annotations: Mapping[str, Sequence[Document]] | None = None,
    slice_by: Sequence[str] = (),
    target_precision: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PredictionAnalysis:
    """Measure one system's predictions.

    Texts are not kept in memory, except those of the errors that are shown.

    Args:
        pairs: gold and predicted documents, paired by id.
        labels: the label set.
        train: the training documents, to distinguish seen from unseen mentions.
        dev: gold and predicted documents to calibrate on, such as the dev split.
        annotations: annotators' documents by annotator, for the human baseline.
        slice_by: meta fields to slice by, in addition to the default dimensions.
        target_precision: the precision for which a threshold is recommended.
        resamples: number of bootstrap resamples.
        seed: random seed of the resampling.

    Raises:
        InputError: if there is no document.
    """
    mentions = MentionIndex(train) if train is not None else None
    labels = list(labels)
    scores = ScoreTable(labels)
    alarms = FalseAlarmTable(labels)
    slices = SliceTable(dimensions(train=mentions, fields=slice_by))
    confidences = Confidences()
    errors = ErrorLog(train=mentions)
    human_baseline = HumanBaselineTable(annotations or {})
    for gold, predicted in pairs:
        for part in (scores, alarms, slices, confidences, errors, human_baseline):
            part.add(gold, predicted)
    if not scores.documents:
        raise InputError("no document to score; give gold documents")
    groups = slices.slices(resamples=resamples, seed=seed)
    return PredictionAnalysis(
        scores.evaluate(resamples=resamples, seed=seed),
        tuple(groups),
        worst_slice(groups),
        measure_calibration(
            confidences,
            Confidences(dev) if dev is not None else None,
            target_precision=target_precision,
        ),
        errors.summary(),
        alarms.false_alarms(resamples=resamples, seed=seed),
        human_baseline.baseline(resamples=resamples, seed=seed) if annotations else None,
    )


def analysis_to_json(analysis: PredictionAnalysis) -> dict[str, Any]:
    """Return an analysis as a JSON object: the scores, and each other part under its name."""
    worst, calibration = analysis.worst_slice, analysis.calibration
    baseline = analysis.human_baseline
    return {
        **evaluation_to_json(analysis.evaluation),
        "false_alarms": false_alarms_to_json(analysis.false_alarms),
        "slices": [slice_to_json(part) for part in analysis.slices],
        "worst_slice": slice_to_json(worst) if worst else None,
        "calibration": calibration_to_json(calibration) if calibration else None,
        "errors": summary_to_json(analysis.errors),
        "human_baseline": human_baseline_to_json(baseline) if baseline else None,
    }
