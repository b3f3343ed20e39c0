"""`orbat annotate up`, `down` and `page`: serve doccano and the annotation page."""

from __future__ import annotations

from typing import Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo
from .options import Home

TOKEN_VARIABLE = "ORBAT_TOKEN"
"""The environment variable from which `orbat serve` reads its token, too."""


ModelUrl = Annotated[
    str | None,
    typer.Option(
        help="Address of a running orbat serve that annotators can ask for suggestions; "
        "its token is read from ORBAT_TOKEN."
    ),
]


@when_interrupted(
    "doccano may be running; orbat annotate up completes the start, orbat annotate down ends it"
)
def up(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8000,
    model_url: ModelUrl = None,
) -> None:
    """Start the local doccano server with the annotation page, unless it is running.

    The address of the model is kept for later calls; an empty one ends suggestions.
    """
    import os

    from ..doccano.server import ADMIN, DoccanoServer

    server = DoccanoServer(home)
    if model_url is not None:
        server.page.set_model(model_url, os.environ.get(TOKEN_VARIABLE))
    running = server.up(port, on_message=echo)
    state = "started" if running.started else "already running"
    echo(f"doccano {state} at {running.url}")
    echo(f"administrator: {ADMIN}, password in {server.home / 'secrets.json'}")
    if server.page.model_url:
        echo(f"suggestions: from the model at {server.page.model_url}")


def page(
    url: Annotated[str, typer.Option(help="Address of doccano.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 for any free one.")] = 8001,
    model_url: ModelUrl = None,
) -> None:
    """Serve the annotation page on this machine for a doccano elsewhere, until Ctrl-C."""
    import os

    from ...corpus.addresses import check_address
    from ..page.proxy_server import serve_page
    from ..page.server.model import ModelService

    model = None
    if model_url:
        check_address(model_url, "--model-url")
        model = ModelService(model_url, os.environ.get(TOKEN_VARIABLE))
    serve_page(url, port, model, on_ready=lambda address: echo(_page_message(address, url)))
    echo("stopped")


def _page_message(address: str, url: str) -> str:
    return f"annotation page for {url} at {address}/orbat/annotate/PROJECT; Ctrl-C ends it"


def down(home: Home = None) -> None:
    """Stop the local doccano server; its data are kept."""
    from ..doccano.server import DoccanoServer

    server = DoccanoServer(home)
    echo("doccano stopped" if server.down() else f"no doccano is running in {server.home}")
