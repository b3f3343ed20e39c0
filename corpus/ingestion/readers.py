"""What stands in a file: one article, or a container of many."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import lzma
import math
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ...errors import InputError
from ..files import LARGEST, iterate_json_lines

_WARC_SLACK = 8
"""Bytes of a record that a decoder may leave unread at its end."""
Found = Iterator["RawArticle | InputError"]


@dataclass(frozen=True)
class RawArticle:
    """An article as it was found, before any cleaning.

    Attributes:
        where: where it was found, for people: file, file and line, or URL.
        name: what its id is made of.
        content: the bytes of a page, text or PDF; empty for a record.
        record: the fields of a record; None for bytes.
        kind: the file name extension that says what the content is, with dot; ``""`` if unknown.
        facts: what is known of where it came from, for its provenance.
    """

    where: str
    name: str
    content: bytes = b""
    record: Any = None
    kind: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_limited(file: IO[bytes] | io.BufferedIOBase, where: str) -> bytes:
    """Read a whole file that may be compressed.

    Raises:
        InputError: if it is larger than :data:`LARGEST`, or compressed and damaged.
    """
    try:
        content = file.read(LARGEST + 1)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise InputError(f"{where}: damaged or cut off ({error}); fetch it again") from error
    if len(content) > LARGEST:
        raise InputError(f"{where}: larger than {LARGEST >> 20} MB; no article is, split it")
    return content


def read_file(path: Path, text_column: str = "text") -> Found:
    """Yield what a file holds, and an error in the place of what cannot be read.

    Args:
        path: a file; what it is goes by its name's extension.
        text_column: the column of CSV and Parquet files that holds the text.
    """
    name = path.name.lower()
    read = next((read for end, read in _CONTAINERS.items() if name.endswith(end)), _article)
    try:
        yield from read(path, text_column)
    except InputError as error:
        yield error
    except OSError as error:
        yield InputError(f"{path}: cannot be read ({error.strerror or error})")


def _article(path: Path, text_column: str) -> Found:
    packed = path.suffix.lower() == ".gz"
    with gzip.open(path) if packed else path.open("rb") as file:
        content = read_limited(file, str(path))
    bare = Path(path.stem if packed else path.name)
    facts = {"file": path.name}
    yield RawArticle(str(path), bare.stem, content, kind=bare.suffix.lower(), facts=facts)


def _json_lines(path: Path, text_column: str) -> Found:
    for where, value in iterate_json_lines(path):
        if isinstance(value, InputError):
            yield value
        else:
            yield _record(where, value, text_column)


def _record(where: str, record: Any, text_column: str) -> RawArticle:
    """Make the text column the field `text`, all columns that no document has its meta."""
    if isinstance(record, dict) and text_column != "text" and text_column in record:
        record = {**record, "text": record[text_column]}
        del record[text_column]
    return RawArticle(where, "", record=record, facts={"file": where.rpartition("/")[2]})


def _csv(path: Path, text_column: str) -> Found:
    csv.field_size_limit(min(LARGEST, sys.maxsize))
    with path.open("rb") as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        delimiter = "\t" if path.name.lower().endswith(".tsv") else ","
        reader = csv.DictReader(file, delimiter=delimiter, restkey="")
        try:
            _check_columns(str(path), reader.fieldnames or (), text_column)
            for row in reader:
                where = f"{path}:{reader.line_num}"
                if "" in row or None in row.values():
                    yield InputError(f"{where}: has another number of columns than the head")
                    continue
                yield _record(where, _row(row), text_column)
        except UnicodeDecodeError:
            yield InputError(f"{path}: not UTF-8; save it as UTF-8")
        except csv.Error as error:
            yield InputError(f"{path}:{reader.line_num}: broken CSV ({error}); mend the line")


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's row without its empty cells; texts of spans and meta are JSON."""
    found = {name: _plain(value) for name, value in row.items() if value not in (None, "")}
    for name in ("spans", "meta"):
        if isinstance(found.get(name), str):
            try:
                found[name] = json.loads(found[name])
            except ValueError:
                continue
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: dates, decimals and the like as text."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def _check_columns(where: str, columns: Any, text_column: str) -> None:
    if text_column not in columns:
        there = ", ".join(map(str, columns)) or "none"
        raise InputError(
            f"{where}: no column '{text_column}'; its columns are {there} (--text-column NAME)"
        )


def _parquet(path: Path, text_column: str) -> Found:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            _check_columns(str(path), file.schema_arrow.names, text_column)
            number = 0
            for batch in file.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    number += 1
                    yield _record(f"{path}:{number}", _row(row), text_column)
    except arrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: broken Parquet ({reason}); write it again") from error


