"""Thresholds: which mentions are kept, and the errors for values that make no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.corpus.document import Document, Span
from orbat.errors import InputError
from orbat.evaluation.operating_points import MIN_KEPT, tabulate_operating_points
from orbat.models.commands.thresholds import parse_thresholds
from orbat.training.tagger.mentions import Mention
from orbat.training.tagger.thresholds import (
    drop_below,
    find_operating_point,
    find_thresholds,
    read_points,
)

LABELS = ("UNIT", "RANK")


def documents(outcomes: list[tuple[str, float, bool]]) -> list[tuple[Document, Document]]:
    """Return gold and predicted documents with one prediction each."""
    pairs = []
    for index, (label, score, correct) in enumerate(outcomes):
        text = "Alpha Bravo"
        gold = [Span(0, 5, label)] if correct else [Span(6, 11, label)]
        pairs.append(
            (
                Document(str(index), text, tuple(gold)),
                Document(str(index), text, (Span(0, 5, label, score=score),)),
            )
        )
    return pairs


def random_points(seed: int, count: int = 300) -> tuple[list[Any], dict[str, Any]]:
    """Return outcomes whose confidences are calibrated, and their operating points."""
    random = np.random.default_rng(seed)
    outcomes = [(label, 1.0, False) for label in LABELS]
    for _ in range(count):
        score = round(float(random.random()), 4)
        outcomes.append((str(random.choice(LABELS)), score, bool(random.random() < score)))
    return outcomes, tabulate_operating_points(documents(outcomes), LABELS)


@given(
    st.lists(st.tuples(st.sampled_from(LABELS), st.floats(0, 1))),
    st.dictionaries(st.sampled_from(LABELS), st.floats(0, 1)),
)
def test_exactly_the_mentions_below_their_threshold_are_dropped(
    scored: list[tuple[str, float]], thresholds: dict[str, float]
) -> None:
    mentions = [Mention(i, i + 1, label, score) for i, (label, score) in enumerate(scored)]
    kept = drop_below(mentions, thresholds)
    assert kept == [
        m
        for m in mentions
        if m.label not in thresholds or round(m.score or 0, 4) >= thresholds[m.label]
    ]
    assert drop_below(mentions, {}) == mentions


def test_a_mention_without_confidence_cannot_have_a_threshold() -> None:
    mention = Mention(0, 1, "UNIT", None)
    assert drop_below([mention], {"RANK": 0.5}) == [mention]
    with pytest.raises(ValueError, match="gives no confidences"):
        drop_below([mention], {"UNIT": 0.5})


@pytest.mark.parametrize("label", [None, *LABELS])
@pytest.mark.parametrize("target", [0.5, 0.7, 0.8])
def test_the_lowest_threshold_that_reaches_the_target_is_found(
    label: str | None, target: float
) -> None:
    outcomes, points = random_points(0)
    chosen = [(score, right) for name, score, right in outcomes if label in (None, name)]
    reached = []
    for threshold, _ in chosen:
        kept = [right for score, right in chosen if score >= threshold]
        if len(kept) >= MIN_KEPT and sum(kept) / len(kept) >= target:
            reached.append((threshold, sum(kept) / len(kept), len(kept)))
    point = find_operating_point(points, target, label)
    assert (point.threshold, point.precision, point.kept) == min(reached)
    assert point.low < point.precision < point.high
    assert point.recall == pytest.approx(point.precision * point.kept / len(chosen))


def test_thresholds_by_number_by_label_and_by_precision() -> None:
    _, points = random_points(1)
    assert find_thresholds(LABELS) == {}
    assert find_thresholds(LABELS, 0.9) == {"UNIT": 0.9, "RANK": 0.9}
    assert find_thresholds(LABELS, {"RANK": 1}) == {"RANK": 1.0}
    both = find_operating_point(points, 0.7).threshold
    assert find_thresholds(LABELS, None, 0.7, points) == {"UNIT": both, "RANK": both}
    rank = find_operating_point(points, 0.7, "RANK").threshold
    assert find_thresholds(LABELS, None, {"RANK": 0.7}, points) == {"RANK": rank}


@pytest.mark.parametrize(
    ("threshold", "target", "message"),
    [
        (1.2, None, "threshold: 1.2 is not a number from 0 to 1"),
        (None, -0.1, "target_precision: -0.1 is not"),
        (float("nan"), None, "threshold: nan is not"),
        (True, None, "threshold: True is not"),
        ("0.9", None, "threshold: 0.9 is not"),
        ({"RANK": 3}, None, "threshold of RANK: 3 is not"),
        ({"ROLE": 0.5}, None, "threshold: unknown label 'ROLE'; the model's labels are UNIT, RANK"),
        (None, {"ROLE": 0.5}, "target_precision: unknown label 'ROLE'"),
        (0.5, 0.5, "exclude each other"),
        (None, 0.9999, "was not reached on the dev documents; the highest precision was"),
        (None, {"RANK": 0.9999}, "was not reached for RANK"),
    ],
)
def test_values_that_make_no_sense_are_refused(threshold: Any, target: Any, message: str) -> None:
    _, points = random_points(2)
    with pytest.raises(ValueError, match=message):
        find_thresholds(LABELS, threshold, target, points)


def test_a_target_needs_operating_points_with_enough_mentions() -> None:
    with pytest.raises(ValueError, match="has no operating points, which need dev documents"):
        find_thresholds(LABELS, None, 0.9)
    few = tabulate_operating_points(documents([("UNIT", 0.9, True)] * (MIN_KEPT - 1)), LABELS)
    assert read_points(few) == []
    with pytest.raises(ValueError, match="too few mentions for UNIT"):
        find_thresholds(LABELS, None, {"UNIT": 0.5}, few)


def test_a_system_without_confidences_has_no_operating_points() -> None:
    document = Document("a", "Alpha", (Span(0, 5, "UNIT"),))
    with pytest.raises(InputError, match="gives no confidences"):
        tabulate_operating_points([(document, document)], LABELS)


def test_thresholds_on_the_command_line() -> None:
    assert parse_thresholds(None, "--threshold") is None
    assert parse_thresholds(["0.9"], "--threshold") == 0.9
    assert parse_thresholds(["UNIT=0.9", "RANK=1"], "--threshold") == {"UNIT": 0.9, "RANK": 1.0}
    for values, message in [
        (["high"], "write a number such as 0.9"),
        (["UNIT="], "write a number"),
        (["0.9", "UNIT=0.8"], "one number for all labels"),
        (["UNIT=0.9", "UNIT=0.8"], "given twice for UNIT"),
    ]:
        with pytest.raises(InputError, match=message):
            parse_thresholds(values, "--threshold")
