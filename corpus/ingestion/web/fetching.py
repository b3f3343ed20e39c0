"""Fetching from the web, as a guest who keeps the rules of the house."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies
from urllib.robotparser import RobotFileParser

from ....errors import InputError
from ...files import LARGEST

AGENT = "orbat"
_REDIRECTS = 5
_ROBOTS_LARGEST = 500 * 2**10
"""Bytes of a robots.txt that must be read (RFC 9309, 2.5)."""


@dataclass(frozen=True)
class FetchRules:
    """How the web is used.

    Attributes:
        pause: least seconds between two requests to one host.
        timeout: seconds that one article may take in all.
        private: whether addresses of this machine and its network may be asked.
        robots: whether robots.txt is obeyed.
    """

    pause: float = 1.0
    timeout: float = 30.0
    private: bool = False
    robots: bool = True


@dataclass(frozen=True)
class Fetched:
    """What a server answered.

    Attributes:
        url: the address after all redirects.
        content: the body; empty where nothing has changed.
        kind: the media type, in lower case, without parameters.
        etag: for the next request.
        modified: for the next request.
        time: when, in UTC.
        unchanged: whether the server said that nothing has changed.
    """

    url: str
    content: bytes
    kind: str
    etag: str | None
    modified: str | None
    time: str
    unchanged: bool = False


class Fetcher:
    """Fetches with one connection pool; obeys robots.txt, waits between requests to a host.

    Args:
        rules: what is allowed.
    """

    def __init__(self, rules: FetchRules | None = None) -> None:
        import httpx

        self.rules = rules or FetchRules()
        self._client = httpx.Client(
            headers={"User-Agent": f"{AGENT}/0.1 (corpus building)"},
            timeout=self.rules.timeout,
            trust_env=True,
        )
        self._robots: dict[str, RobotFileParser] = {}
        self._last: dict[str, float] = {}

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def fetch(self, url: str, *, etag: str | None = None, modified: str | None = None) -> Fetched:
        """Fetch one address.

        Args:
            url: http or https.
            etag: of the copy that is at hand.
            modified: Last-Modified of the copy that is at hand.

        Raises:
            InputError: if the address is not allowed, does not answer in time, answers with an
                error, redirects too often, or sends more than an article may have.
        """
        asked = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in asked.items() if value}
        deadline = time.monotonic() + self.rules.timeout
        at = url
        for _ in range(_REDIRECTS + 1):
            self._check(at)
            if self.rules.robots and not self._allowed(at, deadline):
                raise InputError(f"{url}: robots.txt of its site forbids it; ask the site")
            status, answer, content = self._request(at, url, headers, deadline, LARGEST)
            if status in (301, 302, 303, 307, 308) and "location" in answer:
                at = urljoin(at, answer["location"])
                continue
            if status == 304:
                return self._fetched(at, b"", answer, unchanged=True)
            if status != 200:
                raise InputError(f"{url}: the server answers {status}; check the address")
            return self._fetched(at, content, answer)
        raise InputError(f"{url}: redirects more than {_REDIRECTS} times; check the address")

    def _fetched(
        self, url: str, content: bytes, answer: Mapping[str, str], *, unchanged: bool = False
    ) -> Fetched:
        return Fetched(
            url,
            content,
            answer.get("content-type", "").partition(";")[0].strip().lower(),
            answer.get("etag"),
            answer.get("last-modified"),
            datetime.now(UTC).isoformat(timespec="seconds"),
            unchanged,
        )

    def _check(self, url: str) -> None:
        """Refuse what is no web address, and hosts that resolve to a private one."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url}: not an http or https address")
        if self.rules.private:
            return
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise InputError(f"{url}: host unknown ({error}); check the address") from error
        for *_, address in found:
            self._check_address(url, str(address[0]))

    def _check_address(self, url: str, address: str) -> None:
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise InputError(f"{url}: {address} is a private address (--allow-private permits it)")

    def _allowed(self, url: str, deadline: float) -> bool:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._robots:
            rules = RobotFileParser()
            status, _, content = self._request(
                f"{site}/robots.txt", url, {}, deadline, _ROBOTS_LARGEST
            )
            if status == 200:
                rules.parse(content.decode("utf-8", "replace").splitlines())
            elif status >= 500:
                # RFC 9309, 2.3.1.4: a site that cannot say is taken to forbid.
                rules.parse(["User-agent: *", "Disallow: /"])
            else:
                rules.parse([])
            self._robots[site] = rules
        return self._robots[site].can_fetch(AGENT, url)

    def _request(
        self, url: str, named: str, headers: Mapping[str, str], deadline: float, largest: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Ask once, without following redirects; `named` is the address for messages."""
        import httpx

        self._wait(url)
        content = bytearray()
        try:
            with self._client.stream("GET", url, headers=dict(headers)) as answer:
                self._check_peer(named, answer)
                for part in answer.iter_bytes(65536):
                    content += part
                    if len(content) > largest:
                        raise InputError(f"{named}: sends more than {largest >> 20} MB")
                    if time.monotonic() > deadline:
                        raise InputError(
                            f"{named}: not done after {self.rules.timeout:g} s; try again later"
                        )
                return answer.status_code, dict(answer.headers), bytes(content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise InputError(f"{named}: cannot be fetched ({reason}); try again later") from error

    def _check_peer(self, url: str, answer: Any) -> None:
        """Refuse a host whose name resolved to another, private address when connecting."""
        stream = answer.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        # By a proxy, the peer is the proxy, which may well be private.
        if peer and not self.rules.private and not getproxies():
            self._check_address(url, str(peer[0]))

    def _wait(self, url: str) -> None:
        host = urlsplit(url).netloc
        pause = self._last.get(host, -1e9) + self.rules.pause - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._last[host] = time.monotonic()
