"""The record of an article as its source contains it, before extraction and cleaning."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from ...errors import InputError
from ..files import MAX_ARTICLE_BYTES
from ..rejected import Rejected

TEXT_EXTENSIONS = (".txt", ".text", ".md")
HTML_EXTENSIONS = (".html", ".htm", ".xhtml")
ARTICLE_EXTENSIONS = (*TEXT_EXTENSIONS, *HTML_EXTENSIONS, ".pdf")
"""Extensions of files that hold one article."""


@dataclass(frozen=True)
class RawArticle:
    """An article as its source contains it.

    Attributes:
        location: the file, file and line, or URL, for messages.
        name: the name from which its id is made; empty for a record.
        content: the bytes of a page, text or PDF; empty for a record.
        record: the decoded fields of a record; None for bytes.
        extension: the file name extension of its content type, with the dot; ``""`` if unknown.
        origin: facts about its source, for its provenance.
        charset: the label of the encoding that its source declares, such as the charset of an HTTP
            header; empty if there is none.
    """

    location: str
    name: str
    content: bytes = b""
    record: Any = None
    extension: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    charset: str = ""


RawArticles = Iterator[RawArticle | Rejected]
"""A stream of articles; those that cannot be read are yielded as :class:`Rejected`."""


def read_limited(file: IO[bytes] | io.BufferedIOBase, location: str) -> bytes:
    """Read a whole file, which may be compressed.

    Raises:
        InputError: if it exceeds :data:`MAX_ARTICLE_BYTES`, or its compressed data are damaged.
    """
    try:
        content = file.read(MAX_ARTICLE_BYTES + 1)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InputError(f"{location}: damaged or truncated ({error}); fetch it again") from error
    if len(content) > MAX_ARTICLE_BYTES:
        raise InputError(f"{location}: larger than {MAX_ARTICLE_BYTES >> 20} MB; split it")
    return content


def url_to_name(url: str) -> str:
    """Return a URL as a readable name, without its scheme."""
    return url.partition("://")[2].rstrip("/")
