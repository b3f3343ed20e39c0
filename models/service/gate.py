"""Which requests reach the service: host name, token, number at a time, and body."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .settings import ServiceSettings

BODY_SECONDS = 30
"""How long a client may take to send a body."""
OPEN_PATHS = {"/health"}
"""Paths that need no token."""
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}
_PORT = re.compile(r":\d*$")
_TRUSTED = "orbat.trusted"


class _RefusedError(Exception):
    """An answer instead of the service's."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.response = JSONResponse({"detail": detail}, status, headers)


class _DisconnectedError(Exception):
    """The client hung up before it sent the whole body."""


class Gate:
    """ASGI middleware that refuses requests before they cost anything.

    The body is read here, whole, because its size is not known before and the client may hang up.
    A client that hangs up later cancels its request.

    Args:
        app: the application.
        settings: token, allowed hosts and limits.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        self._settings = settings
        self._running = 0
        names = {*_LOOPBACK_NAMES, settings.host, *settings.allowed_hosts}
        self._hosts = {name.lower() for name in names} if settings.is_loopback else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_running = False

        async def send_counted(message: Message) -> None:
            nonlocal is_running
            is_end = message["type"] == "http.response.body" and not message.get("more_body", False)
            # Before the end of the answer is sent: a client that has it may send its next request.
            if is_running and is_end:
                is_running = False
                self._running -= 1
            await send(message)

        try:
            self._check(scope)
            is_running = True
            self._running += 1
            try:
                body = await self._read_body(scope, receive)
                await self._run(scope, body, receive, send_counted)
            finally:
                self._running -= is_running
        except _RefusedError as refusal:
            await refusal.response(scope, receive, send)
        except _DisconnectedError:
            pass

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = _PORT.sub("", headers.get("host", ""))
        if self._hosts is not None and host.lower() not in self._hosts:
            raise _RefusedError(
                400, f"host {host!r} is not served; the operator may add it with --allowed-host"
            )
        scope[_TRUSTED] = self._is_trusted(headers.getlist("authorization"))
        if not scope[_TRUSTED] and scope["path"] not in OPEN_PATHS:
            raise _RefusedError(
                401,
                "the token is missing or wrong; send it as Authorization: Bearer TOKEN, "
                "or as the password of Basic",
                {"WWW-Authenticate": 'Basic realm="orbat"'},
            )
        if self._running >= self._settings.max_requests:
            raise _RefusedError(
                503,
                f"busy with {self._running} requests; try again in a second",
                {"Retry-After": "1"},
            )

    def _is_trusted(self, authorizations: Iterable[str]) -> bool:
        if self._settings.token is None:
            return True
        token = self._settings.token.encode()
        # compare_digest takes equally long wherever the two differ.
        return any(hmac.compare_digest(_sent_token(value), token) for value in authorizations)

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return b""
        headers, limit = Headers(scope=scope), self._settings.max_bytes
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise _RefusedError(415, f"content type {kind or 'missing'}; send application/json")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise _RefusedError(415, "the body is compressed; send it as it is")
        too_large = _RefusedError(413, f"the body is too large; send at most {limit} bytes")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _DisconnectedError
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > limit:
                        raise too_large
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise _RefusedError(408, f"the body did not arrive within {BODY_SECONDS} s") from None
        body = b"".join(parts)
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise _RefusedError(400, f"byte {error.start} of the body is not valid UTF-8") from None
        return body

    async def _run(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Run the application until it has answered or the client hangs up."""
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()  # canceled with the request
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        answer = asyncio.ensure_future(self._app(scope, replay, send))
        gone = asyncio.ensure_future(_wait_for_disconnect(receive))
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                answer.cancel()
            await asyncio.wait({answer})
            if not answer.cancelled():
                answer.result()
        finally:
            answer.cancel()
            gone.cancel()


def is_trusted(scope: Scope) -> bool:
    """Return whether a request that passed the gate has the token, or none is needed."""
    return bool(scope[_TRUSTED])


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _sent_token(authorization: str) -> bytes:
    """Return the token in a header `Authorization`, as Bearer or as the password of Basic."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode("latin-1")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
