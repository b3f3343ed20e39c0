"""The options by which commands take thresholds."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import InputError


def parse_thresholds(values: Sequence[str] | None, option: str) -> float | dict[str, float] | None:
    """Parse a repeatable option: one number for all labels, or LABEL=NUMBER for each label.

    Args:
        values: the values of the option; None if it is not given.
        option: its name, for the error message.

    Returns:
        The number, the numbers by label, or None.

    Raises:
        InputError: if a value is not a number, or they are given both ways or twice.
    """
    if not values:
        return None
    numbers: dict[str, float] = {}
    for value in values:
        label, _, number = value.rpartition("=")
        try:
            parsed = float(number)
        except ValueError:
            raise InputError(f"{option} {value}: write a number such as 0.9, or UNIT=0.9") from None
        if label in numbers:
            raise InputError(f"{option} {value}: given twice{f' for {label}' if label else ''}")
        numbers[label] = parsed
    if "" not in numbers:
        return numbers
    if len(numbers) > 1:
        raise InputError(f"{option}: give one number for all labels, or LABEL=NUMBER for each")
    return numbers[""]
