"""What a confidence is worth: reliability, calibration, and the cut for a wanted precision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..corpus.document import Document
from .bootstrap import Floats

BINS = 10
FEWEST = 50
"""Predicted spans below which nothing is fitted."""
Method = Literal["temperature", "isotonic"]


@dataclass(frozen=True)
class Bin:
    """Predicted spans of about the same confidence.

    Attributes:
        spans: their number.
        confidence: their mean confidence.
        precision: the share that is right.
    """

    spans: int
    confidence: float
    precision: float


@dataclass(frozen=True)
class Reliability:
    """How confidence and precision agree.

    Attributes:
        spans: predicted spans with a confidence.
        error: expected calibration error (Naeini et al. 2015): mean distance of confidence and
            precision over :data:`BINS` bins of equal width, weighted by their spans.
        brier: mean squared distance of confidence and outcome (Brier 1950).
        bins: the bins that hold spans, from low to high.
    """

    spans: int
    error: float
    brier: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class OperatingPoint:
    """Precision and recall when only spans of at least `threshold` are kept."""

    threshold: float
    precision: float
    recall: float | None
    spans: int


class Confidences:
    """Confidences of predicted spans and whether they were right, document by document.

    A span without a score is left out and counted in `unknown`.
    """

    def __init__(self, pairs: Iterable[tuple[Document, Document]] = ()) -> None:
        self._scores: list[float] = []
        self._right: list[bool] = []
        self.gold = 0
        self.unknown = 0
        for gold, predicted in pairs:
            self.add(gold, predicted)

    def add(self, gold: Document, predicted: Document) -> None:
        """Take one document's predicted spans; right means strictly right."""
        wanted = set(gold.spans)
        self.gold += len(wanted)
        for span in predicted.spans:
            if span.score is None:
                self.unknown += 1
            else:
                self._scores.append(min(max(span.score, 0.0), 1.0))
                self._right.append(span in wanted)

    @property
    def scores(self) -> Floats:
        """Confidences. *Shape:* (spans,)."""
        return np.asarray(self._scores, dtype=np.float64)

    @property
    def right(self) -> Floats:
        """1.0 where the span is right. *Shape:* (spans,)."""
        return np.asarray(self._right, dtype=np.float64)


def reliability(scores: Floats, right: Floats) -> Reliability | None:
    """Compare confidences with outcomes; None without any."""
    if len(scores) == 0:
        return None
    places = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins = []
    for place in range(BINS):
        inside = places == place
        if inside.any():
            bins.append(
                Bin(int(inside.sum()), float(scores[inside].mean()), float(right[inside].mean()))
            )
    error = sum(b.spans * abs(b.confidence - b.precision) for b in bins) / len(scores)
    return Reliability(len(scores), error, float(np.mean((scores - right) ** 2)), tuple(bins))


class Calibrator:
    """A monotone map from confidences to better ones.

    temperature: divides the log-odds by one number (Guo et al. 2017, arXiv:1706.04599). isotonic:
    the best monotone step function (Zadrozny & Elkan 2002), by scikit-learn.
    """

    def __init__(self, method: Method) -> None:
        self.method: Method = method

    def fit(self, scores: Floats, right: Floats) -> Calibrator:
        """Fit on confidences and outcomes. *Shape:* (spans,) each."""
        if self.method == "temperature":
            from sklearn.linear_model import LogisticRegression

            model = LogisticRegression(C=1e6, fit_intercept=False)
            self._model: Any = model.fit(_log_odds(scores)[:, None], right)
        else:
            from sklearn.isotonic import IsotonicRegression

            model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
            self._model = model.fit(scores, right)
        return self

    def apply(self, scores: Floats) -> Floats:
        """Return calibrated confidences. *Shape:* (spans,)."""
        if len(scores) == 0:
            return scores
        if self.method == "temperature":
            found: Floats = self._model.predict_proba(_log_odds(scores)[:, None])[:, 1]
        else:
            found = self._model.predict(scores)
        return found


def _log_odds(scores: Floats) -> Floats:
    safe = np.clip(scores, 1e-6, 1 - 1e-6)
    odds: Floats = np.log(safe / (1 - safe))
    return odds


