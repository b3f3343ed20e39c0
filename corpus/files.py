"""Files that are whole or absent: reading and writing documents as JSON Lines, and hashing."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tempfile
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import InputError
from .document import Document, document_to_json, parse_document


@contextmanager
def open_atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing so that it appears whole when the block ends well, else not at all.

    The bytes go to a neighbour file first and are renamed over `path` (POSIX rename is atomic).

    Raises:
        InputError: if the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask)
        draft.replace(path)
    except IsADirectoryError as error:
        draft.unlink()
        raise InputError(f"{path}: is a folder; name a file") from error
    except BaseException:
        draft.unlink()
        raise


@contextmanager
def open_folder_atomic(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Open a hidden sibling folder that is renamed to `path` when the block ends without error.

    Args:
        path: the folder to write. An empty folder may be there already.
        replace: remove an existing folder first.

    Yields:
        The sibling folder, to write the files to.

    Raises:
        InputError: if `path` exists and `replace` is not set, or it cannot be written.
    """
    path = Path(path)
    if not replace and path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path}: exists already; remove it or name another folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        yield draft
        draft.chmod(0o755)
        if replace:
            shutil.rmtree(path, ignore_errors=True)
        draft.replace(path)
    except BaseException:
        shutil.rmtree(draft)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file atomically, line ends as given."""
    with open_atomic(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write one indented JSON value atomically."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_json_lines(path: Path, records: Iterable[Any]) -> int:
    """Write one JSON value a line, atomically, and return how many there were."""
    count = 0
    with open_atomic(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def write_documents(path: Path, documents: Iterable[Document]) -> int:
    """Write documents as JSON Lines, atomically, and return how many there were."""
    return write_json_lines(path, map(document_to_json, documents))


LARGEST = 64 * 2**20
"""Bytes that one article, or one line of a file of many, may have, unpacked."""


def iterate_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (`file:line`, decoded value) for each line that is not blank.

    In the place of a line that cannot be decoded stands an :class:`InputError`, and the lines
    behind it follow. Only line feeds end a line: U+2028 and the like may stand raw inside JSON
    strings. Files whose name ends in ``.gz`` are unpacked.

    Raises:
        InputError: for a missing, empty or damaged file.
    """
    path = Path(path)
    seen = False
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            number = 0
            while raw := file.readline(LARGEST + 1):
                number += 1
                seen = seen or bool(raw.strip())
                where = f"{path}:{number}"
                if len(raw) > LARGEST:
                    yield where, InputError(f"{where}: longer than {LARGEST >> 20} MB")
                    while raw and not raw.endswith(b"\n"):
                        raw = file.readline(LARGEST)
                elif raw.strip():
                    yield where, _decode_line(raw, where, first=number == 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged or cut off ({error}); fetch it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if not seen:
        raise InputError(f"{path}: is empty; expected one JSON document per line")


def _decode_line(raw: bytes, where: str, *, first: bool) -> Any:
    if first:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in raw:
        return InputError(f"{where}: binary data; give a JSON Lines text file")
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError as error:
        return InputError(f"{where}: not UTF-8 at byte {error.start}; convert the file to UTF-8")
    except (json.JSONDecodeError, RecursionError) as error:
        at = getattr(error, "colno", 1)
        return InputError(f"{where}: broken JSON at column {at}; write one JSON object per line")


def read_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (`file:line`, decoded value) for each line that is not blank.

    Raises:
        InputError: for a missing, empty or damaged file, and for the first line that cannot be
            decoded.
    """
    for where, value in iterate_json_lines(path):
        if isinstance(value, InputError):
            raise value
        yield where, value


def read_documents(
    path: Path, labels: Iterable[str] | None = None, *, text_required: bool = True
) -> Iterator[Document]:
    """Read checked documents from a JSON Lines file, one at a time.

    Args:
        path: the file.
        labels: the allowed label names; None allows any.
        text_required: see :func:`corpus.document.parse_document`.

    Raises:
        InputError: for anything the record does not allow, doubled ids included.
    """
    known = None if labels is None else list(labels)
    first_seen: dict[str, str] = {}
    for where, record in read_json_lines(path):
        document = parse_document(record, where, known, text_required=text_required)
        if document.id in first_seen:
            raise InputError(
                f"{where}: id '{document.id}' stands already at {first_seen[document.id]}; "
                "ids must be unique in a file"
            )
        first_seen[document.id] = where
        yield document


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file.

    Raises:
        InputError: if it is missing or broken.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: broken TOML: {error}") from error


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
