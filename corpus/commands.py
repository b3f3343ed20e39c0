"""`orbat corpus`: raw articles in, clean documents out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Turn raw articles into clean documents.")


@app.callback()
def corpus() -> None:
    """Turn raw articles into clean documents."""


@app.command()
def add(
    sources: Annotated[
        list[Path], typer.Argument(help="Text, HTML or JSON Lines files, or folders of them.")
    ],
    output: Annotated[Path, typer.Option(help="The corpus to write or to add to (JSON Lines).")],
    json_output: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Clean articles, leave out duplicates and add the rest to a corpus."""
    import json

    from rich.console import Console
    from rich.table import Table

    from corpus.ingestion import add_to_corpus

    report = add_to_corpus(sources, output)
    if json_output:
        typer.echo(
            json.dumps(
                {
                    "added": report.added,
                    "total": report.total,
                    "duplicates": [
                        {"id": d.id, "of": d.of, "similarity": round(d.similarity, 3)}
                        for d in report.duplicates
                    ],
                }
            )
        )
        return
    console = Console()
    if report.duplicates:
        table = Table("left out", "repeats", "similarity", title="Duplicates")
        for duplicate in report.duplicates:
            table.add_row(duplicate.id, duplicate.of, f"{duplicate.similarity:.2f}")
        console.print(table)
    console.print(
        f"{report.added} added, {len(report.duplicates)} duplicates left out, "
        f"{report.total} documents in {output}",
        highlight=False,
    )
