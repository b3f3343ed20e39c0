"""A folder in which a command is run, stopped, run again, and compared with an undisturbed run."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.campaign.figures import Row
from tests.campaign.stops import count_trial, find_faults, find_stop_faults, has_come_to
from tests.forked_commands import Done, ForkServer, Stop

LEFT = (".lock", "*.lock", "tmp/????????")
"""What may stay: locks, and a file by which Python's library tries the temporary folder."""
_TIMES = re.compile(
    rb'"(?:started|finished|created|\w*seconds|date|commit)": (?:"[^"]*"|[0-9.]+)'
    rb"|\d{4}-\d\d-\d\dT[\d:.+]+"
)
"""What may differ between two runs of one command: times, durations, and the checkout's commit."""


@dataclass(frozen=True)
class Command:
    """A command whose end is the same whatever happens on the way.

    Attributes:
        name: what it is called in the figures.
        words: the command in a folder.
        again: what is added to go on after it was stopped.
        ignored: patterns of files that may differ, such as databases, hashes of times and logs.
    """

    name: str
    words: Callable[[Path], Sequence[object]]
    again: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class Workplace:
    """A folder with the inputs of a command, which is made anew for each trial.

    Args:
        server: runs the commands.
        template: the inputs.
        folder: the folder; its `tmp` is the temporary folder of the commands.
        command: the command.
    """

    def __init__(self, server: ForkServer, template: Path, folder: Path, command: Command) -> None:
        self._server = server
        self._template = template
        self._command = command
        self.folder = folder
        self.clean()
        self.whole = self.run()
        assert self.whole.code == 0, self.whole.err
        self.expected = self.contents()

    def clean(self) -> None:
        """Put the folder back to the inputs."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._template, self.folder)
        (self.folder / "tmp").mkdir()

    def run(self, stop: Stop | None = None, *more: str, server: ForkServer | None = None) -> Done:
        """Run the command, perhaps to a stop, and perhaps by another server."""
        words = [*map(str, self._command.words(self.folder)), *more]
        environment = {
            **os.environ,
            "TMPDIR": str(self.folder / "tmp"),
            "COLUMNS": "200",
        }
        stop = stop or Stop(str(self.folder))
        return (server or self._server).run(words, environment, self.folder, stop)

    def contents(self) -> dict[str, bytes]:
        """Return the files of the folder but locks, without times."""
        ignored = (*self._command.ignored, *LEFT)
        return {
            path.relative_to(self.folder).as_posix(): without_times(path)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not any(path.match(pattern) for pattern in ignored)
        }

    def try_stop(self, stop: Stop, row: Row) -> list[str]:
        """Stop the command, run it again, and return what is wrong with the end."""
        self.clean()
        stopped = again = self.run(stop)
        faults = find_stop_faults(stop, stopped)
        # Where all is written, it was stopped while Python ended, and some refuse a second run.
        if compare(self.expected, self.contents()):
            again = self.run(None, *self._command.again)
            faults += find_faults(again, (0,))
        differences = compare(self.expected, self.contents())
        row.tracebacks += len(faults)
        row.lost += bool(differences)
        if has_come_to(stop, stopped):
            count_trial(row, stopped, again, expected=self.whole)
        return [f"{stop}: {fault}" for fault in (*faults, *differences)]


def run_two(
    first: Callable[[Stop], Done], second: Callable[[], Done], folder: Path, at: int, gate: Path
) -> tuple[Done, Done]:
    """Hold a command before one of its changes, run another one, and let the first go on.

    Args:
        first: runs the command that is held.
        second: runs the other one.
        folder: the folder whose changes count.
        at: the number of the change.
        gate: where to make the FIFO at which the first one waits.
    """
    os.mkfifo(gate)
    ends: list[Done] = []

    def run_first() -> None:
        ends.append(first(Stop(str(folder), at=at, signal_number=0, gate=str(gate))))
        # If it has never come to that change, nobody has opened the gate.
        os.close(os.open(gate, os.O_RDONLY | os.O_NONBLOCK))

    thread = threading.Thread(target=run_first)
    thread.start()
    with gate.open("wb"):
        meanwhile = second()
    thread.join()
    return ends[0], meanwhile


def without_times(path: Path) -> bytes:
    """Return the content of a file; of text, without its times."""
    content = path.read_bytes()
    if path.suffix in (".json", ".jsonl", ".md", ".csv", ".html"):
        return _TIMES.sub(b"TIME", content)
    return content


def compare(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Return a line for each file that is missing, not expected or different."""
    missing = [f"{name} is missing" for name in expected.keys() - found.keys()]
    other = [f"{name} was not there before" for name in found.keys() - expected.keys()]
    changed = [
        f"{name} is different"
        for name in expected.keys() & found.keys()
        if expected[name] != found[name]
    ]
    return sorted([*missing, *other, *changed])
