"""`orbat annotate status`: show the annotators' progress."""

from __future__ import annotations

from ...terminal import echo, echo_json
from .options import (
    Home,
    Json,
    PasswordStdin,
    SessionFolder,
    Url,
    Username,
    connect,
    print_page_hint,
)


def status(
    session: SessionFolder,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Show each annotator's progress, pace and estimated time left, or an adjudicator's."""
    from rich.console import Console

    from ...ui import print_tables, progress_bars
    from ..adjudication.progress import measure_progress
    from ..session.status import status_table

    with (
        connect(home, url, username, password_stdin) as client,
        progress_bars() as on_progress,
    ):
        statuses = measure_progress(client, session, on_progress=on_progress)
    if json_output:
        echo_json([status.to_json() for status in statuses])
        return
    print_tables([status_table(statuses)], Console(), len(statuses))
    for status in statuses:
        if not status.member:
            echo(
                f"'{status.annotator}' was removed from their project; push again to add them",
                err=True,
            )
        elif status.confirmed < status.documents:
            echo(f"next document of {status.annotator}: {status.link}")
    if statuses:
        print_page_hint(client)
