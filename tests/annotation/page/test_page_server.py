"""The annotation page on a real doccano: routes, login, suggestions, upgrades and links."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from orbat.annotation.doccano.server import ADMIN
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.corpus.labels import load_labels
from tests.conftest import Orbat, Running
from tests.models.service.conftest import Served

pytestmark = [pytest.mark.doccano, pytest.mark.slow]

TEXT = "😀 Lt. Gen. Ann Doe took command of the 3rd Infantry Division."


@pytest.fixture
def visitor(doccano: Running) -> Iterator[httpx.Client]:
    """A browser without a login."""
    with httpx.Client(base_url=doccano.url) as client:
        yield client


@pytest.fixture
def user(visitor: httpx.Client, doccano: Running) -> httpx.Client:
    """A browser with a login, which sends the token against forgery."""
    body = {"username": ADMIN, "password": doccano.server.password}
    assert visitor.post("/v1/auth/login/", json=body).status_code == 200
    visitor.headers["X-CSRFToken"] = visitor.cookies["csrftoken"]
    return visitor


def raw_get(url: str, target: str) -> bytes:
    """Send a request target as it is, which clients would normalize."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def test_the_page_is_in_front_of_doccano(visitor: httpx.Client, doccano: Running) -> None:
    page = visitor.get("/orbat/annotate/1")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for address in set(re.findall(r'(?:src|href)="(/[^"]+)"', page.text)):
        assert visitor.get(address).status_code == 200, address
    assert visitor.get("/orbat/static/nothing.js").status_code == 404
    with doccano.connect() as connection:
        assert connection.has_page
    # doccano's own pages, scripts and API work as before, and for its own origin only.
    own = visitor.get("/projects", headers={"Origin": "http://evil.test"})
    assert "__nuxt" in own.text
    assert "access-control-allow-origin" not in own.headers
    script = re.search(r'src="(/static/_nuxt/[^"]+)"', own.text)
    assert script
    assert "javascript" in visitor.get(script[1]).headers["Content-Type"]
    api = visitor.get("/v1/me", headers={"Origin": "http://evil.test"})
    assert (api.status_code, api.headers["Content-Type"]) == (403, "application/json")
    assert "access-control-allow-origin" not in api.headers


@pytest.mark.parametrize(
    "target",
    [
        "/orbat/static/../server/files.py",
        "/orbat/static/%2e%2e/server/files.py",
        "/orbat/static/..%2fserver%2ffiles.py",
        "/orbat/static/..%5cserver%5cfiles.py",
        "/orbat/static//etc/passwd",
        "/orbat/static/%00annotate.html",
    ],
)
def test_no_path_leads_out_of_the_folder(doccano: Running, target: str) -> None:
    answer = raw_get(doccano.url, target)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"import " not in answer


def test_suggestions_need_a_login_and_its_token(
    visitor: httpx.Client, doccano: Running, request: pytest.FixtureRequest
) -> None:
    body = {"text": TEXT}
    refused = visitor.post("/orbat/suggest", json=body)
    assert refused.status_code == 403
    assert "credentials" in refused.json()["detail"]
    with doccano.connect() as connection:
        # The token of an account is for programs, not for pages.
        headers = dict(connection.transport.http.headers)
        assert visitor.post("/orbat/suggest", json=body, headers=headers).status_code == 403
    user = request.getfixturevalue("user")
    assert user.post("/orbat/suggest", json=body).status_code == 404
    for headers in ({"X-CSRFToken": ""}, {"X-CSRFToken": "x" * 32}, {"Origin": "http://evil.test"}):
        refused = user.post("/orbat/suggest", json=body, headers=headers)
        assert refused.status_code == 403
        assert "CSRF" in refused.json()["detail"]
    assert user.get("/orbat/suggest").status_code == 405


@pytest.fixture
def served(rules_run: Path) -> Iterator[Served]:
    """A real `orbat serve`, with the rules."""
    service = Served(rules_run)
    yield service
    service.stop()


