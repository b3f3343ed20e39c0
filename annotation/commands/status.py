"""Show the annotators' progress: `orbat annotate status`."""

from __future__ import annotations

import typer

from .options import Home, Json, Password, SessionFolder, Url, Username, connect, show_progress


def status(
    session: SessionFolder,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
    json_output: Json = False,
) -> None:
    """Show how far each annotator is, and how fast."""
    import json

    from rich.console import Console

    from ...ui import DataTable, print_tables
    from ..session.status import measure_status

    with connect(home, url, username, password) as (doccano, _), show_progress() as report:
        found = measure_status(doccano, session, report=report)
    if json_output:
        fields = ({**vars(each), "hours_left": each.hours_left} for each in found)
        typer.echo(json.dumps(list(fields), default=str))
        return
    rows = tuple(
        (
            *(each.annotator, each.documents, each.confirmed, each.waiting),
            *(each.per_hour, each.hours_left, each.last and f"{each.last:%Y-%m-%d %H:%M} UTC"),
        )
        for each in found
    )
    columns = ("annotator", "documents", "confirmed", "waiting", "per hour", "hours left", "last")
    note = "waiting: assigned and not handed out yet; per hour: without pauses of half an hour"
    print_tables([DataTable("Progress", columns, rows, note=note)], Console(), len(rows))
    for each in found:
        if not each.member:
            typer.echo(
                f"'{each.annotator}' was taken out of their project; push again to let them in",
                err=True,
            )
        elif each.confirmed < each.documents:
            typer.echo(f"{each.annotator} goes on at {each.link}")
