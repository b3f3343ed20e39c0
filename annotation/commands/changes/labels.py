"""`orbat annotate labels`: change the labels of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....interruption import when_interrupted
from ....terminal import echo, echo_json
from ..options import Home, Json, PasswordStdin, SessionFolder, Url, Username, connect


@when_interrupted("no span is lost; the same command completes the change")
def labels(
    session: SessionFolder,
    label_file: Annotated[
        Path, typer.Option("--labels", help="The changed label set file of the session.")
    ],
    rename: Annotated[
        list[str] | None,
        typer.Option(help="OLD=NEW: a label that has another name in the file; repeatable."),
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
    json_output: Json = False,
) -> None:
    """Add, recolor, rename or retire labels of a session; every span is kept.

    Change the label set file first: `retired = true` there keeps a label's spans, but annotators
    cannot choose it any more. The guidelines that the file names are delivered, too.
    """
    from ....corpus.labels import load_guidelines, load_labels
    from ....errors import InputError
    from ....ui import progress_bars
    from ...guide import with_keys
    from ...session.changes.label_changes import change_labels, describe_changes

    label_set = load_labels(label_file)
    renames = dict(pair.partition("=")[::2] for pair in rename or ())
    if not all(old and new for old, new in renames.items()):
        raise InputError(f"--rename {' '.join(rename or ())}: write OLD=NEW")
    with (
        connect(home, url, username, password_stdin, session) as client,
        progress_bars() as on_progress,
    ):
        changes = change_labels(
            client,
            session,
            label_set,
            renames=renames,
            guidelines=with_keys(label_set, load_guidelines(label_set, label_file)),
            on_progress=on_progress,
        )
    if json_output:
        echo_json(changes.to_json())
        return
    for line in describe_changes(changes):
        echo(line)
    if changes.guidelines_updated:
        names = ", ".join(changes.guidelines_updated)
        echo(f"the guidelines have changed, and were replaced for {names}")
    echo("annotators who have the page open see the new labels when they load it again")