def test_a_served_model_suggests_until_it_is_removed(
    doccano: Running, orbat: Orbat, served: Served, user: httpx.Client, refused: Callable[..., str]
) -> None:
    up = ("annotate", "up")
    line = refused(*up, "--model-url", "127.0.0.1:1", env=doccano.env)
    assert "--model-url 127.0.0.1:1: not an http or https address" in line
    started = orbat(*up, "--model-url", f"{served.url}/", env=doccano.env)
    assert started.code == 0, started.err
    assert f"doccano started at {doccano.url}" in started.out
    assert f"suggestions: from the model at {served.url}\n" in started.out
    answer = user.post("/orbat/suggest", json={"text": TEXT}).json()
    assert answer["model"]
    assert {"label": "RANK", "start": 3, "end": 11, "score": None} in answer["spans"]
    # A later call keeps the address, and does not restart what runs with it.
    again = orbat(*up, env=doccano.env)
    assert f"already running at {doccano.url}" in again.out
    assert served.url in again.out
    served.stop()
    failed = user.post("/orbat/suggest", json={"text": TEXT})
    assert (failed.status_code, failed.json()) == (502, {"detail": "The model does not answer."})
    assert orbat(*up, "--model-url", "", env=doccano.env).code == 0
    assert user.post("/orbat/suggest", json={"text": TEXT}).status_code == 404


def test_up_restarts_a_server_of_an_earlier_version(doccano: Running, orbat: Orbat) -> None:
    before = doccano.server.process("web")
    assert before is not None
    (doccano.server.home / "server.json").unlink()
    outcome = orbat("annotate", "up", env=doccano.env)
    assert outcome.code == 0, outcome.err
    assert "Restarting doccano, because its settings or its page have changed" in outcome.out
    assert not before.is_running()
    assert doccano.server.url == doccano.url
    assert httpx.get(f"{doccano.url}/orbat/").headers["X-Orbat-Page"] == "1"
    assert "already running" in orbat("annotate", "up", env=doccano.env).out


def test_links_lead_to_the_page(
    doccano: Running, orbat: Orbat, tmp_path: Path, train_articles: list[Document]
) -> None:
    write_documents(tmp_path / "d.jsonl", train_articles[:1])
    session = ("--session", tmp_path / "s")
    pushed = orbat(
        *("annotate", "push", tmp_path / "d.jsonl", *session, "--annotators", "linda"),
        env=doccano.env,
    )
    assert pushed.code == 0, pushed.err
    project = open_session(tmp_path / "s").projects["linda"]
    link = f"{doccano.url}/orbat/annotate/{project}"
    assert f"first document of linda: {link}\n" in pushed.out
    status = orbat("annotate", "status", *session, env=doccano.env)
    assert f"next document of linda: {link}\n" in status.out
    assert "annotate page" not in pushed.out + status.out


def test_what_the_page_shows_is_uploaded(
    doccano: Running, orbat: Orbat, tmp_path: Path, user: httpx.Client
) -> None:
    words = [f"w{n}" for n in range(216)]
    text = "😀 " + " ".join(words)
    spans, start = [], 2
    for number, word in enumerate(words):
        spans.append(Span(start, start + len(word), "UNIT", score=number / 216))
        start += len(word) + 1
    full = {"title": "A “title” of <b>some</b> length", "source": "Desk", "date": "2026-01-02"}
    documents = [
        Document("full", text, tuple(spans), {**full, "review": {"conflict 1": "x"}}),
        Document("site", text, (spans[0], Span(5, 7, "UNIT")), {"site": "s", "published": "2026"}),
        Document("bare", text, (), {"title": "", "source": None, "other": [1]}),
    ]
    with doccano.connect() as connection:
        session = push(connection, tmp_path / "s", documents, ["meta"], load_labels()).session
        project = session.projects["meta"]
        back = pull(connection, tmp_path / "s").annotation_sets["meta"]
        assert [(d.id, d.spans) for d in back] == [(d.id, d.spans) for d in documents]
        # doccano's export and the verification of a later push read the same project.
        assert [e.name for e in connection.export(project)] == ["full", "site", "bare"]
        push(connection, tmp_path / "s", documents, ["meta"], load_labels())
    found = user.get(f"/v1/projects/{project}/examples?limit=10").json()["results"]
    metas: dict[str, Any] = {e["upload_name"]: e["meta"]["meta"] for e in found}
    suggestions = metas["full"].pop("suggestions")
    assert suggestions[:2] == [[3, 5, "UNIT", 0.0], [6, 8, "UNIT", 0.0046]]
    assert len(suggestions) == 216
    assert metas == {
        "full": {"document": "full", **full, "review": {"conflict 1": "x"}},
        "site": {
            "document": "site",
            "source": "s",
            "date": "2026",
            "suggestions": [suggestions[0], [6, 8, "UNIT"]],
        },
        "bare": {"document": "bare"},
    }
