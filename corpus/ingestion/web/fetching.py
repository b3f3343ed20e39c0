"""Polite HTTP fetching: robots.txt, pauses, limits on time and size, no private addresses."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies
from urllib.robotparser import RobotFileParser

from ....errors import InputError
from ...files import MAX_ARTICLE_BYTES
from ..charsets.declaration import charset_of_content_type

USER_AGENT = "orbat"
_MAX_REDIRECTS = 5
_MAX_ROBOTS_BYTES = 500 * 2**10
"""Size of a robots.txt that must be accepted (RFC 9309, 2.5)."""


@dataclass(frozen=True)
class FetchRules:
    """Rules for access to the web.

    Attributes:
        pause: minimum seconds between two requests to one host.
        timeout: seconds until an article must be complete.
        allow_private: whether addresses of this machine and its network may be requested.
        obey_robots: whether robots.txt is obeyed.
    """

    pause: float = 1.0
    timeout: float = 30.0
    allow_private: bool = False
    obey_robots: bool = True


@dataclass(frozen=True)
class Response:
    """The response of a server.

    Attributes:
        url: the URL after all redirects.
        content: the body; empty if not modified.
        media_type: in lower case, without parameters.
        charset: the charset parameter of the media type; empty if there is none.
        etag: the ETag header, for the next request.
        modified: the Last-Modified header, for the next request.
        fetched_at: time of the response, ISO 8601 in UTC.
        not_modified: whether the server answered 304.
    """

    url: str
    content: bytes
    media_type: str
    charset: str
    etag: str | None
    modified: str | None
    fetched_at: str
    not_modified: bool = False


class Fetcher:
    """An HTTP client with one connection pool that obeys the rules.

    Args:
        rules: the rules for access to the web.
    """

    def __init__(self, rules: FetchRules | None = None) -> None:
        import httpx

        self.rules = rules or FetchRules()
        self._client = httpx.Client(
            headers={"User-Agent": f"{USER_AGENT}/{metadata.version('orbat')} (corpus building)"},
            timeout=self.rules.timeout,
            trust_env=True,
        )
        self._robots: dict[str, RobotFileParser] = {}
        self._last_request: dict[str, float] = {}

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def fetch(self, url: str, *, etag: str | None = None, modified: str | None = None) -> Response:
        """Fetch a URL.

        Args:
            url: http or https.
            etag: ETag of a copy fetched earlier.
            modified: Last-Modified of a copy fetched earlier.

        Raises:
            InputError: if the URL is not allowed, the server does not respond in time or responds
                with an error, too many redirects or a body that is too large.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in conditions.items() if value}
        deadline = time.monotonic() + self.rules.timeout
        target = url
        for _ in range(_MAX_REDIRECTS + 1):
            self._check_url(target)
            if self.rules.obey_robots and not self._is_allowed(target, deadline):
                raise InputError(f"{url}: robots.txt of its site forbids it; ask the site")
            status, response_headers, content = self._request(
                target, url, headers, deadline, MAX_ARTICLE_BYTES
            )
            if status in (301, 302, 303, 307, 308) and "location" in response_headers:
                target = urljoin(target, response_headers["location"])
                continue
            if status == 304:
                return _make_response(target, b"", response_headers, not_modified=True)
            if status != 200:
                raise InputError(f"{url}: the server responded {status}; check the URL")
            return _make_response(target, content, response_headers)
        raise InputError(f"{url}: redirects more than {_MAX_REDIRECTS} times; check the URL")

    def _check_url(self, url: str) -> None:
        """Refuse URLs that are not http or https, and hosts with a private address."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url}: not an http or https URL; correct the URL")
        if self.rules.allow_private:
            return
        try:
            resolved = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise InputError(f"{url}: host unknown ({error}); check the URL") from error
        for *_, address in resolved:
            self._check_address(url, str(address[0]))

    def _check_address(self, url: str, address: str) -> None:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise InputError(f"{url}: {address} is a private address (--allow-private permits it)")

    def _is_allowed(self, url: str, deadline: float) -> bool:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._robots:
            robots = RobotFileParser()
            status, _, content = self._request(
                f"{site}/robots.txt", url, {}, deadline, _MAX_ROBOTS_BYTES
            )
            if status == 200:
                robots.parse(content.decode("utf-8", "replace").splitlines())
            elif status >= 500:
                # RFC 9309, 2.3.1.4: an unreachable robots.txt means that all is disallowed.
                robots.parse(["User-agent: *", "Disallow: /"])
            else:
                robots.parse([])
            self._robots[site] = robots
        return self._robots[site].can_fetch(USER_AGENT, url)

    def _request(
        self, url: str, article_url: str, headers: Mapping[str, str], deadline: float, limit: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request without following redirects; messages name `article_url`."""
        import httpx

        self._wait(url)
        content = bytearray()
        try:
            with self._client.stream("GET", url, headers=dict(headers)) as response:
                self._check_peer(article_url, response)
                for chunk in response.iter_bytes(65536):
                    content += chunk
                    if len(content) > limit:
                        raise InputError(
                            f"{article_url}: sends more than {limit / 2**20:.3g} MB; "
                            "give another URL"
                        )
                    if time.monotonic() > deadline:
                        raise InputError(
                            f"{article_url}: not complete after {self.rules.timeout:g} s; "
                            "try again later"
                        )
                return response.status_code, dict(response.headers), bytes(content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise InputError(
                f"{article_url}: cannot be fetched ({reason}); try again later"
            ) from error

    def _check_peer(self, url: str, response: Any) -> None:
        """Refuse a host whose name resolved to a private address only when connecting."""
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        # With a proxy, the peer is the proxy, which may have a private address.
        if peer and not self.rules.allow_private and not getproxies():
            self._check_address(url, str(peer[0]))

    def _wait(self, url: str) -> None:
        host = urlsplit(url).netloc
        remaining = self._last_request.get(host, -1e9) + self.rules.pause - time.monotonic()
        if remaining > 0:
            time.sleep(remaining)
        self._last_request[host] = time.monotonic()


def _make_response(
    url: str, content: bytes, headers: Mapping[str, str], *, not_modified: bool = False
) -> Response:
    return Response(
        url=url,
        content=content,
        charset=charset_of_content_type(headers.get("content-type", "")),
        media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        etag=headers.get("etag"),
        modified=headers.get("last-modified"),
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
        not_modified=not_modified,
    )
