"""The errors that orbat raises for its users to act on.

    OrbatError
    ├── InputError      a file, option, field or folder is wrong
    ├── ServerError     a server cannot be reached, or refuses what was asked of it
    ├── ModelError      a run, wheel or checkpoint cannot be used as a model
    └── DivergedError   a training run diverged

Each message is one line: what is wrong, where (file, line, field) and how to fix it. The command
line prints the message and exits with code 2. Nothing has been written by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class OrbatError(Exception):
    """The base class of all errors that a user can act on."""


class InputError(OrbatError):
    """A file, option, field or folder is wrong."""


class ServerError(OrbatError):
    """A server cannot be reached, or refuses what was asked of it."""


class ModelError(OrbatError):
    """A run, wheel or checkpoint cannot be used as a model."""


class DivergedError(OrbatError):
    """A training run diverged: its loss or its weights are no longer finite."""


def first_error(error: ValidationError) -> str:
    """Return the first error of a pydantic validation as `field: what is wrong`."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key '{field}'; remove it or correct its name"
    message = first["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message
