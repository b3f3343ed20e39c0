"""The reverse proxy: a real doccano through it, and servers that misbehave."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.server import ADMIN
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from tests.conftest import Running
from tests.serving import serving

TEXT = "😀 Gen. Doe of 2 Wing"


class PageProxy:
    """`orbat annotate page` in a process of its own, on a free port."""

    def __init__(self, url: str, *options: str) -> None:
        command = [sys.executable, "-m", "orbat", "annotate", "page", "--url", url, "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Shells let processes in the background ignore Ctrl-C, and so would this one.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        address = re.search(r" at (http://127\.0\.0\.1:\d+)/orbat/annotate/PROJECT; ", self.line)
        assert address, self.process.communicate()
        self.url = address[1]

    def stop(self) -> tuple[int, str, str]:
        """Press Ctrl-C; return the exit code and what was printed."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


class Upstream(ThreadingHTTPServer):
    """Looks like doccano, records what it gets, and answers as it is told.

    Attributes:
        answer: status, headers and content for all requests but the first.
        size: the length that is announced; None for the true one.
        requests: method, target, headers and body of each request.
    """

    daemon_threads = True
    answer: tuple[int, list[tuple[str, str]], bytes] = (200, [], b"{}")
    size: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Upstream

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, headers, body))
        status, answer_headers, content = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(self.server.size or len(content)))
        for name, value in answer_headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[Upstream, str]]:
    """A server of the test, and the address of a proxy for it."""
    with serving(Upstream()) as upstream:
        proxy = PageProxy(f"{upstream.url}/labels")
        yield upstream, proxy.url
        code, out, err = proxy.stop()
    assert (code, out, err) == (0, "stopped\n", "")


@pytest.fixture
def upstream(elsewhere: tuple[Upstream, str]) -> Upstream:
    server, _ = elsewhere
    server.requests.clear()
    server.answer, server.size = (200, [], b"{}"), None
    return server


