"""Fetching from a real server on this machine: robots.txt, limits, feeds."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.web.fetching import Fetcher, FetchRules
from orbat.corpus.reading.bounded import MAX_ARTICLE_BYTES
from orbat.errors import InputError
from tests.conftest import Orbat
from tests.corpus.test_ingestion import PAGE
from tests.serving import serving

FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>N</title>{items}</channel></rss>'
ITEM = "<item><title>{0}</title><link>{1}/page/{0}</link><guid>{0}</guid></item>"


class Site(BaseHTTPRequestHandler):
    """A news site with a feed whose entries the test sets, and some misbehaving pages."""

    entries: tuple[str, ...] = ()
    asked: ClassVar[Counter[str]] = Counter()
    authorized: ClassVar[dict[str, str]] = {}
    gone: tuple[str, ...] = ()
    target = ""
    robots = b"User-agent: *\nDisallow: /secret\n"

    def do_GET(self) -> None:
        Site.asked[self.path] += 1
        Site.authorized[self.path] = self.headers.get("Authorization", "")
        if self.path == "/robots.txt":
            self.answer(Site.robots, "text/plain")
        elif self.path in Site.gone:
            self.answer(b"", status=404)
        elif self.path.startswith(("/page/", "/secret/")):
            name = self.path.rsplit("/", 1)[1]
            self.answer(PAGE.replace("Kidal", name).encode())
        elif self.path == "/feed":
            tag = f'"{len(Site.entries)}"'
            if self.headers.get("If-None-Match") == tag:
                self.answer(b"", status=304)
            else:
                items = "".join(
                    ITEM.format(e, f"http://{self.headers['Host']}") for e in Site.entries
                )
                self.answer(FEED.format(items=items).encode(), "application/rss+xml", etag=tag)
        elif self.path == "/loop":
            self.answer(b"", status=302, location="/loop")
        elif self.path == "/consent" and self.headers.get("Cookie") != "seen=yes":
            self.answer(b"", status=302, location="/consent", set_cookie="seen=yes; Path=/")
        elif self.path == "/consent":
            self.answer(PAGE.encode())
        elif self.path == "/away":
            self.answer(b"", status=302, location="file:///etc/passwd")
        elif self.path == "/page-as.rss":
            self.answer(PAGE.encode())
        elif self.path == "/huge":
            self.send_response(200)
            self.end_headers()
            for _ in range((MAX_ARTICLE_BYTES >> 20) + 2):
                self.wfile.write(bytes(2**20))
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x" * 70000)
                time.sleep(0.1)
        elif self.path == "/dripping-headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(50):
                self.wfile.write(b"X-Drip: 1\r\n")
                time.sleep(0.1)
        elif self.path == "/packed":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(gzip.compress(PAGE.encode()))
        elif self.path == "/bomb":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(gzip.compress(bytes(MAX_ARTICLE_BYTES + 2**20), 1))
        elif self.path == "/to":
            self.answer(b"", status=302, location=Site.target)
        elif self.path.startswith("http://"):  # As of a proxy.
            self.answer(PAGE.encode())

    def answer(
        self, body: bytes, kind: str = "text/html", *, status: int = 200, **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    Site.entries, Site.gone, Site.asked, Site.authorized = (), (), Counter(), {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    client = Fetcher(FetchRules(pause=0, timeout=120, allow_private=True))
    yield client
    client.close()


def test_a_page_is_fetched_with_its_provenance(orbat: Orbat, site: str, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    outcome = orbat(
        *("corpus", "add", f"{site}/page/Gao", "--output", output, "--allow-private"),
        *("--license", "CC0-1.0"),
    )
    assert outcome.code == 0, outcome.err
    (document,) = read_documents(output)
    assert document.text.startswith("Brigade leaves Gao")
    assert not (tmp_path / "out.feeds.json").exists()
    provenance = document.meta["provenance"]
    assert (provenance["url"], provenance["license"]) == (f"{site}/page/Gao", "CC0-1.0")
    assert provenance["fetched"].startswith("20")
    assert len(provenance["sha256"]) == 64
    assert provenance["extractor"].startswith("trafilatura ")


def test_a_site_that_redirects_until_its_cookie_comes_back_is_fetched(
    fetcher: Fetcher, site: str
) -> None:
    assert fetcher.fetch(f"{site}/consent").content == PAGE.encode()
    assert Site.asked["/consent"] == 2


class Impatient(Site):
    """Answers one request of each connection, sends `after` beyond it, and closes at the next."""

    protocol_version = "HTTP/1.1"
    after = b""
    has_answered = False

    def do_GET(self) -> None:
        if self.has_answered:
            self.close_connection = True
            return
        self.has_answered = True
        super().do_GET()
        self.wfile.write(self.after)


@pytest.mark.parametrize("after", [b"", b"more than the length that was declared"])
def test_a_connection_that_the_server_gave_up_is_opened_again(
    fetcher: Fetcher, site: str, monkeypatch: pytest.MonkeyPatch, after: bytes
) -> None:
    monkeypatch.setattr(Impatient, "after", after)
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Impatient)) as server:
        for name in ("Gao", "Kidal"):  # The first request is for robots.txt.
            answer = fetcher.fetch(f"http://127.0.0.1:{server.server_port}/page/{name}")
            assert answer.content == PAGE.replace("Kidal", name).encode()
    assert Site.asked == {"/robots.txt": 1, "/page/Gao": 1, "/page/Kidal": 1}


def test_private_addresses_are_refused_unless_allowed(
    refused: Callable[..., str], site: str, tmp_path: Path
) -> None:
    arguments = ("--output", tmp_path / "out.jsonl")
    assert "127.0.0.1 is a private address" in refused(
        "corpus", "add", f"{site}/page/Gao", *arguments
    )
    assert "private address" in refused(
        "corpus", "add", f"{site.replace('127.0.0.1', 'localhost')}/page/Gao", *arguments
    )
    assert not Site.asked
    assert "not an http or https URL" in refused("corpus", "add", "ftp://a.org/x", *arguments)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/secret/plan", "robots.txt of its site forbids it"),
        ("/loop", "redirects more than 5 times"),
        ("/away", "not an http or https URL"),
        ("/gone", "the server responded 404"),
        ("/huge", "sends more than 64 MB"),
    ],
)
def test_errors_of_sites_are_reported(fetcher: Fetcher, site: str, path: str, message: str) -> None:
    Site.gone = ("/gone",)
    with pytest.raises(InputError, match=message):
        fetcher.fetch(f"{site}{path}")


def test_the_limit_of_robots_txt_is_named(
    fetcher: Fetcher, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Site, "robots", b"#" * 600_000)
    with pytest.raises(InputError, match=r"/page/Gao: sends more than 0\.488 MB"):
        fetcher.fetch(f"{site}/page/Gao")


@pytest.mark.parametrize("path", ["/slow", "/dripping-headers"])
def test_a_slow_server_times_out(site: str, path: str) -> None:
    fetcher = Fetcher(FetchRules(pause=0, timeout=1, allow_private=True))
    with pytest.raises(InputError, match="not complete after 1 s"):
        fetcher.fetch(f"{site}{path}")
    # Another page of the same site can be fetched.
    assert fetcher.fetch(f"{site}/page/Gao").content
    fetcher.close()


def test_a_slow_name_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: never.wait() and [])
    fetcher = Fetcher(FetchRules(pause=0, timeout=1))
    with pytest.raises(InputError, match="not complete after 1 s"):
        fetcher.fetch("http://news.example/")
    never.set()
    fetcher.close()


def test_packed_answers_are_unpacked_up_to_a_limit(fetcher: Fetcher, site: str) -> None:
    assert fetcher.fetch(f"{site}/packed").content == PAGE.encode()
    with pytest.raises(InputError, match="/bomb: larger than 64 MB"):
        fetcher.fetch(f"{site}/bomb")


@pytest.mark.parametrize("target", ["http://[::1", "http://host:99999/", "//[", "ftp://host/x"])
def test_a_redirect_to_an_invalid_address_is_one_error(
    fetcher: Fetcher, site: str, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setattr(Site, "target", target)
    with pytest.raises(InputError, match=r"/to: .*not an http or https URL|/to: .* no URL"):
        fetcher.fetch(f"{site}/to")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses of names, one for each time that a name is resolved."""
    answers: dict[str, list[str]] = {}
    resolve = socket.getaddrinfo

    def resolve_from_list(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        address = answers[host].pop(0) if host in answers else host
        return resolve(address, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_from_list)
    return answers


def test_a_connection_goes_to_the_address_that_was_checked(
    site: str, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "orbat.corpus.ingestion.web.connections.is_public", lambda address: address == "127.0.0.1"
    )
    port = site.rpartition(":")[2]
    # A connection for robots.txt, one for the page. Then, the name changes.
    names["news.example"] = ["127.0.0.1", "127.0.0.1", "127.0.0.2"]
    fetcher = Fetcher(FetchRules(pause=0))
    assert fetcher.fetch(f"http://news.example:{port}/page/Gao").content
    assert names["news.example"] == ["127.0.0.2"]
    with pytest.raises(InputError, match=r"private address, that of news\.example"):
        fetcher.fetch(f"http://news.example:{port}/page/Gao")
    # Redirects are checked in the same way.
    names["other.example"] = ["127.0.0.2"]
    asked = Site.asked.total()
    for target in (f"http://127.0.0.2:{port}/page/a", f"http://other.example:{port}/page/a"):
        monkeypatch.setattr(Site, "target", target)
        with pytest.raises(InputError, match=r"/to: 127\.0\.0\.2 is a private address"):
            fetcher.fetch(f"{site}/to")
    assert Site.asked.total() == asked + 3  # robots.txt of the site's second name, /to twice
    fetcher.close()


def test_a_password_is_sent_to_its_own_site_and_nowhere_stored(
    orbat: Orbat, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.replace("http://", "http://reader:hunter2@")
    fetcher = Fetcher(FetchRules(pause=0, allow_private=True))
    monkeypatch.setattr(Site, "target", f"{site.replace('127.0.0.1', 'localhost')}/page/Gao")
    response = fetcher.fetch(f"{url}/to")
    fetcher.close()
    assert Site.authorized["/to"] == "Basic cmVhZGVyOmh1bnRlcjI="
    assert Site.authorized["/page/Gao"] == ""
    assert "hunter2" not in response.url
    Site.entries, Site.gone = ("Gao", "Menaka"), ("/page/Menaka", "/gone")
    outcome = orbat(
        *("corpus", "add", f"{url}/feed", f"{url}/page/Kidal", f"{url}/gone", "--json"),
        *("--output", tmp_path / "out.jsonl", "--allow-private", "--pause", "0"),
    )
    value = outcome.json()
    assert (value["added"], len(value["duplicates"]), len(value["rejected"])) == (1, 1, 2), outcome
    assert "hunter2" not in outcome.out + outcome.err
    for path in tmp_path.rglob("*"):
        assert b"hunter2" not in path.read_bytes()


def test_a_proxy_of_the_environment_is_used(
    site: str, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", site)
    names["news.example"] = ["8.8.8.8"] * 2 + ["10.0.0.1"]
    fetcher = Fetcher(FetchRules(pause=0))
    assert fetcher.fetch("http://news.example/page/Gao").content == PAGE.encode()
    assert Site.asked == {
        "http://news.example/robots.txt": 1,
        "http://news.example/page/Gao": 1,
    }
    with pytest.raises(InputError, match=r"10\.0\.0\.1 is a private address"):
        fetcher.fetch("http://news.example/page/Gao")
    fetcher.close()


def test_robots_txt_is_fetched_once_and_requests_pause(site: str) -> None:
    fetcher = Fetcher(FetchRules(pause=0.2, allow_private=True))
    start = time.monotonic()
    for name in ("a", "b"):
        fetcher.fetch(f"{site}/page/{name}")
    # Three requests: robots.txt and two pages.
    assert time.monotonic() - start >= 0.4
    assert Site.asked["/robots.txt"] == 1
    fetcher.close()


def test_only_new_entries_of_a_feed_are_fetched(orbat: Orbat, site: str, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    arguments = (
        *("corpus", "add", f"{site}/feed", "--output", output),
        *("--allow-private", "--pause", "0", "--json"),
    )

    def ids() -> list[str]:
        return [document.id.rpartition("/")[2] for document in read_documents(output)]

    Site.entries = ("Gao", "Menaka")
    Site.gone = ("/page/Menaka",)
    value = orbat(*arguments).json()
    assert (value["added"], len(value["rejected"])) == (1, 1)
    assert "responded 404" in value["rejected"][0]["reason"]
    # A rejected entry is fetched again, although the feed has not changed.
    Site.gone = ()
    assert orbat(*arguments).json()["known"] == 0
    assert Site.asked["/page/Gao"] == 1
    assert ids() == ["Gao"] or ids() == ["Gao", "Menaka"]
    asked = Site.asked["/page/Menaka"]
    assert orbat(*arguments).json()["added"] == 0
    assert Site.asked["/page/Menaka"] == asked
    Site.entries = ("Gao", "Menaka", "Ansongo")
    orbat(*arguments)
    assert Site.asked["/page/Gao"] == 1
    assert Site.asked["/page/Ansongo"] == 1


def test_a_page_given_as_a_feed_is_refused(
    refused: Callable[..., str], site: str, tmp_path: Path
) -> None:
    assert "a web page, not a feed" in refused(
        *("corpus", "add", f"{site}/page-as.rss", "--output", tmp_path / "o", "--allow-private")
    )
