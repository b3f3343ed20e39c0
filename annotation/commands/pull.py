"""Bring the annotations back: `orbat annotate pull`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Home, Json, Password, SessionFolder, Url, Username, connect, show_progress


def pull(
    session: SessionFolder,
    output: Annotated[
        Path | None, typer.Option(help="Folder for ANNOTATOR.jsonl; default: SESSION/pulled.")
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
    json_output: Json = False,
) -> None:
    """Bring back every annotator's spans, and tell what changed since the last time.

    Every version of a document is kept in SESSION/history; see orbat annotate history.
    """
    import json

    from rich.console import Console

    from ...corpus.files import write_documents
    from ...ui import DataTable, print_tables
    from ..adjudication.conflicts import is_confirmed
    from ..session.pull import SUGGESTED
    from ..session.pull import pull as pull_readings

    with connect(home, url, username, password) as (doccano, _), show_progress() as report:
        pulled = pull_readings(doccano, session, report=report)
    folder = output or session / "pulled"
    rows = []
    for name, documents in pulled.readings.items():
        path = folder / f"{name}.jsonl"
        write_documents(path, documents)
        spans = [span for document in documents for span in document.spans]
        rows.append(
            {
                "annotator": name,
                "documents": len(documents),
                "confirmed": sum(map(is_confirmed, documents)),
                "spans": len(spans),
                "as_suggested": sum(span.note == SUGGESTED for span in spans),
                "file": str(path),
            }
        )
    for warning in pulled.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for name, documents in pulled.readings.items():
        for document in documents:
            for comment in document.meta["annotation"].get("comments", ()):
                said = f"{comment['by']} on '{document.id}' of '{name}': {comment['text']}"
                typer.echo(said, err=True)
    if json_output:
        changes = {name: vars(found) for name, found in pulled.changes.items()}
        typer.echo(json.dumps([{**row, "changes": changes[str(row["annotator"])]} for row in rows]))
        return
    if not rows:
        typer.echo("no annotator has documents yet; orbat annotate push gives them some")
        return
    columns = tuple(name.replace("_", " ") for name in rows[0])
    console = Console()
    print_tables(
        [
            DataTable("Pulled", columns, tuple(tuple(row.values()) for row in rows)),
            DataTable(
                "Since the last pull",
                ("annotator", *vars(next(iter(pulled.changes.values())))),
                tuple((name, *vars(found).values()) for name, found in pulled.changes.items()),
                note="documents with a new version; spans added, removed and relabelled",
            ),
        ],
        console,
        len(rows),
    )
