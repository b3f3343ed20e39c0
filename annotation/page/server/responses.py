"""Answers of the page's addresses, with the headers that they all have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
"""What a WSGI server knows about a request."""
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

PAGE_HEADER = "X-Orbat-Page"
"""Marks a server with the annotation page: doccano answers unknown addresses with status 200."""
SECURITY_HEADERS: Headers = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


def respond(
    start_response: StartResponse,
    status: str,
    content: bytes = b"",
    content_type: str = "text/plain; charset=utf-8",
    headers: Iterable[tuple[str, str]] = (),
) -> list[bytes]:
    """Answer a request.

    Args:
        start_response: the WSGI server's.
        status: code and reason, such as `200 OK`.
        content: the body.
        content_type: its type.
        headers: more headers, or others instead of those that all answers have. Without a
            `Cache-Control` among them, nothing is cached.

    Returns:
        The body, as a WSGI application returns it.
    """
    headers = list(headers)
    if not any(name == "Cache-Control" for name, _ in headers):
        headers.append(("Cache-Control", "no-store"))
    start_response(
        status,
        [
            ("Content-Type", content_type),
            ("Content-Length", str(len(content))),
            (PAGE_HEADER, "1"),
            *(header for header in SECURITY_HEADERS if header[0] not in dict(headers)),
            *headers,
        ],
    )
    return [content]


def respond_json(start_response: StartResponse, status: str, value: object) -> list[bytes]:
    """Answer a request with JSON."""
    content = json.dumps(value, ensure_ascii=True).encode("ascii")
    return respond(start_response, status, content, "application/json")


def refuse(start_response: StartResponse, status: str, detail: str) -> list[bytes]:
    """Answer a request with one sentence about what is wrong, as doccano's API does."""
    return respond_json(start_response, status, {"detail": detail})
