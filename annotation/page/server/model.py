"""A model that `orbat serve` serves, asked over HTTP."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 25
"""Less than the 30 s after which the page gives up a request."""
MAX_ANSWER_BYTES = 16 * 2**20
_CHUNK_BYTES = 2**16


_TOO_SLOW = f"The model did not answer within {TIMEOUT_SECONDS} seconds."


class ModelError(Exception):
    """The model gave no usable answer; the message is one sentence for the annotator."""


class Answer(NamedTuple):
    """The model's name, and its spans with offsets in UTF-16 units."""

    model: str
    spans: list[dict[str, Any]]


class ModelService:
    """Asks one service, and no other address: it follows no redirects and uses no proxy.

    Args:
        url: the service's address.
        token: what the service demands.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._address = urlsplit(f"{url.rstrip('/')}/tag")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def tag(self, text: str) -> Answer:
        """Return the model's spans of a text.

        Raises:
            ModelError: if the service does not answer in time, refuses the text, or answers
                something else than spans of the text.
        """
        body = json.dumps({"text": text, "offsets": "utf16"}).encode("ascii")
        deadline = time.monotonic() + TIMEOUT_SECONDS
        try:
            status, content = self._post(body, deadline)
        except (OSError, HTTPException) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise ModelError(_TOO_SLOW) from error
            raise ModelError("The model does not answer.") from error
        if status != 200:
            raise ModelError(_refusal(status, content))
        try:
            return _parse(json.loads(content), len(text.encode("utf-16-le")) // 2)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise ModelError("The model's answer is not one of orbat serve.") from error

    def _post(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        """Send a request; return status and content of the answer.

        Raises:
            ModelError: if the answer is too large.
            OSError, HTTPException: if there is none before the deadline.
        """
        host, port = self._address.hostname or "", self._address.port
        kind = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
        seconds = max(deadline - time.monotonic(), 0.001)
        with closing(kind(host, port, timeout=seconds)) as connection:
            # First without TLS, whose handshake may drip as an answer may.
            HTTPConnection.connect(connection)
            with closing(connection.sock.dup()) as plain, _broken_off_at(deadline, plain):
                if kind is HTTPSConnection:
                    context = ssl.create_default_context()
                    connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
                connection.request("POST", self._address.path, body, self._headers)
                response = connection.getresponse()
                return response.status, _read(response)


@contextmanager
def _broken_off_at(deadline: float, connection: socket.socket) -> Iterator[None]:
    """End a connection at the deadline: each line of headers may come just within a timeout.

    Args:
        deadline: on the clock of :func:`time.monotonic`.
        connection: a socket of it without TLS, whose `shutdown` would end the encryption while
            another thread reads.

    Raises:
        TimeoutError: if the block ends after the deadline.
    """

    def break_off() -> None:
        with suppress(OSError):  # it has ended
            connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(deadline - time.monotonic(), 0), break_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if time.monotonic() >= deadline:
        raise TimeoutError


def _read(response: HTTPResponse) -> bytes:
    content = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise ModelError("The model's answer is too large.")
    return bytes(content)


def _refusal(status: int, content: bytes) -> str:
    """Return a sentence with what the service gave as the reason."""
    detail = ""
    try:
        value = json.loads(content)["detail"]
        detail = value if isinstance(value, str) else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    detail = " ".join(detail.split())[:300]
    return f"The model refused the text: {detail or f'status {status}'}."


def _parse(answer: Any, size: int) -> Answer:
    """Return the spans of the first document.

    Raises:
        ValueError, KeyError, TypeError, IndexError: if they are not spans of a text of this size.
    """
    spans = []
    for record in answer["documents"][0]["spans"]:
        start, end, label = record["start"], record["end"], record["label"]
        if not (type(start) is int and type(end) is int and 0 <= start < end <= size):
            raise ValueError("offsets outside the text")
        if not isinstance(label, str):
            raise TypeError("a label that is not a string")
        score = record.get("score")
        if score is not None and not (isinstance(score, float | int) and 0 <= score <= 1):
            raise ValueError("a score that is not from 0 to 1")
        spans.append({"label": label, "start": start, "end": end, "score": score})
    return Answer(str(answer["model"]["name"]), spans)
