"""`orbat annotate reopen`: reopen confirmed documents that a ruling touches."""

from __future__ import annotations

from typing import Annotated

import typer

from ....interruption import when_interrupted
from ....terminal import echo, echo_json
from ..options import (
    Home,
    Json,
    PasswordStdin,
    SessionFolder,
    Url,
    Username,
    connect,
    split_names,
)


@when_interrupted("what was reopened stays open; the same command completes it")
def reopen(
    session: SessionFolder,
    ruling: Annotated[
        str, typer.Option(help="Words that the ruling is about; documents with them are reopened.")
    ],
    note: Annotated[
        str | None, typer.Option(help="What the comment on each document tells the annotator.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="Only where the annotator gave this label to the words or a part; repeatable."
        ),
    ] = None,
    annotators: Annotated[
        str | None, typer.Option(help="Only these annotators, separated by commas.")
    ] = None,
    documents: Annotated[
        str | None, typer.Option(help="Only documents with these ids, separated by commas.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            help="Only what was confirmed under an earlier version of the guidelines than this "
            "number, or before this date."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the documents and change nothing.")
    ] = False,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Reopen confirmed documents that a new ruling touches, with a comment that says why.

    All spans are kept. Documents that were reopened for the same ruling and note before, and
    confirmed again since, stay confirmed, and so do those of paused annotators.
    """
    from rich.console import Console

    from ....ui import print_tables, progress_bars
    from ...session.changes.reopening import DEFAULT_NOTE, Ruling, parse_before, reopened_table
    from ...session.changes.reopening import reopen as reopen_documents

    wanted = Ruling(
        " ".join(ruling.split()),
        note or DEFAULT_NOTE,
        labels=label or (),
        annotators=split_names(annotators or ""),
        documents=split_names(documents or ""),
        before=None if before is None else parse_before(before),
    )
    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        reopened = reopen_documents(
            client, session, wanted, dry_run=dry_run, on_progress=on_progress
        )
    if json_output:
        echo_json(reopened.to_json())
        return
    count = len(reopened.documents)
    print_tables([reopened_table(reopened)], Console(), count)
    names = len({document.annotator for document in reopened.documents})
    done = "would be reopened" if dry_run else "reopened"
    echo(f"{count} documents of {names} annotators {done}; all spans are kept")
    if reopened.settled:
        echo(f"{reopened.settled} were reopened for it before and confirmed again, and stay so")
    for document in reopened.paused:
        echo(f"'{document.document}' of '{document.annotator}', who is paused, stays confirmed")
