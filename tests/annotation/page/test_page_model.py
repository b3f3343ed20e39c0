"""Suggestions on request: what a model may answer, and what annotators are told if it does not."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.page.home_settings import PageSettings
from orbat.annotation.page.server import model as model_module
from orbat.annotation.page.server.model import ModelError, ModelService
from orbat.annotation.page.server.suggestions import MAX_BODY_BYTES, suggest
from tests.serving import serving

TEXT = "😀 Gen. Doe"
SPAN = {"start": 3, "end": 7, "label": "X", "score": 0.25}


class Service(ThreadingHTTPServer):
    """Answers as it is told, and records the requests.

    Attributes:
        answer: status, headers and content of the next answers; None to never answer.
        requests: path, headers and body of each request.
    """

    daemon_threads = True
    answer: tuple[int, dict[str, str], bytes] | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.stopped = threading.Event()

    def answers(self, *spans: object, status: int = 200, **more: str) -> None:
        body = {"model": {"name": "m"}, "offsets": "utf16", "documents": [{"spans": spans}]}
        self.answer = (status, more, json.dumps(body).encode())


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null"
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers, json.loads(body)))
        if self.server.answer is None:
            self.server.stopped.wait()
            return
        status, answer_headers, content = self.server.answer
        self.send_response(status)
        for name, value in answer_headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as server:
        yield server
        server.stopped.set()


def ask(model: ModelService | None, body: object = None, **headers: str) -> tuple[int, Any]:
    """Return the status and the decoded answer of a request for suggestions."""
    content = body if isinstance(body, bytes) else json.dumps(body or {"text": TEXT}).encode()
    environ = {
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
        **headers,
    }
    statuses: list[str] = []
    answer = suggest(model, environ, lambda status, headers: statuses.append(status))
    return int(statuses[0][:3]), json.loads(b"".join(answer))


def test_spans_come_in_utf16_units_from_the_configured_address(service: Service) -> None:
    service.answers(SPAN, {"start": 8, "end": 11, "label": "Y", "text": "Doe", "norm": {}})
    status, answer = ask(ModelService(f"{service.url}/models/", "the token of the service"))
    unscored = {"label": "Y", "start": 8, "end": 11, "score": None}
    assert (status, answer) == (200, {"model": "m", "spans": [SPAN, unscored]})
    ((path, headers, body),) = service.requests
    assert path == "/models/tag"
    assert body == {"text": TEXT, "offsets": "utf16"}
    assert headers["authorization"] == "Bearer the token of the service"
    assert "cookie" not in headers


def test_no_model_is_said(service: Service) -> None:
    status, answer = ask(None)
    assert status == 404
    assert "--model-url" in answer["detail"]


@pytest.mark.parametrize(
    "spans",
    [
        [{**SPAN, "start": -1}],
        [{**SPAN, "end": 12}],  # behind the last UTF-16 unit of the text
        [{**SPAN, "end": 3}],
        [{**SPAN, "start": 3.0}],
        [{**SPAN, "start": True}],
        [{**SPAN, "label": None}],
        [{**SPAN, "score": 1.5}],
        [{**SPAN, "score": "high"}],
        [{"start": 3, "end": 7}],
        ["X"],
    ],
)
def test_spans_that_do_not_fit_the_text_are_refused(service: Service, spans: list[Any]) -> None:
    service.answers(*spans)
    status, answer = ask(ModelService(service.url))
    assert (status, answer["detail"]) == (502, "The model's answer is not one of orbat serve.")


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"null", b'{"documents": []}', b"\xff", b"[" * 100_000]
)
def test_other_answers_are_refused(service: Service, content: bytes) -> None:
    service.answer = (200, {}, content)
    status, answer = ask(ModelService(service.url))
    assert (status, answer["detail"]) == (502, "The model's answer is not one of orbat serve.")


def test_the_reason_of_a_refusal_is_passed_on_in_one_line(service: Service) -> None:
    service.answer = (413, {}, json.dumps({"detail": "the text\nis too long"}).encode())
    assert ask(ModelService(service.url)) == (
        502,
        {"detail": "The model refused the text: the text is too long."},
    )
    service.answer = (500, {}, b"<html>")
    assert ask(ModelService(service.url))[1]["detail"].endswith("status 500.")


def test_a_redirect_is_not_followed(service: Service) -> None:
    with serving(Service()) as other:
        for status in (302, 307):
            service.answer = (status, {"Location": f"{other.url}/tag"}, b"")
            assert ask(ModelService(service.url))[0] == 502
    assert other.requests == []


def test_a_proxy_of_the_environment_gets_no_text(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answers(SPAN)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask(ModelService(service.url))[0] == 200


def test_a_model_that_is_down_or_slow_is_said(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = ModelService(f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert ask(down) == (502, {"detail": "The model does not answer."})
    monkeypatch.setattr(model_module, "TIMEOUT_SECONDS", 0.2)
    status, answer = ask(ModelService(service.url))
    assert status == 502
    assert "did not answer within" in answer["detail"]


@pytest.mark.parametrize(
    ("scheme", "start", "part"),
    [
        ("http", b"", b"x"),
        ("http", b"HTTP/1.1 200 OK\r\n", b"x"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n{", b"x"),
        ("https", b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb", b"\0"),  # a handshake of 16 kB
    ],
)
def test_the_time_is_that_of_the_whole_answer(
    monkeypatch: pytest.MonkeyPatch, scheme: str, start: bytes, part: bytes
) -> None:
    monkeypatch.setattr(model_module, "TIMEOUT_SECONDS", 0.5)
    is_over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(start)
            while not is_over.wait(0.05):
                try:
                    connection.sendall(part)
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        status, answer = ask(ModelService(f"{scheme}://127.0.0.1:{server.getsockname()[1]}"))
        is_over.set()
        thread.join()
    assert (status, answer) == (502, {"detail": model_module._TOO_SLOW})


def test_an_endless_answer_ends(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "MAX_ANSWER_BYTES", 1000)
    service.answer = (200, {}, b" " * 1001)
    with pytest.raises(ModelError, match="too large"):
        ModelService(service.url).tag(TEXT)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        ({"text": 7}, {}, 400),
        ({"text": " "}, {}, 400),
        ({"text": "\ud800"}, {}, 400),
        ({"text": TEXT}, {"CONTENT_LENGTH": "-5"}, 400),
        ({"text": TEXT}, {"CONTENT_LENGTH": "many"}, 400),
        ({"text": TEXT}, {"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}, 413),
        ({"text": TEXT}, {"CONTENT_TYPE": "text/plain"}, 415),
    ],
)
def test_a_request_without_a_text_is_refused(
    service: Service, body: object, headers: dict[str, str], status: int
) -> None:
    answered, answer = ask(ModelService(service.url), body, **headers)
    assert answered == status
    assert len(answer["detail"].splitlines()) == 1
    assert service.requests == []


def test_state_of_the_model_is_private(tmp_path: Path) -> None:
    settings = PageSettings(tmp_path / "home")
    before = settings.fingerprint()
    settings.set_model("http://127.0.0.1:8200/", "a token of the service")
    assert settings.fingerprint() != before
    assert settings.environ["ORBAT_PAGE_MODEL_URL"] == "http://127.0.0.1:8200"
    file = tmp_path / "home" / "page.json"
    assert json.loads(file.read_text())["model_token"] == "a token of the service"
    assert file.stat().st_mode & 0o077 == 0
    settings.set_model("", None)
    assert settings.model_url is None
    assert settings.fingerprint() == before
