"""Confidence thresholds: which mentions are kept, by label.

A threshold is given as a confidence, or as the precision that it shall reach. For the latter, a
model has *operating points*: what precision and recall it had on its dev documents at rising
thresholds. They are a JSON object,

    {"documents": 142,
     "all": {"gold": 1840, "predicted": 1852, "points": [POINT, …]},
     "labels": {"UNIT": {"gold": 410, "predicted": 402, "points": [POINT, …]}, …}}

where POINT has the fields of :class:`OperatingPoint`, and precision rises from point to point.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

DIGITS = 4
"""Confidences are rounded to this number of digits, in records and before they are compared."""


@dataclass(frozen=True)
class OperatingPoint:
    """What a model did on its dev documents with one threshold.

    Attributes:
        threshold: the lowest confidence that was kept.
        precision: share of correct mentions among those that were kept.
        low: lower bound of its 95 % interval.
        high: upper bound of its 95 % interval.
        recall: share of the gold mentions that were found; None without gold mentions.
        kept: number of mentions that were kept.
    """

    threshold: float
    precision: float
    low: float
    high: float
    recall: float | None
    kept: int


class _Scored(Protocol):
    """A mention or span."""

    @property
    def label(self) -> str: ...

    @property
    def score(self) -> float | None: ...


M = TypeVar("M", bound=_Scored)


def drop_below(mentions: Iterable[M], thresholds: Mapping[str, float]) -> list[M]:
    """Return the mentions whose confidence reaches the threshold of their label, unchanged.

    Confidences are rounded to :data:`DIGITS` digits first. Mentions of labels without a threshold
    are kept.

    Args:
        mentions: mentions or spans.
        thresholds: the lowest confidence that is kept, by label; see :func:`find_thresholds`.

    Raises:
        ValueError: if a mention of a label with a threshold has no confidence.
    """
    kept = []
    for mention in mentions:
        threshold = thresholds.get(mention.label)
        if threshold is not None and mention.score is None:
            raise ValueError("the model gives no confidences; remove the threshold")
        if threshold is None or round(mention.score or 0.0, DIGITS) >= threshold:
            kept.append(mention)
    return kept


def find_thresholds(
    labels: Sequence[str],
    threshold: float | Mapping[str, float] | None = None,
    target_precision: float | Mapping[str, float] | None = None,
    operating_points: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Return the lowest confidence that is kept, by label; empty if neither argument is given.

    Args:
        labels: the model's labels.
        threshold: a confidence for all labels, or by label. Of other labels, all mentions are kept.
        target_precision: a precision on the dev documents for all labels together, or by label.
            The lowest threshold that reaches it is used.
        operating_points: the model's operating points; needed with `target_precision`.

    Raises:
        ValueError: if both arguments are given, a number is not from 0 to 1, a label is unknown,
            or the target precision was not reached on the dev documents.
    """
    check_thresholds(threshold, target_precision)
    if threshold is not None:
        return _by_label(threshold, "threshold", labels)
    if target_precision is None:
        return {}
    if operating_points is None:
        raise ValueError(
            "target_precision: the model has no operating points, which need dev documents; "
            "set threshold instead"
        )
    if isinstance(target_precision, Mapping):
        targets = _by_label(target_precision, "target_precision", labels)
        return {
            label: find_operating_point(operating_points, target, label).threshold
            for label, target in targets.items()
        }
    point = find_operating_point(operating_points, target_precision)
    return dict.fromkeys(labels, point.threshold)


def find_operating_point(
    operating_points: Mapping[str, Any], target_precision: float, label: str | None = None
) -> OperatingPoint:
    """Return the point with the lowest threshold that reaches a precision.

    Args:
        operating_points: a model's operating points.
        target_precision: the precision on the dev documents.
        label: the label; None for all labels together.

    Raises:
        ValueError: if no point reaches it; the message names the highest precision that was.
    """
    points = read_points(operating_points, label)
    for point in points:
        if point.precision >= target_precision:
            return point
    subject = f" for {label}" if label else ""
    if not points:
        raise ValueError(
            f"target_precision {target_precision:g}: the dev documents have too few mentions"
            f"{subject}; set threshold instead"
        )
    raise ValueError(
        f"target_precision {target_precision:g} was not reached{subject} on the dev documents; "
        f"the highest precision was {points[-1].precision:.4f}, at threshold "
        f"{points[-1].threshold:g} ({points[-1].kept} mentions)"
    )


def read_points(
    operating_points: Mapping[str, Any], label: str | None = None
) -> list[OperatingPoint]:
    """Return the operating points of a label, or of all labels together, by rising threshold."""
    if label is None:
        part = operating_points["all"]
    else:
        part = operating_points["labels"].get(label, {"points": []})
    return [OperatingPoint(**point) for point in part["points"]]


def check_thresholds(threshold: Any, target_precision: Any) -> None:
    """Check what can be checked without the model.

    Raises:
        ValueError: if both are given, or one is not a number from 0 to 1 or numbers by label.
    """
    if threshold is not None and target_precision is not None:
        raise ValueError("threshold and target_precision exclude each other; set one of them")
    for name, value in (("threshold", threshold), ("target_precision", target_precision)):
        numbers = value if isinstance(value, Mapping) else {None: value}
        for label, number in numbers.items():
            if value is None:
                continue
            subject = name if label is None else f"{name} of {label}"
            is_number = isinstance(number, int | float) and not isinstance(number, bool)
            if not is_number or not 0 <= number <= 1:
                raise ValueError(f"{subject}: {number} is not a number from 0 to 1")


def _by_label(
    value: float | Mapping[str, float], name: str, labels: Sequence[str]
) -> dict[str, float]:
    if not isinstance(value, Mapping):
        return dict.fromkeys(labels, float(value))
    for label in value:
        if label not in labels:
            raise ValueError(
                f"{name}: unknown label '{label}'; the model's labels are {', '.join(labels)}"
            )
    return {label: float(number) for label, number in value.items()}
