"""The exceptions that users can act on.

    OrbatError
    ├── InputError      a file, option, field or folder is invalid
    ├── ServerError     a server cannot be reached or refuses a request
    ├── ModelError      a run, wheel or checkpoint cannot be used as a model
    └── DivergedError   a training run diverged

Each message is one line that says what is wrong, where (file, line, field) and how to fix it. The
command line prints it and exits with code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_MAX_FAULT_LENGTH = 200


class OrbatError(Exception):
    """Base class of the exceptions that users can act on."""

    def __str__(self) -> str:
        """Return the message in one line that can be printed, whatever a file's words in it are."""
        return printable(" ".join(super().__str__().splitlines()))


class InputError(OrbatError):
    """A file, option, field or folder is invalid."""


class ServerError(OrbatError):
    """A server cannot be reached or refuses a request."""


class ModelError(OrbatError):
    """A run, wheel or checkpoint cannot be used as a model."""


class DivergedError(OrbatError):
    """A training run diverged: its loss or its weights are no longer finite."""


def printable(text: str) -> str:
    """Return a text that UTF-8 can encode: unpaired surrogates become escapes."""
    return text.encode(errors="backslashreplace").decode()


def first_error(error: ValidationError) -> str:
    """Return the first error of a pydantic validation as `field: message`."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key '{field}'; remove it or correct its name"
    message = first["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


def did_you_mean(word: str, choices: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return ` (did you mean 'X'?)` for the choice that is most like a wrong word; "" for none.

    Capitals do not matter. Likeness is that of :func:`difflib.get_close_matches`, at least
    `cutoff`.
    """
    by_lower_case = {choice.casefold(): choice for choice in choices}
    matches = difflib.get_close_matches(word.casefold(), by_lower_case, n=1, cutoff=cutoff)
    return f" (did you mean '{by_lower_case[matches[0]]}'?)" if matches else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, or the name of its class if it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def describe_fault(error: BaseException) -> str:
    """Return the class and the first line of the message of an exception that was not expected."""
    name, message = type(error).__name__, first_line(error)
    line = name if message == name else f"{name}: {message}"
    return line if len(line) <= _MAX_FAULT_LENGTH else f"{line[:_MAX_FAULT_LENGTH]}…"
