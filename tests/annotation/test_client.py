"""The doccano client: behind a proxy with TLS and a path, and with broken connections."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.server import ADMIN
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.corpus.labels import load_labels
from orbat.errors import ServerError
from tests.conftest import Orbat, Running
from tests.serving import serving

pytestmark = [pytest.mark.doccano, pytest.mark.slow]

PREFIX = "/tools/labels"


class Proxy(ThreadingHTTPServer):
    """Forwards requests below a path to doccano, as nginx does, and breaks some connections.

    Attributes:
        target: doccano's host and port.
        broken: number of the next GET requests whose connection is closed.
        unanswered: end of a path whose requests are forwarded, but never answered.
        reached: set at the first unanswered request.
    """

    daemon_threads = True
    target: str
    broken = 0
    unanswered: str | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.reached = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def _forward(self) -> None:
        if self.command == "GET" and self.server.broken > 0:
            self.server.broken -= 1
            self.connection.close()
            return
        if not self.path.startswith(PREFIX + "/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection(self.server.target)
        # doccano sees the outer host name, and builds its links from it without the path.
        upstream.request(
            self.command, self.path.removeprefix(PREFIX), body, dict(self.headers.items())
        )
        response = upstream.getresponse()
        content = response.read()
        if self.server.unanswered and self.path.partition("?")[0].endswith(self.server.unanswered):
            self.server.reached.set()
            # Wait until the client closes the connection.
            self.rfile.read(1)
            return
        self.send_response(response.status)
        for name in ("Content-Type", "Content-Disposition"):
            if response.getheader(name):
                self.send_header(name, str(response.getheader(name)))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PATCH = _forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(
    doccano: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Proxy, str]]:
    authority = trustme.CA()
    server = Proxy(("127.0.0.1", 0), Handler)
    server.target = doccano.url.removeprefix("http://")
    context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with serving(server):
        yield server, f"https://localhost:{server.server_port}{PREFIX}"


def test_a_session_through_tls_and_below_a_path(
    doccano: Running, orbat: Orbat, proxy: tuple[Proxy, str], tmp_path: Path
) -> None:
    server, url = proxy
    many = [Document(f"t{n}", "Gen. Smith 😀 of 2 Wing", (Span(0, 4, "RANK"),)) for n in range(40)]
    # People paste addresses with a trailing slash.
    with DoccanoClient(f"{url}/", ADMIN, doccano.server.password) as connection:
        session = push(connection, tmp_path / "tls", many, ["away"], load_labels()).session
        # Its addresses begin at the root of a server.
        assert not connection.has_page
        status = orbat(
            *("annotate", "status", "--session", tmp_path / "tls", "--url", url),
            env={"ORBAT_DOCCANO_PASSWORD": doccano.server.password},
        )
        page = f"{url}/projects/{session.projects['away']}/sequence-labeling?page=1"
        assert f"next document of away: {page}\n" in status.out
        assert f"orbat annotate page --url {url}" in status.out
        back = pull(connection, tmp_path / "tls").annotation_sets["away"]
        assert [(d.id, d.spans) for d in back] == [(d.id, d.spans) for d in many]
        # Safe requests survive two broken connections in a row.
        server.broken = 2
        assert len(list(connection.examples(session.projects["away"]))) == 40
        server.broken = 3
        with pytest.raises(ServerError, match="does not answer"):
            connection.span_types(session.projects["away"])
        server.broken = 0


def test_an_untrusted_certificate_is_refused(
    proxy: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ServerError, match="its TLS certificate is not trusted"):
        DoccanoClient(proxy[1], ADMIN, "secret")


@pytest.mark.parametrize("step", ["/upload", "/download"])
def test_push_again_completes_a_push_that_was_killed(
    orbat: Orbat, doccano: Running, proxy: tuple[Proxy, str], tmp_path: Path, step: str
) -> None:
    server, url = proxy
    many = [Document(f"c{n}", f"Gen. Number {n} spoke.", (Span(0, 4, "RANK"),)) for n in range(300)]
    write_documents(tmp_path / "d.jsonl", many)
    folder, name = tmp_path / "cut", f"cut-{step[1:]}"
    arguments = ["annotate", "push", str(tmp_path / "d.jsonl"), "--session", str(folder)]
    arguments += ["--annotators", name, "--suggest", "none"]
    arguments += ["--url", url, "--password-stdin"]
    server.unanswered = step
    client = subprocess.Popen(
        [sys.executable, "-m", "orbat", *arguments], stdin=subprocess.PIPE, text=True
    )
    print(doccano.server.password, file=client.stdin, flush=True)
    assert server.reached.wait(120)
    client.kill()
    client.wait()
    assert not (folder / "pushed").exists()
    server.unanswered = None
    password = {"ORBAT_DOCCANO_PASSWORD": doccano.server.password}
    done = orbat(*arguments[:-1], env=password)
    assert done.code == 0, done.err
    with DoccanoClient(url, ADMIN, doccano.server.password) as connection:
        back = pull(connection, folder).annotation_sets[name]
        project = open_session(folder).projects[name]
        assert len(list(connection.examples(project))) == len(many)
    assert [(d.id, d.spans) for d in back] == [(d.id, d.spans) for d in many]
