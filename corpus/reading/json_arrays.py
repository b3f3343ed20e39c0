"""Reading JSON files whose records are the items of an array, one item at a time."""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from ...errors import InputError
from ..rejected import Rejected
from .bounded import MAX_ARTICLE_BYTES, open_decompressed

_BLANK = re.compile(r"[ \t\r\n]*")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.S)
"""A string that does not end goes to the end: no other one is sought within it."""
_CHUNK = 1 << 16


def is_json_array(path: Path) -> bool:
    """Return whether the first character of a file that is not blank is `[`."""
    try:
        with open_decompressed(path) as file:
            head = file.read(_CHUNK).removeprefix(codecs.BOM_UTF8).lstrip()
    except (OSError, EOFError, zlib.error):
        return False
    return head.startswith(b"[")


def iterate_json_array(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the location (`FILE: item N`) and the decoded value of each item of an array.

    The file is never held in memory as a whole. Files whose name ends in ``.gz`` are decompressed.

    Raises:
        InputError: if the file is missing, damaged, not UTF-8, or not a JSON array, or an item
            cannot be decoded.
    """
    for location, value in iterate_json_items(path):
        if isinstance(value, Rejected):
            raise value.to_error()
        yield location, value


def iterate_json_items(path: Path) -> Iterator[tuple[str, Any | Rejected]]:
    """Yield the same as :func:`iterate_json_array`, but a :class:`Rejected` for a broken item.

    Reading continues after it where its brackets show its end. Several arrays in a row, as a tool
    writes that appends to its output, are read as one.

    Raises:
        InputError: if the file is missing, damaged, not UTF-8, or not a JSON array.
    """
    path = Path(path)
    try:
        with open_decompressed(path) as file:
            yield from _Items(file, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged or truncated ({error}); fetch it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


class _Items:
    """Iterates over the items of the array in a file."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._decode_bytes = codecs.getincrementaldecoder("utf-8-sig")()
        self._decode_value = json.JSONDecoder().raw_decode
        self._buffer = ""
        self._position = 0
        self._is_complete = False

    def __iter__(self) -> Iterator[tuple[str, Any | Rejected]]:
        if self._next_character() != "[":
            raise InputError(f"{self._path}: not a JSON array; expected a list of records")
        number = 0
        while self._next_character() == "[":
            self._position += 1
            is_first = True
            while (character := self._next_character()) != "]":
                if not is_first:
                    if character != ",":
                        self._refuse(number, "expected ',' or ']'")
                    self._position += 1
                    self._next_character()
                is_first = False
                number += 1
                yield f"{self._path}: item {number}", self._next_value(number)
            self._position += 1
        if self._next_character():
            self._refuse(number, "text after the end of the array")

    def _next_character(self) -> str:
        """Skip blanks, and return the next character; "" at the end of the file."""
        while True:
            match = _BLANK.match(self._buffer, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if self._is_complete:
                return ""
            self._read_more(_CHUNK)

    def _next_value(self, number: int) -> Any | Rejected:
        size = _CHUNK
        if self._position > _CHUNK:
            # An error of the decoder counts the lines of all that is before it.
            self._buffer = self._buffer[self._position :]
            self._position = 0
        while True:
            reason = ""
            try:
                value, end = self._decode_value(self._buffer, self._position)
                # A number at the end of what was read may go on.
                if end < len(self._buffer) or self._is_complete:
                    self._position = end
                    return value
            except json.JSONDecodeError as error:
                # Of a list or object whose brackets close, nothing is missing.
                is_whole = self._is_complete or self._find_end() is not None
                reason = error.msg if is_whole else ""
                if len(self._buffer) - self._position > MAX_ARTICLE_BYTES:
                    reason = f"invalid, or longer than {MAX_ARTICLE_BYTES >> 20} MB"
            except RecursionError:
                reason = "nested too deeply"
            except ValueError:
                # The only other reason: Python converts no number of more than 4,300 digits.
                reason = "a number has too many digits"
            if reason:
                return self._skip_item(number, reason)
            # Doubled, because an item is decoded anew after each time.
            self._read_more(size)
            size *= 2

    def _skip_item(self, number: int, reason: str) -> Rejected:
        """Skip a list or object that cannot be decoded; refuse the file if its end is unknown."""
        size = _CHUNK
        while (end := self._find_end()) is None:
            if self._is_complete or len(self._buffer) - self._position > MAX_ARTICLE_BYTES:
                self._refuse(number, reason)
            self._read_more(size)
            size *= 2
        self._position = end
        return Rejected(f"{self._path}: item {number}", f"invalid JSON ({reason}); export it again")

    def _find_end(self) -> int | None:
        """Return the position after the brackets that open here; None if they do not close."""
        if self._buffer[self._position : self._position + 1] not in ("[", "{"):
            return None
        depth = 0
        for match in _STRING_OR_BRACKET.finditer(self._buffer, self._position):
            depth += (match[0] in "[{") - (match[0] in "]}")
            if depth == 0:
                return match.end()
        return None

    def _read_more(self, size: int) -> None:
        data = self._file.read(size)
        self._is_complete = not data
        try:
            text = self._decode_bytes.decode(data, final=self._is_complete)
        except UnicodeDecodeError as error:
            reason = f"not UTF-8 ({error.reason}); convert the file to UTF-8"
            raise InputError(f"{self._path}: {reason}") from error
        self._buffer = self._buffer[self._position :] + text
        self._position = 0

    def _refuse(self, number: int, reason: str) -> NoReturn:
        raise InputError(f"{self._path}: item {number}: invalid JSON ({reason}); export it again")
