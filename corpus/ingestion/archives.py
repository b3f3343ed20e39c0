"""Readers of archives of articles: zip and WARC."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..rejected import Rejected
from .charsets.declaration import charset_of_content_type
from .raw_article import ARTICLE_EXTENSIONS, RawArticle, RawArticles, read_limited, url_to_name

_MAX_UNREAD_BYTES = 8
"""Bytes at the end of a WARC record that a decompressor may leave unread."""


def read_zip(path: Path, text_column: str) -> RawArticles:
    """Yield the texts, pages and PDFs of a zip file.

    Raises:
        InputError: if the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                extension = Path(entry.filename).suffix.lower()
                if not entry.is_dir() and extension in ARTICLE_EXTENSIONS:
                    yield _read_entry(path, archive, entry, extension)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not a complete zip file ({error}); fetch it again") from error


def _read_entry(
    path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, extension: str
) -> RawArticle | Rejected:
    location = f"{path}!{entry.filename}"
    try:
        with archive.open(entry) as file:
            content = read_limited(file, location)
    except InputError as error:
        return Rejected.from_error(location, error)
    except (RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
        return Rejected(location, f"cannot be decompressed ({error}); unpack it first")
    origin = {"file": f"{path.name}!{entry.filename}"}
    name = Path(entry.filename).stem
    return RawArticle(location, name, content, extension=extension, origin=origin)


def read_warc(path: Path, text_column: str) -> RawArticles:
    """Yield the web pages of a WARC file, compressed or not; by warcio.

    Raises:
        InputError: if the file is damaged or holds no web page.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    is_empty = True
    try:
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if _is_web_page(record):
                    is_empty = False
                    yield _read_record(path, record)
        if is_empty:
            raise InputError(f"{path}: holds no web page, or is truncated; fetch it again")
    except (ArchiveLoadFailed, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged or truncated ({error}); fetch it again") from error


def _is_web_page(record: Any) -> bool:
    headers = record.http_headers
    media_type = (headers.get_header("Content-Type") or "") if headers else ""
    return (
        record.rec_type == "response"
        and "html" in media_type.lower()
        and headers.get_statuscode() == "200"
    )


def _read_record(path: Path, record: Any) -> RawArticle | Rejected:
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    location = f"{path}!{url}"
    try:
        content = read_limited(record.content_stream(), location)
    except InputError as error:
        return Rejected.from_error(location, error)
    # warcio returns the beginning of a truncated record without an error.
    if record.raw_stream.limit > _MAX_UNREAD_BYTES:
        raise InputError(f"{path}: damaged or truncated within {url}; fetch it again")
    charset = charset_of_content_type(record.http_headers.get_header("Content-Type") or "")
    fetched = record.rec_headers.get_header("WARC-Date")
    origin = {"file": path.name, "url": url, "fetched": fetched}
    return RawArticle(location, url_to_name(url), content, None, ".html", origin, charset)
