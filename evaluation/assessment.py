"""All that is asked of one system's predictions, measured in one pass over the documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..corpus.document import Document
from ..errors import InputError
from .bootstrap import RESAMPLES
from .calibration import Calibration, Confidences, calibration, calibration_to_json
from .comparison.human_baseline import HumanBaseline, HumanBaselineTable, human_baseline_to_json
from .error_analysis import ErrorLog, ErrorSummary, summary_to_json
from .mentions import MentionIndex
from .metrics import Evaluation, ScoreTable, evaluation_to_json
from .slices import Slice, SliceTable, dimensions, slice_to_json, worst


@dataclass(frozen=True)
class Assessment:
    """What is known of one system on one gold set.

    Attributes:
        evaluation: the scores.
        slices: scores of groups.
        worst: the group of the lowest F1 among the large ones.
        calibration: what its confidence is worth; None if it gives none.
        errors: its errors.
        human_baseline: annotators beside it; None if no reading of theirs was given.
    """

    evaluation: Evaluation
    slices: tuple[Slice, ...]
    worst: Slice | None
    calibration: Calibration | None
    errors: ErrorSummary
    human_baseline: HumanBaseline | None


def assess(
    pairs: Iterable[tuple[Document, Document]],
    *,
    labels: Iterable[str] = (),
    train: Iterable[Document] | None = None,
    dev: Iterable[tuple[Document, Document]] | None = None,
    readings: Mapping[str, Sequence[Document]] | None = None,
    slice_by: Sequence[str] = (),
    target_precision: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Assessment:
    """Measure one system's predictions; texts are not kept, save those of the errors shown.

    Args:
        pairs: gold and predicted documents, paired by id.
        labels: the label set.
        train: the training documents, to tell seen mentions from unseen ones.
        dev: gold and predictions of documents to calibrate on, such as the dev split.
        readings: annotators' readings by name.
        slice_by: meta fields to slice by, besides the usual ones.
        target_precision: the precision for which a cut is recommended.
        resamples: number of bootstrap resamples.
        seed: of all resampling.

    Raises:
        InputError: if there is no document at all.
    """
    seen = MentionIndex(train) if train is not None else None
    scores = ScoreTable(labels)
    slices = SliceTable(dimensions(train=seen, asked=slice_by))
    confidences = Confidences()
    errors = ErrorLog(train=seen)
    human_baseline = HumanBaselineTable(readings or {})
    for gold, predicted in pairs:
        for part in (scores, slices, confidences, errors, human_baseline):
            part.add(gold, predicted)
    if not scores.documents:
        raise InputError("no document to score; give some gold")
    found = slices.slices(resamples=resamples, seed=seed)
    return Assessment(
        scores.evaluate(resamples=resamples, seed=seed),
        tuple(found),
        worst(found),
        calibration(
            confidences,
            Confidences(dev) if dev is not None else None,
            target_precision=target_precision,
        ),
        errors.summary(),
        human_baseline.baseline(resamples=resamples, seed=seed) if readings else None,
    )


def assessment_to_json(assessment: Assessment) -> dict[str, Any]:
    """Return an assessment as a JSON object: the scores, and each further part by its name."""
    low, sure, human_baseline = assessment.worst, assessment.calibration, assessment.human_baseline
    return {
        **evaluation_to_json(assessment.evaluation),
        "slices": [slice_to_json(each) for each in assessment.slices],
        "worst_slice": slice_to_json(low) if low else None,
        "calibration": calibration_to_json(sure) if sure else None,
        "errors": summary_to_json(assessment.errors),
        "human_baseline": human_baseline_to_json(human_baseline) if human_baseline else None,
    }
