"""Output for people: tables, number formats, progress bars and HTML pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .terminal import make_visible, to_text

if TYPE_CHECKING:
    from rich.console import Console

TABLES_TEMPLATE = Path(__file__).parent / "tables.html"
UNDEFINED = "–"
"""How an undefined value is displayed."""


@dataclass(frozen=True)
class DataTable:
    """A table, to be printed or rendered as HTML.

    Attributes:
        title: the heading.
        columns: the column names.
        rows: the cells: strings, numbers, or None if undefined.
        bar_column: index of the column of numbers that HTML pages also draw as bars.
        note: one line below the heading.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    bar_column: int | None = None
    note: str = ""


def format_value(value: Any) -> str:
    """Format a cell: floats with three decimals, one from 10 on; `–` for None."""
    if value is None:
        return UNDEFINED
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def format_count(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count and its noun: `1 document`, `1,200 documents`.

    Args:
        count: the count.
        noun: what it counts, for one.
        plural: the same for others; None for the noun with an s.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def format_interval(low: float | None, high: float | None) -> str:
    """Format an interval with three decimals, as `0.834–0.904`; `–` if undefined."""
    return UNDEFINED if low is None or high is None else f"{low:.3f}–{high:.3f}"


def print_tables(tables: Sequence[DataTable], console: Console, max_rows: int = 15) -> None:
    """Print the tables that have rows.

    Args:
        tables: the tables.
        console: where to print them.
        max_rows: number of rows to print per table; further rows are counted only.
    """
    from rich.table import Table

    for data in tables:
        if not data.rows:
            continue
        table = Table(
            title=to_text(data.title, "table.title"),
            caption=to_text(data.note, "table.caption") if data.note else None,
        )
        for index, name in enumerate(data.columns):
            is_numeric = any(isinstance(row[index], int | float) for row in data.rows)
            table.add_column(to_text(name), justify="right" if is_numeric else "left")
        for row in data.rows[:max_rows]:
            table.add_row(*(to_text(format_value(value)) for value in row))
        if len(data.rows) > max_rows:
            table.add_row(f"and {len(data.rows) - max_rows} more")
        console.print(table)


def render_tables(title: str, summary: str, tables: Sequence[DataTable]) -> str:
    """Render the tables that have rows as a self-contained HTML page."""
    return render_template(
        TABLES_TEMPLATE,
        {"format_value": format_value},
        title=title,
        summary=summary,
        tables=[table for table in tables if table.rows],
        bar_width=_bar_width,
    )


def _bar_width(table: DataTable, row: tuple[Any, ...]) -> float:
    """Return the length of a row's bar, in percent of the longest."""
    column = table.bar_column
    assert column is not None
    longest = max((abs(other[column] or 0) for other in table.rows), default=0)
    return 100 * abs(row[column] or 0) / longest if longest else 0.0


def render_template(
    path: Path, filters: Mapping[str, Callable[..., str]] | None = None, **values: Any
) -> str:
    """Render a Jinja template; values are escaped, and undefined names are errors.

    Args:
        path: the template.
        filters: additional filters, by name.
        values: the template's variables.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters or {})
    return environment.from_string(path.read_text(encoding="utf-8")).render(**values)


@dataclass(frozen=True)
class Progress:
    """A progress event of a long task.

    Attributes:
        task: description of the task, in a few words.
        completed: number of completed steps.
        total: number of all steps; None if unknown.
        metrics: values to display with it, such as the loss, by name.
        note: a line for the reader, such as what it cost so far; "" for none.
    """

    task: str
    completed: int
    total: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


OnProgress = Callable[[Progress], None]
"""The type of the parameter `on_progress` of library functions."""


def ignore_progress(progress: Progress) -> None:
    """Do nothing: the default of `on_progress`."""


@contextmanager
def progress_bars() -> Iterator[OnProgress]:
    """Display a progress bar for each task, with its rate and estimated time left.

    Bars are written to standard error, if it is a terminal.

    Yields:
        The function to pass as `on_progress`.
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
    from rich.progress import Progress as RichProgress

    console = Console(stderr=True)
    columns = (
        *(SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn()),
        *(MofNCompleteColumn(), TextColumn("{task.fields[notes]}", markup=False)),
        TimeRemainingColumn(),
    )
    is_hidden = not console.is_terminal
    task_ids: dict[str, TaskID] = {}
    start_times: dict[str, float] = {}
    with RichProgress(*columns, console=console, transient=True, disable=is_hidden) as bars:

        def on_progress(progress: Progress) -> None:
            name = make_visible(progress.task)
            if name not in task_ids:
                task_ids[name] = bars.add_task(name, total=progress.total, notes="")
                start_times[name] = time.monotonic()
            rate = progress.completed / max(time.monotonic() - start_times[name], 1e-3)
            metrics = (f"{key} {format_value(value)}" for key, value in progress.metrics.items())
            bars.update(
                task_ids[name],
                completed=progress.completed,
                total=progress.total,
                notes=make_visible("  ".join((f"{rate:,.0f}/s", *metrics))),
            )

        yield on_progress
