"""Whether a server can listen at an address, and whether a doccano answers at an address."""

from __future__ import annotations

import errno
import socket

import httpx

from ...corpus.reading.bounded_requests import request
from ...errors import InputError, ServerError


def check_free(host: str, port: int) -> None:
    """Check that a server can be started at an address of this machine.

    Raises:
        InputError: if the port is taken, or this user or machine cannot listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InputError(f"port {port} is taken; choose another with --port") from error
            raise InputError(
                f"cannot listen at {host}, port {port} ({error.strerror}); choose others with "
                "--host and --port"
            ) from error


def web_answers(url: str) -> bool:
    """Return whether doccano's web server answers."""
    return _status(url, "/v1/me", 10) in (200, 403)


def worker_answers(url: str) -> bool:
    """Return whether a task passes through web server, broker and worker."""
    return _status(url, "/v1/health/?format=json", 30) == 200


def _status(url: str, path: str, seconds: float) -> int | None:
    """Return the status of an answer; None if there is no complete one in time."""
    try:
        with httpx.Client(timeout=seconds) as client:
            return request(client, "GET", url, path, max_seconds=seconds).status_code
    except (httpx.HTTPError, ServerError):
        return None
