"""Tables of figures, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.templates import render_template

if TYPE_CHECKING:
    from rich.console import Console

TEMPLATE = Path(__file__).parent / "tables.html"


@dataclass(frozen=True)
class Figures:
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


def show_cell(value: Any) -> str:
    """Return a cell as people read it."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def print_tables(tables: Sequence[Figures], console: Console, most: int = 15) -> None:
    """Print tables, of each at most so many rows."""
    from rich.table import Table

    for figures in tables:
        if not figures.rows:
            continue
        table = Table(title=figures.title, caption=figures.note or None)
        for place, name in enumerate(figures.columns):
            numbers = any(isinstance(row[place], int | float) for row in figures.rows)
            table.add_column(name, justify="right" if numbers else "left")
        for row in figures.rows[:most]:
            table.add_row(*map(show_cell, row))
        if len(figures.rows) > most:
            table.add_row(f"and {len(figures.rows) - most} more")
        console.print(table)


def render_tables(title: str, summary: str, tables: Sequence[Figures]) -> str:
    """Return a self-contained HTML page; all text is escaped."""

    def width(figures: Figures, row: tuple[Any, ...]) -> float:
        assert figures.bar is not None
        largest = max((abs(each[figures.bar] or 0) for each in figures.rows), default=0)
        return 100 * abs(row[figures.bar] or 0) / largest if largest else 0.0

    return render_template(
        TEMPLATE,
        {"cell": show_cell},
        title=title,
        summary=summary,
        tables=[table for table in tables if table.rows],
        width=width,
    )
