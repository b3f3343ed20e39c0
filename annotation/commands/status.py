"""`orbat annotate status`: show the annotators' progress, and the state of a session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...interruption import when_interrupted
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

if TYPE_CHECKING:
    from ..doccano.client import DoccanoClient
    from ..overview.milestones import Webhook
    from ..overview.overview import Overview
    from ..session.status import AnnotatorStatus


@when_interrupted("the session is unchanged, and a page stands as it was last written")
def status(
    session: SessionFolder,
    html: Annotated[
        Path | None, typer.Option(help="HTML page to write: the state of the session for its lead.")
    ] = None,
    watch: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS", help="Write the page again after each pause, until Ctrl-C."
        ),
    ] = None,
    hourly_rate: Annotated[
        float | None, typer.Option(min=0, help="Pay for an hour, to estimate the cost.")
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option(
            help="Folder of orbat train --curve, to estimate what another week would gain."
        ),
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Webhook that gets each milestone once, as JSON by POST."),
    ] = None,
    control_bar: Annotated[
        float, typer.Option(help="Strict F1 on control documents below which --notify tells it.")
    ] = 0.8,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Show each annotator's progress, pace and estimated time left, or an adjudicator's.

    With --html or --json also: use of suggestions, quality on control documents, agreement by
    week, new comments and cost. All figures are read from the server; nothing is changed.
    """
    from ...corpus.files import check_output_file, write_text
    from ...errors import InputError
    from ...evaluation.comparison.learning_curve import read_curve
    from ...ui import progress_bars
    from ..adjudication.progress import measure_progress, measure_questions
    from ..overview.follow import follow_overview
    from ..overview.milestones import Webhook
    from ..overview.overview import OverviewOptions
    from ..overview.page import render_overview
    from ..session.folder import SESSION_FILES, is_session

    if watch is not None and html is None and notify is None:
        raise InputError("--watch writes a page again and again; name it with --html FILE")
    for name in SESSION_FILES:
        check_output_file(html, session / name)
    webhook = None if notify is None else Webhook(notify, control_bar)
    options = OverviewOptions(hourly_rate, None if curve is None else read_curve(curve))
    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        is_plain = html is None and webhook is None
        if is_plain and not json_output:
            _print_progress(client, measure_progress(client, session, on_progress=on_progress))
            return
        questions = measure_questions(client, session, on_progress=on_progress)
        if is_plain and questions is not None and not is_session(session):
            echo_json({"annotators": [questions.to_json()]})
            return
        asked = [] if questions is None else [questions]
        for overview in follow_overview(
            *(client, session, options),
            seconds=watch,
            on_failure=lambda error: echo(f"warning: {error}; asking again", err=True),
            on_progress=on_progress,
        ):
            if html is not None:
                write_text(html, render_overview(overview, reload=watch))
            if webhook is not None:
                _deliver(webhook, session, overview)
            if json_output:
                rows = [row.to_json() for row in asked]
                rows += [row.to_json() for row in overview.annotators]
                echo_json({"annotators": rows, **overview.to_json()})
            elif watch is None:
                _print_progress(client, [*asked, *overview.statuses])
                if html is not None:
                    echo(f"state of the session: {html}")


def _deliver(webhook: Webhook, session: Path, overview: Overview) -> None:
    from ...errors import ServerError

    try:
        webhook.deliver(session, overview)
    except ServerError as error:
        echo(f"warning: {error}", err=True)


def _print_progress(client: DoccanoClient, statuses: Sequence[AnnotatorStatus]) -> None:
    from rich.console import Console

    from ...ui import print_tables
    from ..session.status import status_table

    print_tables([status_table(statuses)], Console(), len(statuses))
    for status in statuses:
        if status.paused:
            echo(f"'{status.annotator}' is paused")
        elif not status.member:
            echo(
                f"'{status.annotator}' was removed from their project; push again to add them",
                err=True,
            )
        elif status.confirmed < status.documents:
            echo(f"next document of {status.annotator}: {status.link}")
    if statuses:
        print_page_hint(client)
