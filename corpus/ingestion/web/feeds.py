"""RSS and Atom feeds: their entries, and a log of the entries already read."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ....errors import InputError
from ...files import write_json
from ..text import looks_like_html

FEED_EXTENSIONS = (".rss", ".atom")
FEED_MEDIA_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")
_FEED_START = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:rss|feed|rdf:RDF)\b", re.S
)
_MAX_SEEN_ENTRIES = 5000
"""Entries remembered per feed."""


@dataclass(frozen=True)
class FeedEntry:
    """One article that a feed announces.

    Attributes:
        id: the entry's id, or its URL if it has none.
        url: the URL of the article.
        title: the title; empty if the feed has none.
        published: the date of publication or update as the feed writes it; empty if it has none.
    """

    id: str
    url: str
    title: str
    published: str


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


class FeedLog:
    """The last visit to each feed, stored in a JSON file.

    Args:
        path: the file; it need not exist.

    Raises:
        InputError: if the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            self._visits = {url: FeedVisit(**visit) for url, visit in stored.items()}
        except FileNotFoundError:
            self._visits = {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
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


def parse_feed(content: bytes, location: str) -> list[FeedEntry]:
    """Return the entries of a feed that have a link, in its order; by feedparser.

    Raises:
        InputError: if the content is a web page or no feed.
    """
    import feedparser

    if looks_like_html(content):
        raise InputError(f"{location}: a web page, not a feed; give the feed's own URL")
    feed: Any = feedparser.parse(content)
    if not feed.version:
        raise InputError(f"{location}: not an RSS or Atom feed; give the feed's own URL")
    return [
        FeedEntry(
            id=str(entry.get("id") or entry["link"]),
            url=str(entry["link"]),
            title=str(entry.get("title", "")),
            published=str(entry.get("published", entry.get("updated", ""))),
        )
        for entry in feed.entries
        if entry.get("link")
    ]
