"""Where documents come from: files, folders, addresses, feeds and datasets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..document import Document, parse_document, unused_id
from .html import clean_html
from .readers import (
    KNOWN,
    PAGES,
    Found,
    RawArticle,
    is_dataset_folder,
    pdf_text,
    read_dataset,
    read_file,
    url_name,
)
from .text import CleanText, clean_text, decode, looks_like_html, tidy
from .web.feeds import Entry, FeedLog, Visit, looks_like_feed, parse_feed
from .web.fetching import Fetcher, FetchRules

_FEEDS = (".rss", ".atom")
_FEED_FILES = (*_FEEDS, ".xml")
_RECORD_FIELDS = {"id", "text", "spans", "meta"}
DATASET = "hf:"
"""Before the id of a Hugging Face dataset."""


@dataclass(frozen=True)
class SourceOptions:
    """How sources are read.

    Attributes:
        text_column: the column of tables and datasets that holds the text.
        rules: how the web is used.
        feed_log: earlier visits to feeds; None reads every feed from its beginning.
        licence: under which terms the articles stand, for their provenance.
    """

    text_column: str = "text"
    rules: FetchRules = field(default_factory=FetchRules)
    feed_log: FeedLog | None = None
    licence: str | None = None


@cache
def _version(package: str) -> str:
    """Return a package's version; looking it up parses its metadata each time."""
    return metadata.version(package)


