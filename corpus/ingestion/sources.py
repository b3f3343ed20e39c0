"""Reads articles from all kinds of sources: files, folders, URLs, feeds and datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import InputError
from ..document import Document, unused_id
from ..rejected import Rejected
from .extract import make_document
from .raw_article import RawArticles, ReaderOptions, ignore_notice
from .readers import find_files, read_file
from .records.tables import read_dataset
from .web.feeds import FEED_EXTENSIONS, FeedLog
from .web.fetching import FetchRules
from .web.pages import WebReader

DATASET_PREFIX = "hf:"
"""Prefix of a source that is the id of a Hugging Face dataset."""
_FEED_FILE_EXTENSIONS = (*FEED_EXTENSIONS, ".xml")


@dataclass(frozen=True)
class SourceOptions:
    """Options for reading sources.

    Attributes:
        text_column: the field or column that holds the text; see :class:`ReaderOptions`.
        rules: the rules for access to the web.
        feed_log: earlier visits to feeds; None reads every feed from its beginning.
        license: the articles' terms of use, for their provenance.
        on_notice: called with a line about what was chosen or not read.
    """

    text_column: str | None = None
    rules: FetchRules = field(default_factory=FetchRules)
    feed_log: FeedLog | None = None
    license: str | None = None
    on_notice: Callable[[str], None] = ignore_notice

    @property
    def reader(self) -> ReaderOptions:
        """The options for reading files."""
        return ReaderOptions(self.text_column, self.on_notice)


def is_url(source: str | Path) -> bool:
    """Return whether a source is a URL."""
    return "://" in str(source)


def is_dataset_id(source: str | Path) -> bool:
    """Return whether a source is the id of a Hugging Face dataset, as ``hf:ID``."""
    return str(source).startswith(DATASET_PREFIX)


def read_articles(
    sources: Iterable[str | Path], options: SourceOptions | None = None
) -> RawArticles:
    """Yield the raw articles of all sources; those that cannot be read as :class:`Rejected`.

    Articles are streamed: no source is held in memory.

    Args:
        sources: files, folders, http or https URLs of pages and feeds, folders that
            `Dataset.save_to_disk` wrote, and ``hf:ID`` of datasets.
        options: the options for reading them.

    Raises:
        InputError: if a path does not exist; checked before anything is read.
    """
    options = options or SourceOptions()
    names = [str(source) for source in sources]
    paths = [name for name in names if not is_url(name) and not is_dataset_id(name)]
    # A missing path is a mistake in the command, not in the data: report it first.
    files = {name: list(find_files([Path(name)], options.on_notice)) for name in paths}
    web = WebReader(options.rules, options.feed_log)
    try:
        for name in names:
            if is_url(name):
                yield from web.read(name)
            elif is_dataset_id(name):
                yield from read_dataset(name.removeprefix(DATASET_PREFIX), options.reader)
            else:
                for path in files[name]:
                    yield from _read_path(path, options, web)
    finally:
        web.close()


def _read_path(path: Path, options: SourceOptions, web: WebReader) -> RawArticles:
    if path.is_dir():
        return read_dataset(str(path), options.reader)
    if path.name.lower().endswith(_FEED_FILE_EXTENSIONS):
        return web.read_feed_file(path)
    return read_file(path, options.reader)


def read_sources(
    sources: Iterable[str | Path], *, clean: bool = True, options: SourceOptions | None = None
) -> Iterator[Document]:
    """Read the documents of all sources.

    A repeated id gets a suffix, a prefix of its text's hash, if it was derived from a file name or
    URL. A repeated id of a record is an error.

    Args:
        sources: see :func:`read_articles`.
        clean: see :func:`orbat.corpus.ingestion.extract.make_document`.
        options: the options for reading them.

    Raises:
        InputError: if an article cannot be read or an id of a record occurs twice.
    """
    first_seen: dict[str, str] = {}
    for raw in read_articles(sources, options):
        if isinstance(raw, Rejected):
            raise raw.to_error()
        document = make_document(raw, clean=clean)
        if document.id in first_seen and raw.record is not None:
            raise InputError(
                f"{raw.location}: duplicate id '{document.id}' (first seen at "
                f"{first_seen[document.id]}); ids must be unique"
            )
        document = replace(document, id=unused_id(document, first_seen.__contains__))
        first_seen[document.id] = raw.location
        yield document
