"""Whether a server can listen at an address, and whether a doccano answers at an address."""

from __future__ import annotations

import errno
import socket

import httpx

from ...errors import InputError


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
    try:
        response = httpx.get(f"{url}/v1/me", timeout=10)
    except httpx.HTTPError:
        return False
    return response.status_code in (200, 403)


def worker_answers(url: str) -> bool:
    """Return whether a task passes through web server, broker and worker."""
    try:
        response = httpx.get(f"{url}/v1/health/", params={"format": "json"}, timeout=30)
    except httpx.HTTPError:
        return False
    return response.status_code == 200
