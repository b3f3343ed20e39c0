"""`orbat annotate up`, `down` and `page`: serve doccano and the annotation page."""

from __future__ import annotations

from typing import Annotated

import typer

from ...interruption import when_interrupted
from ...terminal import echo, echo_warnings
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
    port: Annotated[int | None, typer.Option(help="Port of the server; first 8000.")] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="IP address at which the server listens; first 127.0.0.1. 0.0.0.0 stands for all "
            "addresses of the machine."
        ),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="Address that annotators open, such as https://labels.example.org, which links "
            'show; "" for that of the server itself.'
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes of the web server; first 2.")
    ] = None,
    model_url: ModelUrl = None,
    foreground: Annotated[
        bool,
        typer.Option("--foreground", help="Stay until Ctrl-C or SIGTERM, and stop doccano then."),
    ] = False,
) -> None:
    """Start the local doccano server with the annotation page, unless it is running.

    Port, host, public address, number of processes, the model's address (an empty one ends
    suggestions) and the database are kept for later calls. DATABASE_URL names a PostgreSQL
    database at the first call; without it, doccano has SQLite in its folder.
    """
    import os

    from ..doccano.database import show_database
    from ..doccano.foreground import wait_until_stopped
    from ..doccano.server import ADMIN, DoccanoServer

    server = DoccanoServer(home)
    model = None if model_url is None else (model_url, os.environ.get(TOKEN_VARIABLE))
    running = server.up(port, echo, host=host, public_url=public_url, workers=workers, model=model)
    state = "started" if running.started else "already running"
    echo(f"doccano {state} at {running.url}")
    if server.public_url != running.url:
        echo(f"annotators open {server.public_url}")
    echo_warnings(server.settings.warnings)
    echo(f"administrator: {ADMIN}, password in {server.home / 'secrets.json'}")
    if server.settings.database_url:
        echo(f"database: {show_database(server.settings.database_url)}, kept in this folder")
    if server.page.model_url:
        echo(f"suggestions: from the model at {server.page.model_url}")
    if foreground:
        wait_until_stopped(server, lambda: echo("Ctrl-C or SIGTERM stops doccano"))
        echo("doccano stopped")


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