def fit_calibrator(scores: Floats, right: Floats) -> Calibrator | None:
    """Fit the method with the lower Brier score in five-fold cross-validation.

    Give it documents that are not scored afterwards. None for fewer than :data:`FEWEST` spans, or
    where all are right or all wrong: there is nothing to learn.
    """
    if len(scores) < FEWEST or right.min() == right.max():
        return None
    from sklearn.model_selection import StratifiedKFold

    few = int(min(right.sum(), len(right) - right.sum()))
    methods: tuple[Method, ...] = ("temperature", "isotonic")
    loss = dict.fromkeys(methods, 0.0)
    if few >= 2:
        folds = StratifiedKFold(min(5, few), shuffle=True, random_state=0)
        for fit, held in folds.split(scores, right):
            for method in methods:
                found = Calibrator(method).fit(scores[fit], right[fit]).apply(scores[held])
                loss[method] += float(np.sum((found - right[held]) ** 2))
    return Calibrator(min(methods, key=loss.__getitem__)).fit(scores, right)


def operating_points(scores: Floats, right: Floats, gold: int) -> list[OperatingPoint]:
    """Return precision and recall for every threshold that changes them, from low to high."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(right[order])
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True)[: len(ranked)])
    found = [
        OperatingPoint(
            float(ranked[i]),
            float(hits[i] / (i + 1)),
            float(hits[i] / gold) if gold else None,
            int(i + 1),
        )
        for i in last
    ]
    return found[::-1]


def recommend_threshold(curve: Sequence[OperatingPoint], precision: float) -> OperatingPoint | None:
    """Return the cut that keeps the most spans with this precision; None if none has it."""
    return next((cut for cut in curve if cut.precision >= precision), None)


def operating_point_at(
    scores: Floats, right: Floats, gold: int, threshold: float
) -> OperatingPoint | None:
    """Return precision and recall at a threshold; None where it keeps no span."""
    kept = scores >= threshold
    if not kept.any():
        return None
    hits = float(right[kept].sum())
    spans = int(kept.sum())
    return OperatingPoint(threshold, hits / spans, hits / gold if gold else None, spans)


@dataclass(frozen=True)
class Calibration:
    """What is known of a model's confidence.

    Attributes:
        raw: its reliability on the scored documents.
        calibrated: the same after calibration, where a calibrator could be fitted.
        method: how, if so.
        target_precision: the precision that was asked for.
        recommended: the operating point that reaches the target on the documents that the
            calibrator was fitted on.
        achieved: what that operating point gives on the scored documents.
        curve: precision and recall by threshold on the scored documents, at most 100 points.
    """

    raw: Reliability
    calibrated: Reliability | None
    method: Method | None
    target_precision: float
    recommended: OperatingPoint | None
    achieved: OperatingPoint | None
    curve: tuple[OperatingPoint, ...]


def calibration(
    scored: Confidences, fitted: Confidences | None = None, *, target_precision: float = 0.95
) -> Calibration | None:
    """Measure confidences, calibrate them on other documents, and find a cut there.

    Args:
        scored: of the documents that are scored.
        fitted: of other, labelled documents, such as the dev split.
        target_precision: the precision wanted.

    Returns:
        None if no scored span has a confidence.
    """
    scores, right = scored.scores, scored.right
    raw = reliability(scores, right)
    if raw is None:
        return None
    calibrator = recommended = achieved = better = None
    if fitted is not None:
        known, known_right = fitted.scores, fitted.right
        calibrator = fit_calibrator(known, known_right)
        recommended = recommend_threshold(
            operating_points(known, known_right, fitted.gold), target_precision
        )
    if calibrator is not None:
        better = reliability(calibrator.apply(scores), right)
    if recommended is not None:
        achieved = operating_point_at(scores, right, scored.gold, recommended.threshold)
    curve = operating_points(scores, right, scored.gold)
    step = max(1, -(-len(curve) // 100))
    return Calibration(
        raw,
        better,
        calibrator.method if calibrator else None,
        target_precision,
        recommended,
        achieved,
        tuple(curve[::step]),
    )


def calibration_to_json(found: Calibration) -> dict[str, Any]:
    """Return a calibration as a JSON object."""
    from dataclasses import asdict

    return asdict(found)
