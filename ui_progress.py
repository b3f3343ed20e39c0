"""A counter on the terminal for long work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(text: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a count and its rate on a terminal; yields what takes the count.

    Args:
        text: what is being done.
        total: what is counted towards, where that is known: a bar and the time left then.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    rate = TextColumn("{task.fields[rate]}")
    end = (BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    columns = (SpinnerColumn(), TextColumn(text), *(end if total else end[1:3]))
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(text, total=total, rate="")
        began = time.monotonic()

        def report(count: int) -> None:
            rate = count / max(time.monotonic() - began, 1e-3)
            progress.update(task, completed=count, rate=f"{rate:,.0f}/s")

        yield report