@pytest.fixture
def client(elsewhere: tuple[Upstream, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=elsewhere[1]) as connection:
        yield connection


def test_requests_and_answers_pass_unchanged(upstream: Upstream, client: httpx.Client) -> None:
    content = bytes(range(256)) * 2000
    upstream.answer = (201, [("X-Some", "a"), ("Cache-Control", "no-store")], content)
    target = "/v1/projects/1?q=%C3%BC%20%26&x=%2F"
    answer = client.request("PATCH", target, content=content, headers={"X-Csrftoken": "t"})
    assert (answer.status_code, answer.content) == (201, content)
    assert answer.headers["X-Some"] == "a"
    ((method, path, headers, body),) = upstream.requests
    assert (method, path, body) == ("PATCH", f"/labels{target}", content)
    assert headers["x-csrftoken"] == "t"
    assert headers["host"] == upstream.url.removeprefix("http://")
    client.get("/v1/a%20b/%C3%BC")
    assert upstream.requests[-1][1] == "/labels/v1/a%20b/%C3%BC"


def test_the_origin_is_doccanos_unless_it_is_foreign(
    upstream: Upstream, client: httpx.Client
) -> None:
    own = str(client.base_url).rstrip("/")
    client.post("/v1/x", headers={"Origin": own, "Referer": f"{own}/orbat/annotate/1"})
    client.post("/v1/x", headers={"Origin": "http://evil.test", "Referer": "http://evil.test/a"})
    client.post("/v1/x", headers={"Origin": "null", "X-Forwarded-Host": "evil.test"})
    first, foreign, empty = (headers for _, _, headers, _ in upstream.requests)
    assert first["origin"] == upstream.url
    assert first["referer"] == f"{upstream.url}/orbat/annotate/1"
    assert (foreign["origin"], foreign["referer"]) == ("http://evil.test", "http://evil.test/a")
    assert empty["origin"] == "null"
    assert "x-forwarded-host" not in empty


def test_cookies_work_without_tls_and_stay_between_browser_and_doccano(
    upstream: Upstream, client: httpx.Client
) -> None:
    port = client.base_url.port
    upstream.answer = (
        200,
        [
            ("Set-Cookie", "csrftoken=c; Domain=127.0.0.1; Path=/; Secure; SameSite=None"),
            ("Set-Cookie", "sessionid=s; HttpOnly; Max-Age=9; Path=/; Secure; SameSite=Lax"),
            ("Set-Cookie", "plain=p; Path=/"),
            ("Strict-Transport-Security", "max-age=9"),
        ],
        b"{}",
    )
    answer = client.get("/v1/me")
    assert answer.headers.get_list("Set-Cookie") == [
        "csrftoken=c; Path=/; SameSite=Lax",
        f"orbat-{port}-sessionid=s; HttpOnly; Max-Age=9; Path=/; SameSite=Lax",
        f"orbat-{port}-plain=p; Path=/",
    ]
    assert "Strict-Transport-Security" not in answer.headers
    # Browsers send the cookies of every program on this machine.
    client.cookies.set("_xsrf", "of another program")
    client.cookies.set("sessionid", "of another doccano")
    client.get("/v1/me")
    sent = upstream.requests[-1][2]["cookie"].split("; ")
    assert sorted(sent) == ["csrftoken=c", "plain=p", "sessionid=s"]
    # A second browser gets nothing of the first one's session.
    httpx.get(f"http://127.0.0.1:{port}/v1/me")
    assert "cookie" not in upstream.requests[-1][2]


def test_redirects_stay_on_the_proxy(upstream: Upstream, client: httpx.Client) -> None:
    for location, expected in (
        (f"{upstream.url}/labels/projects/", "/projects/"),
        (f"{upstream.url}/admin/", "/admin/"),
        ("/auth", "/auth"),
        ("https://login.test/x", "https://login.test/x"),
    ):
        upstream.answer = (302, [("Location", location)], b"")
        assert client.get("/v1/x").headers["Location"] == expected


@pytest.mark.parametrize("host", ["evil.test", "evil.test:80", "127.0.0.1", ""])
def test_other_host_names_are_refused(upstream: Upstream, client: httpx.Client, host: str) -> None:
    for path in ("/v1/me", "/orbat/annotate/1"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421
    assert upstream.requests == []
    assert client.get("/v1/me", headers={"Host": f"localhost:{client.base_url.port}"}).is_success


def test_what_cannot_be_passed_on_is_refused(upstream: Upstream, client: httpx.Client) -> None:
    assert client.post("/v1/x", content=iter([b"a"])).status_code == 411  # chunked
    assert client.request("TRACE", "/v1/x").status_code == 501
    host, port = "127.0.0.1", client.base_url.port
    for length, status in (("-1", b" 411 "), ("many", b" 411 "), (2**31, b" 413 ")):
        with socket.create_connection((host, port), timeout=30) as connection:
            head = f"POST /v1/x HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {length}\r\n"
            connection.sendall(f"{head}\r\n".encode())
            assert status in connection.recv(1000).splitlines()[0]
    # Behind the address of doccano, these would name another host.
    for target in ("@doccano.test/v1/x", "http://doccano.test/v1/x", "/v1/x?\x01"):
        with socket.create_connection((host, port), timeout=30) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            assert b" 400 " in connection.recv(1000).splitlines()[0]
    assert upstream.requests == []


def test_an_answer_that_breaks_off_is_not_taken_for_whole(
    upstream: Upstream, client: httpx.Client
) -> None:
    upstream.answer, upstream.size = (200, [], b"half"), 8
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/v1/x")


def test_the_page_is_served_with_its_headers(upstream: Upstream, client: httpx.Client) -> None:
    page = client.get("/orbat/annotate/1")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    for address in set(re.findall(r'(?:src|href)="(/[^"]+)"', page.text)):
        assert client.get(address).status_code == 200, address
    assert client.get("/orbat/static/%2e%2e/proxy.py").status_code == 404
    assert upstream.requests == []


def test_a_server_that_stops_is_said(client: httpx.Client) -> None:
    with serving(Upstream()) as server:
        proxy = PageProxy(server.url)
    answer = httpx.get(f"{proxy.url}/v1/me")
    assert answer.status_code == 502
    assert answer.json() == {"detail": f"{server.url} does not answer."}
    refused = httpx.post(f"{proxy.url}/orbat/suggest", json={"text": "x"})
    assert (refused.status_code, refused.json()["detail"]) == (502, "doccano does not answer.")
    assert httpx.get(f"{proxy.url}/orbat/").status_code == 200
    assert proxy.stop() == (0, "stopped\n", "")


def test_addresses_that_are_no_doccano_are_refused(
    refused: Callable[..., str], upstream: Upstream
) -> None:
    page = ("annotate", "page", "--url")
    for url in ("doccano.test", "ftp://doccano.test", "http://", "http://a.test/?x", "http://a b"):
        assert f"--url {url}: not an http or https address" in refused(*page, url)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        line = refused(*page, f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert "doccano does not answer (ConnectError); check --url" in line
    upstream.answer = (404, [], b"{}")
    assert "not a doccano 1.8 server (GET /v1/me returned 404" in refused(*page, upstream.url)
    upstream.answer = (301, [("Location", "https://doccano.test/v1/me")], b"")
    line = refused(*page, upstream.url)
    assert "redirects to https://doccano.test; pass doccano's own address as --url" in line
    upstream.answer = (200, [], b"{}")
    port = ("--port", upstream.server_port)
    assert f"port {upstream.server_port} is taken" in refused(*page, upstream.url, *port)
    line = refused(*page, upstream.url, "--model-url", "model")
    assert "--model-url model: not an http or https address" in line


@pytest.mark.doccano
@pytest.mark.slow
def test_an_annotator_works_through_the_proxy(doccano: Running, tmp_path: Path) -> None:
    document = Document("d", TEXT, (Span(2, 6, "RANK"),))
    with doccano.connect() as connection:
        session = push(connection, tmp_path / "s", [document], ["far"], load_labels()).session
        project = session.projects["far"]
        unit = next(t.id for t in connection.span_types(project) if t.text == "UNIT")
        (example,) = connection.examples(project)
    proxy = PageProxy(f"{doccano.url}/")
    with httpx.Client(base_url=proxy.url, headers={"Origin": proxy.url}) as user:
        body = {"username": "far", "password": session.password("far")}
        assert user.post("/v1/auth/login/", json=body).status_code == 200
        assert user.get("/v1/me").json()["username"] == "far"
        spans = f"/v1/projects/{project}/examples/{example.id}/spans"
        new = {"start_offset": 15, "end_offset": 21, "label": unit}
        token = {"X-CSRFToken": user.cookies["csrftoken"]}
        foreign = {**token, "Origin": "http://evil.test"}
        for headers in ({}, foreign):
            refused = user.post(spans, json=new, headers=headers)
            assert refused.status_code == 403
            assert "CSRF" in refused.json()["detail"]
        added = user.post(spans, json=new, headers=token)
        assert added.status_code == 201, added.text
        (suggested,) = (span for span in user.get(spans).json() if span["label"] != unit)
        moved = user.patch(f"{spans}/{added.json()['id']}", json={"end_offset": 20}, headers=token)
        assert moved.json()["end_offset"] == 20
        assert user.delete(f"{spans}/{suggested['id']}", headers=token).status_code == 204
        states = spans.replace("spans", "states")
        assert user.post(states, json={}, headers=token).status_code == 201
        no_model = user.post("/orbat/suggest", json={"text": TEXT}, headers=token)
        assert no_model.status_code == 404
        assert user.post("/orbat/suggest", json={"text": TEXT}).status_code == 403
        assert "__nuxt" in user.get("/projects").text
    # Programs work through it as well; the upload is the largest request that they make.
    many = [Document(f"m{n}", f"{TEXT} {n}", document.spans) for n in range(30)]
    with DoccanoClient(proxy.url, ADMIN, doccano.server.password) as connection:
        assert connection.has_page
        push(connection, tmp_path / "many", many, ["far"], load_labels())
        assert len(pull(connection, tmp_path / "many").annotation_sets["far"]) == 30
    assert proxy.stop() == (0, "stopped\n", "")
    with doccano.connect() as connection:
        (back,) = pull(connection, tmp_path / "s").annotation_sets["far"]
    assert [(span.start, span.end, span.label) for span in back.spans] == [(14, 19, "UNIT")]
    assert back.meta["annotation"]["confirmed"] is True


_SEND = """async ([name, password]) => {
  const send = (method, path, body) => fetch(path, {
    method,
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": (document.cookie.match(/csrftoken=([^;]+)/) ?? ["", ""])[1],
    },
    body: JSON.stringify(body),
  });
  const answers = [await send("POST", "/v1/auth/login/", { username: name, password })];
  answers.push(await send("POST", "/orbat/suggest", { text: "x" }));
  return answers.map((answer) => answer.status);
}"""


@pytest.mark.doccano
@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_under_the_pages_policy_may_change_things(doccano: Running, browser: Any) -> None:
    proxy = PageProxy(doccano.url)
    for url in (doccano.url, proxy.url, proxy.url.replace("127.0.0.1", "localhost")):
        page = browser.new_page()
        page.goto(f"{url}/orbat/annotate/1")
        # 404: allowed, and no model is set.
        assert page.evaluate(_SEND, [ADMIN, doccano.server.password]) == [200, 404], url
        # Nothing of another origin is loaded, and no script in the page itself runs.
        violated = page.evaluate(
            """async () => {
              const violated = [];
              const all = new Promise((resolve) => {
                document.addEventListener("securitypolicyviolation", (event) => {
                  violated.push(event.effectiveDirective);
                  if (violated.length === 3) resolve();
                });
              });
              await fetch("http://127.0.0.1:9/").catch(() => {});
              const script = document.createElement("script");
              script.textContent = "window.ran = true";
              document.body.append(script);
              const frame = document.createElement("iframe");
              frame.src = "/orbat/";
              document.body.append(frame);
              await all;
              return [...violated, window.ran === true];
            }"""
        )
        assert sorted(map(str, violated)) == [
            "False",
            "connect-src",
            "frame-src",
            "script-src-elem",
        ]
        page.close()
    proxy.stop()
