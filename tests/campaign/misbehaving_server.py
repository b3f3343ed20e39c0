"""An HTTP server that misbehaves in many ways, chosen by the path of the request."""

from __future__ import annotations

import gzip
import socketserver
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

from tests.serving import serving

OK = b"HTTP/1.1 200 OK\r\n"
HTML = b"Content-Type: text/html\r\n"
WORDS = b"<html><body><p>" + b"The 3rd Brigade left Kidal on Monday. " * 20 + b"</p></body></html>"
_WAIT_SECONDS = 0.05
_HEADER_BYTES = 2**20

Answer = Callable[["Connection"], None]


class Connection(socketserver.BaseRequestHandler):
    """One connection of a client that reads until it has had enough."""

    server: Server

    def handle(self) -> None:
        with suppress(OSError, ValueError):
            head = self._read_head()
            while head:
                name = head.split(b" ")[1].decode("latin-1").strip("/").partition(".")[0]
                self.server.asked.append(name)
                answer = self.server.find_answer(name)
                answer(self)
                if answer in ENDING or not self.is_open:
                    return
                head = self._read_head()

    def _read_head(self) -> bytes:
        self.is_open = True
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = self.request.recv(2**16)
            if not more:
                return b""
            head += more
            if b"\r\n\r\n" in head:
                return head
        return head

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self.request.sendall(b"".join(parts))

    def answer(self, body: bytes, *headers: bytes, status: bytes = OK) -> None:
        """Send a complete response."""
        length = b"Content-Length: %d\r\n" % len(body)
        self.send(status, *headers, length, b"\r\n", body)

    def drip(self, part: bytes) -> None:
        """Send a few bytes again and again, until the client goes or the server ends."""
        while not self.server.ending.wait(_WAIT_SECONDS):
            self.send(part)

    def pour(self, part: bytes) -> None:
        """Send bytes without an end and without a pause, until the client goes."""
        while not self.server.ending.is_set():
            self.send(part)

    def stay_silent(self) -> None:
        """Send nothing more."""
        self.server.ending.wait()


class Server(socketserver.ThreadingTCPServer):
    """Answers at a free port of this machine.

    Attributes:
        asked: the names of the answers that were asked for.
        ending: set when the server is to end.
        robots: the name of the answer to `robots.txt`; "" for a file that allows all.
        always: the name of the answer to everything; "" to choose by the path.
        body: a valid body of the kind that the client expects, which some answers begin.
        kind: its media type.
    """

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, body: bytes = WORDS, kind: bytes = b"text/html") -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.asked: list[str] = []
        self.ending = threading.Event()
        self.robots = self.always = ""
        self.body, self.kind = body, kind

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def type_header(self) -> bytes:
        """The header with the right media type."""
        return b"Content-Type: " + self.kind + b"\r\n"

    def find_answer(self, name: str) -> Answer:
        """Return the answer to a request."""
        name = self.always or (self.robots if name == "robots" else name)
        return ANSWERS.get(name, _not_found)

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients go in the middle of an answer."""


@contextmanager
def serve(body: bytes = WORDS, kind: bytes = b"text/html") -> Iterator[Server]:
    """Run a server while the block runs."""
    with serving(Server(body, kind)) as server:
        try:
            yield server
        finally:
            server.ending.set()


def _not_found(to: Connection) -> None:
    to.answer(b"", status=b"HTTP/1.1 404 Not Found\r\n")


def _redirect(to: Connection, target: bytes) -> None:
    to.answer(b"", b"Location: " + target + b"\r\n", status=b"HTTP/1.1 302 Found\r\n")


@cache
def _pack(megabytes: int) -> bytes:
    """Return one member of gzip, as clients that read the first one only unpack it whole."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def _bomb(to: Connection) -> None:
    to.answer(_pack(80), to.server.type_header, b"Content-Encoding: gzip\r\n")


def _bomb_in_bomb(to: Connection) -> None:
    to.answer(
        gzip.compress(_pack(300), 9), to.server.type_header, b"Content-Encoding: gzip, gzip\r\n"
    )


def _many_headers(to: Connection) -> None:
    to.send(OK, b"".join(b"X-%d: a\r\n" % number for number in range(100_000)), b"\r\n")


def _chunks(to: Connection, *chunks: bytes) -> None:
    to.send(OK, to.server.type_header, b"Transfer-Encoding: chunked\r\n\r\n", *chunks)


def _close(to: Connection, *parts: bytes) -> None:
    to.send(*parts)
    to.is_open = False


def _good(to: Connection) -> None:
    to.answer(to.server.body, to.server.type_header)


