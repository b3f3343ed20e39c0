"""HTTP requests to doccano's REST API: retries, errors and pages."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from ...corpus.addresses import check_address
from ...corpus.reading.bounded_requests import request
from ...corpus.reading.certificates import check_trusted_certificates, explain_untrusted
from ...errors import ServerError
from .records import Page

PAGE_SIZE = 500
"""Records per page. gunicorn kills requests after 30 s; 1,000 examples take 1.3 s."""
TIMEOUT = httpx.Timeout(60, connect=10)
MAX_ATTEMPTS = 3
_MAX_DETAIL = 2000
"""Characters that are shown of why doccano refuses a request."""


class Transport:
    """Sends requests to one doccano server.

    Safe requests are repeated when the connection breaks. Other requests are sent once, because
    most of doccano's writing calls duplicate or toggle when they are repeated.

    Args:
        url: address of doccano, which may include a path.
        token: sent with every request; None for requests without a login.

    Raises:
        InputError: if the address is not an http or https address, or has a password in it, or
            the file of trusted certificates in `SSL_CERT_FILE` is none.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        check_address(url, "--url")
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Token {token}"} if token else {}
        check_trusted_certificates()
        self.http = httpx.Client(timeout=TIMEOUT, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def send(self, method: str, path: str, *, repeat: bool, **arguments: Any) -> httpx.Response:
        """Send a request and return the response, whatever its status.

        Args:
            method: HTTP method.
            path: path below `/v1/`.
            repeat: repeat the request if the connection breaks or the server fails.
            arguments: passed to :meth:`httpx.Client.request`.

        Raises:
            ServerError: if the server does not answer.
        """
        attempts = MAX_ATTEMPTS if repeat else 1
        for attempt in range(1, attempts + 1):
            try:
                response = request(self.http, method, self.url, f"/v1/{path}", **arguments)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                untrusted = explain_untrusted(error)
                if untrusted:
                    raise ServerError(f"{self.url}: {untrusted}") from error
                if attempt == attempts:
                    raise ServerError(
                        f"{self.url}: doccano does not answer ({type(error).__name__}); "
                        "start it with orbat annotate up, or check --url"
                    ) from error
            else:
                if response.status_code < 500 or attempt == attempts:
                    return response
            time.sleep(attempt)
        raise AssertionError("unreachable")

    def page(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send a request to an address of orbat's page, and return the response.

        Args:
            method: HTTP method.
            path: path below the server's address, with a slash at its start.
            arguments: passed to :meth:`httpx.Client.request`.

        Raises:
            ServerError: if the server does not answer.
        """
        try:
            return request(self.http, method, self.url, path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(
                f"{self.url}: the server does not answer ({type(error).__name__}); check --url"
            ) from error

    def answers_with(self, header: str, path: str) -> bool:
        """Return whether the answer to a GET request has a header.

        Args:
            header: the header's name.
            path: path below the server's address, with a slash at its start.
        """
        try:
            return header in request(self.http, "GET", self.url, path).headers
        except (httpx.HTTPError, httpx.InvalidURL, ServerError):
            return False

    def decode(self, response: httpx.Response) -> Any:
        """Return the JSON content of a response.

        Raises:
            ServerError: if the request failed or was refused, or the response is not JSON.
        """
        request = f"{response.request.method} {response.request.url.path}"
        if response.status_code >= 500:
            raise ServerError(
                f"{self.url}: doccano failed at {request} with status {response.status_code}; "
                "see its log, then run orbat annotate down and orbat annotate up"
            )
        # doccano answers unknown paths with status 200 and its web page.
        content_type = response.headers.get("content-type", "no content type")
        if "application/json" not in content_type:
            raise ServerError(
                f"{self.url}: not a doccano 1.8 server ({request} returned "
                f"{response.status_code}, {content_type}); check --url"
            )
        try:
            content = response.json()
        except (ValueError, RecursionError) as error:
            raise ServerError(
                f"{self.url}: not a doccano 1.8 server ({request} returned no valid JSON); "
                "check --url"
            ) from error
        if response.status_code >= 400:
            detail = json.dumps(content, ensure_ascii=False)[:_MAX_DETAIL]
            raise ServerError(f"{self.url}: doccano refused {request}: {detail}")
        return content

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON content at a path."""
        return self.decode(self.send("GET", path, repeat=True, params=parameters))

    def get_list(self, path: str, **parameters: Any) -> list[Any]:
        """Return the records of a list that has no pages.

        Raises:
            ServerError: as :meth:`decode`, and if the content is no list.
        """
        records = self.get(path, **parameters)
        if not isinstance(records, list):
            raise ServerError(f"{self.url}: not a doccano 1.8 server ({path} is no list)")
        return records

    def pages(self, path: str, **parameters: Any) -> Iterator[Any]:
        """Yield the records of a paged list."""
        # Count offsets here: `next` is built from the Host header and is wrong behind proxies.
        offset = 0
        while True:
            page = Page.parse(
                self.get(path, limit=PAGE_SIZE, offset=offset, **parameters), self.url
            )
            yield from page.results
            offset += len(page.results)
            if not page.results or offset >= page.count:
                return

    def post(self, path: str, body: Any, *, repeat: bool = False, **arguments: Any) -> Any:
        """Post JSON and return the JSON content of the response."""
        return self.decode(self.send("POST", path, repeat=repeat, json=body, **arguments))

    def patch(self, path: str, body: Any) -> Any:
        """Change fields of an object and return the JSON content of the response."""
        return self.decode(self.send("PATCH", path, repeat=True, json=body))

    def delete(self, path: str) -> None:
        """Delete one object; does nothing if it does not exist."""
        self.send("DELETE", path, repeat=True)

    def delete_ids(self, path: str, ids: Sequence[int]) -> None:
        """Delete the objects with these ids from a list."""
        # An empty list would delete every object.
        if ids:
            self.send("DELETE", path, repeat=True, json={"ids": list(ids)})
