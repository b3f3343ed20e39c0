"""JSON Lines of documents, JSON, TOML and file hashes; files are written atomically."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import InputError
from .document import Document, document_to_json, parse_document
from .json_values import MAX_NESTING, encode_json, is_too_deep
from .output.atomic import open_atomic
from .reading.bounded import MAX_ARTICLE_BYTES, MAX_FILE_BYTES, open_decompressed, read_bytes
from .reading.json_files import read_json_file
from .rejected import Rejected


def check_output(output: Path | str | None, *inputs: Path | str | None) -> None:
    """Refuse to write to what is read.

    Args:
        output: the file or folder to write; None for none.
        inputs: files and folders to read; None and what does not exist are ignored.

    Raises:
        InputError: if the output is an input, by another path too, or lies in a folder to read.
    """
    if output is None:
        return
    path = Path(output)
    for source in (Path(item) for item in inputs if item is not None):
        if not source.exists():
            continue
        if path.resolve() == source.resolve() or (path.exists() and path.samefile(source)):
            kind = "folder" if source.is_dir() else "file"
            raise InputError(f"{output}: is the {kind} to read; name another one to write")
        if source.is_dir() and path.resolve().is_relative_to(source.resolve()):
            raise InputError(f"{output}: lies in {source}, the folder to read; name another place")


def check_output_file(output: Path | str | None, *inputs: Path | str | None) -> None:
    """Refuse to write a file to what is read, as :func:`check_output`, or to a folder.

    Raises:
        InputError: likewise.
    """
    check_output(output, *inputs)
    if output is not None and Path(output).is_dir():
        raise InputError(f"{output}: is a folder; name a file to write")


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a UTF-8 file atomically; line ends are written unchanged.

    Args:
        path: the file to write.
        text: its content.
        private: make the file readable by its owner only.
    """
    with open_atomic(path, private=private) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any, *, private: bool = False) -> None:
    """Write one indented JSON value atomically; a private file is readable by its owner only."""
    write_text(path, encode_json(value, indent=2) + "\n", private=private)


def write_json_lines(path: Path, records: Iterable[Any]) -> int:
    """Write one JSON value per line, atomically, and return the number of lines."""
    count = 0
    with open_atomic(path) as file:
        for record in records:
            file.write(encode_json(record).encode() + b"\n")
            count += 1
    return count


def write_documents(path: Path, documents: Iterable[Document]) -> int:
    """Write documents as JSON Lines, atomically, and return their number."""
    return write_json_lines(path, map(document_to_json, documents))


def iterate_json_lines(path: Path) -> Iterator[tuple[str, Any | Rejected]]:
    """Yield the location (`file:line`) and the decoded value of each line that is not blank.

    A line that cannot be decoded yields a :class:`Rejected`, and reading continues. Only line
    feeds end a line: JSON strings may contain U+2028 and similar characters. Files whose name
    ends in ``.gz`` are decompressed.

    Raises:
        InputError: if the file is missing, empty or damaged.
    """
    path = Path(path)
    is_empty = True
    try:
        with open_decompressed(path) as file:
            number = 0
            while raw := file.readline(MAX_ARTICLE_BYTES + 1):
                number += 1
                if number == 1:
                    raw = raw.removeprefix(codecs.BOM_UTF8)
                is_empty = is_empty and not raw.strip()
                location = f"{path}:{number}"
                if len(raw) > MAX_ARTICLE_BYTES:
                    reason = f"longer than {MAX_ARTICLE_BYTES >> 20} MB; split it"
                    yield location, Rejected(location, reason)
                    while raw and not raw.endswith(b"\n"):
                        raw = file.readline(MAX_ARTICLE_BYTES)
                elif raw.strip():
                    yield location, _decode_line(raw, location)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged or truncated ({error}); fetch it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if is_empty:
        raise InputError(f"{path}: is empty; expected one JSON document per line")


