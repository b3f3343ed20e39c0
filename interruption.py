"""What a command says when Ctrl-C ends it: what stands, and how to go on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

EXIT_INTERRUPTED = 130
"""The exit code of an interrupted command, as shells give it: 128 and the number of SIGINT."""
UNCHANGED = "files are written whole or not at all; run the command again"
"""What the commands say that have nothing else to say."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class InterruptedCommandError(Exception):
    """Ctrl-C ended a command; the message says what stands and how to go on."""


def when_interrupted(
    message: str,
) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]:
    """Return a decorator of a command that says what stands when Ctrl-C ends it.

    Args:
        message: what stands, and how to go on.
    """

    def decorate(command: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        @wraps(command)
        def run(*arguments: _Parameters.args, **options: _Parameters.kwargs) -> _Result:
            try:
                return command(*arguments, **options)
            except KeyboardInterrupt as error:
                raise InterruptedCommandError(message) from error

        return run

    return decorate
