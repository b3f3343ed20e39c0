"""Requests to doccano: which are repeated, and how failures are reported."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.probes import web_answers, worker_answers
from orbat.annotation.doccano.transport import MAX_ATTEMPTS, Transport
from orbat.annotation.page.proxy_server import check_doccano
from orbat.corpus.reading import bounded_requests
from orbat.errors import InputError, ServerError
from tests.campaign.misbehaving_server import serve
from tests.serving import serving


class FakeServer(HTTPServer):
    """Gives prepared responses in turn, and records the requests.

    Attributes:
        responses: status, content type and body of each response; the last one is repeated.
        requests: method, path and body of each request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.responses: list[tuple[int, str, bytes]] = []
        self.requests: list[tuple[str, str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def respond(self, status: int, content: Any) -> None:
        self.responses.append((status, "application/json", json.dumps(content).encode()))


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, body))
        responses = self.server.responses
        status, content_type, content = responses.pop(0) if len(responses) > 1 else responses[0]
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _respond  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with serving(FakeServer()) as server:
        yield server


def test_reading_is_repeated_after_a_failure(server: FakeServer) -> None:
    server.respond(500, "busy")
    server.respond(200, [1])
    assert Transport(server.url).get("roles") == [1]
    assert [path for _, path, _ in server.requests] == ["/v1/roles", "/v1/roles"]


def test_a_server_that_keeps_failing_is_reported(server: FakeServer) -> None:
    server.respond(500, "busy")
    with pytest.raises(ServerError, match="failed at GET /v1/roles with status 500"):
        Transport(server.url).get("roles")
    assert len(server.requests) == MAX_ATTEMPTS


def test_writing_is_not_repeated(server: FakeServer) -> None:
    server.respond(500, "busy")
    with pytest.raises(ServerError, match="failed at POST /v1/projects with status 500"):
        Transport(server.url).post("projects", {})
    assert len(server.requests) == 1


def test_a_refusal_is_reported_with_its_reason(server: FakeServer) -> None:
    server.respond(400, {"name": ["too long"]})
    with pytest.raises(ServerError, match=r'refused POST /v1/projects: \{"name": \["too long"\]\}'):
        Transport(server.url).post("projects", {})


def test_pages_are_joined(server: FakeServer) -> None:
    server.respond(200, {"count": 3, "results": ["a", "b"]})
    server.respond(200, {"count": 3, "results": ["c"]})
    assert list(Transport(server.url).pages("examples")) == ["a", "b", "c"]
    assert [path.partition("offset=")[2] for _, path, _ in server.requests] == ["0", "2"]


def test_an_empty_list_of_ids_deletes_nothing(server: FakeServer) -> None:
    server.respond(204, None)
    Transport(server.url).delete_ids("examples", [])
    assert server.requests == []
    Transport(server.url).delete_ids("examples", [4])
    assert server.requests == [("DELETE", "/v1/examples", b'{"ids":[4]}')]


def test_an_address_without_doccano_is_reported(server: FakeServer) -> None:
    server.responses = [(200, "text/html", b"<html></html>")]
    with pytest.raises(ServerError, match=r"not a doccano 1\.8 server"):
        DoccanoClient(server.url, "a", "b")
    with pytest.raises(InputError, match="not an http or https address"):
        DoccanoClient("ftp://x", "a", "b")


@pytest.mark.parametrize(
    "content", [[1], {"count": "x"}, {"count": 1, "results": 1}, None], ids=str
)
def test_an_answer_of_another_shape_is_one_error(server: FakeServer, content: Any) -> None:
    server.respond(200, content)
    with pytest.raises(
        ServerError, match=rf"{server.url}: its answer is no Page of doccano 1\.8 .*; check --url"
    ):
        list(Transport(server.url).pages("projects"))
    if not isinstance(content, list):
        with pytest.raises(ServerError, match="roles is no list"):
            Transport(server.url).get_list("roles")


def test_an_answer_that_is_no_json_or_too_large_is_one_error(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.responses.append((200, "application/json", b"[" * 100_000))
    with pytest.raises(ServerError, match="returned no valid JSON"):
        Transport(server.url).get("roles")
    monkeypatch.setattr(bounded_requests, "MAX_FILE_BYTES", 2**16)
    with pytest.raises(ServerError, match="sends more than 0 MB"):
        Transport(server.url).get("roles")


@pytest.mark.parametrize("name", ["bomb", "bomb-in-bomb"])
def test_a_packed_answer_is_refused_and_not_unpacked(name: str) -> None:
    with serve(b"[]", b"application/json") as server:
        server.always = name
        tracemalloc.start()
        try:
            with pytest.raises(ServerError, match=f"{server.url}: sends packed answers .gzip"):
                Transport(server.url).get("roles")
            with pytest.raises(ServerError, match="sends packed answers"):
                check_doccano(server.url)
            assert not web_answers(server.url)
            assert not worker_answers(server.url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 2**24


def test_the_time_and_size_of_a_probe_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_requests, "MAX_FILE_BYTES", 2**20)
    monkeypatch.setattr(bounded_requests, "MAX_SECONDS", 0.5)
    with serve(b"{}", b"application/json") as server:
        server.always = "endless-body"
        assert not web_answers(server.url)
        with pytest.raises(ServerError, match="sends more than 1 MB"):
            check_doccano(server.url)
        server.always = "drips-body"
        with pytest.raises(ServerError, match="does not answer"):
            check_doccano(server.url)
