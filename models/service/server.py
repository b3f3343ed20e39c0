"""`serve`: listen, load the model, and serve it until a signal."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import InputError
from .app import create_app
from .log import configure_log, log_event
from .service import Service
from .settings import ServiceSettings

STOP_SECONDS = 60
"""How long requests may go on after the signal to stop."""


def serve(
    model: str | Path,
    settings: ServiceSettings | None = None,
    *,
    on_ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve a model over HTTP, until SIGTERM or SIGINT.

    After the signal, no new requests are taken, those under way are answered, and the call
    returns. When the model's files change, the new model is loaded beside the old one and takes its
    place; a broken one is logged and not used. Standard error gets one JSON object for each event,
    without any text of a request.

    Call it from the main thread.

    Args:
        model: a run folder, a wheel file or an installed package.
        settings: address, access and limits; None for the defaults.
        on_ready: called with the service's address once connections are accepted.

    Raises:
        InputError: if the port is taken, or the model contains a pickle.
        ModelError: if the model cannot be loaded.
    """
    import uvicorn

    settings = settings or ServiceSettings()
    with _listen(settings) as listener:
        configure_log()
        app = create_app(Service(model, settings))
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        with _signals_taken():
            on_ready(_url(listener))
            log_event("started", url=_url(listener))
            uvicorn.Server(config).run(sockets=[listener])
            log_event("stopped")


@contextmanager
def _listen(settings: ServiceSettings) -> Iterator[socket.socket]:
    """Open the port before the model is loaded, so that a second service fails at once.

    Raises:
        InputError: if the port is taken, or the address is not one of this machine.
    """
    host, port = settings.host, settings.port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise InputError(
                f"port {port} of {host} is taken; choose another with --port"
            ) from error
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{host}:{port}: cannot listen ({reason})") from error
    with listener:
        yield listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals_taken() -> Iterator[None]:
    """Keep the process alive when uvicorn, after it has stopped, raises its signal again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: None) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
