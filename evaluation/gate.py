"""Bars that a score must reach, for continuous integration."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError
from .metrics import Evaluation

METRICS = ("precision", "recall", "f1", "low")


@dataclass(frozen=True)
class Gate:
    """A bar for one strict score.

    Attributes:
        text: as the user wrote it.
        label: which label; None for all together.
        metric: one of :data:`METRICS`; `low` is the lower bound of the interval of F1.
        least: the bar.
    """

    text: str
    label: str | None
    metric: str
    least: float

    def value(self, evaluation: Evaluation) -> float | None:
        """Return the score that the gate looks at; None where it is undefined.

        Raises:
            InputError: if there is no such label.
        """
        if self.label is None:
            score = evaluation.strict.micro
        elif self.label in evaluation.strict.labels:
            score = evaluation.strict.labels[self.label]
        else:
            known = ", ".join(evaluation.strict.labels) or "none"
            raise InputError(f"--gate {self.text}: no label '{self.label}'; there are {known}")
        found: float | None = getattr(score, self.metric)
        return found

    def passes(self, evaluation: Evaluation) -> bool:
        """Tell whether the bar is reached; an undefined score does not reach it."""
        value = self.value(evaluation)
        return value is not None and value >= self.least


def parse_gate(text: str) -> Gate:
    """Read ``[LABEL.]METRIC=VALUE``, such as ``F1=0.90``.

    Raises:
        InputError: if it cannot be read.
    """
    name, _, value = text.partition("=")
    label, _, metric = name.rpartition(".")
    try:
        least = float(value)
    except ValueError:
        least = -1.0
    if metric.lower() not in METRICS or not 0 <= least <= 1:
        raise InputError(
            f"--gate {text}: write [LABEL.]METRIC=VALUE with METRIC one of {', '.join(METRICS)} "
            "and VALUE from 0 to 1, such as F1=0.90"
        )
    return Gate(text, label or None, metric.lower(), least)
