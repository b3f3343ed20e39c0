"""The search space of a sweep: recipe fields and the values that they may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import InputError

if TYPE_CHECKING:
    from optuna import Trial


@dataclass(frozen=True)
class SearchDimension:
    """One recipe field of a search space, with either choices or a range of numbers.

    Attributes:
        field: the recipe field.
        choices: the values to choose from; empty for a range.
        low: lower end of the range, inclusive.
        high: upper end of the range, inclusive.
        log: whether numbers are drawn on a logarithmic scale.
    """

    field: str
    choices: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False

    def suggest(self, trial: Trial) -> Any:
        """Let Optuna choose a value: an integer if both ends of the range are integers."""
        if self.choices:
            return trial.suggest_categorical(self.field, list(self.choices))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.field, self.low, self.high, log=self.log)
        return trial.suggest_float(self.field, self.low, self.high, log=self.log)


def parse_dimension(text: str) -> SearchDimension:
    """Parse `KEY=LOW:HIGH`, `KEY=LOW:HIGH:log` or `KEY=A,B,C`.

    Raises:
        InputError: naming the text and the accepted forms.
    """
    field, equals, values = text.partition("=")
    field, parts = field.strip(), values.split(":")
    dimension = None
    if equals and field:
        dimension = _parse_choices(field, values) if len(parts) == 1 else _parse_range(field, parts)
    if dimension is None:
        raise InputError(
            f"--search {text}: write KEY=LOW:HIGH, KEY=LOW:HIGH:log (from above 0) or KEY=A,B,C"
        )
    return dimension


def _parse_choices(field: str, text: str) -> SearchDimension | None:
    choices = tuple(_parse_value(value) for value in text.split(","))
    return SearchDimension(field, choices) if all(c != "" for c in choices) else None


def _parse_range(field: str, parts: list[str]) -> SearchDimension | None:
    if len(parts) > 2 and parts[2:] != ["log"]:
        return None
    log = len(parts) == 3
    try:
        low, high = (_parse_number(part) for part in parts[:2])
    except ValueError:
        return None
    if low >= high or (log and low <= 0):
        return None
    return SearchDimension(field, (), low, high, log)


def _parse_number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _parse_value(text: str) -> Any:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    try:
        return _parse_number(text)
    except ValueError:
        return text
