"""Options that several commands share, and the connection that they describe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..doccano.client import DoccanoClient
    from ..session.folder import Report

Home = Annotated[
    Path | None,
    typer.Option(envvar="ORBAT_DOCCANO_HOME", help="Folder of the local doccano server's data."),
]
Url = Annotated[
    str | None, typer.Option(help="A doccano server elsewhere; default: the local one.")
]
Username = Annotated[str, typer.Option(help="Administrator's account on that server.")]
Password = Annotated[
    str | None, typer.Option(envvar="ORBAT_DOCCANO_PASSWORD", help="Its password.")
]
SessionFolder = Annotated[Path, typer.Option("--session", help="Folder of the labelling session.")]
Labels = Annotated[
    Path | None, typer.Option(help="Label set file; default: the one for defence news.")
]
Unconfirmed = Annotated[
    bool, typer.Option(help="Use documents too that an annotator has not confirmed.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def connect(
    home: Path | None, url: str | None, username: str, password: str | None
) -> Iterator[tuple[DoccanoClient, Any]]:
    """Yield a connection, and a question whether the server's worker lives."""
    from ...errors import InputError
    from ..doccano.client import DoccanoClient
    from ..doccano.server import DoccanoServer

    server = DoccanoServer(home)
    local = server.url
    if url is None:
        if local is None:
            raise InputError(
                f"no doccano is running in {server.home}; start it with orbat annotate up, "
                "or pass --url"
            )
        url = local
        password = password or server.password
    elif password is None:
        raise InputError(f"{url}: no password; pass --password or set ORBAT_DOCCANO_PASSWORD")
    is_local = url.rstrip("/") == local
    with DoccanoClient(url, username, password) as doccano:
        yield doccano, server.worker_is_running if is_local else lambda: True


@contextmanager
def show_progress() -> Iterator[Report]:
    """Show a bar for each task on a terminal; yield the function to report to."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield report


def split_names(annotators: str) -> list[str]:
    """Return the names in a list with commas."""
    return [name.strip() for name in annotators.split(",") if name.strip()]
