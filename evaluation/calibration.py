"""Calibration of confidences, and the threshold that reaches a target precision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ..corpus.document import Document
from .bootstrap import Floats
from .operating_points import (
    OperatingPoint,
    operating_point_at,
    operating_points,
    recommend_threshold,
)

BINS = 10
MIN_SPANS = 50
"""Fewest predicted spans on which a calibrator is fitted."""
CalibrationMethod = Literal["temperature", "isotonic"]


@dataclass(frozen=True)
class ReliabilityBin:
    """Predicted spans with similar confidences.

    Attributes:
        spans: their number.
        confidence: their mean confidence.
        precision: the share of correct spans.
    """

    spans: int
    confidence: float
    precision: float


@dataclass(frozen=True)
class Reliability:
    """Agreement of confidence and precision.

    Attributes:
        spans: predicted spans with a confidence.
        error: expected calibration error (Naeini et al. 2015): mean distance between confidence
            and precision over :data:`BINS` bins of equal width, weighted by number of spans.
        brier: mean squared distance between confidence and outcome (Brier 1950).
        bins: the bins that are not empty, from low to high confidence.
    """

    spans: int
    error: float
    brier: float
    bins: tuple[ReliabilityBin, ...]


class Confidences:
    """Collects confidences of predicted spans and whether they are correct.

    Predictions without a score are excluded and counted in `unknown`.
    """

    def __init__(self, pairs: Iterable[tuple[Document, Document]] = ()) -> None:
        self._scores: list[float] = []
        self._correct: list[bool] = []
        self.gold = 0
        self.unknown = 0
        for gold, predicted in pairs:
            self.add(gold, predicted)

    def add(self, gold: Document, predicted: Document) -> None:
        """Add the predicted spans of one document; correct means a strict match."""
        gold_spans = set(gold.spans)
        self.gold += len(gold_spans)
        for span in predicted.spans:
            if span.score is None:
                self.unknown += 1
            else:
                self._scores.append(min(max(span.score, 0.0), 1.0))
                self._correct.append(span in gold_spans)

    @property
    def scores(self) -> Floats:
        """Confidences. *Shape:* (spans,)."""
        return np.asarray(self._scores, dtype=np.float64)

    @property
    def correct(self) -> Floats:
        """1.0 where the span is correct. *Shape:* (spans,)."""
        return np.asarray(self._correct, dtype=np.float64)


def measure_reliability(scores: Floats, correct: Floats) -> Reliability | None:
    """Compare confidences with outcomes; None if there are none. *Shape:* (spans,) each."""
    if len(scores) == 0:
        return None
    bin_of = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins = []
    for index in range(BINS):
        inside = bin_of == index
        if inside.any():
            confidence, precision = scores[inside].mean(), correct[inside].mean()
            bins.append(ReliabilityBin(int(inside.sum()), float(confidence), float(precision)))
    error = sum(b.spans * abs(b.confidence - b.precision) for b in bins) / len(scores)
    brier = float(np.mean((scores - correct) ** 2))
    return Reliability(len(scores), error, brier, tuple(bins))


class Calibrator:
    """A monotone map from confidences to calibrated confidences.

    Args:
        method: `temperature` divides the log-odds by a constant (temperature scaling, Guo et al.
            2017, arXiv:1706.04599). `isotonic` is isotonic regression (Zadrozny & Elkan 2002) as
            implemented by scikit-learn.
    """

    def __init__(self, method: CalibrationMethod) -> None:
        self.method: CalibrationMethod = method

    def fit(self, scores: Floats, correct: Floats) -> Calibrator:
        """Fit on confidences and outcomes. *Shape:* (spans,) each."""
        if self.method == "temperature":
            from sklearn.linear_model import LogisticRegression

            model = LogisticRegression(C=1e6, fit_intercept=False)
            self._model: Any = model.fit(_log_odds(scores)[:, None], correct)
        else:
            from sklearn.isotonic import IsotonicRegression

            model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
            self._model = model.fit(scores, correct)
        return self

    def apply(self, scores: Floats) -> Floats:
        """Return calibrated confidences. *Shape:* (spans,)."""
        if len(scores) == 0:
            return scores
        if self.method == "temperature":
            calibrated: Floats = self._model.predict_proba(_log_odds(scores)[:, None])[:, 1]
        else:
            calibrated = self._model.predict(scores)
        return calibrated


def _log_odds(scores: Floats) -> Floats:
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    log_odds: Floats = np.log(clipped / (1 - clipped))
    return log_odds


def fit_calibrator(scores: Floats, correct: Floats) -> Calibrator | None:
    """Fit the method that has the lower Brier score in five-fold cross-validation.

    Use other documents than those that are scored afterwards.

    Args:
        scores: confidences. *Shape:* (spans,)
        correct: outcomes. *Shape:* (spans,)

    Returns:
        The calibrator; None for fewer than :data:`MIN_SPANS` spans, or if all spans are correct
        or all are wrong.
    """
    if len(scores) < MIN_SPANS or correct.min() == correct.max():
        return None
    from sklearn.model_selection import StratifiedKFold

    minority = int(min(correct.sum(), len(correct) - correct.sum()))
    methods: tuple[CalibrationMethod, ...] = ("temperature", "isotonic")
    loss = dict.fromkeys(methods, 0.0)
    if minority >= 2:
        folds = StratifiedKFold(min(5, minority), shuffle=True, random_state=0)
        for train, test in folds.split(scores, correct):
            for method in methods:
                calibrator = Calibrator(method).fit(scores[train], correct[train])
                loss[method] += float(np.sum((calibrator.apply(scores[test]) - correct[test]) ** 2))
    return Calibrator(min(methods, key=loss.__getitem__)).fit(scores, correct)


@dataclass(frozen=True)
class Calibration:
    """Reliability of a system's confidences, before and after calibration.

    Attributes:
        raw: reliability on the scored documents.
        calibrated: the same after calibration; None if no calibrator could be fitted.
        method: the method of calibration, if any.
        target_precision: the precision for which a threshold is recommended.
        recommended: the operating point that reaches the target precision on the documents that
            the calibrator was fitted on.
        achieved: the operating point at the recommended threshold on the scored documents.
        curve: operating points on the scored documents by threshold, at most 100.
    """

    raw: Reliability
    calibrated: Reliability | None
    method: CalibrationMethod | None
    target_precision: float
    recommended: OperatingPoint | None
    achieved: OperatingPoint | None
    curve: tuple[OperatingPoint, ...]


def measure_calibration(
    scored: Confidences, fitted: Confidences | None = None, *, target_precision: float = 0.95
) -> Calibration | None:
    """Measure reliability; calibrate and recommend a threshold on other documents.

    Args:
        scored: confidences on the scored documents.
        fitted: confidences on other labeled documents, such as the dev split.
        target_precision: the precision for which a threshold is recommended.

    Returns:
        The calibration; None if no scored prediction has a confidence.
    """
    scores, correct = scored.scores, scored.correct
    raw = measure_reliability(scores, correct)
    if raw is None:
        return None
    calibrator = recommended = achieved = calibrated = None
    if fitted is not None:
        calibrator = fit_calibrator(fitted.scores, fitted.correct)
        recommended = recommend_threshold(
            operating_points(fitted.scores, fitted.correct, fitted.gold), target_precision
        )
    if calibrator is not None:
        calibrated = measure_reliability(calibrator.apply(scores), correct)
    if recommended is not None:
        achieved = operating_point_at(scores, correct, scored.gold, recommended.threshold)
    curve = operating_points(scores, correct, scored.gold)
    step = max(1, -(-len(curve) // 100))
    return Calibration(
        raw,
        calibrated,
        calibrator.method if calibrator else None,
        target_precision,
        recommended,
        achieved,
        tuple(curve[::step]),
    )


def calibration_to_json(calibration: Calibration) -> dict[str, Any]:
    """Return a calibration as a JSON object."""
    return asdict(calibration)
