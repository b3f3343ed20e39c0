"""Extraction: from a raw article to a document with clean text and provenance."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import metadata
from typing import Any

from ...errors import InputError
from ..document import Document, parse_document
from ..reading.bounded import check_length
from .charsets.decoding import decode
from .pages.html import clean_html
from .pdf import extract_pdf
from .raw_article import HTML_EXTENSIONS, RawArticle
from .text import CleanText, clean_text, looks_like_html, tidy

_RECORD_FIELDS = {"id", "text", "spans", "meta"}


def make_document(raw: RawArticle, *, clean: bool = True, license: str | None = None) -> Document:
    """Make a document from a raw article.

    Args:
        raw: the article.
        clean: tidy the text, except that of records with spans, and record the article's
            provenance under `meta.provenance`; a record that has a provenance keeps it. False
            keeps the text unchanged (of a web page, the extracted article) and records nothing.
        license: the article's terms of use, for its provenance.

    Raises:
        InputError: if the article has no text, or a record is invalid.
    """
    terms = {"license": license} if license else {}
    if raw.record is not None:
        return _document_from_record(raw, clean, terms)
    cleaned, tools = _extract_text(raw, clean)
    meta: dict[str, Any] = {**cleaned.metadata, **raw.metadata}
    if "url" in raw.origin:
        meta["url"] = raw.origin["url"]
    if clean:
        meta["provenance"] = {
            **raw.origin,
            "sha256": hashlib.sha256(raw.content).hexdigest(),
            "encoding": cleaned.encoding,
            "changes": list(cleaned.changes),
            **({"undecodable": cleaned.undecodable} if cleaned.undecodable else {}),
            **tools,
            **terms,
            "orbat": _version("orbat"),
        }
    check_length(cleaned.text, f"{raw.location}: the text")
    doc_id = re.sub(r"\s+", "-", raw.name.strip()) or "document"
    return Document(doc_id, cleaned.text, (), meta)


def _extract_text(raw: RawArticle, clean: bool) -> tuple[CleanText, dict[str, str]]:
    """Return the text of a page, PDF or text file, and the extractor used, for the provenance."""
    is_html = raw.extension in HTML_EXTENSIONS or (
        raw.extension != ".pdf" and looks_like_html(raw.content)
    )
    if is_html:
        tools = {"extractor": f"trafilatura {_version('trafilatura')}"}
        return clean_html(raw.content, raw.location, raw.charset), tools
    if raw.extension == ".pdf" or raw.content.startswith(b"%PDF-"):
        text, properties = extract_pdf(raw.content, raw.location)
        text, changes = tidy(text)
        tools = {"extractor": f"pypdf {_version('pypdf')}"}
        return CleanText(text, "pdf", ("layout", *changes), properties), tools
    if clean:
        return clean_text(raw.content, raw.location, raw.charset), {}
    decoded = decode(raw.content, raw.location, [raw.charset])
    return CleanText(decoded.text, decoded.encoding), {}


def _document_from_record(raw: RawArticle, clean: bool, terms: dict[str, str]) -> Document:
    record, location = raw.record, raw.location
    if (
        isinstance(record, dict)
        and isinstance(record.get("text"), str)
        and isinstance(record.get("meta", {}), dict)
    ):
        record = dict(record)
        raw_text: str = record["text"]
        check_length(raw_text, f"{location}: the text")
        if clean and not raw_text.strip():
            raise InputError(f"{location}: field 'text' is empty; remove the line")
        extra = {key: record.pop(key) for key in list(record) if key not in _RECORD_FIELDS}
        if extra:
            record["meta"] = {**extra, **record.get("meta", {})}
        digest = hashlib.sha256(raw_text.encode("utf-8", "surrogatepass")).hexdigest()
        record.setdefault("id", digest[:16])
        if clean:
            # Tidying would shift the offsets of spans.
            text, changes = (raw_text, ()) if record.get("spans") else tidy(raw_text)
            record["text"] = text
            provenance = {
                **raw.origin,
                "sha256": digest,
                "changes": list(changes),
                **terms,
                "orbat": _version("orbat"),
            }
            record["meta"] = {"provenance": provenance, **record.get("meta", {})}
    return parse_document(record, location)


@cache
def _version(package: str) -> str:
    """Return a package's version, cached: each lookup parses the package's metadata."""
    return metadata.version(package)
