"""One request to a server, whose answer is read within limits of size and time."""

from __future__ import annotations

import time
from typing import Any

import httpx

from ...errors import ServerError
from .bounded import MAX_FILE_BYTES

MAX_SECONDS = 120
"""Until an answer must be complete, whose parts each have the time of the client's timeout."""
_BODY_HEADERS = (b"content-encoding", b"content-length", b"transfer-encoding")
"""Headers that are no longer true of a body that was read."""


def request(
    client: httpx.Client,
    method: str,
    server: str,
    path: str,
    *,
    max_seconds: float | None = None,
    max_bytes: int | None = None,
    **arguments: Any,
) -> httpx.Response:
    """Send one request, and read the answer.

    Args:
        client: its connections and timeout are used.
        method: HTTP method.
        server: the server's address, which messages name.
        path: path below it, with a slash at its start.
        max_seconds: until the answer must be complete; :data:`MAX_SECONDS` if None.
        max_bytes: the most that the answer may have; :data:`MAX_FILE_BYTES` if None.
        arguments: passed to :meth:`httpx.Client.build_request`.

    Raises:
        httpx.HTTPError: if there is no complete answer in time.
        ServerError: if it is too large, or packed.
    """
    limit = MAX_FILE_BYTES if max_bytes is None else max_bytes
    end = time.monotonic() + (MAX_SECONDS if max_seconds is None else max_seconds)
    sent = client.build_request(method, f"{server}{path}", **arguments)
    # A few packed bytes could become any number, which httpx unpacks without a limit.
    sent.headers["Accept-Encoding"] = "identity"
    response = client.send(sent, stream=True)
    try:
        encoding = response.headers.get("content-encoding", "")
        if encoding.strip().lower() not in ("", "identity"):
            raise ServerError(
                f"{server}: sends packed answers ({encoding[:40]}) to requests for plain ones; "
                "check its address, or the proxy in front of it"
            )
        content = bytearray()
        for part in response.iter_raw():
            content += part
            if len(content) > limit:
                raise ServerError(f"{server}: sends more than {limit >> 20} MB; check its address")
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the time is over")
    finally:
        response.close()
    headers = [item for item in response.headers.raw if item[0].lower() not in _BODY_HEADERS]
    return httpx.Response(
        response.status_code, headers=headers, content=bytes(content), request=sent
    )
