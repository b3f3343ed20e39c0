"""Reader of web archives in WARC files and their predecessor, ARC."""

from __future__ import annotations

import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import IO, Any

from ....errors import InputError
from ...addresses import hide_password
from ...reading.bounded import MAX_ARTICLE_BYTES
from ...rejected import Rejected
from ..charsets.declaration import charset_of_content_type
from ..raw_article import RawArticle, RawArticles, ReaderOptions, url_to_name
from .content_encoding import join_chunks, unpack

_MAX_UNREAD_BYTES = 8
"""Bytes at the end of a WARC record that a decompressor may leave unread."""
_MAX_NAMED = 5
"""How many types and statuses of what is passed over are named."""
_HTTP_VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/2", "HTTP/3"]
_ZSTD_DICTIONARY = b"\x5d\x2a\x4d\x18"
"""Beginning of a .warc.zst file that holds the dictionary of its records."""


def read_warc(path: Path, options: ReaderOptions) -> RawArticles:
    """Yield the web pages of a WARC or ARC file, compressed or not; by warcio.

    Pages are responses of status 200 of the type HTML, and resources of that type. A record whose
    headers or body cannot be read is rejected, and the reading goes on. What else the archive
    has of the web is counted.

    Raises:
        InputError: if the file is damaged or holds no web page.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    is_empty = True
    passed_over: Counter[str] = Counter()
    try:
        with _open(path) as file:
            # warcio would end the run at the first record with broken HTTP headers.
            records = ArchiveIterator(file, no_record_parse=True, arc2warc=True)
            for record in _silently(records):
                article = _read_record(path, record)
                if isinstance(article, str):
                    passed_over[article] += 1
                elif article is not None:
                    is_empty = False
                    yield article
        if passed_over:
            counts = ", ".join(f"{n} {what}" for what, n in passed_over.most_common(_MAX_NAMED))
            more = ", …" if len(passed_over) > _MAX_NAMED else ""
            options.notify(f"{path}: passed over: {counts}{more}")
        if is_empty:
            raise InputError(f"{path}: holds no web page, or is truncated; fetch it again")
    except (ArchiveLoadFailed, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged or truncated ({error}); fetch it again") from error


def _silently(records: Iterable[Any]) -> Iterator[Any]:
    """Yield the records of an archive; the library would print what it repairs, unescaped."""
    iterator = iter(records)
    while True:
        with redirect_stderr(io.StringIO()):
            record = next(iterator, None)
        if record is None:
            return
        yield record


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        if path.suffix.lower() != ".zst":
            yield file
            return
        import zstandard

        if file.read(4) == _ZSTD_DICTIONARY:
            raise InputError(f"{path}: packed with a zstd dictionary; convert it to .warc.gz")
        file.seek(0)
        try:
            with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as data:
                yield data
        except zstandard.ZstdError as error:
            raise InputError(f"{path}: damaged or truncated ({error}); fetch it again") from error


def _read_record(path: Path, record: Any) -> RawArticle | Rejected | str | None:
    """Return the page of a record, its type or status if it is no page, or None for a note."""
    url = hide_password(record.rec_headers.get_header("WARC-Target-URI") or "")
    if record.rec_type not in ("response", "resource") or not url.startswith(("http:", "https:")):
        return None
    location = f"{path}!{url}"
    try:
        if record.rec_type == "resource":
            content_type = record.content_type or ""
            if "html" not in content_type.lower():
                return _kind(content_type)
            body = _read_body(record, location)
        else:
            headers = _read_headers(record, location)
            content_type = headers.get_header("Content-Type") or ""
            if headers.get_statuscode() != "200":
                return f"with status {headers.get_statuscode()[:9]}"
            if "html" not in content_type.lower():
                return _kind(content_type)
            body = _read_body(record, location)
            if "chunked" in (headers.get_header("Transfer-Encoding") or "").lower():
                body = join_chunks(body)
            body = unpack(body, headers.get_header("Content-Encoding") or "", location)
    except Exception as error:
        return Rejected.from_error(location, error)
    # warcio returns the beginning of a truncated record without an error.
    if record.raw_stream.limit > _MAX_UNREAD_BYTES:
        raise InputError(f"{path}: damaged or truncated within {url}; fetch it again")
    fetched = record.rec_headers.get_header("WARC-Date")
    origin = {"file": path.name, "url": url, "fetched": fetched}
    charset = charset_of_content_type(content_type)
    return RawArticle(location, url_to_name(url), body, None, ".html", origin, charset)


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()[:60] or "without type"


def _read_headers(record: Any, location: str) -> Any:
    from warcio.statusandheaders import StatusAndHeadersParser, StatusAndHeadersParserException

    try:
        headers = StatusAndHeadersParser(_HTTP_VERSIONS).parse(record.raw_stream)
    except (StatusAndHeadersParserException, EOFError, ValueError) as error:
        raise InputError(f"{location}: record without valid HTTP headers; skipped") from error
    if not headers.statusline:
        raise InputError(f"{location}: record without an HTTP status line; skipped")
    return headers


def _read_body(record: Any, location: str) -> bytes:
    content = bytearray()
    while chunk := record.raw_stream.read(2**16):
        content += chunk
        if len(content) > MAX_ARTICLE_BYTES:
            raise InputError(f"{location}: larger than {MAX_ARTICLE_BYTES >> 20} MB; split it")
    return bytes(content)
