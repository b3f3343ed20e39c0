"""Where documents come from: text and HTML files, JSON Lines, and folders of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from corpus.cleaning import CleanText, clean_html, clean_text, decode, looks_like_html, tidy
from corpus.document import Document, parse_document
from corpus.errors import InputError
from corpus.files import read_json_lines, sha256_text

_TEXT = {".txt", ".text"}
_HTML = {".html", ".htm", ".xhtml"}
_JSON_LINES = {".jsonl", ".ndjson"}
_RECORD_FIELDS = {"id", "text", "spans", "meta"}


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and those of known kinds below the folders named, in sorted order.

    Raises:
        InputError: for a path that does not exist or a folder without a known kind of file.
    """
    known = _TEXT | _HTML | _JSON_LINES
    for path in map(Path, paths):
        if path.is_dir():
            files = sorted(
                file
                for file in path.rglob("*")
                if file.suffix.lower() in known
                and file.is_file()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
            if not files:
                raise InputError(f"{path}: no {', '.join(sorted(known))} file in this folder")
            yield from files
        elif path.exists():
            yield path
        else:
            raise InputError(f"{path}: does not exist; check the path")


def read_sources(paths: Iterable[Path], *, clean: bool = True) -> Iterator[Document]:
    """Read every document of the given files and folders.

    Text and HTML files are one document each, named for the file; a JSON Lines file holds one a
    line. A second document that would get an id already given gets a piece of its text's hash
    behind it when the id came from a file name, and is refused when the id was written down.

    Args:
        paths: files and folders.
        clean: tidy the texts, except of JSON Lines records that have spans, and record under
            `meta.provenance` where each document came from and what was done to it. False keeps
            texts as they are, but for the frame of a web page, and records nothing.

    Raises:
        InputError: for the first file that cannot be read.
    """
    seen: dict[str, str] = {}
    for path in find_files(paths):
        from_name = not _is_json_lines(path)
        for where, document in _read_file(path, clean):
            if document.id in seen:
                if not from_name:
                    raise InputError(
                        f"{where}: id '{document.id}' stands already at {seen[document.id]}; "
                        "ids must be unique"
                    )
                renamed = f"{document.id}-{sha256_text(document.text)[:8]}"
                while renamed in seen:
                    renamed += "-again"
                document = Document(renamed, document.text, document.spans, document.meta)
            seen[document.id] = where
            yield document


def _is_json_lines(path: Path) -> bool:
    return path.suffix.lower() in _JSON_LINES


def _read_file(path: Path, clean: bool) -> Iterator[tuple[str, Document]]:
    if _is_json_lines(path):
        for where, record in read_json_lines(path):
            yield where, _json_document(record, where, clean)
        return
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    is_html = path.suffix.lower() in _HTML or looks_like_html(raw)
    if is_html:
        cleaned = clean_html(raw, str(path))
    elif clean:
        cleaned = clean_text(raw, str(path))
    else:
        cleaned = CleanText(*decode(raw, str(path)))
    meta: dict[str, Any] = dict(cleaned.facts)
    if clean:
        meta["provenance"] = {
            "file": path.name,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "encoding": cleaned.encoding,
            "changes": list(cleaned.changes),
            **({"extractor": f"trafilatura {version('trafilatura')}"} if is_html else {}),
        }
    identity = re.sub(r"\s+", "-", path.stem.strip()) or "document"
    yield str(path), Document(identity, cleaned.text, (), meta)


def _json_document(record: object, where: str, clean: bool) -> Document:
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
        raw_bytes = raw_text.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(raw_bytes).hexdigest()
        record.setdefault("id", digest[:16])
        if clean and not record.get("spans"):
            record["text"], changes = tidy(raw_text)
            made = {
                "file": where.rpartition("/")[2],
                "sha256": digest,
                "changes": list(changes),
            }
            record["meta"] = {"provenance": made, **record.get("meta", {})}
    return parse_document(record, where)
