"""The shipped examples for nginx and systemd, with a real nginx, a real browser and TLS."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

import orbat.annotation
from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.page.proxy_server import check_doccano
from orbat.annotation.session.folder import Session, open_session
from orbat.annotation.session.push import push
from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ServerError
from tests.annotation.page.driver import AnnotatorPage
from tests.annotation.postgresql import free_port
from tests.conftest import Orbat, Running, skip_without

EXAMPLES = Path(orbat.annotation.__file__).parent / "deployment"
LARGE = 3 * 2**20
"""More characters than nginx lets through by default."""


class Front(NamedTuple):
    """The address of a server with TLS, that without, and the file of its certificate."""

    url: str
    plain: str
    certificate: Path


@pytest.fixture
def front(doccano: Running, orbat: Orbat, tmp_path: Path) -> Iterator[Front]:
    """nginx with the shipped example in front of doccano, and a certificate that nobody signed."""
    for name in ("nginx", "openssl"):
        if shutil.which(name) is None:
            skip_without(name, name)
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    make += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    secure, plain = free_port(), free_port()
    site = (EXAMPLES / "nginx.conf").read_text()
    for old, new in (
        (r"listen \[::\]:[^;]*;", ""),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;"),
        (r"(?<=return 301 https://)labels.example.org", f"localhost:{secure}"),
        (r"(?<=server_name )labels.example.org", "localhost"),
        (r"/etc/letsencrypt/\S*/fullchain.pem", str(certificate)),
        (r"/etc/letsencrypt/\S*/privkey.pem", str(key)),
        (r"http://127.0.0.1:8000", doccano.url),
    ):
        site, count = re.subn(old, new, site)
        assert count, old
    (tmp_path / "site.conf").write_text(site)
    temporary = "".join(
        f"{name}_temp_path {tmp_path / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{user}pid {tmp_path / 'pid'};\nerror_log {tmp_path / 'error.log'};\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}include {tmp_path / 'site.conf'};\n}}\n"
    )
    nginx = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    subprocess.run(nginx, check=True)  # it listens when this returns
    try:
        url = f"https://localhost:{secure}"
        outcome = orbat("annotate", "up", "--public-url", url, env=doccano.env)
        assert outcome.code == 0, outcome.err
        assert f"annotators open {url}" in outcome.out
        yield Front(url, f"http://localhost:{plain}", certificate)
    finally:
        process = psutil.Process(int((tmp_path / "pid").read_text()))
        process.terminate()
        process.wait(30)
        outcome = orbat("annotate", "up", "--public-url", "", env=doccano.env)
        assert "annotators open" not in outcome.out


@pytest.mark.doccano
@pytest.mark.browser
@pytest.mark.slow
def test_work_through_nginx_with_tls(
    orbat: Orbat,
    doccano: Running,
    front: Front,
    browser: Any,
    refused: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, password = tmp_path / "june", doccano.server.password
    elsewhere = {
        "ORBAT_DOCCANO_HOME": str(tmp_path / "no-home"),
        "ORBAT_DOCCANO_PASSWORD": password,
    }
    untrusted = "its TLS certificate is not trusted (self-signed certificate); if the server is"
    status = ("annotate", "status", "--session", folder)
    assert untrusted in refused(*status, "--url", front.url, env=elsewhere)
    with pytest.raises(ServerError, match="its TLS certificate is not trusted"):
        check_doccano(front.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(front.certificate))
    with pytest.raises(ServerError, match="use a name for which it was issued"):
        check_doccano(front.url.replace("localhost", "127.0.0.1"))
    assert httpx.get(front.plain).headers["location"] == f"{front.url}/"

    # From another machine, through TLS.
    documents = [Document("short", "Gen. Smith spoke."), Document("large", "word " * (LARGE // 5))]
    with DoccanoClient(front.url, "admin", password) as client:
        assert client.has_page
        push(client, folder, documents, ["tls-ann"], load_labels())
    session = open_session(folder)
    assert session.url == front.url

    # On the server's machine, the session finds the local server, and a session of its own address
    # has the public links.
    for url in (front.url, doccano.url):
        Session(**{**vars(session), "url": url}).save()
        shown = orbat(*status, "--json", env=doccano.env)
        assert shown.code == 0, shown.err
        (row,) = shown.json()["annotators"]
        assert row["link"] == f"{front.url}/orbat/annotate/{session.projects['tls-ann']}"

    page = AnnotatorPage(browser, session, "tls-ann", ignore_https_errors=True).open(1)
    with page.page.expect_response(lambda answer: answer.request.method == "POST") as saved:
        page.press("r").drag("Smith")
    assert saved.value.status == 201
    assert all(cookie["secure"] for cookie in page.context.cookies())
    assert {cookie["name"] for cookie in page.context.cookies()} == {"csrftoken", "sessionid"}
    page.close()


def test_a_file_without_certificates_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (tmp_path / "none.pem", tmp_path / "text.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        with pytest.raises(InputError, match=f"SSL_CERT_FILE {path}: has no certificates"):
            DoccanoClient("https://localhost:1", "admin", "secret")
        (tmp_path / "text.pem").write_text("no certificate")


def test_the_unit_is_right(tmp_path: Path) -> None:
    """systemd's own check finds no fault in the unit."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd found")
    unit = (EXAMPLES / "orbat-doccano.service").read_text()
    path = tmp_path / "orbat-doccano.service"
    path.write_text(unit.replace("/opt/orbat/bin/orbat", shutil.which("true") or "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True
    )
    faults = [line for line in done.stderr.splitlines() if path.name in line]
    assert (done.returncode, faults) == (0, [])
