"""A counter on the terminal for work of unknown length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(text: str) -> Iterator[Callable[[int], None]]:
    """Show a spinner with a count and its rate on a terminal; yields what takes the count."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn(text), MofNCompleteColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(text, total=None)
        yield lambda count: progress.update(task, completed=count)
