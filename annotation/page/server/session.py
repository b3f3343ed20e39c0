"""Whether a request comes from a page of a logged-in user."""

from __future__ import annotations

import io
import json
from typing import Any

from .responses import Application, Environ

_DROPPED = {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING"}


def find_refusal(doccano: Application, environ: Environ) -> tuple[str, str] | None:
    """Return how doccano would refuse a change by this request; None if it would not.

    doccano itself decides: it gets a request with the same cookies and headers to an address that
    allows GET only. Session, token against forgery, and origin are checked before the method, so
    that the answer to a request in order is 405.

    Args:
        doccano: doccano's application.
        environ: the request.

    Returns:
        The status line, and one sentence.
    """
    probe = {name: value for name, value in environ.items() if name not in _DROPPED}
    probe |= {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/me",
        "RAW_URI": "/v1/me",
        "QUERY_STRING": "",
        "CONTENT_LENGTH": "0",
        "HTTP_ACCEPT": "application/json",
        "wsgi.input": io.BytesIO(),
    }
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        statuses.append(status)

    answer = doccano(probe, start_response)
    try:
        content = b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()
    if statuses and statuses[-1].startswith("405"):
        return None
    if not statuses or statuses[-1].startswith("5"):
        return "502 Bad Gateway", "doccano does not answer."
    try:
        return "403 Forbidden", str(json.loads(content)["detail"])
    except (ValueError, KeyError, TypeError):
        return "403 Forbidden", "doccano did not recognize your session; log in again."
