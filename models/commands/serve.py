"""`orbat serve`: answer requests with a model over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...annotation.commands.options import Home, PasswordStdin, Username
from ...terminal import echo
from .options import TargetPrecision, Threshold

_ADDRESS = "Address"
_LIMITS = "Limits"
_SUGGESTIONS = "Suggestions for doccano"
"""Groups of options in the help."""


def serve(
    model: Annotated[
        str, typer.Argument(help="A run folder, a wheel file or an installed model's name.")
    ],
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Any but this machine's own, such as 0.0.0.0, needs the "
            "environment variable ORBAT_TOKEN: the token that clients must send.",
            rich_help_panel=_ADDRESS,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 for any free one.", rich_help_panel=_ADDRESS)
    ] = 8200,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Another name by which clients may address a service on 127.0.0.1, such as that "
            "of a reverse proxy; repeatable.",
            rich_help_panel=_ADDRESS,
        ),
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(help="Largest body of a request.", rich_help_panel=_LIMITS)
    ] = 16 * 2**20,
    max_characters: Annotated[
        int, typer.Option(help="Longest text.", rich_help_panel=_LIMITS)
    ] = 1_000_000,
    max_texts: Annotated[
        int, typer.Option(help="Most texts in a request.", rich_help_panel=_LIMITS)
    ] = 256,
    max_requests: Annotated[
        int,
        typer.Option(
            help="Most requests at a time; further ones are answered with 503.",
            rich_help_panel=_LIMITS,
        ),
    ] = 64,
    workers: Annotated[
        int,
        typer.Option(
            help="Batches scored in parallel; 0 for one per processor.", rich_help_panel=_LIMITS
        ),
    ] = 0,
    threshold: Threshold = None,
    target_precision: TargetPrecision = None,
    doccano: Annotated[
        Path | None,
        typer.Option(
            help="Labeling session whose annotators get suggestions from this model: the service "
            "registers itself as auto-labeling of the session's doccano projects.",
            rich_help_panel=_SUGGESTIONS,
        ),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="Address at which doccano reaches the service; default: where it listens.",
            rich_help_panel=_SUGGESTIONS,
        ),
    ] = None,
    home: Home = None,
    username: Username = "admin",
    password_stdin: PasswordStdin = False,
) -> None:
    """Answer requests with a model over HTTP, until SIGTERM or Ctrl-C.

    POST /tag takes texts; doccano, Label Studio and INCEpTION can ask for suggestions; the address
    itself shows a page to paste an article into, and /docs describes the interface. When the
    model's files change, the new model replaces the old one without a lost request. Events are
    logged on standard error as JSON.
    """
    import os

    from ...corpus.addresses import check_address
    from ..service.server import serve as serve_model
    from ..service.settings import TOKEN_VARIABLE, ServiceSettings
    from .thresholds import parse_thresholds

    if public_url is not None:
        check_address(public_url, "--public-url")
    token = os.environ.get(TOKEN_VARIABLE) or None
    settings = ServiceSettings(
        host=host,
        port=port,
        token=token,
        allowed_hosts=tuple(allowed_host or ()),
        max_bytes=max_bytes,
        max_characters=max_characters,
        max_texts=max_texts,
        max_requests=max_requests,
        workers=workers,
        threshold=parse_thresholds(threshold, "--threshold"),
        target_precision=parse_thresholds(target_precision, "--target-precision"),
    )

    def on_ready(url: str) -> None:
        if doccano is not None:
            _register(doccano, public_url or url, token, home, username, password_stdin)
        echo(f"{model} is served at {url}")

    serve_model(model, settings, on_ready=on_ready)


def _register(
    folder: Path,
    url: str,
    token: str | None,
    home: Path | None,
    username: str,
    password_stdin: bool,
) -> None:
    """Register the service with the projects of a labeling session."""
    from ...annotation.commands.options import connect
    from ...annotation.doccano.server import DoccanoServer
    from ...annotation.session.auto_labeling import register_service
    from ...annotation.session.folder import open_session

    session = open_session(folder)
    other = None if session.url == DoccanoServer(home).url else session.url
    with connect(home, other, username, password_stdin) as client:
        register_service(client, session, f"{url}/doccano", token)
    echo(f"registered with {len(session.projects)} projects at {session.url}")
