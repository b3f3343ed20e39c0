"""`orbat annotate history`: show the versions that were pulled."""

from __future__ import annotations

from typing import Annotated

import typer

from ...terminal import echo, echo_json
from .options import Json, SessionFolder


def history(
    session: SessionFolder,
    annotator: Annotated[str | None, typer.Option(help="Only this annotator.")] = None,
    document: Annotated[str | None, typer.Option(help="Only the document with this id.")] = None,
    json_output: Json = False,
) -> None:
    """Show every version of the documents that was pulled: user, time and changes."""
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import print_tables
    from ..session.folder import open_session
    from ..session.history import history_table, read_suggestions, read_versions

    versions = read_versions(session, annotator, document)
    if json_output:
        for version in versions:
            echo_json(asdict(version))
        return
    suggestions = read_suggestions(open_session(session))
    print_tables([history_table(versions, suggestions)], Console(), len(versions))
    if not versions:
        echo("no matching version was pulled yet; pull with orbat annotate pull")
