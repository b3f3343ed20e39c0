"""A server that misbehaves: each answer is one line, or an article, and the next one is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from orbat.annotation.doccano import bounded_requests, transport
from orbat.annotation.doccano.client import DoccanoClient
from orbat.corpus.files import read_documents
from orbat.errors import OrbatError
from tests.campaign.conftest import Campaign
from tests.campaign.misbehaving_server import ANSWERS, Server, serve
from tests.conftest import Orbat, Outcome
from tests.corpus.test_boundary import GOOD, rss
from tests.corpus.test_feeds import BODY, LINK, RSS

pytestmark = [pytest.mark.campaign, pytest.mark.slow]
NAMES = [name for name in ANSWERS if name != "good"]
WITHOUT_HEAD = ("drips-status", "drips-headers", "endless-interim")
"""Answers whose head never ends. From a server that the user has chosen, orbat waits for it."""
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
            row.count(time.process_time() - began)
    row.tracebacks += len(faults)
    assert not faults
    assert row.is_clean, row


def check(campaign: Campaign, what: str, outcome: Outcome, tried: int) -> None:
    row = campaign.figures.row(f"misbehaving server: {what}")
    for _ in range(tried):
        row.count(outcome.seconds / tried, outcome.memory)
    assert row.is_clean, row


def test_pages(campaign: Campaign, orbat: Orbat, server: Server, tmp_path: Path) -> None:
    urls = [f"{server.url}/{name}" for name in NAMES]
    outcome, said = add(orbat, tmp_path, *urls)
    check(campaign, "pages", outcome, len(urls))
    assert {name for name in server.asked if name != "robots"} >= set(NAMES)
    assert set(said) <= set(urls)
    assert all(len(reasons) == 1 and "\n" not in reasons[0] for reasons in said.values())


def test_feeds(campaign: Campaign, orbat: Orbat, tmp_path: Path) -> None:
    with serve(FEED, b"application/rss+xml") as server:
        urls = [f"{server.url}/{name}.rss" for name in NAMES]
        outcome, said = add(orbat, tmp_path, *urls, f"{server.url}/good.rss")
    check(campaign, "feeds", outcome, len(urls))
    assert set(said) <= set(urls)
    assert all(len(reasons) == 1 and "\n" not in reasons[0] for reasons in said.values())


def test_entries_of_a_feed(
    campaign: Campaign, orbat: Orbat, server: Server, tmp_path: Path
) -> None:
    urls = [f"{server.url}/{name}" for name in NAMES]
    feed = tmp_path / "feed.rss"
    feed.write_bytes(rss(*urls))
    outcome, said = add(orbat, tmp_path, feed)
    check(campaign, "entries of a feed", outcome, len(urls))
    assert set(said) <= set(urls)


def test_robots_txt(campaign: Campaign, orbat: Orbat, tmp_path: Path) -> None:
    names = NAMES if campaign.is_long else campaign.random("robots").sample(NAMES, 12)
    with ExitStack() as stack:
        urls = []
        for name in names:
            server = stack.enter_context(serve())
            server.robots = name
            urls.append(f"{server.url}/good")
        outcome, said = add(orbat, tmp_path, *urls)
    check(campaign, "robots.txt", outcome, len(names))
    assert set(said) <= set(urls)
    assert all(len(reasons) == 1 for reasons in said.values())
