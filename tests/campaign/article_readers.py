"""Ways into orbat for articles and for the addresses of the web."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import zstandard

from orbat.corpus.addresses import check_address, hide_password, is_public, split_address
from orbat.corpus.document import Document, document_to_json, parse_document
from orbat.corpus.ingestion.preparation import prepare_locally
from orbat.corpus.ingestion.sources import SourceOptions
from orbat.corpus.ingestion.web.fetching import Fetcher, FetchRules
from orbat.corpus.rejected import Rejected
from orbat.errors import InputError
from tests.campaign.hostile_inputs import Pack, Reader
from tests.corpus.test_feeds import ATOM, BODY, ESCAPED, LINK, RSS
from tests.corpus.test_ingestion import PAGE
from tests.corpus.test_messages import TEXT, mail, saved_page
from tests.corpus.test_sources import parquet, pdf, zipped
from tests.corpus.test_warc import chunked, record

_CLOSED_SITE = FetchRules(pause=0, timeout=5, obey_robots=False)
"""Rules by which no test reaches the Internet: feeds are given with addresses of this machine."""


def article_readers(folder: Path) -> list[Reader]:
    records = [
        {"id": "a", "text": TEXT, "spans": [{"start": 0, "end": 3, "label": "UNIT"}], "meta": {}},
        {"id": "b", "text": f"{TEXT} {TEXT}", "source": "x", "date": "2024-05-06"},
    ]
    lines = "".join(json.dumps(item) + "\n" for item in records).encode()
    table = f'id,text,source\na,"{TEXT}",x\nb,"Two,\n lines",\n'.encode()
    box = b"\n".join(b"From a@b.c Mon May  6 10:00:00 2024\n" + m for m in [mail(TEXT)] * 2)
    page, link = PAGE.encode(), LINK.replace("a.org", "127.0.0.1:9")
    packed = record(gzip.compress(page), "Content-Encoding: gzip")
    in_chunks = record(chunked(page), "Transfer-Encoding: chunked")
    cells = parquet(folder / "a.parquet", [{"id": "a", "text": TEXT}, {"id": "b", "text": "Two."}])
    return [
        _article(".txt", TEXT.encode()),
        _article(".html", page),
        _article(".eml", mail(TEXT, html=PAGE, attach="a.pdf")),
        _article(".mhtml", saved_page()),
        _article(".mbox", box),
        _article(".pdf", pdf(TEXT)),
        _article(".jsonl", lines),
        _article(".jsonl.gz", lines, gzip.compress),
        _article(".json", json.dumps(records).encode()),
        _article(".csv", table),
        _article(".tsv", table.replace(b",", b"\t")),
        _article(".parquet", cells.read_bytes()),
        _article(".warc", packed + in_chunks),
        _article(".warc.gz", packed + in_chunks, gzip.compress),
        _article(".warc.zst", packed, zstandard.compress),
        _article(".zip", zipped(a_txt=TEXT.encode(), b_jsonl=lines)),
        _article(".gz.zip", lines, lambda content: zipped(b_jsonl=content)),
        _article(".rss", RSS.format("utf-8", link, BODY).encode()),
        _article(".atom", ATOM.format("html", ESCAPED).replace("a.org", "127.0.0.1:9").encode()),
        _article(".dat", TEXT.encode()),
    ]


def _article(suffix: str, content: bytes, pack: Pack = bytes) -> Reader:
    return Reader(f"corpus add {suffix}", {"": content}, suffix, _add, pack)


def _add(path: Path) -> None:
    """Prepare the articles of a file as `corpus add` does, each a document or one line."""
    options = SourceOptions(rules=_CLOSED_SITE)
    for article in prepare_locally([path], options, lambda key: False):
        if isinstance(article, Rejected):
            assert len(str(article).splitlines()) == 1, article
        elif article.document is not None:
            _check_document(article.document)


def _check_document(document: Document) -> None:
    line = json.dumps(document_to_json(document), ensure_ascii=False, allow_nan=False).encode()
    assert parse_document(json.loads(line), "f") == document


def address_readers(_: Path) -> list[Reader]:
    addresses = [
        "http://user:word@127.0.0.1:9/a?b=c#d",
        "https://[::ffff:127.0.0.1]:9/a",
        "http://2130706433/a%00b",
        "http://localhost/é",
        "http://10.0.0.1.:9/",
    ]
    return [Reader(address, {"": address.encode()}, ".url", _visit) for address in addresses]


def _visit(path: Path) -> None:
    address = path.read_bytes().decode("utf-8", "surrogateescape")[:5000]
    hide_password(address)
    for check in (split_address, lambda url: check_address(url, "--url"), _fetch, _check_ip):
        try:
            check(address)
        except InputError as error:
            assert len(str(error).splitlines()) == 1


def _check_ip(address: str) -> None:
    """Check the host if it is an IP address, as the resolver gives them."""
    host = split_address(address).hostname or ""
    try:
        is_public(host)
    except ValueError:
        return


def _fetch(address: str) -> None:
    fetcher = Fetcher(_CLOSED_SITE)
    try:
        fetcher.fetch(address)
    finally:
        fetcher.close()
