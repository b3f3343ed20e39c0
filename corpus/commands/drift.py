"""`orbat corpus drift`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...annotation.commands.options import ANY_FORMAT, read_labeled
from ...terminal import echo, echo_json
from .options import JsonOption, ReportOption


def drift(
    old: Annotated[Path, typer.Argument(help=f"The earlier corpus, {ANY_FORMAT}.")],
    new: Annotated[Path, typer.Argument(help=f"The later corpus, {ANY_FORMAT}.")],
    report: ReportOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the permutation test.")] = 0,
    json_output: JsonOption = False,
) -> None:
    """Compare two corpora: words, sources, entities and confidence, with example documents."""
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import print_tables, render_tables
    from ..analysis.drift import drift_summary, drift_tables, measure_drift
    from ..files import check_output_file, write_text

    check_output_file(report, old, new)
    with Console(stderr=True).status("Comparing"):
        result = measure_drift(list(read_labeled(old)), list(read_labeled(new)), seed=seed)
    tables, summary = drift_tables(result), drift_summary(result)
    if report:
        write_text(report, render_tables(f"{old.name} to {new.name}", summary, tables))
    if json_output:
        echo_json(asdict(result))
        return
    echo(summary)
    print_tables(tables, Console())
