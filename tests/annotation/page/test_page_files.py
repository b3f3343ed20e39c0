"""The page's addresses: what is served, with which headers, and what is refused."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import pytest

from orbat.annotation.page.server.application import PageApplication
from orbat.annotation.page.server.files import WEB, PageFiles
from tests.conftest import ROOT

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes


def doccano(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [f"doccano's {environ['PATH_INFO']}".encode()]


def request(
    application: PageApplication, path: str, method: str = "GET", **headers: str
) -> Response:
    answered: list[Any] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, **headers}
    setup_testing_defaults(environ)
    content = application(environ, lambda *answer: answered.extend(answer))
    return Response(int(answered[0][:3]), dict(answered[1]), b"".join(content))


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "web" / "js").mkdir(parents=True)
    for name in ("annotate.html", "adjudicate.html", "page.css", "js/main.js"):
        (tmp_path / "web" / name).write_text(f"content of {name} ü")
    for name in ("secret.html", "web/notes.txt", "web/key"):
        (tmp_path / name).write_text("secret")
    (tmp_path / "web" / "linked.html").symlink_to(tmp_path / "secret.html")
    return tmp_path / "web"


@pytest.fixture
def application(web: Path) -> PageApplication:
    return PageApplication(doccano, files=PageFiles(web))


@pytest.mark.parametrize(
    ("path", "name", "content_type"),
    [
        ("/orbat/annotate/7", "annotate.html", "text/html; charset=utf-8"),
        ("/orbat/annotate/7/", "annotate.html", "text/html; charset=utf-8"),
        ("/orbat/annotate/7/12", "annotate.html", "text/html; charset=utf-8"),
        ("/orbat/adjudicate/7", "adjudicate.html", "text/html; charset=utf-8"),
        ("/orbat/adjudicate/7/12", "adjudicate.html", "text/html; charset=utf-8"),
        ("/orbat/static/page.css", "page.css", "text/css; charset=utf-8"),
        ("/orbat/static/js/main.js", "js/main.js", "text/javascript; charset=utf-8"),
    ],
)
def test_pages_and_files_are_served(
    application: PageApplication, path: str, name: str, content_type: str
) -> None:
    response = request(application, path)
    content = f"content of {name} ü".encode()
    assert (response.status, response.content) == (200, content)
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Length"] == str(len(content))
    assert response.headers["Cache-Control"] == "no-cache"
    head = request(application, path, "HEAD")
    assert head == response._replace(content=b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/orbat/annotate", "/orbat/annotate/", "/orbat/annotate/0", "/orbat/annotate/07"),
        *("/orbat/annotate/x", "/orbat/annotate/7/0", "/orbat/annotate/7/1/2", "/orbat/annotate/٣"),
        *("/orbat/annotate/7\n", "/orbat/guess/7", "/orbat", "/orbat/static", "/orbat/static/"),
        *("/orbat/static/js", "/orbat/static/../secret.html", "/orbat/static//etc/passwd"),
        *("/orbat/static/js/../../secret.html", "/orbat/static/..\\secret.html"),
        *("/orbat/static/%2e%2e/secret.html", "/orbat/static/./page.css", "/orbat/../secret.html"),
        *("/orbat/static/v-0123456789abcdef/../secret.html", "/orbat/static/v-0123/page.css"),
        *("/orbat/static/js/../page.css", "/orbat/static/page.css\0.html"),
        # Neither links out of the folder, nor types that a page does not load.
        *("/orbat/static/linked.html", "/orbat/static/notes.txt", "/orbat/static/key"),
    ],
)
def test_nothing_else_is_served(application: PageApplication, path: str) -> None:
    response = request(application, path)
    assert response.status == 404
    assert response.content == b"no such page or file\n"


def test_only_files_that_existed_at_the_start_are_served(
    application: PageApplication, web: Path
) -> None:
    (web / "later.js").write_text("later")
    assert request(application, "/orbat/static/later.js").status == 404


@pytest.mark.parametrize("path", ["/orbat/", "/orbat/annotate/7", "/orbat/x", "/orbat/suggest"])
def test_every_answer_has_the_headers_of_the_page(application: PageApplication, path: str) -> None:
    headers = request(application, path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == POLICY
    assert headers["X-Orbat-Page"] == "1"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_files_are_only_read(application: PageApplication, method: str) -> None:
    response = request(application, "/orbat/annotate/7", method)
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"


def test_a_browser_keeps_what_has_not_changed(application: PageApplication, web: Path) -> None:
    path = "/orbat/static/js/main.js"
    tag = request(application, path).headers["ETag"]
    for known in (tag, f'"other", W/{tag}'):
        kept = request(application, path, HTTP_IF_NONE_MATCH=known)
        assert (kept.status, kept.content, kept.headers["ETag"]) == (304, b"", tag)
    (web / "js" / "main.js").write_text("new")
    changed = request(application, path, HTTP_IF_NONE_MATCH=tag)
    assert (changed.status, changed.content) == (200, b"new")
    assert changed.headers["ETag"] != tag


def test_a_browser_asks_once_for_each_version_of_a_script(
    application: PageApplication, web: Path
) -> None:
    (web / "annotate.html").write_text('<script src="/orbat/static/js/main.js"></script>')

    def script() -> str:
        page = request(application, "/orbat/annotate/7")
        assert page.headers["Cache-Control"] == "no-cache"
        return re.findall('src="(.+)"', page.content.decode())[0]

    first = script()
    response = request(application, first)
    assert response.content == "content of js/main.js ü".encode()
    assert response.headers["Cache-Control"] == "max-age=31536000, immutable"
    (web / "js" / "main.js").write_text("new")
    assert script() != first
    assert request(application, script()).content == b"new"
    # A page that was loaded before still works, but its scripts are not kept.
    late = request(application, first)
    assert (late.content, late.headers["Cache-Control"]) == (b"new", "no-cache")


@pytest.mark.parametrize("path", ["/", "/v1/me", "/orbatx", "/projects/orbat/", "/ORBAT/"])
def test_other_addresses_are_doccanos(application: PageApplication, path: str) -> None:
    response = request(application, path, "PATCH")
    assert (response.status, response.content) == (200, f"doccano's {path}".encode())
    assert "X-Orbat-Page" not in response.headers


def test_what_the_shipped_pages_load_is_shipped() -> None:
    shipped = PageApplication(doccano)
    for page in ("annotate", "adjudicate"):
        content = re.sub(rb"v-[0-9a-f]{16}/", b"", request(shipped, f"/orbat/{page}/1").content)
        assert content == (WEB / f"{page}.html").read_bytes()


DOCCANO_HAS = {
    "celery",
    "config",
    "django",
    "django_drf_filepond",
    "examples",
    "labels",
    "projects",
    "rest_framework",
}
"""doccano's own modules that are used, and the libraries that it needs itself."""


def test_the_server_package_needs_nothing_that_doccano_lacks() -> None:
    for path in (ROOT / "annotation" / "page" / "server").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level < 2, f"{path.name} imports from outside of the package"
                names = [node.module or ""] if node.level == 0 else []
            foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names
            assert foreign <= DOCCANO_HAS, path.name
