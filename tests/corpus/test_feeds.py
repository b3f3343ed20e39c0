"""Feeds: articles that they hold themselves, and their encodings."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.corpus.files import read_documents
from orbat.corpus.ingestion.web.feeds import parse_feed
from orbat.errors import InputError
from tests.conftest import Orbat

SENTENCE = "Gen. Łukasz Śląski of the 3rd Brigade said on Monday that “the move” went as planned. "
RSS = """<?xml version="1.0" encoding="{0}"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>News</title><item><title>Brigade leaves Kidal</title><guid>g1</guid>{1}
<description>A short summary of it.</description>
<content:encoded><![CDATA[{2}]]></content:encoded></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry>
<title>Brigade leaves Kidal</title><id>g1</id><link href="http://a.org/x"/>
<summary>A short summary of it.</summary><content type="{0}">{1}</content></entry></feed>"""
FIRST, SECOND = (SENTENCE * 4).strip(), (SENTENCE * 4).replace("Monday", "Friday").strip()
BODY = f"<p>{FIRST}</p><p>{SECOND}</p>"
LINK = "<link>http://a.org/x</link>"
ESCAPED = BODY.replace("<", "&lt;")
XHTML = f'<div xmlns="http://www.w3.org/1999/xhtml">{BODY}</div>'


@pytest.mark.parametrize(
    "feed",
    [
        RSS.format("utf-8", LINK, BODY).encode(),
        RSS.format("utf-8", "", BODY).encode(),
        RSS.format("windows-1250", LINK, BODY).encode("windows-1250"),
        RSS.format("utf-16", LINK, BODY).encode("utf-16"),
        ATOM.format("html", ESCAPED).encode(),
        ATOM.format("xhtml", XHTML).encode(),
        ATOM.format("text", f"{FIRST}\n{SECOND}").encode(),
    ],
)
def test_an_article_that_the_feed_holds_is_not_fetched(
    orbat: Orbat, tmp_path: Path, feed: bytes
) -> None:
    (tmp_path / "news.rss").write_bytes(feed)
    outcome = orbat("corpus", "add", tmp_path / "news.rss", "--output", tmp_path / "n.jsonl")
    assert outcome.code == 0, outcome.err
    (document,) = read_documents(tmp_path / "n.jsonl")
    assert document.text == f"Brigade leaves Kidal\n\n{FIRST}\n\n{SECOND}\n"
    assert document.meta["provenance"]["feed"] == "news.rss"


@pytest.mark.parametrize(
    "content",
    [
        "<p>A short text.</p>",
        f"{BODY}<p>He added that … <a href=x>Continue reading</a></p>",
        f"{BODY}<p>And he added […]</p>",
        f"{BODY}<p>Read the full story on our site.</p>",
    ],
)
def test_a_teaser_is_not_the_article(content: str) -> None:
    (entry,) = parse_feed(RSS.format("utf-8", LINK, content).encode(), "feed")
    assert (entry.url, entry.content) == ("http://a.org/x", "")


def test_the_charset_of_the_header_is_used_for_feeds() -> None:
    feed = RSS.format("utf-8", LINK, BODY).encode("iso-8859-2", "ignore")
    (entry,) = parse_feed(feed, "feed", "iso-8859-2")
    assert "Łukasz Śląski" in entry.content


def test_a_feed_is_never_taken_for_the_name_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("feed").write_bytes(RSS.format("utf-8", LINK, "").encode())
    with pytest.raises(InputError, match="not an RSS or Atom feed"):
        parse_feed(b"feed", "x")
