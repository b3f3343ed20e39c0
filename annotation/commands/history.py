"""Show the versions that were pulled: `orbat annotate history`."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Json, SessionFolder


def history(
    session: SessionFolder,
    annotator: Annotated[str | None, typer.Option(help="Only this annotator's.")] = None,
    document: Annotated[str | None, typer.Option(help="Only this document's, by id.")] = None,
    json_output: Json = False,
) -> None:
    """Show every version of the documents that was ever pulled: who, when, what changed."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from ...errors import InputError
    from ...ui import DataTable, print_tables
    from ..session.folder import open_session
    from ..session.history import history_rows, read_history

    made = open_session(session)
    if annotator is not None and annotator not in made.projects:
        raise InputError(
            f"no annotator '{annotator}' in {session}; there are {', '.join(made.projects)}"
        )
    versions = [
        version
        for name in made.projects
        if annotator in (None, name)
        for version in read_history(session, name)
        if document in (None, version.document)
    ]
    if json_output:
        for version in versions:
            typer.echo(json.dumps(asdict(version), ensure_ascii=False))
        return
    columns = ("pulled at (UTC)", "annotator", "document", "state")
    rows = tuple(history_rows(versions))
    counts = ("spans", "added", "removed", "relabelled")
    print_tables([DataTable("Versions", (*columns, *counts), rows)], Console(), len(rows))
    if not rows:
        typer.echo("nothing was pulled yet that fits; orbat annotate pull brings documents back")
