"""Gates: scores that an evaluation must reach, for continuous integration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import InputError, did_you_mean
from .metrics import Evaluation

GATE_METRICS = ("precision", "recall", "f1", "low")


@dataclass(frozen=True)
class Gate:
    """A minimum for one strict score.

    Attributes:
        text: the gate as the user wrote it.
        label: the label; None for all labels together.
        metric: one of :data:`GATE_METRICS`; `low` is the lower bound of the interval of F1.
        minimum: the lowest score that passes.
    """

    text: str
    label: str | None
    metric: str
    minimum: float

    def check_label(self, labels: Iterable[str]) -> None:
        """Refuse a gate whose label is none of those that are evaluated.

        Raises:
            InputError: naming the labels.
        """
        known = list(labels)
        if self.label is not None and self.label not in known:
            raise InputError(
                f"--gate {self.text}: no label '{self.label}'{did_you_mean(self.label, known)}; "
                f"the labels are {', '.join(known) or 'none'}"
            )

    def check(self, evaluation: Evaluation) -> GateResult:
        """Compare the score with the minimum.

        Raises:
            InputError: if the evaluation has no such label.
        """
        strict = evaluation.strict
        self.check_label(strict.labels)
        score = strict.micro if self.label is None else strict.labels[self.label]
        return GateResult(self, getattr(score, self.metric))


@dataclass(frozen=True)
class GateResult:
    """A gate and the score that was compared with it; None where the score is undefined."""

    gate: Gate
    value: float | None

    @property
    def passed(self) -> bool:
        """Whether the score reaches the minimum; an undefined score does not."""
        return self.value is not None and self.value >= self.gate.minimum


def parse_gate(text: str) -> Gate:
    """Parse ``[LABEL.]METRIC=VALUE``, such as ``F1=0.90``.

    Raises:
        InputError: if the text is not of this form.
    """
    name, _, value = text.partition("=")
    label, _, metric = name.rpartition(".")
    try:
        minimum = float(value)
    except ValueError:
        minimum = -1.0
    if metric.lower() not in GATE_METRICS or not 0 <= minimum <= 1:
        raise InputError(
            f"--gate {text}: write [LABEL.]METRIC=VALUE with METRIC one of "
            f"{', '.join(GATE_METRICS)} and VALUE from 0 to 1, such as F1=0.90"
        )
    return Gate(text, label or None, metric.lower(), minimum)


def gate_result_to_json(result: GateResult) -> dict[str, str | float | bool | None]:
    """Return the result of a gate as a JSON object."""
    return {"gate": result.gate.text, "value": result.value, "passed": result.passed}
