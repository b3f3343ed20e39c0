"""Reading within bounds: how large files, articles and what is packed in them may be."""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ...errors import InputError

MAX_ARTICLE_BYTES = 64 * 2**20
"""Largest size of one article, or of one line of a JSON Lines file, after decompression."""
MAX_MARKUP_BYTES = 16 * 2**20
"""Largest size of a text or page, before its text is extracted."""
MAX_FILE_BYTES = 256 * 2**20
"""Largest size of a file of many documents that must be read as a whole."""
MAX_TEXT_CHARACTERS = 4 * 2**20
"""Longest text of a document; no novel is longer."""
MAX_SPANS = 50_000
"""Most spans of a document, one for each 80 characters of the longest text."""
MAX_PACKING = 200
"""How many times smaller than its content a large packed file may be. Text is packed ten times
smaller; files that were made to fill the memory, more than a thousand times."""

DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What damaged compressed data raise when they are read."""
UNREADABLE_ZIP = (*DAMAGED, NotImplementedError, RuntimeError)
"""What a zip archive raises that is damaged, needs a password or has an unknown compression."""


class Readable(Protocol):
    """An open file that returns at most the number of bytes asked for."""

    def read(self, size: int, /) -> bytes:
        """Return bytes, fewer only at the end."""
        ...


def read_limited(file: Readable, location: str, limit: int = MAX_ARTICLE_BYTES) -> bytes:
    """Read a whole file, which may be compressed.

    Args:
        file: the open file.
        location: its name, for messages.
        limit: the most bytes that it may have.

    Raises:
        InputError: if it has more, or its compressed data are damaged.
    """
    try:
        content = file.read(limit + 1)
    except DAMAGED as error:
        raise InputError(f"{location}: damaged or truncated ({error}); fetch it again") from error
    if len(content) > limit:
        raise InputError(f"{location}: larger than {limit >> 20} MB; split it")
    return content


def refuse_pipe(path: Path) -> None:
    """Refuse a named pipe: most files are read more than once, and then a pipe waits for ever.

    Raises:
        InputError: if the path is a pipe.
    """
    if Path(path).is_fifo():
        raise InputError(f"{path}: is a pipe, which can be read only once; save it as a file")


def read_bytes(path: Path, limit: int = MAX_ARTICLE_BYTES, location: str = "") -> bytes:
    """Return the bytes of a file that is small by its kind, such as settings or a list.

    Args:
        path: the file.
        limit: the most bytes that it may have.
        location: its name for messages, if it is another one.

    Raises:
        InputError: if it cannot be read, is a pipe or larger than the limit.
    """
    refuse_pipe(path)
    try:
        with Path(path).open("rb") as file:
            return read_limited(file, location or str(path), limit)
    except OSError as error:
        raise InputError(f"{location or path}: cannot be read ({error.strerror})") from error


def open_decompressed(path: Path) -> io.BufferedReader:
    """Open a file to read its bytes, decompressed if its name ends in ``.gz``.

    Raises:
        InputError: if it is a pipe.
        OSError: if it cannot be opened. When they are read, damaged data raise `EOFError`,
            `zlib.error` or `gzip.BadGzipFile`, and :class:`InputError` those that
            :func:`check_packing` refuses.
    """
    refuse_pipe(path)
    file = path.open("rb")
    return io.BufferedReader(_Unpacked(file, str(path))) if path.suffix.lower() == ".gz" else file


def check_lines(path: Path, limit: int = MAX_ARTICLE_BYTES) -> None:
    """Refuse a file with a line that would fill the memory of a library that reads lines.

    Args:
        path: the file.
        limit: the most bytes that a line may have.

    Raises:
        InputError: if a line is longer.
        OSError: if the file cannot be read.
    """
    length = 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            first, end, rest = block.partition(b"\n")
            if length + len(first) > limit:
                raise InputError(f"{path}: a line is longer than {limit >> 20} MB; split it")
            length = len(rest) - rest.rfind(b"\n") - 1 if end else length + len(block)


def check_length(text: str, location: str) -> None:
    """Refuse a text of more than :data:`MAX_TEXT_CHARACTERS`.

    Raises:
        InputError: naming the location.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InputError(
            f"{location} has {len(text):,} characters, more than {MAX_TEXT_CHARACTERS:,}; split it"
        )


def check_packing(packed: int, unpacked: int, location: str) -> None:
    """Refuse data that were packed to fill the memory or the disk.

    Args:
        packed: their size in bytes.
        unpacked: the size of what they contain.
        location: the file, for messages.

    Raises:
        InputError: if they contain more than :data:`MAX_ARTICLE_BYTES` and :data:`MAX_PACKING`
            times their size.
    """
    if unpacked > max(MAX_ARTICLE_BYTES, MAX_PACKING * packed):
        raise InputError(
            f"{location}: {unpacked >> 20} MB are packed into {packed >> 10} kB, as in no file of "
            "articles; unpack it yourself if you trust it"
        )


def check_archive(entries: Iterable[zipfile.ZipInfo], location: str) -> None:
    """Refuse a zip archive by :func:`check_packing`, before anything in it is unpacked.

    Args:
        entries: the files in it that will be read.
        location: the archive, for messages.

    Raises:
        InputError: if they are packed to fill the memory or the disk, or not by deflate.
    """
    entries = list(entries)
    for entry in entries:
        if unpacks_whole_blocks(entry):
            raise InputError(
                f"{location}: {entry.filename} is not packed by the usual method (deflate); "
                "pack the archive again"
            )
    # Several entries may name the same packed bytes.
    starts = {entry.header_offset: entry.compress_size for entry in entries}
    check_packing(sum(starts.values()), sum(entry.file_size for entry in entries), location)


def unpacks_whole_blocks(entry: zipfile.ZipInfo) -> bool:
    """Return whether a file of a zip archive is packed by bzip2 or LZMA.

    Their blocks are unpacked whole, whatever size the archive says that the file has.
    """
    return entry.compress_type in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class _Unpacked(io.RawIOBase):
    """The content of a gzip file, refused where it is packed too densely."""

    def __init__(self, file: io.BufferedReader, location: str) -> None:
        self._file = file
        self._gzip = gzip.GzipFile(fileobj=file)
        self._location = location
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        size = self._gzip.readinto(buffer)
        self._size += size
        check_packing(self._file.tell(), self._size, self._location)
        return size

    def close(self) -> None:
        self._gzip.close()
        self._file.close()
        super().close()
