"""RSS and Atom feeds: what is new since the last visit."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ....errors import InputError
from ...files import write_json
from ..text import looks_like_html

_FEED_START = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:rss|feed|rdf:RDF)\b", re.S
)
KINDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")
_REMEMBERED = 5000
"""Entries remembered for each feed."""


@dataclass(frozen=True)
class Entry:
    """One article that a feed announces."""

    identity: str
    url: str
    title: str
    published: str


@dataclass
class Visit:
    """What is known of a feed from the last visit."""

    etag: str | None = None
    modified: str | None = None
    seen: list[str] = field(default_factory=list)


class FeedLog:
    """The visits to feeds, kept in a JSON file.

    Args:
        path: the file; it need not exist.

    Raises:
        InputError: if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            self._visits = {url: Visit(**visit) for url, visit in stored.items()}
        except FileNotFoundError:
            self._visits = {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: broken; remove it to read the feeds anew") from error

    def last_visit(self, url: str) -> Visit:
        """Return what is known of a feed; of an unknown one nothing."""
        return self._visits.get(url, Visit())

    def keep(self, url: str, visit: Visit) -> None:
        """Remember a visit, until :meth:`save` writes it."""
        self._visits[url] = visit

    def save(self) -> None:
        """Write the file."""
        if self._visits:
            for visit in self._visits.values():
                visit.seen = visit.seen[-_REMEMBERED:]
            write_json(
                self._path, {url: asdict(visit) for url, visit in sorted(self._visits.items())}
            )


def looks_like_feed(content: bytes, kind: str = "") -> bool:
    """Tell a feed by its first element, or by its media type where it is no web page."""
    if _FEED_START.match(content.removeprefix(b"\xef\xbb\xbf")[:4096]):
        return True
    return kind in KINDS and not looks_like_html(content)


def parse_feed(content: bytes, where: str) -> list[Entry]:
    """Return a feed's entries, in its order; by feedparser.

    Raises:
        InputError: if it is a web page or no feed at all.
    """
    import feedparser

    if looks_like_html(content):
        raise InputError(f"{where}: a web page, not a feed; give the feed's own address")
    found: Any = feedparser.parse(content)
    if not found.version:
        raise InputError(f"{where}: not an RSS or Atom feed; give the feed's own address")
    return [
        Entry(
            str(entry.get("id") or entry["link"]),
            str(entry["link"]),
            str(entry.get("title", "")),
            str(entry.get("published", entry.get("updated", ""))),
        )
        for entry in found.entries
        if entry.get("link")
    ]
