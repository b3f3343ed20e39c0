"""Replay recorded annotations: `orbat annotate replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Home, Password, SessionFolder, Url, Username, connect, show_progress


def replay(
    session: SessionFolder,
    passes: Annotated[list[str], typer.Argument(help="ANNOTATOR=PASS.jsonl for each annotator.")],
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Play recorded annotation passes through doccano as their annotators (for demos and tests)."""
    from ...corpus.files import read_documents
    from ...errors import InputError
    from ..session.folder import open_session
    from ..session.replay import replay as replay_pass

    made = open_session(session)
    with connect(home, url, username, password) as (doccano, _), show_progress() as report:
        for pair in passes:
            annotator, _, file = pair.partition("=")
            if not file or annotator not in made.projects:
                raise InputError(
                    f"{pair}: write ANNOTATOR=PASS.jsonl; annotators are {', '.join(made.projects)}"
                )
            own = made.password(annotator)
            if own is None:
                raise InputError(f"'{annotator}' has an account of their own; only they can log in")
            readings = read_documents(Path(file), made.labels.names)
            done = replay_pass(doccano, own, made, annotator, readings, report=report)
            typer.echo(f"replayed a recorded pass over {done} documents as '{annotator}'")