def read_first_value(path: Path) -> Any:
    """Return the value of the first line of JSON Lines, or of a file that is one object.

    Raises:
        InputError: if the file is missing, empty or damaged, or is neither.
    """
    _, first = next(iterate_json_lines(path))
    if not isinstance(first, Rejected):
        return first
    try:
        # An object on several lines.
        return read_json_file(path, MAX_FILE_BYTES)
    except InputError:
        raise first.to_error() from None


def _decode_line(raw: bytes, location: str) -> Any | Rejected:
    if b"\0" in raw:
        return Rejected(location, "binary data; give a JSON Lines text file")
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError as error:
        return Rejected(location, f"not UTF-8 at byte {error.start}; convert the file to UTF-8")
    except json.JSONDecodeError as error:
        reason = f"invalid JSON at column {error.colno}; write one JSON object per line"
        return Rejected(location, reason)
    except RecursionError:
        return Rejected(location, "invalid JSON (nested too deeply); export it again")
    except ValueError:
        # The only other reason: Python converts no number of more than 4,300 digits.
        return Rejected(location, "invalid JSON (a number has too many digits); export it again")


def read_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the location (`file:line`) and the decoded value of each line that is not blank.

    Raises:
        InputError: if the file is missing, empty or damaged, or a line cannot be decoded.
    """
    for location, value in iterate_json_lines(path):
        if isinstance(value, Rejected):
            raise value.to_error()
        yield location, value


def read_documents(
    path: Path,
    labels: Iterable[str] | None = None,
    *,
    text_required: bool = True,
    spans_required: bool = False,
) -> Iterator[Document]:
    """Read and validate the documents of a JSON Lines file, one at a time.

    Args:
        path: the file.
        labels: the allowed label names; None allows any.
        text_required: see :func:`orbat.corpus.document.parse_document`.
        spans_required: likewise.

    Raises:
        InputError: if the file cannot be read, a record is invalid or an id occurs twice.
    """
    located = read_located_documents(
        path, labels, text_required=text_required, spans_required=spans_required
    )
    return (document for _, document in located)


def read_located_documents(
    path: Path, labels: Iterable[str] | None = None, **checks: bool
) -> Iterator[tuple[str, Document]]:
    """Yield the location (`file:line`) and the document of each line, as :func:`read_documents`.

    Args:
        path: the file.
        labels: the allowed label names; None allows any.
        checks: those of :func:`orbat.corpus.document.parse_document`.

    Raises:
        InputError: as :func:`read_documents`.
    """
    allowed = None if labels is None else list(labels)
    first_seen: dict[str, str] = {}
    for location, record in read_json_lines(path):
        document = parse_document(record, location, allowed, **checks)
        if document.id in first_seen:
            raise InputError(
                f"{location}: duplicate id '{document.id}' (first seen at "
                f"{first_seen[document.id]}); ids must be unique in a file"
            )
        first_seen[document.id] = location
        yield location, document


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file.

    Raises:
        InputError: if the file is missing, not UTF-8 or not valid TOML.
    """
    too_deep = f"{path}: invalid TOML: nested more than {MAX_NESTING} levels deep"
    try:
        value = tomllib.loads(read_bytes(path).decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8; save it as UTF-8") from error
    except RecursionError as error:
        raise InputError(too_deep) from error
    # Also of a number with more than 4,300 digits.
    except ValueError as error:
        raise InputError(f"{path}: invalid TOML: {error}") from error
    if is_too_deep(value):
        raise InputError(too_deep)
    return value


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_path(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and hashes of all files in a folder.

    Hidden files are not of the folder: systems and network drives leave some.
    """
    path = Path(path)
    if not path.is_dir():
        return sha256_file(path)
    files = sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
    return sha256_text(
        "".join(
            f"{file.as_posix()} {sha256_file(path / file)}\n"
            for file in files
            if not any(part.startswith(".") for part in file.parts)
        )
    )


def sha256_text(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
