"""`orbat corpus drift`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...terminal import echo, echo_json
from .options import JsonOption, ReportOption


def drift(
    old: Annotated[Path, typer.Argument(help="The earlier corpus (JSON Lines).")],
    new: Annotated[Path, typer.Argument(help="The later corpus (JSON Lines).")],
    report: ReportOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the permutation test.")] = 0,
    json_output: JsonOption = False,
) -> None:
    """Compare two corpora: words, sources, entities and confidence, with example documents."""
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import print_tables, render_tables
    from ..analysis.drift import drift_summary, drift_tables, measure_drift
    from ..files import check_output, read_documents, write_text

    check_output(report, old, new)
    with Console(stderr=True).status("Comparing"):
        result = measure_drift(list(read_documents(old)), list(read_documents(new)), seed=seed)
    tables, summary = drift_tables(result), drift_summary(result)
    if report:
        write_text(report, render_tables(f"{old.name} to {new.name}", summary, tables))
    if json_output:
        echo_json(asdict(result))
        return
    echo(summary)
    print_tables(tables, Console())
