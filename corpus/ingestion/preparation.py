"""Prepares raw articles for the store, in this process or on a Ray cluster."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..deduplication.duplicates import MinHashSignature, compute_signature
from ..document import Document, document_to_json, parse_document
from ..ray_cluster import connect_ray
from ..reading.boundary import guard
from ..rejected import Rejected
from .extract import make_document
from .raw_article import RawArticle, ReaderOptions
from .readers import find_files, read_file
from .sources import SourceOptions, is_dataset_id, is_url, read_articles
from .storage.store import article_key

ContainsKey = Callable[[str], bool]
"""Returns whether the corpus contains the raw article with a key."""


@dataclass(frozen=True)
class PreparedArticle:
    """A raw article, ready to be stored.

    Attributes:
        key: see :func:`orbat.corpus.ingestion.storage.store.article_key`.
        document: its document; None if the corpus contains the article.
        signature: the document's signature; None if it is not computed yet.
    """

    key: str
    document: Document | None = None
    signature: MinHashSignature | None = None


PreparedArticles = Iterator[PreparedArticle | Rejected]


def prepare_locally(
    sources: Iterable[str | Path], options: SourceOptions, contains: ContainsKey
) -> PreparedArticles:
    """Yield the prepared articles of all sources, in order."""
    for raw in read_articles(sources, options):
        yield _prepare(raw, options.license, contains)


def prepare_with_ray(
    sources: Iterable[str | Path], options: SourceOptions, contains: ContainsKey
) -> PreparedArticles:
    """Yield the prepared articles of files from a Ray cluster, then those of other sources.

    Files are processed in order, each by one worker, and must have the same path on all machines.
    """
    import ray

    connect_ray()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    local = [source for source in sources if is_url(source) or is_dataset_id(source)]
    paths = [Path(source) for source in sources if source not in local]
    files = list(find_files(paths, options.on_notice))
    if files:
        ray.data.DataContext.get_current().execution_options.preserve_order = True
        ray.data.DataContext.get_current().enable_progress_bars = False
        items = ray.data.from_items([{"path": str(path.resolve())} for path in files])
        license, column = options.license, options.text_column
        rows = items.flat_map(lambda row: _file_to_rows(Path(row["path"]), column, license))
        for row in rows.iter_rows():
            if row["notice"]:
                options.on_notice(row["notice"])
            else:
                yield _row_to_article(row, contains)
    yield from prepare_locally(local, options, contains)


def _prepare(
    raw: RawArticle | Rejected,
    license: str | None,
    contains: ContainsKey = lambda key: False,
) -> PreparedArticle | Rejected:
    if isinstance(raw, Rejected):
        return raw
    key = guard(raw.location, lambda: _article_key(raw))
    if isinstance(key, Rejected):
        return key
    if contains(key):
        return PreparedArticle(key)
    return guard(raw.location, lambda: PreparedArticle(key, make_document(raw, license=license)))


def _article_key(raw: RawArticle) -> str:
    if not isinstance(raw.record, dict):
        return article_key(hashlib.sha256(raw.content).hexdigest(), raw.origin)
    text = str(raw.record.get("text")).encode("utf-8", "surrogatepass")
    spans = raw.record.get("spans")
    return article_key(
        hashlib.sha256(text).hexdigest(),
        raw.origin,
        str(raw.record.get("id", "")),
        spans if isinstance(spans, list) else (),
    )


def _file_to_rows(path: Path, text_column: str | None, license: str | None) -> list[dict[str, Any]]:
    """Prepare the articles of a file, as rows of one Arrow schema."""
    columns = ("key", "document", "words", "location", "reason", "notice")
    empty: dict[str, Any] = {**dict.fromkeys(columns, ""), "signature": b""}
    rows: list[dict[str, Any]] = []
    options = ReaderOptions(text_column, lambda notice: rows.append(empty | {"notice": notice}))
    for raw in read_file(path, options):
        article = _prepare(raw, license)
        if isinstance(article, Rejected):
            rows.append(empty | {"location": article.location, "reason": article.reason})
        elif article.document:
            signature = compute_signature(article.document.text)
            rows.append(
                empty
                | {
                    "key": article.key,
                    "document": json.dumps(document_to_json(article.document)),
                    "words": signature.words_sha256,
                    "signature": signature.values,
                }
            )
    return rows


def _row_to_article(row: dict[str, Any], contains: ContainsKey) -> PreparedArticle | Rejected:
    if row["reason"]:
        return Rejected(row["location"], row["reason"])
    key = row["key"]
    if contains(key):
        return PreparedArticle(key)
    document = parse_document(json.loads(row["document"]), row["location"])
    signature = MinHashSignature(row["words"], bytes(row["signature"]))
    return PreparedArticle(key, document, signature)
