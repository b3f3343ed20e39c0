"""Reader of web pages and of the articles that feeds announce."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

from ...addresses import hide_password
from ...reading.boundary import guard, guard_each, limit_time
from ...reading.bounded import read_limited
from ...rejected import Rejected
from ..raw_article import RawArticle, RawArticles, url_to_name
from .feeds import FeedEntry, FeedLog, FeedVisit, looks_like_feed, parse_feed
from .fetching import Fetcher, FetchRules, Response

_EXTENSION_OF_MEDIA_TYPE = {"application/pdf": ".pdf", "text/plain": ".txt"}


class WebReader:
    """Reads pages and feeds; connects on the first request.

    Args:
        rules: the rules for access to the web.
        feed_log: earlier visits to feeds; None reads every feed from its beginning.
    """

    def __init__(self, rules: FetchRules, feed_log: FeedLog | None) -> None:
        self._rules = rules
        self._log = feed_log
        self._fetcher: Fetcher | None = None

    @property
    def fetcher(self) -> Fetcher:
        """The connection pool."""
        if self._fetcher is None:
            self._fetcher = Fetcher(self._rules)
        return self._fetcher

    def close(self) -> None:
        """Close all connections."""
        if self._fetcher is not None:
            self._fetcher.close()

    def read(self, url: str) -> RawArticles:
        """Yield the page at a URL or, if it is a feed, the pages that are new in it.

        A user name and password in the URL are used, but never stored or named.
        """
        shown = hide_password(url)
        yield from guard_each(shown, self._read(url, shown))

    def _read(self, given: str, url: str) -> RawArticles:
        visit = self._log.last_visit(url) if self._log else FeedVisit()
        response = self.fetcher.fetch(given, etag=visit.etag, modified=visit.modified)
        if response.not_modified:
            return
        is_named_feed = re.search(r"\.(rss|atom|xml)$", url.partition("?")[0])
        if not (looks_like_feed(response.content, response.media_type) or is_named_feed):
            yield _make_article(url, response)
            return
        with limit_time(url):
            entries = parse_feed(response.content, url, response.charset)
        is_complete = True
        for entry in entries:
            if entry.id in visit.seen:
                continue
            article = self._read_entry(url, entry)
            if isinstance(article, Rejected):
                is_complete = False
            else:
                visit.seen.append(entry.id)
            yield article
        # While an entry is missing, the feed must be read again even if it does not change.
        if is_complete:
            visit.etag, visit.modified = response.etag, response.modified
        if self._log:
            self._log.record(url, visit)

    def read_feed_file(self, path: Path) -> RawArticles:
        """Yield all articles that a feed in a file announces; those that it holds from the feed."""
        yield from guard_each(str(path), self._read_feed_file(path))

    def _read_feed_file(self, path: Path) -> RawArticles:
        with path.open("rb") as file:
            content = read_limited(file, str(path))
        with limit_time(str(path)):
            entries = parse_feed(content, str(path))
        for entry in entries:
            yield self._read_entry(path.name, entry)

    def _read_entry(self, feed: str, entry: FeedEntry) -> RawArticle | Rejected:
        location = entry.url or f"{feed}!{entry.id}"
        return guard(location, lambda: self._make_entry(feed, entry))

    def _make_entry(self, feed: str, entry: FeedEntry) -> RawArticle:
        if entry.content:
            article = _make_article_of_entry(feed, entry)
        else:
            article = _make_article(entry.url, self.fetcher.fetch(entry.url))
        announcement = {"feed": feed, "announced": entry.title, "published": entry.published}
        announced = {key: value for key, value in announcement.items() if value}
        return replace(article, origin={**article.origin, **announced})


def _make_article_of_entry(feed: str, entry: FeedEntry) -> RawArticle:
    """Make a page of an article that a feed holds."""
    title = html.escape(entry.title)
    page = (
        f"<!DOCTYPE html><html><head><meta charset=utf-8><title>{title}</title></head><body>"
        f"<article><h1>{title}</h1>{entry.content}</article></body></html>"
    )
    return RawArticle(
        entry.url or f"{feed}!{entry.id}",
        url_to_name(entry.url) or entry.id,
        page.encode(),
        extension=".html",
        origin={"url": entry.url} if entry.url else {},
        charset="utf-8",
    )


def _make_article(url: str, response: Response) -> RawArticle:
    return RawArticle(
        url,
        url_to_name(url),
        response.content,
        extension=_EXTENSION_OF_MEDIA_TYPE.get(response.media_type, ".html"),
        origin={"url": response.url, "fetched": response.fetched_at},
        charset=response.charset,
    )
