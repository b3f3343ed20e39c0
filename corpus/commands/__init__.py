"""`orbat corpus`: its commands, one module each."""

from __future__ import annotations

import typer

from .add import add
from .check import check
from .drift import drift
from .gazetteer import gazetteer
from .show import show
from .split import split
from .stats import stats

app = typer.Typer(no_args_is_help=True, help="Build, split and analyze corpora of documents.")


@app.callback()
def corpus() -> None:
    """Build, split and analyze corpora of documents."""


for command in (add, stats, split, check, drift, gazetteer, show):
    app.command()(command)
