"""RSS and Atom feeds: their entries, and a log of the entries already read."""

from __future__ import annotations

import html
import io
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ....errors import InputError
from ...addresses import hide_password
from ...files import write_json
from ...reading.json_files import read_json_object
from ..charsets.declaration import charsets_of_xml
from ..charsets.decoding import decode
from ..text import looks_like_html

FEED_EXTENSIONS = (".rss", ".atom")
FEED_MEDIA_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")
_FEED_START = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*+<(?:rss|feed|rdf:RDF)\b", re.S
)
_MIN_ARTICLE_WORDS = 100
"""Words from which the content of an entry is taken for a whole article."""
_MIN_MORE_WORDS = 1.2
"""Ratio of words by which it must be longer than the summary of the entry."""
_TEASER_END = re.compile(
    r"(?:\.\.\.|…|read more|continue reading|read the (?:full|whole|rest)\b.{0,40})\W*$", re.I
)
_MARKUP = re.compile(r"<[^<>]*>")
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_MAX_TEASER_END = 200
"""Characters at the end of a content in which the mark of a teaser is sought."""
_MAX_SEEN_ENTRIES = 5000
"""Entries remembered per feed."""


@dataclass(frozen=True)
class FeedEntry:
    """One article that a feed announces.

    Attributes:
        id: the entry's id, or its URL if it has none.
        url: the URL of the article; empty if the feed has none and holds the article itself.
        title: the title; empty if the feed has none.
        published: the date of publication or update as the feed writes it; empty if it has none.
        content: the article as HTML, if the feed holds the whole of it; else empty.
    """

    id: str
    url: str
    title: str
    published: str
    content: str = ""


@dataclass
class FeedVisit:
    """The state of a feed after the last visit.

    Attributes:
        etag: the feed's ETag header.
        modified: the feed's Last-Modified header.
        seen: ids of the entries that were read.
    """

    etag: str | None = None
    modified: str | None = None
    seen: list[str] = field(default_factory=list)


_VISITS = TypeAdapter(dict[str, FeedVisit])


class FeedLog:
    """The last visit to each feed, stored in a JSON file.

    Args:
        path: the file; it need not exist.

    Raises:
        InputError: if the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._visits: dict[str, FeedVisit] = {}
        if not self._path.exists():
            return
        try:
            self._visits = _VISITS.validate_python(read_json_object(self._path))
        except (InputError, ValidationError) as error:
            raise InputError(
                f"{path}: not a valid feed log; remove it to read all feeds from their beginning"
            ) from error

    def last_visit(self, url: str) -> FeedVisit:
        """Return the last visit to a feed, an empty one if there was none."""
        return self._visits.get(url, FeedVisit())

    def record(self, url: str, visit: FeedVisit) -> None:
        """Record a visit in memory; :meth:`save` writes it."""
        self._visits[url] = visit

    def save(self) -> None:
        """Write the file, unless no feed was ever visited."""
        if self._visits:
            for visit in self._visits.values():
                visit.seen = visit.seen[-_MAX_SEEN_ENTRIES:]
            write_json(
                self._path, {url: asdict(visit) for url, visit in sorted(self._visits.items())}
            )


def looks_like_feed(content: bytes, media_type: str = "") -> bool:
    """Return whether the content is a feed, by its first element or else its media type."""
    if _FEED_START.match(content.removeprefix(b"\xef\xbb\xbf")[:4096]):
        return True
    return media_type in FEED_MEDIA_TYPES and not looks_like_html(content)


def parse_feed(content: bytes, location: str, charset: str = "") -> list[FeedEntry]:
    """Return the entries of a feed that have a link or hold an article, in its order.

    Parsing is feedparser's. `content:encoded` of RSS and `content` of Atom are taken for the whole
    article if they are long, longer than the summary, and do not end as a teaser does.

    Args:
        content: the bytes of the feed.
        location: their source, for messages.
        charset: the encoding that the server declared; empty if it declared none.

    Raises:
        InputError: if the content is a web page or no feed.
    """
    import feedparser

    if looks_like_html(content):
        raise InputError(f"{location}: a web page, not a feed; give the feed's own URL")
    text = decode(content, location, [charset, *charsets_of_xml(content)], is_page=True).text
    # A stream: feedparser would open bytes that are the name of a file.
    feed: Any = feedparser.parse(io.BytesIO(_XML_DECLARATION.sub("", text).encode()))
    if not feed.version:
        raise InputError(f"{location}: not an RSS or Atom feed; give the feed's own URL")
    entries = []
    for entry in feed.entries:
        # A password in a feed's links is not for the sites of its readers.
        article, url = _find_article(entry), hide_password(str(entry.get("link", "")))
        if url or article:
            entries.append(
                FeedEntry(
                    id=str(entry.get("id") or url or entry.get("title", "")),
                    url=url,
                    title=str(entry.get("title", "")),
                    published=str(entry.get("published", entry.get("updated", ""))),
                    content=article,
                )
            )
    return entries


def _find_article(entry: Any) -> str:
    """Return the content of an entry if it is the whole article, else an empty string."""
    contents = [
        str(content.get("value", ""))
        if "html" in str(content.get("type"))
        else "".join(f"<p>{html.escape(line)}</p>" for line in content.get("value", "").split("\n"))
        for content in entry.get("content", [])
    ]
    article = max(contents, key=len, default="")
    summary = _to_text(str(entry.get("summary", "")))
    text = _to_text(article)
    words = len(text.split())
    is_longer = summary == text or words > _MIN_MORE_WORDS * len(summary.split())
    is_whole = (
        words >= _MIN_ARTICLE_WORDS
        and is_longer
        and not _TEASER_END.search(text[-_MAX_TEASER_END:])
    )
    return article if is_whole else ""


def _to_text(markup: str) -> str:
    return " ".join(html.unescape(_MARKUP.sub(" ", markup)).split())
