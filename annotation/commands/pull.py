"""`orbat annotate pull`: download the annotations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo, echo_json, echo_warnings
from .options import Home, Json, PasswordStdin, SessionFolder, Url, Username, connect


@when_interrupted("doccano is unchanged; run the command again")
def pull(
    session: SessionFolder,
    output: Annotated[
        Path | None, typer.Option(help="Folder for ANNOTATOR.jsonl; default: SESSION/pulled.")
    ] = None,
    control: Annotated[
        bool, typer.Option("--control", help="Write control documents, too; needs --output.")
    ] = False,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Write every annotator's annotation set, and show the changes since the last pull.

    Every version of a document is kept in SESSION/history; see orbat annotate history. Control
    documents are left out: orbat annotate status has their scores.
    """
    from rich.console import Console

    from ...corpus.files import check_output
    from ...ui import print_tables, progress_bars
    from ..session.pull import pull as pull_annotation_sets
    from ..session.pull import pull_tables

    for name in ("pushed", "history", "control"):
        check_output(output, session / name)
    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        pulled = pull_annotation_sets(
            client, session, output=output, control=control, on_progress=on_progress
        )
    echo_warnings(pulled.warnings)
    for comment in pulled.new_comments:
        echo(comment, err=True)
    if json_output:
        echo_json(pulled.to_json())
        return
    if not pulled.annotation_sets:
        echo("no annotator has documents yet; assign some with orbat annotate push")
        return
    print_tables(pull_tables(pulled), Console(), len(pulled.annotation_sets))
