"""Polite HTTP fetching: robots.txt, pauses, limits on time and size, no private addresses."""

from __future__ import annotations

import base64
import string
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from ....errors import InputError
from ...addresses import hide_password, split_address
from ...reading.bounded import MAX_ARTICLE_BYTES
from ..charsets.declaration import charset_of_content_type
from .content_encoding import unpack

if TYPE_CHECKING:
    import httpx

USER_AGENT = "orbat"
_MAX_REDIRECTS = 5
_MAX_ROBOTS_BYTES = 500 * 2**10
"""Size of a robots.txt that must be accepted (RFC 9309, 2.5)."""
_TOO_LARGE = "sends more than {:.3g} MB; give another URL"


@dataclass(frozen=True)
class FetchRules:
    """Rules for access to the web.

    Attributes:
        pause: minimum seconds between two requests to one host.
        timeout: seconds until an article must be complete, the pauses not counted.
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
        from .connections import Connections

        self.rules = rules or FetchRules()
        self._connections = Connections(allow_private=self.rules.allow_private)
        version = metadata.version("orbat")
        self._headers = {
            "User-Agent": f"{USER_AGENT}/{version} (corpus building)",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate, br, zstd",
        }
        self._robots: dict[str, RobotFileParser] = {}
        self._last_request: dict[str, float] = {}

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def fetch(self, url: str, *, etag: str | None = None, modified: str | None = None) -> Response:
        """Fetch a URL.

        A user name and password in the URL are sent to its own site (basic authentication), and
        occur neither in the response nor in messages.

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
        self._connections.deadline = time.monotonic() + self.rules.timeout
        try:
            return self._follow(url, headers)
        except InputError as error:
            # A message of a host, or of the target of a redirect, names what the user gave, too.
            shown = hide_password(url)
            message = str(error)
            raise InputError(
                message if message.startswith(f"{shown}: ") else f"{shown}: {message}"
            ) from error

    def _follow(self, url: str, headers: dict[str, str]) -> Response:
        import httpx

        shown = target = hide_password(url)
        origin, authorization = _site(url), _basic_authentication(url)
        cookies = httpx.Cookies()  # Some sites redirect until they get the cookie that they set.
        for _ in range(_MAX_REDIRECTS + 1):
            # A redirect to another site must not get the password.
            secret = authorization if _site(target) == origin else {}
            if self.rules.obey_robots and not self._is_allowed(target, secret):
                raise InputError(f"{shown}: robots.txt of its site forbids it; ask the site")
            status, response_headers, content = self._request(
                target, {**headers, **secret}, MAX_ARTICLE_BYTES, cookies
            )
            if status in (301, 302, 303, 307, 308) and "location" in response_headers:
                target = _join(target, response_headers["location"])
                continue
            if status == 304 and headers:  # otherwise, nothing is known that could be unchanged
                return _make_response(target, b"", response_headers, not_modified=True)
            if status != 200:
                raise InputError(f"{shown}: the server responded {status}; check the URL")
            return _make_response(target, content, response_headers)
        raise InputError(f"{shown}: redirects more than {_MAX_REDIRECTS} times; check the URL")

    def _is_allowed(self, url: str, secret: Mapping[str, str]) -> bool:
        site = _site(url)
        if site not in self._robots:
            robots = RobotFileParser()
            status, _, content = self._request(f"{site}/robots.txt", secret, _MAX_ROBOTS_BYTES)
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
        self, url: str, headers: Mapping[str, str], limit: int, cookies: httpx.Cookies | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request without following redirects, and return what the server answers."""
        import httpcore
        import httpx

        from .connections import FAILURES

        self._wait(url)
        all_headers = {**self._headers, **headers}
        try:
            # Quotes what a path must not contain, and encodes the host's name.
            address = httpx.URL(url)
            question = httpx.Request("GET", address)
            if cookies is not None:
                cookies.set_cookie_header(question)
                if "cookie" in question.headers:
                    all_headers["Cookie"] = question.headers["cookie"]
            request = httpcore.Request(
                "GET",
                httpcore.URL(
                    scheme=address.raw_scheme,
                    host=address.raw_host,
                    port=address.port,
                    target=address.raw_path,
                ),
                headers=[
                    (b"Host", address.netloc),
                    *((k.encode(), v.encode("latin-1")) for k, v in all_headers.items()),
                ],
            )
            response = self._connections.open(request)
            try:
                body = _read(response.iter_stream(), limit)
            finally:
                response.close()
        except httpcore.TimeoutException as error:
            raise InputError(
                f"not complete after {self.rules.timeout:g} s; try again later"
            ) from error
        except (*FAILURES, httpx.InvalidURL, UnicodeError) as error:
            reason = str(error) or type(error).__name__
            raise InputError(f"cannot be fetched ({reason}); try again later") from error
        if cookies is not None:
            answer = httpx.Response(response.status, headers=response.headers, request=question)
            cookies.extract_cookies(answer)
        answered: dict[str, str] = {}
        for name, value in response.headers:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            answered[key] = f"{answered[key]}, {text}" if key in answered else text
        if response.status == 200:
            body = unpack(body, answered.get("content-encoding", ""), url)
            if len(body) > limit:
                raise InputError(_TOO_LARGE.format(limit / 2**20))
        return response.status, answered, body

    def _wait(self, url: str) -> None:
        """Wait for the pause between two requests to one host, which does not count as its time."""
        host = urlsplit(url).netloc
        remaining = self._last_request.get(host, -1e9) + self.rules.pause - time.monotonic()
        if remaining > 0:
            time.sleep(remaining)
            self._connections.deadline += remaining
        self._last_request[host] = time.monotonic()


def _read(chunks: Iterable[bytes], limit: int) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise InputError(_TOO_LARGE.format(limit / 2**20))
    return bytes(content)


def _site(url: str) -> str:
    """Return scheme, host and port of a URL, which must be valid."""
    parts = split_address(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def _basic_authentication(url: str) -> dict[str, str]:
    """Return the header for the user name and password in a URL (RFC 7617); none without them."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return {}
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    encoded = base64.b64encode(user.encode(errors="replace")).decode()
    return {"Authorization": f"Basic {encoded}"}


def _join(url: str, location: str) -> str:
    """Return the target of a redirect, without a user name and password."""
    # Servers send what is beyond ASCII as it is.
    location = quote(location.strip().encode("latin-1"), safe=string.printable)
    try:
        return hide_password(urljoin(url, location))
    except ValueError as error:
        raise InputError("redirects to what is no URL; check the URL") from error


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
