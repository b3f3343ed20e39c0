"""`orbat annotate assign`: hand out open documents anew, and change who works in a session."""

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
    print_invitation,
    split_names,
)


@when_interrupted("no document is lost; the same command completes what it has begun")
def assign(
    session: SessionFolder,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="Move open documents of this annotator."),
    ] = None,
    targets: Annotated[
        str | None,
        typer.Option("--to", metavar="NAMES", help="Who gets them, separated by commas."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="How many move, from the end; default: all.")
    ] = None,
    documents: Annotated[
        list[str] | None,
        typer.Option("--document", metavar="ID", help="Document to move; repeatable."),
    ] = None,
    add: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Add an annotator, who gets a share of the open ones."),
    ] = None,
    remove: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Close the session for an annotator; open documents go to others."
        ),
    ] = None,
    pause: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Close the session for an annotator until --resume; their documents stay theirs.",
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Open the session for an annotator again, after --pause or --remove.",
        ),
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Move open documents between annotators, add, remove and pause annotators.

    Documents that are confirmed, or on which their annotator has begun to work, stay. Pass one of
    --from, --add, --remove, --pause and --resume.
    """
    from rich.console import Console

    from ....errors import InputError
    from ....ui import print_tables, progress_bars
    from ...session.assigning import team

    actions = {"--from": source, "--add": add, "--remove": remove, "--pause": pause}
    actions["--resume"] = resume
    given = [option for option, name in actions.items() if name is not None]
    if len(given) != 1:
        raise InputError(f"pass one of {', '.join(actions)}")
    if (source is None) != (targets is None):
        raise InputError("--from and --to go together; pass both")
    if source is None and (count or documents):
        raise InputError(f"--count and --document go with --from, not with {given[0]}")
    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        if source is not None and targets is not None:
            result = team.move_documents(
                *(client, session, source, split_names(targets)),
                count=count,
                documents=documents or (),
                on_progress=on_progress,
            )
        elif add is not None:
            result = team.add_annotator(client, session, add, on_progress=on_progress)
        elif remove is not None:
            result = team.remove_annotator(client, session, remove, on_progress=on_progress)
        elif pause is not None:
            result = team.pause_annotator(client, session, pause)
        else:
            assert resume is not None
            result = team.resume_annotator(client, session, resume)
        link = result.session.link(add, has_page=client.has_page) if add is not None else None
    if json_output:
        echo_json(result.to_json())
        return
    print_tables(team.reassignment_tables(result), Console())
    echo(f"{len(result.moved)} documents moved, {len(result.kept)} stayed")
    if add is not None:
        echo(f"first document of {add}: {link}")
        print_invitation(add, result.invitation)
    if result.session.paused:
        echo(f"paused: {', '.join(result.session.paused)}")
