"""`orbat annotate replay`: replay recorded annotations in doccano."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo
from .options import SessionFolder


@when_interrupted("the documents replayed so far stand; the same command completes them")
def replay(
    session: SessionFolder,
    recordings: Annotated[
        list[str], typer.Argument(help="ANNOTATOR=FILE.jsonl for each annotator.")
    ],
) -> None:
    """Replay recorded annotations in doccano as their annotators (for demos and tests)."""
    from ...corpus.files import read_documents
    from ...errors import InputError
    from ...ui import progress_bars
    from ..session.folder import open_session
    from ..session.replay import replay as replay_documents

    labeling_session = open_session(session)
    with progress_bars() as on_progress:
        for recording in recordings:
            annotator, _, file = recording.partition("=")
            if not file:
                raise InputError(f"{recording}: write ANNOTATOR=FILE.jsonl")
            documents = read_documents(Path(file), labeling_session.labels.names)
            count = replay_documents(
                labeling_session, annotator, documents, on_progress=on_progress
            )
            echo(f"replayed {count} recorded documents as '{annotator}'")
