"""The figures of a campaign: what was tried, what was lost, and what it took."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orbat.machine import processor_name

MAX_SECONDS = 10
"""Seconds of computing that nothing may take on one input."""
MAX_BYTES = 10**9
"""Memory that no process may take because of its input."""
_SLACK = 1.1
"""By how much the memory of two equal runs may differ."""
TOTAL = "all"
"""What the last row of the table is called."""


@dataclass
class Row:
    """The figures of one kind of trial.

    Attributes:
        what: what was tried.
        tried: number of trials.
        lost: trials after which something was missing or different.
        doubled: trials after which something was there twice.
        tracebacks: trials that ended in an exception that is no message.
        hangs: trials that took :data:`MAX_SECONDS` more than without a fault, or never ended.
        oversized: trials that occupied :data:`MAX_BYTES` or more, and more than without a fault.
        longest: the most seconds of computing that one of them took.
        largest: the most memory of a process, in bytes.
    """

    what: str
    tried: int = 0
    lost: int = 0
    doubled: int = 0
    tracebacks: int = 0
    hangs: int = 0
    oversized: int = 0
    longest: float = 0.0
    largest: int = 0

    def count(
        self, seconds: float, memory: int, expected: float = 0.0, expected_memory: int = 0
    ) -> None:
        """Count a trial.

        Args:
            seconds: the processor time that it took.
            memory: the most memory that its process occupied, in bytes.
            expected: the processor time without a fault, which does not count as a hang.
            expected_memory: the memory without a fault, such as that of a model, in bytes.
        """
        self.tried += 1
        self.hangs += seconds > MAX_SECONDS + expected
        self.oversized += memory >= max(MAX_BYTES, _SLACK * expected_memory)
        self.longest = max(self.longest, seconds)
        self.largest = max(self.largest, memory)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost or doubled, no trial failed or hung, and the memory sufficed."""
        return not (self.lost + self.doubled + self.tracebacks + self.hangs + self.oversized)


@dataclass
class Figures:
    """All rows of a campaign, in the order in which they were begun."""

    seed: int
    rows: dict[str, Row] = field(default_factory=dict)

    def row(self, what: str) -> Row:
        """Return the row of a kind of trial; a new one if there is none."""
        return self.rows.setdefault(what, Row(what))

    def write(self, path: Path) -> None:
        """Write the table of a whole `make campaign` as Markdown."""
        rows = sorted(self.rows.values(), key=lambda row: row.what)
        total = Row(TOTAL)
        for row in rows:
            total.tried += row.tried
            total.lost += row.lost
            total.doubled += row.doubled
            total.tracebacks += row.tracebacks
            total.hangs += row.hangs
            total.oversized += row.oversized
            total.longest = max(total.longest, row.longest)
            total.largest = max(total.largest, row.largest)
        lines = "\n".join(map(_render, (*rows, total)))
        path.write_text(
            _PAGE.format(
                seed=self.seed,
                processor=processor_name(),
                python=platform.python_version(),
                day=f"{datetime.now(UTC):%Y-%m-%d}",
                rows=lines,
            ),
            encoding="utf-8",
        )


def _render(row: Row) -> str:
    counts = (row.tried, row.lost, row.doubled, row.tracebacks, row.hangs)
    memory = f"{row.largest / 10**6:.0f}" if row.largest else ""
    longest = f"{row.longest:.1f}" if row.longest else ""
    cells = (row.what, *(f"{count:,}" for count in counts), longest, memory)
    return f"| {' | '.join(cells)} |"


_PAGE = """# Reliability

    make campaign SEED={seed}

Faults, hostile input, a full disk and two commands at once, tried by `tests/campaign/`. The command
above repeats it and writes this page if nothing fails; `make test` runs a short form. Measured on
{day} in one run, on one core of {processor}, Python {python}.

| what | tried | lost | doubled | tracebacks | hangs over 10 s | longest (s) | largest (MB) |
|---|---|---|---|---|---|---|---|
{rows}

- **Lost** and **doubled** count the trials after which, when the command had been run again, a file
  was not byte by byte that of a run without faults, apart from times, durations and databases.
- **Tracebacks** are ends that are neither a result nor one line that says what is wrong.
- **Longest** is the processor time of one trial. A **hang** is a trial of 10 s more than the
  command takes without a fault, or one that has not ended after ten minutes. **Largest** is the
  most memory that a process occupied, with the libraries that it had loaded.
- Stopped commands get SIGKILL or SIGINT before one of their changes of files (opened for writing,
  renamed, deleted, created), or after a random part of their processor time. A trial counts if the
  command was stopped, not if it had ended before.
- Damaged inputs are small valid files with changed bits, values, fields and lines, with pieces that
  are cut, repeated and grown to 256 kB, and with characters and numbers that are no valid ones.

Not tried: a power failure, which loses what the disk has not written yet; stopping commands that
are not in the table, such as `annotate up`, `assign`, `suggest`, `backup`, `restore`, `clone` and
`move`, `sweep` and `serve`; two `annotate up` at once, and more than two of any command; a full
disk under the database of doccano; network file systems; and systems other than Linux.
"""