def is_address(source: str | Path) -> bool:
    """Tell whether a source is a web address."""
    return "://" in str(source)


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and those of known kinds below the folders named, in sorted order.

    Raises:
        InputError: for a path that does not exist or a folder without a known kind of file.
    """
    for path in map(Path, paths):
        if path.is_dir() and not is_dataset_folder(path):
            files = sorted(
                file
                for file in path.rglob("*")
                if file.name.lower().endswith((*KNOWN, *_FEEDS))
                and file.is_file()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
            if not files:
                kinds = ", ".join(kind for kind in KNOWN if not kind.endswith(".gz"))
                raise InputError(f"{path}: no {kinds} file in this folder")
            yield from files
        elif path.exists():
            yield path
        else:
            raise InputError(f"{path}: does not exist; check the path")


def find_articles(sources: Iterable[str | Path], options: SourceOptions | None = None) -> Found:
    """Yield every article of the sources as it stands, and an error in the place of what fails.

    Articles come one by one: no source is held in memory whole.

    Args:
        sources: files, folders, http or https addresses of pages and feeds, folders of
            `Dataset.save_to_disk`, and ``hf:`` with the id of a dataset.
        options: how to read them.

    Raises:
        InputError: for a path that does not exist, before anything is read.
    """
    options = options or SourceOptions()
    names = [str(source) for source in sources]
    plain = [name for name in names if not is_address(name) and not name.startswith(DATASET)]
    # A wrong path is a slip of the user's, not a fault of the data: tell it first.
    files = {source: list(find_files([Path(source)])) for source in plain}
    web = _Web(options)
    try:
        for source in names:
            if is_address(source):
                yield from web.read(source)
            elif source.startswith(DATASET):
                yield from read_dataset(source.removeprefix(DATASET), options.text_column)
            else:
                for path in files[source]:
                    if path.is_dir():
                        yield from read_dataset(str(path), options.text_column)
                    elif path.name.lower().endswith(_FEED_FILES):
                        yield from web.read_feed_file(path)
                    else:
                        yield from read_file(path, options.text_column)
    finally:
        web.close()


class _Web:
    """Pages and feeds; makes its connections when first asked."""

    def __init__(self, options: SourceOptions) -> None:
        self._rules = options.rules
        self._log = options.feed_log
        self._fetcher: Fetcher | None = None

    @property
    def fetcher(self) -> Fetcher:
        if self._fetcher is None:
            self._fetcher = Fetcher(self._rules)
        return self._fetcher

    def close(self) -> None:
        if self._fetcher is not None:
            self._fetcher.close()

    def read(self, url: str) -> Found:
        visit = self._log.last_visit(url) if self._log else Visit()
        try:
            found = self.fetcher.fetch(url, etag=visit.etag, modified=visit.modified)
            if found.unchanged:
                return
            named = re.search(r"\.(rss|atom|xml)$", url.partition("?")[0])
            if not (looks_like_feed(found.content, found.kind) or named):
                yield self._page(url, found)
                return
            entries = parse_feed(found.content, url)
        except InputError as error:
            yield error
            return
        missed = False
        for entry in entries:
            if entry.identity in visit.seen:
                continue
            article = self._entry(url, entry)
            if isinstance(article, InputError):
                missed = True
            else:
                visit.seen.append(entry.identity)
            yield article
        # With an entry still to be had, the feed must be read again even if it does not change.
        if not missed:
            visit.etag, visit.modified = found.etag, found.modified
        if self._log:
            self._log.keep(url, visit)

    def read_feed_file(self, path: Path) -> Found:
        try:
            entries = parse_feed(path.read_bytes(), str(path))
        except InputError as error:
            yield error
            return
        for entry in entries:
            yield self._entry(path.name, entry)

    def _entry(self, feed: str, entry: Entry) -> RawArticle | InputError:
        try:
            page = self._page(entry.url, self.fetcher.fetch(entry.url))
        except InputError as error:
            return error
        announced = {"feed": feed, "announced": entry.title, "published": entry.published}
        facts = {**page.facts, **{key: value for key, value in announced.items() if value}}
        return replace(page, facts=facts)

    def _page(self, url: str, found: Any) -> RawArticle:
        kinds = {"application/pdf": ".pdf", "text/plain": ".txt"}
        return RawArticle(
            url,
            url_name(url),
            found.content,
            kind=kinds.get(found.kind, ".html"),
            facts={"url": found.url, "fetched": found.time},
        )


def make_document(raw: RawArticle, *, clean: bool = True, licence: str | None = None) -> Document:
    """Make a found article a document.

    Args:
        raw: the article.
        clean: tidy the text, except of records that have spans, and record under
            `meta.provenance` where it came from and what was done to it; a record that knows its
            provenance keeps it. False keeps the text as it is, but for the frame of a web page,
            and records nothing.
        licence: for the provenance.

    Raises:
        InputError: if there is no text in it, or the record breaks a rule.
    """
    terms = {"licence": licence} if licence else {}
    if raw.record is not None:
        return _from_record(raw, clean, terms)
    is_html = raw.kind in PAGES or (raw.kind != ".pdf" and looks_like_html(raw.content))
    is_pdf = raw.kind == ".pdf" or raw.content.startswith(b"%PDF-")
    made_by = {}
    if is_html:
        cleaned = clean_html(raw.content, raw.where)
        made_by = {"extractor": f"trafilatura {_version('trafilatura')}"}
    elif is_pdf:
        text, facts = pdf_text(raw.content, raw.where)
        text, changes = tidy(text)
        cleaned = CleanText(text, "pdf", ("layout", *changes), facts)
        made_by = {"extractor": f"pypdf {_version('pypdf')}"}
    elif clean:
        cleaned = clean_text(raw.content, raw.where)
    else:
        cleaned = CleanText(*decode(raw.content, raw.where))
    meta: dict[str, Any] = dict(cleaned.facts)
    if "url" in raw.facts:
        meta["url"] = raw.facts["url"]
    if clean:
        meta["provenance"] = {
            **raw.facts,
            "sha256": hashlib.sha256(raw.content).hexdigest(),
            "encoding": cleaned.encoding,
            "changes": list(cleaned.changes),
            **made_by,
            **terms,
            "orbat": _version("orbat"),
        }
    identity = re.sub(r"\s+", "-", raw.name.strip()) or "document"
    return Document(identity, cleaned.text, (), meta)


def _from_record(raw: RawArticle, clean: bool, terms: dict[str, str]) -> Document:
    record, where = raw.record, raw.where
    if (
        isinstance(record, dict)
        and isinstance(record.get("text"), str)
        and isinstance(record.get("meta", {}), dict)
    ):
        record = dict(record)
        raw_text: str = record["text"]
        if clean and not raw_text.strip():
            raise InputError(f"{where}: field 'text' is empty; remove the line")
        extra = {key: record.pop(key) for key in list(record) if key not in _RECORD_FIELDS}
        if extra:
            record["meta"] = {**extra, **record.get("meta", {})}
        digest = hashlib.sha256(raw_text.encode("utf-8", "surrogatepass")).hexdigest()
        record.setdefault("id", digest[:16])
        if clean:
            # Spans would be out of place in a tidied text.
            text, changes = (raw_text, ()) if record.get("spans") else tidy(raw_text)
            record["text"] = text
            made = {
                **raw.facts,
                "sha256": digest,
                "changes": list(changes),
                **terms,
                "orbat": _version("orbat"),
            }
            record["meta"] = {"provenance": made, **record.get("meta", {})}
    return parse_document(record, where)


def read_sources(
    sources: Iterable[str | Path], *, clean: bool = True, options: SourceOptions | None = None
) -> Iterator[Document]:
    """Read every document of the sources.

    A second document that would get an id already given gets a piece of its text's hash behind it
    when the id came from a file name, and is refused when the id was written down.

    Args:
        sources: see :func:`find_articles`.
        clean: see :func:`make_document`.
        options: how to read them.

    Raises:
        InputError: for the first article that cannot be read.
    """
    seen: dict[str, str] = {}
    for raw in find_articles(sources, options):
        if isinstance(raw, InputError):
            raise raw
        document = make_document(raw, clean=clean)
        if document.id in seen and raw.record is not None:
            raise InputError(
                f"{raw.where}: id '{document.id}' stands already at {seen[document.id]}; "
                "ids must be unique"
            )
        document = replace(document, id=unused_id(document, seen.__contains__))
        seen[document.id] = raw.where
        yield document
