"""Articles in chunks of bounded size, as documents with unique ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from ...corpus.document import Document, unused_id
from ...corpus.ingestion.extract import make_document
from ...corpus.ingestion.raw_article import RawArticle
from ...corpus.reading.boundary import guard
from ...corpus.rejected import Rejected
from .transaction import OutputTransaction

CHUNK_ARTICLES = 256
"""Maximum number of articles between two commits, and so of those that an interruption can cost."""
CHUNK_BYTES = 4 * 2**20
"""Bytes of articles after which a chunk ends."""


class Chunk(NamedTuple):
    """The documents of some articles, and the articles that cannot be used."""

    documents: list[Document]
    rejected: list[Rejected]


def read_chunks(
    articles: Iterable[RawArticle | Rejected], transaction: OutputTransaction
) -> Iterator[Chunk]:
    """Convert articles to documents, a chunk at a time.

    Ids and texts are not changed. An article without an id gets one that is not in use; a record
    whose id is in use is rejected.
    """
    for group in _group_articles(articles):
        yield _make_chunk(group, transaction)


def _group_articles(
    articles: Iterable[RawArticle | Rejected],
) -> Iterator[list[RawArticle | Rejected]]:
    """Yield the articles in groups of limited number and size."""
    group: list[RawArticle | Rejected] = []
    size = 0
    for article in articles:
        group.append(article)
        if isinstance(article, RawArticle):
            record = article.record if isinstance(article.record, dict) else {}
            size += len(article.content) + len(str(record.get("text", "")))
        if len(group) == CHUNK_ARTICLES or size >= CHUNK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _make_chunk(articles: Iterable[RawArticle | Rejected], transaction: OutputTransaction) -> Chunk:
    chunk = Chunk([], [])
    for article in articles:
        document = _make_document(article, transaction)
        if isinstance(document, Rejected):
            chunk.rejected.append(document)
        else:
            transaction.reserve_id(document.id)
            chunk.documents.append(document)
    return chunk


def _make_document(
    article: RawArticle | Rejected, transaction: OutputTransaction
) -> Document | Rejected:
    if isinstance(article, Rejected):
        return article
    document = guard(article.location, lambda: make_document(article, clean=False))
    if isinstance(document, Rejected):
        return document
    has_own_id = isinstance(article.record, dict) and "id" in article.record
    if has_own_id and transaction.has_id(document.id):
        return Rejected(article.location, f"duplicate id '{document.id}'; ids must be unique")
    return replace(document, id=unused_id(document, transaction.has_id))
