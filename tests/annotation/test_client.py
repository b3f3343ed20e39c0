"""The doccano client behind a proxy with TLS and a sub-path, and when the network breaks."""

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

pytestmark = [pytest.mark.doccano, pytest.mark.slow]

PREFIX = "/tools/labels"


class Proxy(ThreadingHTTPServer):
    """Passes requests below a sub-path on to doccano, as nginx would; may break connections.

    Attributes:
        target: doccano's host and port.
        broken: how many of the next GETs are cut off.
        held: end of a path whose request is carried out but never answered.
        reached: set when one is held.
    """

    daemon_threads = True
    target: str
    broken = 0
    held: str | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.reached = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def _pass_on(self) -> None:
        if self.command == "GET" and self.server.broken > 0:
            self.server.broken -= 1
            self.connection.close()
            return
        if not self.path.startswith(PREFIX + "/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        onward = http.client.HTTPConnection(self.server.target)
        # The outer name reaches doccano, which builds its links from it, without the sub-path.
        onward.request(
            self.command, self.path.removeprefix(PREFIX), body, dict(self.headers.items())
        )
        answer = onward.getresponse()
        content = answer.read()
        if self.server.held and self.path.partition("?")[0].endswith(self.server.held):
            self.server.reached.set()
            # Until the client hangs up.
            self.rfile.read(1)
            return
        self.send_response(answer.status)
        for name in ("Content-Type", "Content-Disposition"):
            if answer.getheader(name):
                self.send_header(name, str(answer.getheader(name)))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PATCH = _pass_on  # noqa: N815

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
    threading.Thread(target=server.serve_forever, daemon=True).start()
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    yield server, f"https://localhost:{server.server_port}{PREFIX}"
    server.shutdown()
    server.server_close()


def test_a_session_behind_tls_and_a_sub_path(
    doccano: Running, proxy: tuple[Proxy, str], tmp_path: Path
) -> None:
    server, url = proxy
    many = [Document(f"t{n}", "Gen. Smith 😀 of 2 Wing", (Span(0, 4, "RANK"),)) for n in range(40)]
    # A trailing slash, as people paste it.
    with DoccanoClient(f"{url}/", ADMIN, doccano.server.password) as connection:
        session = push(connection, tmp_path / "tls", many, ["away"], load_labels()).session
        assert session.link("away").startswith(f"{url}/projects/")
        back = pull(connection, tmp_path / "tls").annotation_sets["away"]
        assert [(d.id, d.spans) for d in back] == [(d.id, d.spans) for d in many]
        # Two broken connections in a row are got over where repeating is safe.
        server.broken = 2
        assert len(list(connection.examples(session.projects["away"]))) == 40
        server.broken = 3
        with pytest.raises(ServerError, match="does not answer"):
            connection.span_types(session.projects["away"])
        server.broken = 0


def test_a_certificate_that_nobody_vouches_for_is_refused(
    proxy: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ServerError, match=r"does not answer \(ConnectError"):
        DoccanoClient(proxy[1], ADMIN, "secret")


@pytest.mark.parametrize("step", ["/upload", "/download"])
def test_a_client_killed_in_mid_push_completes_when_pushing_again(
    orbat: Orbat, doccano: Running, proxy: tuple[Proxy, str], tmp_path: Path, step: str
) -> None:
    server, url = proxy
    many = [Document(f"c{n}", f"Gen. Number {n} spoke.", (Span(0, 4, "RANK"),)) for n in range(300)]
    write_documents(tmp_path / "d.jsonl", many)
    folder, name = tmp_path / "cut", f"cut-{step[1:]}"
    words = ["annotate", "push", str(tmp_path / "d.jsonl"), "--session", str(folder)]
    words += ["--annotators", name, "--suggest", "none"]
    words += ["--url", url, "--password", doccano.server.password]
    server.held = step
    client = subprocess.Popen([sys.executable, "-m", "orbat", *words])
    assert server.reached.wait(120)
    client.kill()
    client.wait()
    assert not (folder / "pushed").exists()
    server.held = None
    done = orbat(*words)
    assert done.code == 0, done.err
    with DoccanoClient(url, ADMIN, doccano.server.password) as connection:
        back = pull(connection, folder).annotation_sets[name]
        project = open_session(folder).projects[name]
        assert len(list(connection.examples(project))) == len(many)
    assert [(d.id, d.spans) for d in back] == [(d.id, d.spans) for d in many]
