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
    guidelines: Annotated[
        bool,
        typer.Option(
            "--guidelines",
            help="Show the versions of the guidelines, and how many documents were confirmed "
            "under each.",
        ),
    ] = False,
    json_output: Json = False,
) -> None:
    """Show every version of the documents that was pulled: user, time, guidelines and changes."""
    from dataclasses import asdict

    from rich.console import Console

    from ...ui import print_tables
    from ..session.folder import open_session
    from ..session.guidelines import guideline_table, read_guideline_log
    from ..session.history import (
        history_table,
        latest_versions,
        read_suggestions,
        read_versions,
    )

    versions = read_versions(session, annotator, document)
    log = read_guideline_log(session)
    if guidelines:
        confirmed = [
            log.at(version.annotator, version.confirmed_at)
            for version in latest_versions(versions)
            if version.confirmed_at
        ]
        table = guideline_table(log, confirmed)
        if json_output:
            echo_json([dict(zip(table.columns, row, strict=True)) for row in table.rows])
            return
        print_tables([table], Console(), len(table.rows))
        if not table.rows:
            echo("no guidelines were delivered yet; orbat annotate push delivers and records them")
        return
    if json_output:
        for version in versions:
            number = log.at(version.annotator, version.confirmed_at)
            echo_json({**asdict(version), "guidelines": number})
        return
    suggestions = read_suggestions(open_session(session))
    print_tables([history_table(versions, suggestions, log)], Console(), len(versions))
    if not versions:
        echo("no matching version was pulled yet; pull with orbat annotate pull")
