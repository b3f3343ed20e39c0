"""The boundary around each article: whatever a parser raises becomes one rejected article."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from ...errors import InputError, OrbatError
from ..rejected import Rejected

MAX_SECONDS = 30
"""Seconds of computing that one article may take to read."""
_Item = TypeVar("_Item")


class _TimeUpError(BaseException):
    """Raised in the code that runs too long; parsers catch every `Exception`."""


def guard(location: str, make: Callable[[], _Item]) -> _Item | Rejected:
    """Return what a function makes of one article, or why it cannot be made.

    Args:
        location: the article's position, for the message.
        make: reads the article; it may take :data:`MAX_SECONDS` of the processor's time.

    Raises:
        ImportError: if a package is not installed.
        OSError: if this machine lacks space, memory or open files.
    """
    try:
        with limit_time(location):
            return make()
    except Exception as error:
        return Rejected.from_error(location, error)


def guard_each(location: str, items: Iterable[_Item]) -> Iterator[_Item | Rejected]:
    """Yield the items of a reader; what it raises becomes the last one.

    Args:
        location: the source, for the message.
        items: what the reader yields.

    Raises:
        ImportError: as :func:`guard`.
        OSError: likewise.
    """
    try:
        yield from items
    except Exception as error:
        yield Rejected.from_error(location, error)


def guard_source(location: str, items: Iterable[_Item]) -> Iterator[_Item]:
    """Yield the items of a reader whose source is needed as a whole.

    Args:
        location: the source, for the message.
        items: what the reader yields.

    Raises:
        OrbatError: as the reader raises it, or an :class:`InputError` that names the source for
            any other exception but those that :func:`guard` lets through.
    """
    try:
        yield from items
    except OrbatError:
        raise
    except Exception as error:
        raise Rejected.from_error(location, error).to_error() from error


@contextmanager
def limit_time(location: str, seconds: float = MAX_SECONDS) -> Iterator[None]:
    """End the block when it has taken more of the processor's time than allowed.

    Only the main thread can be interrupted; elsewhere the block runs to its end. Of blocks within
    one another, the outer one counts.

    Args:
        location: what is read, for the message.
        seconds: of computing; waiting does not count.

    Raises:
        InputError: if the block took longer.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGVTALRM) is _raise_time_up
    ):
        yield
        return
    previous = signal.signal(signal.SIGVTALRM, _raise_time_up)
    try:
        try:
            # Again each second, since the library may catch even this.
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1)
            yield
        finally:
            _stop_timer(previous)
    except _TimeUpError:
        _stop_timer(previous)
        raise InputError(
            f"{location}: takes more than {seconds:g} s to read; give its text instead"
        ) from None


def _raise_time_up(number: int, frame: FrameType | None) -> None:
    raise _TimeUpError


def _stop_timer(previous: signal.Handlers | Callable[..., object] | int | None) -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, previous)
