"""`orbat annotate page`: serve the annotation page on this machine for a doccano elsewhere."""

from __future__ import annotations

import errno
import socketserver
import sys
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import httpx

from ...corpus.addresses import check_address, check_port, hide_password
from ...corpus.reading.bounded_requests import request
from ...corpus.reading.certificates import check_trusted_certificates, explain_untrusted
from ...errors import InputError, ServerError
from .proxy import TIMEOUT, RemoteDoccano
from .server.application import PageApplication
from .server.model import ModelService
from .server.responses import Environ, StartResponse, refuse

HOST = "127.0.0.1"
CLIENT_SECONDS = 60
"""How long a browser may be silent in the middle of a request."""
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}


def serve_page(
    url: str,
    port: int,
    model: ModelService | None = None,
    *,
    on_ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the page and pass everything else to a doccano elsewhere, until Ctrl-C.

    Args:
        url: doccano's address.
        port: port on 127.0.0.1; 0 for any free one.
        model: the service that is asked for suggestions; None without one.
        on_ready: called with the address of the page's server once it takes requests.

    Raises:
        InputError: if the address is not an http or https address, or the port is invalid or taken.
        ServerError: if doccano does not answer, or another server does.
    """
    check_address(url, "--url")
    check_port(port)
    url = url.rstrip("/")
    check_doccano(url)
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port {port} is taken; choose another with --port") from error
        raise InputError(f"port {port}: cannot listen ({error.strerror or error})") from error
    with server:
        server.set_app(_OwnHostOnly(url, server.server_port, model))
        on_ready(f"http://{HOST}:{server.server_port}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def check_doccano(url: str) -> None:
    """Check that doccano answers at an address.

    Raises:
        ServerError: if nothing answers, or something else.
    """
    check_trusted_certificates()
    try:
        with httpx.Client(timeout=TIMEOUT) as client:
            response = request(client, "GET", url, "/v1/me")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = explain_untrusted(error) or (
            f"doccano does not answer ({type(error).__name__}); check --url"
        )
        raise ServerError(f"{url}: {reason}") from error
    if response.is_redirect:
        target = hide_password(response.headers["location"]).removesuffix("/v1/me")
        raise ServerError(f"{url}: redirects to {target}; pass doccano's own address as --url")
    content_type = response.headers.get("content-type", "no content type")
    if response.status_code not in (200, 403) or "application/json" not in content_type:
        raise ServerError(
            f"{url}: not a doccano 1.8 server (GET /v1/me returned {response.status_code}, "
            f"{content_type}); check --url"
        )


class _OwnHostOnly:
    """Refuses requests that name another host: a web page could make its own name point here."""

    def __init__(self, url: str, port: int, model: ModelService | None) -> None:
        names = {f"{HOST}:{port}", f"localhost:{port}"}
        self._names = names
        self._application = PageApplication(RemoteDoccano(url, port, names), model)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") not in self._names:
            detail = "This address is served on this machine only."
            return refuse(start_response, "421 Misdirected Request", detail)
        if environ["REQUEST_METHOD"] not in _METHODS:
            return refuse(start_response, "501 Not Implemented", "This method is not supported.")
        return self._application(environ, start_response)


class _Handler(WSGIRequestHandler):
    timeout = CLIENT_SECONDS
    server_version = "orbat"
    sys_version = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: addresses may contain text that a person searched for."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that hung up; report other errors."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)
