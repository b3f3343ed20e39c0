"""`orbat annotate password`: give somebody a new password, or a link to choose one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....terminal import echo
from ..options import (
    Home,
    PasswordStdin,
    Url,
    Username,
    connect,
    print_invitation,
    read_line,
)


def password(
    name: Annotated[str, typer.Argument(help="Account of an annotator or adjudicator.")],
    session: Annotated[
        Path | None, typer.Option(help="Session in which the person starts after the choice.")
    ] = None,
    new_password_stdin: Annotated[
        bool,
        typer.Option(
            "--new-password-stdin",
            help="Set the password in the next line of the standard input instead.",
        ),
    ] = False,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Print a link by which somebody chooses a new password, or set it.

    A link works once and for a week, and ends older ones; the old password works until then.
    """
    from ...session.passwords import invite_again, set_password

    with connect(home, url, username, password_stdin, session) as client:
        if new_password_stdin:
            set_password(client, name, read_line("--new-password-stdin"))
            echo(f"'{name}' has the new password; all their logins have ended")
        else:
            print_invitation(name, invite_again(client, name, session))
