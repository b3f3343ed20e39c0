"""Connections to public addresses that end in time: where they go, and how long they may take."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from ssl import SSLContext
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from ....errors import InputError
from ...addresses import hide_password, is_public

FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
"""What connections raise, besides `InputError`."""


class Connections:
    """Connection pools whose connections go to checked addresses and end at a deadline.

    The name of a host is resolved once, where the connection is opened, and the connection goes to
    the very address that was checked: between a check and a connection that resolves anew, a name
    may change to another address. A proxy resolves names itself; there, they are checked before.

    Args:
        allow_private: whether addresses of this machine and its network may be connected.

    Attributes:
        deadline: the time of :func:`time.monotonic` at which everything under way fails with
            `httpcore.TimeoutException`.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.deadline = time.monotonic()
        self._pools: dict[str, tuple[httpcore.ConnectionPool, _Backend]] = {}

    def close(self) -> None:
        """Close all connections."""
        for pool, _ in self._pools.values():
            pool.close()

    def open(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and return the response, whose body is not read.

        A server may close a connection while the next request is under way, or leave on it more
        than its last response had. So a request that fails on a connection that was open before it
        is sent once more, on a new one (RFC 9112, 9.3.1).

        Args:
            request: one that may be repeated and has no body, as GET.

        Raises:
            InputError: if the host is unknown or has a private address.
            FAILURES: if there is no response.
        """
        host, port = request.url.host.decode("ascii"), request.url.port
        proxy = _find_proxy(request.url.scheme.decode("ascii"), host)
        if proxy and not self._allow_private:
            self.resolve(host, port or 80)
        if proxy not in self._pools:
            self._pools[proxy] = self._make_pool(proxy)
        pool, backend = self._pools[proxy]
        opened = backend.opened
        try:
            return pool.handle_request(request)
        except (httpcore.NetworkError, httpcore.ProtocolError):
            if backend.opened > opened:
                raise
            return pool.handle_request(request)

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host.

        Raises:
            InputError: if it is unknown, or one of its addresses is private.
            httpcore.TimeoutException: if there is no answer before the deadline.
        """
        try:
            addresses = _resolve(host, port, self.seconds_left())
        except (OSError, UnicodeError) as error:
            raise InputError(f"host {host} is unknown ({error}); check the URL") from error
        for address in addresses:
            if not (self._allow_private or is_public(address)):
                name = f", that of {host}" if host != address else ""
                raise InputError(
                    f"{address} is a private address{name} (--allow-private permits it)"
                )
        return addresses

    def seconds_left(self) -> float:
        """Return the seconds until the deadline.

        Raises:
            httpcore.TimeoutException: if it is over.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException("the time is over")
        return left

    def _make_pool(self, proxy: str) -> tuple[httpcore.ConnectionPool, _Backend]:
        context = httpx.create_ssl_context()
        if not proxy:
            backend = _Backend(self.resolve, self.seconds_left)
            return httpcore.ConnectionPool(context, network_backend=backend), backend
        parts = urlsplit(proxy)
        if parts.scheme not in ("http", "https"):
            reason = "the proxy of the environment is not an http or https one; unset it"
            raise InputError(f"{hide_password(proxy)}: {reason}")
        user = (unquote(parts.username or ""), unquote(parts.password or ""))
        # The proxy itself may have a private address.
        backend = _Backend(lambda host, port: [host], self.seconds_left)
        pool = httpcore.HTTPProxy(
            hide_password(proxy),
            proxy_auth=user if any(user) else None,
            ssl_context=context,
            network_backend=backend,
        )
        return pool, backend


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host; the system's own limit of time may be longer than ours."""
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(address[0]) for *_, address in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty as error:
        raise httpcore.ConnectTimeout(f"{host} is not resolved") from error
    if isinstance(answer, Exception):
        raise answer
    return answer


def _find_proxy(scheme: str, host: str) -> str:
    """Return the address of the proxy that the environment names; empty for none."""
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


class _Backend(httpcore.NetworkBackend):
    """Opens connections to the addresses that `resolve` returns for a host.

    Attributes:
        opened: how many connections were tried.
    """

    def __init__(
        self, resolve: Callable[[str, int], list[str]], seconds_left: Callable[[], float]
    ) -> None:
        self._resolve = resolve
        self._seconds_left = seconds_left
        self._sockets = httpcore.SyncBackend()
        self.opened = 0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.opened += 1
        addresses = self._resolve(host, port)
        for tried, address in enumerate(addresses, 1):
            seconds = self._seconds_left() / (len(addresses) - tried + 1)
            try:
                stream = self._sockets.connect_tcp(
                    address, port, seconds, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(addresses):
                    raise
            else:
                return _Stream(stream, self._seconds_left)
        raise AssertionError("a host without addresses is unknown")


class _Stream(httpcore.NetworkStream):
    """A connection each of whose operations ends at the deadline.

    A limit on each operation does not bound the whole: a server may send its headers byte by byte.
    """

    def __init__(self, stream: httpcore.NetworkStream, seconds_left: Callable[[], float]) -> None:
        self._stream = stream
        self._seconds_left = seconds_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._seconds_left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._seconds_left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._seconds_left())
        return _Stream(stream, self._seconds_left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
