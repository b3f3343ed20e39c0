"""Whether a port is free, and whether a doccano answers at an address."""

from __future__ import annotations

import socket

import httpx


def port_is_free(port: int) -> bool:
    """Return whether a server can be started at a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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
