"""Web archives: bodies in all encodings, and records that cannot be read."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
import zstandard

from orbat.corpus.document import Document
from orbat.corpus.ingestion.extract import make_document
from orbat.corpus.ingestion.raw_article import RawArticle, ReaderOptions
from orbat.corpus.ingestion.readers import read_file
from orbat.corpus.ingestion.web.content_encoding import unpack
from orbat.corpus.reading.bounded import MAX_ARTICLE_BYTES
from orbat.errors import InputError
from tests.corpus.test_ingestion import PAGE
from tests.corpus.test_sources import read

FIRST = "Brigade leaves Kidal\n\nThe 3rd Brigade left Kidal on Monday"


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def chunked(data: bytes, size: int = 200) -> bytes:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def record(
    body: bytes, *headers: str, status: str = "HTTP/1.1 200 OK", kind: str = "response"
) -> bytes:
    """Write a WARC record; without a status, its block is the body."""
    http = "\r\n".join([status, "Content-Type: text/html", *headers, "", ""]) if status else ""
    block = http.encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://a.org/x\r\n"
        "WARC-Date: 2026-01-02T03:04:05Z\r\nWARC-Record-ID: <urn:uuid:1>\r\n"
        f"Content-Type: text/html\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", lambda data: gzip.compress(data[:300]) + gzip.compress(data[300:])),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
        ("identity", bytes),
        ("utf-8", bytes),
        ("br", bytes),
    ],
)
@pytest.mark.parametrize("is_chunked", [False, True])
def test_packed_pages_are_read(
    tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes], is_chunked: bool
) -> None:
    body, headers = pack(PAGE.encode()), [f"Content-Encoding: {encoding}"]
    if is_chunked:
        body, headers = chunked(body), [*headers, "Transfer-Encoding: chunked"]
    (document,) = read(tmp_path / "a.warc", record(body, *headers))
    assert isinstance(document, Document)
    assert document.text.startswith(FIRST)
    assert document.meta["url"] == "http://a.org/x"


def test_a_body_of_many_members_is_unpacked_in_one_pass() -> None:
    # If the rest were copied for each of them, this would take minutes.
    body = gzip.compress(b"", mtime=0) * 200_000 + gzip.compress(PAGE.encode()) + b"\0"
    assert unpack(body, "gzip", "x") == PAGE.encode()


def test_a_body_that_is_not_in_chunks_is_read(tmp_path: Path) -> None:
    (document,) = read(tmp_path / "a.warc", record(PAGE.encode(), "Transfer-Encoding: chunked"))
    assert isinstance(document, Document)
    assert document.text.startswith(FIRST)


def test_broken_records_are_rejected_and_the_others_read(tmp_path: Path) -> None:
    good = record(PAGE.encode())
    broken = [
        record(PAGE.encode(), status=""),
        record(b"", status="\r\n"),
        record(b"not packed", "Content-Encoding: br"),
        record(b"not packed", "Content-Encoding: gzip"),
        record(brotli.compress(PAGE.encode())[:-50], "Content-Encoding: br"),
        record(b"x", "Content-Encoding: compress"),
    ]
    results = read(tmp_path / "a.warc", b"".join([*broken, good]))
    *messages, document = results
    assert isinstance(document, Document)
    reasons = [
        str(message).removeprefix(f"{tmp_path / 'a.warc'}!http://a.org/x: ") for message in messages
    ]
    assert reasons[0] == "record without valid HTTP headers; skipped"
    assert reasons[1] == "record without an HTTP status line; skipped"
    assert reasons[2].startswith("not valid br data")
    assert reasons[3].startswith("not valid gzip data")
    assert reasons[4].startswith("not valid br data")
    assert reasons[5] == "unknown Content-Encoding 'compress'; unpack it first"


def test_only_pages_are_read(tmp_path: Path) -> None:
    others = (
        record(b"x", status="HTTP/1.1 404 Not Found"),
        record(b"x", kind="request"),
        record(b"x", status="HTTP/1.1 200 OK\r\nContent-Type: image/png"),
    )
    page = record(PAGE.encode(), status="", kind="resource")
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join([*others, others[0], page]))
    notices: list[str] = []
    (article,) = read_file(path, ReaderOptions(notify=notices.append))
    assert isinstance(article, RawArticle)
    assert make_document(article).text.startswith(FIRST)
    assert notices == [f"{path}: passed over: 2 with status 404, 1 image/png"]


def test_the_charset_of_the_header_is_used(tmp_path: Path) -> None:
    page = PAGE.replace("Gen. Ann Doe", "Gen. Łukasz Śląski").encode("iso-8859-2")
    status = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=ISO-8859-2"
    (document,) = read(tmp_path / "a.warc", record(page, status=status))
    assert isinstance(document, Document)
    assert "Gen. Łukasz Śląski" in document.text


def test_files_packed_with_zstd_are_read(tmp_path: Path) -> None:
    frames = [zstandard.compress(record(PAGE.encode())) for _ in range(2)]
    results = read(tmp_path / "a.warc.zst", b"".join(frames))
    assert [isinstance(result, Document) for result in results] == [True, True]
    dictionary = b"\x5d\x2a\x4d\x18" + frames[0]
    (message,) = read(tmp_path / "b.warc.zst", dictionary)
    assert "packed with a zstd dictionary; convert it to .warc.gz" in str(message)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_the_size_of_an_unpacked_body_is_limited(encoding: str) -> None:
    pack = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": lambda data: brotli.compress(data, quality=1),
        "zstd": zstandard.compress,
    }
    with pytest.raises(InputError, match="x: larger than 64 MB"):
        unpack(pack[encoding](bytes(MAX_ARTICLE_BYTES + 1)), encoding, "x")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    with pytest.raises(
        InputError, match=r"x: packed with br; install brotli \(pip install brotli\)"
    ):
        unpack(brotli.compress(b"abc"), "br", "x")


def test_nothing_of_an_archive_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = record(PAGE.encode())
    hostile = page.replace(b"http://a.org/x", b"http://a.org/\x1b[2J x")
    read(tmp_path / "a.warc", hostile + b"junk\r\n\r\n" + page)
    assert capsys.readouterr() == ("", "")
