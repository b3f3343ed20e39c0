"""The outermost layer of the service: log line, metrics and security headers of each answer."""

from __future__ import annotations

import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .log import log_event, log_exception
from .metrics import Metrics
from .service import COUNTS

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CLIENT_CLOSED = 499
"""Status in log and metrics of a request whose client hung up before the answer."""


class AccessLog:
    """ASGI middleware around everything else.

    Args:
        app: the application.
        metrics: counts the answers.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = CLIENT_CLOSED
        is_counted = False

        def count() -> float:
            """Add the request to the metrics, once, and return its seconds."""
            nonlocal is_counted
            seconds = time.perf_counter() - began
            if not is_counted:
                is_counted = True
                # The path of the route, not the client's, so that there are few time series.
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.add_request(route, status, seconds)
            return seconds

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            elif not message.get("more_body", False):
                # Before the end of the answer is sent: a client that has it may read the metrics.
                count()
            await send(message)

        counts: dict[str, Any] = {}
        scope[COUNTS] = counts
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            log_exception("failed", error, method=scope["method"], path=scope["path"])
            if status == CLIENT_CLOSED:
                response = JSONResponse({"detail": "internal error; see the log"}, 500)
                await response(scope, receive, send_with_headers)
        finally:
            seconds = count()
            log_event(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(1000 * seconds, 1),
                **counts,
            )
