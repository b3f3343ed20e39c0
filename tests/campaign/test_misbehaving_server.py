"""A server that misbehaves: each answer is one line, or an article, and the next one is read."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from orbat.annotation.doccano import transport
from orbat.annotation.doccano.client import DoccanoClient
from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.web.fetching import Fetcher, FetchRules
from orbat.corpus.reading import bounded_requests
from orbat.errors import InputError, OrbatError
from tests.campaign.conftest import Campaign
from tests.campaign.misbehaving_server import ANSWERS, Server, serve
from tests.conftest import Orbat, Outcome
from tests.corpus.test_boundary import GOOD, rss
from tests.corpus.test_feeds import BODY, LINK, RSS

pytestmark = [pytest.mark.campaign, pytest.mark.slow]
TO_METADATA = "redirects-to-metadata"
"""Redirects to where clouds tell secrets; no test that allows private addresses asks for it."""
NAMES = [name for name in ANSWERS if name not in ("good", TO_METADATA)]
WITHOUT_HEAD = ("drips-status", "drips-headers", "endless-interim")
"""Answers whose head never ends. From a server that the user has chosen, orbat waits for it."""
PAGES = {
    *("no-length", "packed-many-times", "charset-unknown", "charset-wrong", "charset-idna"),
    "etag-of-bytes",
}
"""Answers that are complete pages, whatever is odd about their headers or single characters."""
FEEDS = {"no-length"}
"""Answers that are complete feeds."""
ROBOTS = PAGES | {
    *("length-too-short", "damaged-packing", "redirects-to-itself", "redirects-to-file"),
    *("redirects-to-bad-port", "redirects-to-closed-port", "redirects-to-nothing"),
    *("redirects-to-bytes", "not-modified", "no-content", "empty"),
    *("type-lies-pdf", "type-lies-feed", "type-lies-json", "json-of-another-shape"),
}
"""Answers to `robots.txt` that forbid nothing: of a status below 500, with no rules in them."""
FEED = RSS.format("utf-8", LINK, BODY).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


def add(orbat: Orbat, tmp_path: Path, *sources: object) -> tuple[Outcome, dict[str, list[str]]]:
    """Add sources and, after them, a good article; return what was said of each location."""
    good = tmp_path / "good.jsonl"
    good.write_bytes(GOOD)
    output = tmp_path / "out.jsonl"
    outcome = orbat(
        *("corpus", "add", *sources, good, "--output", output, "--json"),
        *("--allow-private", "--pause", "0", "--timeout", "1"),
    )
    assert outcome.code == 0, outcome.err
    assert "good" in [document.id for document in read_documents(output)]
    said: dict[str, list[str]] = {}
    for article in outcome.json()["rejected"]:
        said.setdefault(article["location"], []).append(article["reason"])
    return outcome, said


def test_a_doccano_that_is_none(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", httpx.Timeout(0.5))
    monkeypatch.setattr(bounded_requests, "MAX_SECONDS", 1)
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)
    row = campaign.figures.row("misbehaving server: doccano")
    faults = []
    with serve(b'{"key": "x"}', b"application/json") as server:
        for name in ("good", *(name for name in NAMES if name not in WITHOUT_HEAD)):
            server.always, began = name, time.process_time()
            try:
                DoccanoClient(server.url, "admin", "secret").close()
            except OrbatError as error:
                if len(str(error).splitlines()) != 1:
                    faults.append(f"{name}: {error!r}")
            except Exception as error:
                faults.append(f"{name}: {error!r}")
            else:
                faults.append(f"{name}: is accepted")
            row.count(time.process_time() - began, 0)
    row.tracebacks += len(faults)
    campaign.check(row, faults)


def check(campaign: Campaign, what: str, outcome: Outcome, tried: int, faults: list[str]) -> None:
    row = campaign.figures.row(f"misbehaving server: {what}")
    for _ in range(tried):
        row.count(outcome.seconds / tried, outcome.memory)
    row.tracebacks += len(faults)
    campaign.check(row, faults)


def find_faults(said: dict[str, list[str]], urls: list[str], allowed: Collection[str]) -> list[str]:
    """Return what is wrong with what was said of the answers: each but the allowed ones is refused.

    Args:
        said: the reasons of the locations that were refused.
        urls: the locations, each with the name of its answer.
        allowed: names of answers that may become articles.
    """
    faults = [f"{url} was not given" for url in said.keys() - set(urls)]
    for url in urls:
        name = url.rpartition("/")[2].partition(".")[0]
        reasons = said.get(url, [])
        if not reasons and name not in allowed:
            faults.append(f"{name} is accepted")
        if len(reasons) > 1 or any("\n" in reason for reason in reasons):
            faults.append(f"{name}: {reasons}")
    return faults


def test_pages(campaign: Campaign, orbat: Orbat, server: Server, tmp_path: Path) -> None:
    urls = [f"{server.url}/{name}" for name in NAMES]
    outcome, said = add(orbat, tmp_path, *urls)
    check(campaign, "pages", outcome, len(urls), find_faults(said, urls, PAGES))
    assert {name for name in server.asked if name != "robots"} >= set(NAMES)


def test_feeds(campaign: Campaign, orbat: Orbat, tmp_path: Path) -> None:
    with serve(FEED, b"application/rss+xml") as server:
        urls = [f"{server.url}/{name}.rss" for name in NAMES]
        outcome, said = add(orbat, tmp_path, *urls, f"{server.url}/good.rss")
    check(campaign, "feeds", outcome, len(urls), find_faults(said, urls, FEEDS))


def test_entries_of_a_feed(
    campaign: Campaign, orbat: Orbat, server: Server, tmp_path: Path
) -> None:
    urls = [f"{server.url}/{name}" for name in NAMES]
    feed = tmp_path / "feed.rss"
    feed.write_bytes(rss(*urls))
    outcome, said = add(orbat, tmp_path, feed)
    check(campaign, "entries of a feed", outcome, len(urls), find_faults(said, urls, PAGES))


def test_robots_txt(campaign: Campaign, orbat: Orbat, tmp_path: Path) -> None:
    names = NAMES if campaign.is_long else campaign.random("robots").sample(NAMES, 12)
    with ExitStack() as stack:
        urls = {}
        for name in names:
            server = stack.enter_context(serve())
            server.robots = name
            urls[f"{server.url}/good"] = name
        outcome, said = add(orbat, tmp_path, *urls)
    named = {f"/{urls[url]}": reasons for url, reasons in said.items()}
    faults = find_faults(named, [f"/{name}" for name in names], ROBOTS)
    check(campaign, "robots.txt", outcome, len(names), faults)


@pytest.mark.parametrize("as_robots", [False, True])
def test_a_redirect_to_a_private_address_is_not_followed(
    campaign: Campaign, server: Server, monkeypatch: pytest.MonkeyPatch, as_robots: bool
) -> None:
    asked = []

    def is_public(address: str) -> bool:
        asked.append(address)
        return address == "127.0.0.1"  # stands for the site; the rest is as private as it is

    monkeypatch.setattr("orbat.corpus.ingestion.web.connections.is_public", is_public)
    server.robots = TO_METADATA if as_robots else ""
    fetcher, began = Fetcher(FetchRules(pause=0, timeout=5)), time.process_time()
    with pytest.raises(InputError, match=r"169\.254\.169\.254.* is a private address"):
        fetcher.fetch(f"{server.url}/{TO_METADATA}")
    fetcher.close()
    assert asked[-1] == "::ffff:169.254.169.254"
    row = campaign.figures.row("misbehaving server: redirect to a private address")
    row.count(time.process_time() - began, 0)
    campaign.check(row, [])
