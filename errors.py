"""The error that a person can mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class InputError(Exception):
    """Input, a setting or a server that the user can put right.

    The message is one line: what is wrong, where (file, line, field) and the mend. The command
    line prints it and exits with 2; nothing has been written by then.
    """


def first_fault(error: ValidationError) -> str:
    """Return the first fault that pydantic found as `field: what is wrong`."""
    fault = error.errors()[0]
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{place}'; remove it or correct its name"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
