"""The overview of a session, read once or again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import InputError, ServerError
from ...ui import OnProgress, ignore_progress
from ..doccano.client import DoccanoClient
from .overview import NO_OPTIONS, Overview, OverviewOptions, measure_overview

MIN_SECONDS = 10
"""Shortest time between two readings, so that the server can serve the annotators."""


def follow_overview(
    client: DoccanoClient,
    folder: Path,
    options: OverviewOptions = NO_OPTIONS,
    *,
    seconds: float | None = None,
    on_failure: Callable[[ServerError], None] = lambda error: None,
    on_progress: OnProgress = ignore_progress,
) -> Iterator[Overview]:
    """Yield the overview of a session: once, or again after every pause.

    While it is repeated, a server that does not answer is reported and asked again.

    Args:
        client: an administrator's connection.
        folder: the session folder, which is read anew each time.
        options: rate and learning curve.
        seconds: the pause between two readings; None to read once.
        on_failure: called with the error of a reading after the first.
        on_progress: called for each document of the first reading.

    Raises:
        InputError: if the folder is not a session on the connected server, or the pause is
            shorter than :data:`MIN_SECONDS`.
        ServerError: if the server does not answer at the first reading.
    """
    if seconds is not None and seconds < MIN_SECONDS:
        raise InputError(f"--watch {seconds:g}: choose {MIN_SECONDS} seconds or more")
    yield measure_overview(client, folder, options, on_progress=on_progress)
    while seconds is not None:
        time.sleep(seconds)
        try:
            overview = measure_overview(client, folder, options)
        except ServerError as error:
            on_failure(error)
        else:
            yield overview
