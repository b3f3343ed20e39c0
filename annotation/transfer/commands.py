"""`orbat annotate backup`, `restore`, `move` and `clone`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo
from ..commands.options import Home, PasswordStdin, Url, Username, connect, split_names

Session = Annotated[Path, typer.Argument(help="Folder of the labeling session.")]


@when_interrupted("no backup was written; run the command again")
def backup(
    session: Session,
    file: Annotated[Path, typer.Argument(help="File to write (.zip).")],
    home: Home = None,
) -> None:
    """Write a session and all that the local doccano has of it into one file.

    Annotators may go on working meanwhile. The file has the hashes of their passwords, no password,
    and only its owner can read it.
    """
    from ...ui import progress_bars
    from ..doccano.server import DoccanoServer
    from .backup import back_up

    with progress_bars() as on_progress:
        manifest = back_up(DoccanoServer(home), session, file, on_progress=on_progress)
    echo(f"{manifest.summary}; written to {file}")


@when_interrupted("doccano stores a session whole or not at all; run the command again")
def restore(
    file: Annotated[Path, typer.Argument(help="A file of orbat annotate backup.")],
    session: Annotated[Path, typer.Argument(help="Session folder to create.")],
    same_people: Annotated[
        str,
        typer.Option(
            help="Accounts of the server, comma-separated, that belong to the people with the same "
            "names in the backup though their passwords differ; the server's passwords stay."
        ),
    ] = "",
    home: Home = None,
) -> None:
    """Restore a session on the local doccano, which must run: projects, accounts and folder."""
    from ..doccano.server import DoccanoServer
    from .restore import restore as restore_session

    server = DoccanoServer(home)
    manifest = restore_session(server, file, session, same_people=split_names(same_people))
    echo(f"{manifest.summary}; restored to {session} as of {manifest.made_at}")


def move(
    session: Session,
    url: Annotated[str, typer.Option(help="The server's new address.")],
    home: Home = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Record a new address of a session's server, if the same projects are there."""
    from ...ui import progress_bars
    from .move import move as move_session

    with (
        connect(home, url, username, password_stdin) as client,
        progress_bars() as on_progress,
    ):
        moved = move_session(client, session, on_progress=on_progress)
        echo(f"{session}: on {client.url} {'from now on' if moved else 'already'}")


@when_interrupted("the new session may have projects already; run the command again")
def clone(
    session: Session,
    new: Annotated[Path, typer.Argument(help="Folder of the new session.")],
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Begin a session with the labels, guidelines and annotators of another, without documents."""
    from .clone import clone as clone_session

    with connect(home, url, username, password_stdin, session) as client:
        cloned = clone_session(client, session, new)
    names = ",".join(cloned.session.projects)
    echo(f"{new}: a session of {names}, with the labels and guidelines of {session}")
    echo(
        f"push documents with --annotators {names} --overlap {cloned.overlap:.2g} "
        f"--readers {cloned.readers} to share them out as before"
    )
