"""Confidences: reliability, calibration on other documents, and thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.evaluation.bootstrap import Floats
from orbat.evaluation.calibration import (
    Calibrator,
    Confidences,
    fit_calibrator,
    measure_calibration,
    measure_reliability,
)
from orbat.evaluation.operating_points import (
    choose_threshold,
    operating_points,
    recommend_threshold,
    wilson_interval,
)
from tests.conftest import Orbat, Trained

probabilities = st.floats(0, 1, allow_nan=False)


def overconfident(count: int, seed: int) -> tuple[Floats, Floats]:
    """Draw outcomes whose log-odds are half of those of the confidences."""
    random = np.random.default_rng(seed)
    truth = random.beta(2, 1, count)
    odds = np.log(truth / (1 - truth))
    return 1 / (1 + np.exp(-2 * odds)), (random.random(count) < truth).astype(float)


def test_expected_calibration_error_by_hand() -> None:
    reliability = measure_reliability(
        np.array([0.9, 0.9, 0.3, 0.3]), np.array([1.0, 0.0, 0.0, 0.0])
    )
    assert reliability is not None
    assert reliability.error == pytest.approx((2 * 0.4 + 2 * 0.3) / 4)
    assert reliability.brier == pytest.approx((0.01 + 0.81 + 0.09 + 0.09) / 4)
    assert [(b.spans, b.precision) for b in reliability.bins] == [(2, 0.0), (2, 0.5)]
    assert measure_reliability(np.array([]), np.array([])) is None


def test_calibration_reduces_overconfidence_on_other_documents() -> None:
    scores, right = overconfident(2000, 0)
    calibrator = fit_calibrator(scores, right)
    assert calibrator is not None
    fresh, outcome = overconfident(2000, 1)
    before, after = (
        measure_reliability(fresh, outcome),
        measure_reliability(calibrator.apply(fresh), outcome),
    )
    assert before is not None and after is not None
    assert after.error < before.error / 2
    assert after.brier < before.brier


@given(arrays(np.float64, 20, elements=probabilities), st.sampled_from(["temperature", "isotonic"]))
def test_calibrated_confidences_keep_their_order_and_range(fresh: Floats, method: str) -> None:
    calibrator = Calibrator(method).fit(*overconfident(500, 2))
    calibrated = calibrator.apply(np.sort(fresh))
    assert (np.diff(calibrated) >= -1e-12).all()
    assert (calibrated >= 0).all() and (calibrated <= 1).all()


def test_no_calibrator_is_fitted_on_too_few_spans() -> None:
    scores, right = overconfident(30, 0)
    assert fit_calibrator(scores, right) is None
    assert fit_calibrator(np.full(100, 0.5), np.ones(100)) is None


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_intervals_equal_those_of_scipy(outcome: tuple[int, int]) -> None:
    hits, count = outcome
    expected = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson_interval(hits / count, count) == pytest.approx((expected.low, expected.high))


@given(
    arrays(np.float64, 12, elements=st.sampled_from([0.1, 0.4, 0.4001, 0.9, 1.0])),
    arrays(np.bool_, 12),
)
def test_operating_points_equal_plain_counts(scores: Floats, hits: Floats) -> None:
    for point in operating_points(scores, hits.astype(float), gold=20):
        kept = scores >= point.threshold
        assert point.spans == kept.sum()
        assert point.precision == pytest.approx(hits[kept].mean())
        assert point.recall == pytest.approx(hits[kept].sum() / 20)


def test_the_recommended_threshold_keeps_most_spans() -> None:
    scores, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1.0, 0.0, 1.0, 1.0])
    curve = operating_points(scores, right, gold=4)
    chosen = recommend_threshold(curve, 0.75)
    assert chosen is not None
    assert (chosen.threshold, chosen.spans) == (0.6, 4)
    assert recommend_threshold(curve, 1.0) == curve[-1]
    assert recommend_threshold(operating_points(scores, np.zeros(4), gold=4), 0.5) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=300), st.integers(0, 99))
def test_the_chosen_threshold_costs_at_most_half_a_point_of_f1(
    spans: list[tuple[float, bool]], missed: int
) -> None:
    # Enough spans of one confidence for a choice.
    spans += [(0.72, True)] * 100
    gold = sum(right for _, right in spans) + missed

    def f1(threshold: float) -> float:
        kept = [right for score, right in spans if score >= threshold]
        return 2 * sum(kept) / (len(kept) + gold)

    scores, correct = np.array(spans, float).T
    chosen = choose_threshold(scores, correct, gold)
    by_threshold = {step / 20: f1(step / 20) for step in range(20)}
    best = max(by_threshold.values())
    assert by_threshold[chosen] >= best - 0.005
    assert all(value < best - 0.005 for other, value in by_threshold.items() if other > chosen)
    assert choose_threshold(scores[-99:], correct[-99:], gold) == 0


@pytest.mark.parametrize(("right", "gold"), [(0, 0), (0, 50), (1, 500)])
def test_no_threshold_is_chosen_for_a_model_that_learned_nothing(right: int, gold: int) -> None:
    correct = np.zeros(200)
    correct[:right] = 1
    assert choose_threshold(np.full(200, 0.4), correct, gold) == 0


def test_spans_without_a_confidence_are_excluded() -> None:
    gold = Document("x", "aa bb", (Span(0, 2, "A"),))
    predicted = gold.with_spans([Span(0, 2, "A"), Span(3, 5, "A", score=0.7)])
    confidences = Confidences([(gold, predicted)])
    assert (confidences.unknown, confidences.scores.tolist(), confidences.correct.tolist()) == (
        1,
        [0.7],
        [0.0],
    )
    assert measure_calibration(Confidences([(gold, gold)])) is None


@pytest.mark.slow
def test_a_run_is_calibrated_on_its_dev_documents(
    orbat: Orbat, trained: Trained, tmp_path: Path, test_articles: list[Document]
) -> None:
    held_out = tmp_path / "held-out.jsonl"
    write_documents(held_out, test_articles[:8])
    outcome = orbat("evaluate", trained.run, held_out, "--json", "--target-precision", "0.5")
    assert outcome.code == 0, outcome.err
    calibration = outcome.json()["calibration"]
    assert calibration["method"] in ("temperature", "isotonic")
    # Better than a constant confidence of one half; few articles allow no stricter test.
    assert calibration["calibrated"]["brier"] < 0.25
    assert calibration["recommended"]["precision"] >= 0.5
    assert calibration["achieved"]["threshold"] == calibration["recommended"]["threshold"]
