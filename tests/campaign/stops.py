"""Where commands are stopped, and what is wrong with how they end."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from tests.campaign.figures import Row
from tests.forked_commands import Done, Stop

KILLED = (-signal.SIGKILL, -signal.SIGPROF)
"""How a command ends that gets a signal which it cannot catch."""
REFUSED = 2
INTERRUPTED = 130
_MAX_DRAWS = 5


def draw(row: Row, count: int) -> Iterator[int]:
    """Yield the numbers of trials, until so many of them were counted in a row."""
    for number in itertools.count():
        if row.tried == count:
            return
        assert number < _MAX_DRAWS * count, f"only {row.tried} of {number} trials count: {row}"
        yield number


def draw_stops(
    folder: Path, whole: Done, row: Row, count: int, random: Random
) -> Iterator[tuple[int, Stop]]:
    """Yield trials, and where to stop in them: before a change of files, or after some computing.

    Args:
        folder: the folder whose changes count.
        whole: how the command ended without a stop.
        row: counts the trials in which the command was stopped.
        count: how many there are to be.
        random: chooses the places.
    """
    for number in draw(row, count):
        kind = (signal.SIGKILL, signal.SIGINT)[number // 2 % 2]
        if number % 2:
            seconds = random.uniform(0.01, whole.seconds)
            yield number, Stop(str(folder), seconds=seconds, signal_number=kind)
        else:
            at = random.randint(1, whole.changes)
            yield number, Stop(str(folder), at=at, signal_number=kind)


def has_come_to(stop: Stop, done: Done) -> bool:
    """Whether a command came to its stop; otherwise, it ended before."""
    return done.code != 0 or 0 < stop.at <= done.changes


def find_stop_faults(stop: Stop, done: Done) -> list[str]:
    """Return what is wrong with how a command ended: at a change of files, it must be stopped."""
    # While Python ends, its handlers are gone: then SIGPROF kills.
    codes = KILLED if stop.signal_number == signal.SIGKILL else (INTERRUPTED, -signal.SIGPROF)
    return find_faults(done, codes if has_come_to(stop, done) else (0,))


def find_faults(done: Done, codes: Sequence[int]) -> list[str]:
    """Return what is wrong with how a command ended: its code, or not one line that says why."""
    faults = []
    if done.code not in codes:
        faults.append(f"ended with {done.code}: {done.err[-2000:]}")
    for start, code in (("error: ", REFUSED), ("interrupted: ", INTERRUPTED)):
        lines = [line for line in done.err.splitlines() if line.startswith(start)]
        if len(lines) != (done.code == code):
            faults.append(f"ended with {done.code} and {len(lines)} lines of {start}{done.err}")
    if "Traceback" in done.err:
        faults.append(f"printed a traceback: {done.err[-2000:]}")
    return faults


def count_trial(row: Row, *ends: Done, expected: Done) -> None:
    """Count a trial by what its commands took.

    Args:
        row: the row of its kind.
        ends: how the commands of the trial ended.
        expected: how the command ended without a fault.
    """
    seconds, memory = max(done.seconds for done in ends), max(done.memory for done in ends)
    row.count(seconds, memory, expected.seconds, expected.memory)
    row.hangs += any(done.code == -signal.SIGALRM for done in ends)