def _zip(path: Path, text_column: str) -> Found:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                where = f"{path}!{entry.filename}"
                kind = Path(entry.filename).suffix.lower()
                if entry.is_dir() or kind not in ARTICLES:
                    continue
                try:
                    with archive.open(entry) as file:
                        content = read_limited(file, where)
                except InputError as error:
                    yield error
                    continue
                except (RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
                    yield InputError(f"{where}: cannot be unpacked ({error}); unpack it yourself")
                    continue
                facts = {"file": f"{path.name}!{entry.filename}"}
                yield RawArticle(where, Path(entry.filename).stem, content, kind=kind, facts=facts)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not a whole zip file ({error}); fetch it again") from error


def _warc(path: Path, text_column: str) -> Found:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    empty = True
    try:
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                headers = record.http_headers
                kind = (headers.get_header("Content-Type") or "") if headers else ""
                if record.rec_type != "response" or "html" not in kind.lower():
                    continue
                if headers.get_statuscode() != "200":
                    continue
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                where = f"{path}!{url}"
                facts = {
                    "file": path.name,
                    "url": url,
                    "fetched": record.rec_headers.get_header("WARC-Date"),
                }
                empty = False
                try:
                    content = read_limited(record.content_stream(), where)
                except InputError as error:
                    yield error
                    continue
                # warcio gives what there is of a record that was cut off, without a word.
                if record.raw_stream.limit > _WARC_SLACK:
                    raise InputError(f"{path}: damaged or cut off within {url}; fetch it again")
                yield RawArticle(where, url_name(url), content, kind=".html", facts=facts)
        if empty:
            raise InputError(f"{path}: no web page in it, or cut off; fetch it again")
    except (ArchiveLoadFailed, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged or cut off ({error}); fetch it again") from error


def read_dataset(name: str, text_column: str = "text") -> Found:
    """Yield the rows of a Hugging Face dataset, streamed: all splits, or one by ``ID:SPLIT``.

    Args:
        name: an id, or a folder that `Dataset.save_to_disk` wrote.
        text_column: the column that holds the text.
    """
    import datasets
    from huggingface_hub.utils import logging as hub_logging

    # It tells of every retry; the one line at the end is enough.
    hub_logging.set_verbosity(logging.CRITICAL)
    identity, _, split = name.partition(":")
    try:
        if Path(identity).is_dir():
            found = datasets.load_from_disk(identity)
        else:
            found = datasets.load_dataset(identity, streaming=True)
        parts = dict(found) if isinstance(found, dict) else {"": found}
        if split and split not in parts:
            raise InputError(f"{identity}: no split '{split}'; there are {', '.join(parts)}")
        for part, rows in parts.items():
            if split and part != split:
                continue
            columns = rows.column_names
            if columns is not None:
                _check_columns(identity, columns, text_column)
            for number, row in enumerate(rows):
                where = f"{identity}{':' if part else ''}{part}:{number}"
                raw = _record(where, _row(row), text_column)
                facts = {"dataset": identity, "row": number} | ({"split": part} if part else {})
                yield RawArticle(raw.where, "", record=raw.record, facts=facts)
    except InputError as error:
        yield error
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        yield InputError(f"{identity}: no such dataset, or it cannot be loaded ({reason})")


def is_dataset_folder(path: Path) -> bool:
    """Tell whether `Dataset.save_to_disk` wrote this folder."""
    return any((path / name).is_file() for name in ("dataset_info.json", "dataset_dict.json"))


def url_name(url: str) -> str:
    """Return a URL as a readable name without its scheme."""
    return url.partition("://")[2].rstrip("/")


def pdf_text(content: bytes, where: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a PDF, a blank line between pages, and its title and author; by pypdf.

    Raises:
        InputError: if it is encrypted, damaged, or holds pictures of text only.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # What it would mend in silence it tells on the error stream.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(f"{where}: encrypted PDF; save it without a password")
        text = "\n\n".join(page.extract_text() for page in reader.pages)
        known = reader.metadata
    # pypdf lets many kinds of error out of damaged files.
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: damaged PDF ({error}); save it again") from error
    if not text.strip():
        raise InputError(f"{where}: PDF without text, perhaps scanned; run text recognition first")
    facts = {"title": known.title, "author": known.author} if known else {}
    return text, {name: str(value) for name, value in facts.items() if value}


TEXTS = (".txt", ".text", ".md")
PAGES = (".html", ".htm", ".xhtml")
ARTICLES = (*TEXTS, *PAGES, ".pdf")
_CONTAINERS: dict[str, Callable[[Path, str], Found]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".jsonl.gz": _json_lines,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".zip": _zip,
    ".warc": _warc,
    ".warc.gz": _warc,
}
KNOWN = (*ARTICLES, *(f"{kind}.gz" for kind in ARTICLES), *_CONTAINERS)
"""Endings of file names that are read in folders."""
