"""`orbat annotate up` and `down`: start and stop the local doccano server."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Home


def up(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8000,
) -> None:
    """Start the local doccano server, unless it is running."""
    from ..doccano.server import ADMIN, DoccanoServer

    server = DoccanoServer(home)
    running = server.up(port, on_message=typer.echo)
    state = "started" if running.started else "already running"
    typer.echo(f"doccano {state} at {running.url}")
    typer.echo(f"administrator: {ADMIN}, password in {server.home / 'secrets.json'}")


def down(home: Home = None) -> None:
    """Stop the local doccano server; its data are kept."""
    from ..doccano.server import DoccanoServer

    server = DoccanoServer(home)
    typer.echo("doccano stopped" if server.down() else f"no doccano is running in {server.home}")
