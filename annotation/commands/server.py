"""Start and stop the local doccano server: `orbat annotate up` and `down`."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Home


def up(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8000,
) -> None:
    """Start a doccano server, or find it running."""
    from ..doccano.server import ADMIN, DoccanoServer

    server = DoccanoServer(home)
    found = server.up(port, say=typer.echo)
    state = "started" if found.started else "already running"
    typer.echo(f"doccano {state} at {found.url}")
    typer.echo(f"administrator: {ADMIN}, password in {server.home / 'secrets.json'}")


def down(home: Home = None) -> None:
    """Stop the local doccano server; its data stay."""
    from ..doccano.server import DoccanoServer

    server = DoccanoServer(home)
    typer.echo("doccano stopped" if server.down() else f"no doccano running in {server.home}")
