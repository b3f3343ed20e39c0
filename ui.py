"""What people see: tables, progress and HTML pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

TEMPLATE = Path(__file__).parent / "tables.html"


@dataclass(frozen=True)
class DataTable:
    """A table.

    Attributes:
        title: its heading.
        columns: their names.
        rows: their cells: texts, numbers, or None for what is undefined.
        bar: the column whose numbers are drawn as bars, by its place; None for none.
        note: a line below the heading.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    bar: int | None = None
    note: str = ""


def format_value(value: Any) -> str:
    """Return a number or text as tables and reports show it; `–` for None."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def format_interval(low: float | None, high: float | None) -> str:
    """Return an interval as tables and reports show it; `–` if it is undefined."""
    return "–" if low is None or high is None else f"{low:.3f}–{high:.3f}"


def print_tables(tables: Sequence[DataTable], console: Console, max_rows: int = 15) -> None:
    """Print tables, of each at most so many rows."""
    from rich.table import Table

    for data in tables:
        if not data.rows:
            continue
        table = Table(title=data.title, caption=data.note or None)
        for place, name in enumerate(data.columns):
            numbers = any(isinstance(row[place], int | float) for row in data.rows)
            table.add_column(name, justify="right" if numbers else "left")
        for row in data.rows[:max_rows]:
            table.add_row(*map(format_value, row))
        if len(data.rows) > max_rows:
            table.add_row(f"and {len(data.rows) - max_rows} more")
        console.print(table)


def render_tables(title: str, summary: str, tables: Sequence[DataTable]) -> str:
    """Return a self-contained HTML page; all text is escaped."""

    def width(data: DataTable, row: tuple[Any, ...]) -> float:
        assert data.bar is not None
        largest = max((abs(each[data.bar] or 0) for each in data.rows), default=0)
        return 100 * abs(row[data.bar] or 0) / largest if largest else 0.0

    return render_template(
        TEMPLATE,
        {"cell": format_value},
        title=title,
        summary=summary,
        tables=[table for table in tables if table.rows],
        width=width,
    )


@dataclass(frozen=True)
class Progress:
    """One report of a long task's progress.

    Attributes:
        task: what is being done, in a few words.
        completed: how much of it is done.
        total: how much there is to do; None if that is unknown.
        metrics: measurements to show beside it, such as the loss, by name.
    """

    task: str
    completed: int
    total: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


OnProgress = Callable[[Progress], None]
"""What library functions take as `on_progress`."""


def ignore_progress(progress: Progress) -> None:
    """Show nothing: the default of every `on_progress`."""


@contextmanager
def progress_bars() -> Iterator[OnProgress]:
    """Show a bar for each task on a terminal, with its rate and the time left.

    Yields the function to pass as `on_progress`. Bars go to standard error, and only when it is
    a terminal.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = (
        *(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        *(TextColumn("{task.fields[notes]}"), TimeRemainingColumn()),
    )
    hidden = not console.is_terminal
    tasks: dict[str, TaskID] = {}
    began: dict[str, float] = {}
    with Bars(*columns, console=console, transient=True, disable=hidden) as bars:

        def show(progress: Progress) -> None:
            name = progress.task
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=progress.total, notes="")
                began[name] = time.monotonic()
            rate = progress.completed / max(time.monotonic() - began[name], 1e-3)
            measured = (f"{key} {value:.3f}" for key, value in progress.metrics.items())
            notes = "  ".join((f"{rate:,.0f}/s", *measured))
            bars.update(
                tasks[name], completed=progress.completed, total=progress.total, notes=notes
            )

        yield show


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


def render_template(
    path: Path, filters: Mapping[str, Callable[..., str]] | None = None, **values: Any
) -> str:
    """Return a Jinja template filled in; all text is escaped, and no name may be left open.

    Args:
        path: the template.
        filters: its own filters by name.
        values: what it names.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters or {})
    return environment.from_string(path.read_text(encoding="utf-8")).render(**values)