ANSWERS: dict[str, Answer] = {
    "good": _good,
    "drips-status": lambda to: to.drip(b"H"),
    "drips-headers": lambda to: (to.send(OK), to.drip(b"X: 1\r\n"))[0],
    "drips-body": lambda to: (to.send(OK, to.server.type_header, b"\r\n"), to.drip(b"a"))[0],
    "drips-chunks": lambda to: (_chunks(to), to.drip(b"1\r\na\r\n"))[0],
    "silent": lambda to: to.stay_silent(),
    "silent-after-headers": lambda to: (to.send(OK, HTML, b"\r\n"), to.stay_silent())[0],
    "no-length": lambda to: _close(to, OK, to.server.type_header, b"\r\n", to.server.body),
    "length-too-long": lambda to: _close(to, OK, HTML, b"Content-Length: 9999\r\n\r\n", WORDS),
    "length-too-short": lambda to: _close(to, OK, HTML, b"Content-Length: 9\r\n\r\n", WORDS),
    "length-negative": lambda to: _close(to, OK, b"Content-Length: -9\r\n\r\n", WORDS),
    "length-huge": lambda to: _close(
        to, OK, b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", WORDS
    ),
    "lengths-differ": lambda to: _close(
        to, OK, b"Content-Length: 9\r\nContent-Length: 8\r\n\r\n", WORDS
    ),
    "endless-body": lambda to: (to.send(OK, HTML, b"\r\n"), to.pour(bytes(2**20)))[0],
    "endless-chunks": lambda to: (_chunks(to), to.pour(b"8000\r\n" + bytes(2**15) + b"\r\n"))[0],
    "endless-headers": lambda to: (to.send(OK), to.pour(b"X-A: " + b"a" * 1000 + b"\r\n"))[0],
    "endless-interim": lambda to: to.pour(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless-status": lambda to: to.pour(b"H" * 1000),
    "bomb": _bomb,
    "bomb-in-bomb": _bomb_in_bomb,
    "packed-many-times": lambda to: to.answer(
        WORDS, to.server.type_header, b"Content-Encoding: " + b"gzip, " * 100 + b"gzip\r\n"
    ),
    "unknown-packing": lambda to: to.answer(b"\0" + WORDS, HTML, b"Content-Encoding: rot13\r\n"),
    "damaged-packing": lambda to: to.answer(
        b"\x1f\x8b\x08\0abc", HTML, b"Content-Encoding: gzip\r\n"
    ),
    "redirects-to-itself": lambda to: _redirect(to, b"/redirects-to-itself"),
    "redirects-to-file": lambda to: _redirect(to, b"file:///etc/passwd"),
    "redirects-to-bad-port": lambda to: _redirect(to, b"http://127.0.0.1:99999/"),
    "redirects-to-closed-port": lambda to: _redirect(to, b"http://127.0.0.1:0/"),
    "redirects-to-metadata": lambda to: _redirect(to, b"http://[::ffff:169.254.169.254]/"),
    "redirects-to-nothing": lambda to: _redirect(to, b"http://[::1"),
    "redirects-to-bytes": lambda to: _redirect(to, b"http://\xff\xfe\x01/\xe9"),
    "status-garbage": lambda to: _close(to, b"\xff\xfe\0 what?\r\n\r\n", WORDS),
    "status-of-old-http": lambda to: _close(to, WORDS),
    "status-999": lambda to: to.answer(WORDS, status=b"HTTP/1.1 999 No\r\n"),
    "status-not-a-number": lambda to: _close(to, b"HTTP/1.1 abc OK\r\n\r\n", WORDS),
    "header-of-1-mb": lambda to: to.answer(WORDS, b"X: " + b"a" * _HEADER_BYTES + b"\r\n"),
    "100000-headers": _many_headers,
    "header-without-colon": lambda to: to.answer(WORDS, b"what\r\n"),
    "header-with-nul": lambda to: to.answer(WORDS, b"X: a\0b\r\n"),
    "closes-at-once": lambda to: _close(to),
    "closes-in-headers": lambda to: _close(to, OK, b"Content-"),
    "closes-in-body": lambda to: _close(to, OK, b"Content-Length: 500\r\n\r\n", WORDS[:80]),
    "closes-in-chunk": lambda to: _close(to, OK, b"Transfer-Encoding: chunked\r\n\r\nff\r\nab"),
    "chunk-size-invalid": lambda to: (_chunks(to, b"zz\r\nab\r\n0\r\n\r\n"), _close(to))[0],
    "chunk-size-huge": lambda to: (_chunks(to, b"f" * 30 + b"\r\nab\r\n"), _close(to))[0],
    "chunk-size-negative": lambda to: (_chunks(to, b"-5\r\nab\r\n"), _close(to))[0],
    "not-modified": lambda to: to.send(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "no-content": lambda to: to.send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "empty": lambda to: to.answer(b"", to.server.type_header),
    "charset-unknown": lambda to: to.answer(WORDS, b"Content-Type: text/html; charset=\xff\"'\r\n"),
    "charset-wrong": lambda to: to.answer(
        WORDS.replace(b"Kidal", b"\xff\xfe"), b"Content-Type: text/html; charset=utf-8\r\n"
    ),
    "charset-idna": lambda to: to.answer(WORDS, b"Content-Type: text/html; charset=idna\r\n"),
    "type-lies-pdf": lambda to: to.answer(WORDS, b"Content-Type: application/pdf\r\n"),
    "type-lies-feed": lambda to: to.answer(
        b"\0\1\2" * 99, b"Content-Type: application/rss+xml\r\n"
    ),
    "type-lies-json": lambda to: to.answer(b"{" * 5000, b"Content-Type: application/json\r\n"),
    "json-of-another-shape": lambda to: to.answer(b"[[1]]", b"Content-Type: application/json\r\n"),
    "cookies": lambda to: to.answer(WORDS, HTML, b"Set-Cookie: \xff=\0; Domain=.\r\n" * 500),
    "etag-of-bytes": lambda to: to.answer(
        WORDS, HTML, b"ETag: \xff\xfe\r\nLast-Modified: \xe9\r\n"
    ),
}
"""The ways to misbehave, and `good`."""
ENDING: tuple[Answer, ...] = tuple(
    answer for name, answer in ANSWERS.items() if name.startswith(("drips", "endless", "silent"))
)
"""Answers after which the connection is of no use."""
