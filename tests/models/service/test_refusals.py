"""Requests and settings that are refused, each with one clear line."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from orbat.models.service.gate import Gate
from orbat.models.service.settings import ServiceSettings
from tests.models.service.conftest import TEXT, Serve, Served, run_async

JSON = {"Content-Type": "application/json"}
TOKEN = "a-token-of-many-characters"


@pytest.mark.parametrize(
    ("content", "headers", "status", "line"),
    [
        (b'{"text": 3}', JSON, 422, "text: must be a string or a list of strings"),
        (b'{"text": ["a", null]}', JSON, 422, "text: must be a string or a list of strings"),
        (b"{}", JSON, 422, "text: Field required"),
        (b"[]", JSON, 422, "body: Input should be a valid dictionary or object"),
        (b"", JSON, 422, "body: Field required"),
        (b'{"text": "a", "txt": "b"}', JSON, 422, "unknown field 'txt'"),
        (b'{"text": "a", "offsets": "words"}', JSON, 422, "offsets: Input should be 'code_points'"),
        (b'{"text": "ab\\ud800c"}', JSON, 422, "text: unpaired surrogate at character 2"),
        (b'{"text": ["", "\\udfff"]}', JSON, 422, "text[1]: unpaired surrogate at character 0"),
        (b'{"text": "a"', JSON, 400, "the body is not JSON"),
        (b"[" * 15_000, JSON, 400, "There was an error parsing the body"),
        (b'{"text": "a\xff"}', JSON, 400, "byte 11 of the body is not valid UTF-8"),
        (b'{"text": "a"}', {"Content-Type": "text/plain"}, 415, "content type text/plain"),
        (b'{"text": "a"}', {}, 415, "content type missing"),
        (b"x", {**JSON, "Content-Encoding": "gzip"}, 415, "the body is compressed"),
        (json.dumps({"text": "a" * 2001}).encode(), JSON, 413, "text: 2001 characters"),
        (json.dumps({"text": ["a"] * 6}).encode(), JSON, 413, "text: 6 texts; send at most 5"),
        (b'{"text": "%s"}' % (b"a" * 20_000), JSON, 413, "the body is too large"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_with_one_line(
    served: Served, content: bytes, headers: dict[str, str], status: int, line: str
) -> None:
    response = served.client.post("/tag", content=content, headers=headers)
    assert response.status_code == status
    (detail,) = response.json().values()
    assert detail.startswith(line)
    assert "\n" not in detail
    assert served.tag(TEXT).status_code == 200


def test_a_body_of_unknown_length_is_limited(served: Served) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"text": "'
        for _ in range(100):
            yield b"a" * 1000

    response = served.client.post("/tag", content=endless(), headers=JSON)
    assert response.status_code == 413


def test_other_hosts_are_refused_on_loopback(served: Served) -> None:
    # A web page can point its own name at 127.0.0.1, and would then be of the same origin.
    response = served.client.get("/health", headers={"Host": "example.org"})
    assert response.status_code == 400
    assert "--allowed-host" in response.json()["detail"]
    port = served.url.rpartition(":")[2]
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", "LOCALHOST", "[::1]", f"[::1]:{port}"):
        assert served.client.get("/health", headers={"Host": host}).status_code == 200


def test_an_allowed_host_is_served(serve: Serve, rules_run: Path) -> None:
    service = serve(rules_run, "--allowed-host", "ner.example.org")
    headers = {"Host": "ner.example.org"}
    assert service.client.get("/health", headers=headers).status_code == 200


def test_a_client_that_hangs_up_leaves_the_service_working(served: Served) -> None:
    address = httpx.URL(served.url)
    closed = sum(entry.get("status") == 499 for entry in served.log)
    with socket.create_connection((address.host, address.port)) as connection:
        head = "POST /tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(f'{head}Content-Length: 100\r\n\r\n{{"text": "Ge'.encode())
    served.wait_for("request", closed + 1, path="/tag", status=499)
    assert served.tag(TEXT).status_code == 200
    assert not [entry for entry in served.log if entry["event"] in ("failed", "not JSON")]


def test_a_client_that_hangs_up_cancels_its_request() -> None:
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        events.append((await receive())["body"].decode())
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events.append("canceled")
            raise

    messages = [
        {"type": "http.request", "body": b"1", "more_body": True},
        {"type": "http.request", "body": b"2", "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/tag", "headers": headers}
    run_async(Gate(app, ServiceSettings())(scope, receive, send))
    assert events == ["12", "canceled"]


def test_more_requests_than_allowed_are_told_to_come_back(serve: Serve, rules_run: Path) -> None:
    service = serve(rules_run, "--max-requests", 1)
    address = httpx.URL(service.url)
    body = json.dumps({"text": TEXT}).encode()
    with socket.create_connection((address.host, address.port)) as connection:
        head = "POST /tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        # The service asks for the body: the request is under way.
        assert b"100 Continue" in connection.recv(1000)
        response = service.tag(TEXT)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert "busy with 1 requests" in response.json()["detail"]
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert b"200 OK" in answer
    assert service.tag(TEXT).status_code == 200


def test_a_second_service_on_the_port_fails_at_once(
    refused: Callable[..., str], served: Served, rules_run: Path
) -> None:
    port = served.url.rpartition(":")[2]
    line = refused("serve", rules_run, "--port", port)
    assert line == f"port {port} of 127.0.0.1 is taken; choose another with --port"


@pytest.mark.parametrize(
    ("options", "token", "line"),
    [
        (("--host", "0.0.0.0"), "", "set ORBAT_TOKEN to the token that clients must send"),
        (("--host", "0.0.0.0"), "short", "the token must have at least 16 characters"),
        (("--host", "192.0.2.1"), TOKEN, "192.0.2.1:8200: cannot listen"),
        (("--port", "70000"), "", "port 70000: choose one from 1 to 65535"),
        (("--max-texts", "0"), "", "max-texts: must be at least 1"),
    ],
)
def test_wrong_settings_are_refused(
    refused: Callable[..., str], rules_run: Path, options: tuple[str, ...], token: str, line: str
) -> None:
    assert line in refused("serve", rules_run, *options, env={"ORBAT_TOKEN": token})


def test_a_missing_model_is_refused(refused: Callable[..., str]) -> None:
    line = refused("serve", "no-model", "--port", 0)
    assert line == "no-model: no run folder, wheel file or installed model of this name"


def test_the_token_is_required_once_it_is_set(serve: Serve, rules_run: Path) -> None:
    service = serve(rules_run, "--host", "0.0.0.0", env={"ORBAT_TOKEN": TOKEN})
    with httpx.Client(base_url=service.url.replace("0.0.0.0", "127.0.0.1")) as client:
        body = {"text": TEXT}
        refusal = client.post("/tag", json=body)
        assert refusal.status_code == 401
        assert "Authorization: Bearer" in refusal.json()["detail"]
        for wrong in (
            "Bearer wrong",
            f"Bearer {TOKEN}x",
            TOKEN,
            "Bearer é",
            "Basic !",
            "Basic eDp5",
        ):
            headers = {"Authorization": wrong.encode()}
            assert client.post("/tag", json=body, headers=headers).status_code == 401
        for path in ("/", "/docs", "/metrics", "/openapi.json", "/predict"):
            assert client.get(path).status_code == 401
        assert client.get("/health").json() == {"status": "UP"}
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert client.post("/tag", json=body, headers=right).status_code == 200
        assert client.post("/tag", json=body, auth=("any", TOKEN)).status_code == 200
        assert client.get("/health", headers=right).json()["model"]
    assert TOKEN not in json.dumps(service.log)
