"""Pass a browser's requests to a doccano elsewhere, so that it sees one origin on this machine."""

from __future__ import annotations

import http.cookiejar
from collections.abc import Collection, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit
from wsgiref.util import is_hop_by_hop

import httpx

from .server.responses import Environ, Headers, StartResponse, refuse

MAX_BODY_BYTES = 2**30
"""As large as doccano's own limit for uploaded files."""
TIMEOUT = httpx.Timeout(60, connect=10)
CSRF_COOKIE = "csrftoken"
_CHUNK_BYTES = 2**16
_REPLACED = {"cookie", "host", "origin", "referer", "content-length", "content-type"}
_DROPPED_ANSWERS = {"date", "server", "set-cookie", "strict-transport-security", "location"}


class RemoteDoccano:
    """A WSGI application that passes requests to a doccano elsewhere.

    In the browser, cookies have a prefix with this proxy's port, except the one against forgery,
    which scripts read by its name. Browsers send the cookies of a host to all its ports, and those
    of other programs on this machine must not get to doccano.

    Args:
        url: doccano's address, which may include a path; without a slash at its end.
        port: the port of this proxy.
        names: host and port by which browsers address this proxy.
    """

    def __init__(self, url: str, port: int, names: Collection[str]) -> None:
        self._url = url
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._local = names
        self._prefix = f"orbat-{port}-"
        # Users must not get each other's cookies: the client keeps none.
        jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, cookies=jar)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Pass on a request and its answer."""
        try:
            size = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = -1
        if size < 0 or "HTTP_TRANSFER_ENCODING" in environ:
            return refuse(start_response, "411 Length Required", "The body has no valid length.")
        if size > MAX_BODY_BYTES:
            return refuse(start_response, "413 Content Too Large", "The body is too large.")
        try:
            request = self._client.build_request(
                environ["REQUEST_METHOD"],
                self._address(environ),
                headers=self._request_headers(environ, size),
                content=_chunks(environ["wsgi.input"], size) if size else None,
            )
            response = self._client.send(request, stream=True)
        except httpx.InvalidURL:
            return refuse(start_response, "400 Bad Request", "This address is not valid.")
        except httpx.TimeoutException:
            return refuse(
                start_response, "504 Gateway Timeout", f"{self._url} did not answer in time."
            )
        except httpx.HTTPError:
            return refuse(start_response, "502 Bad Gateway", f"{self._url} does not answer.")
        reason = response.reason_phrase or HTTPStatus(response.status_code).phrase
        start_response(f"{response.status_code} {reason}", self._answer_headers(response))
        return _content(response)

    def _address(self, environ: Environ) -> str:
        """Return doccano's address for a request.

        Raises:
            httpx.InvalidURL: if the request names no path, which could lead to another host.
        """
        path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
        if not path.startswith("/"):
            raise httpx.InvalidURL("no path")
        query = environ.get("QUERY_STRING", "")
        return f"{self._url}{path}{'?' if query else ''}{query}"

    def _request_headers(self, environ: Environ, size: int) -> Headers:
        names = {
            key: key[5:].replace("_", "-").lower() for key in environ if key.startswith("HTTP_")
        }
        headers = [
            (name, environ[key])
            for key, name in names.items()
            if name not in _REPLACED and not is_hop_by_hop(name) and not _is_forwarding(name)
        ]
        if size or environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS"):
            headers.append(("content-length", str(size)))
        if size and environ.get("CONTENT_TYPE"):
            headers.append(("content-type", environ["CONTENT_TYPE"]))
        cookie = self._request_cookies(environ.get("HTTP_COOKIE", ""))
        if cookie:
            headers.append(("cookie", cookie))
        # doccano accepts changes from its own pages only. Those of other origins stay foreign.
        for name in ("origin", "referer"):
            value = environ.get(f"HTTP_{name.upper()}")
            if value:
                parts = urlsplit(value)
                if parts.scheme == "http" and parts.netloc in self._local:
                    value = self._origin + value[len(f"http://{parts.netloc}") :]
                headers.append((name, value))
        return headers

    def _request_cookies(self, header: str) -> str:
        kept = []
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == CSRF_COOKIE:
                kept.append(f"{name}={value}")
            elif name.startswith(self._prefix):
                kept.append(f"{name.removeprefix(self._prefix)}={value}")
        return "; ".join(kept)

    def _answer_headers(self, response: httpx.Response) -> Headers:
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower() not in _DROPPED_ANSWERS and not is_hop_by_hop(name)
        ]
        location = response.headers.get("location")
        if location:
            own = location.startswith((f"{self._url}/", f"{self._origin}/"))
            base = self._url if location.startswith(f"{self._url}/") else self._origin
            headers.append(("Location", location.removeprefix(base) if own else location))
        headers += [
            ("Set-Cookie", self._answer_cookie(cookie))
            for cookie in response.headers.get_list("set-cookie")
        ]
        return headers

    def _answer_cookie(self, cookie: str) -> str:
        """Return a cookie that the browser takes from an address without TLS."""
        pair, *attributes = cookie.split(";")
        name = pair.partition("=")[0].strip()
        if name != CSRF_COOKIE:
            pair = f"{self._prefix}{pair.strip()}"
        kept = []
        for attribute in attributes:
            key, _, value = attribute.strip().partition("=")
            if key.lower() == "samesite" and value.lower() == "none":
                kept.append("SameSite=Lax")  # None demands Secure.
            elif key.lower() not in ("domain", "secure", "partitioned"):
                kept.append(attribute.strip())
        return "; ".join([pair, *kept])


def _is_forwarding(name: str) -> bool:
    """Return whether a header says for whom a proxy asks; those of a browser would be lies."""
    return name == "forwarded" or name.startswith(("x-forwarded-", "x-real-"))


def _chunks(stream: Any, size: int) -> Iterator[bytes]:
    """Yield the body of a request.

    Raises:
        httpx.ReadError: if the browser breaks off.
    """
    while size:
        try:
            chunk = stream.read(min(size, _CHUNK_BYTES))
        except OSError as error:
            raise httpx.ReadError("the browser broke off") from error
        if not chunk:
            raise httpx.ReadError("the browser sent less than it said")
        size -= len(chunk)
        yield chunk


def _content(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body of an answer as it is, compressed or not."""
    try:
        yield from response.iter_raw(_CHUNK_BYTES)
    except httpx.HTTPError:
        # doccano broke off. The browser knows by the length, which was sent before.
        return
    finally:
        response.close()
