"""Reader of tables of articles in CSV and its dialects."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ....errors import InputError
from ...reading.bounded import MAX_ARTICLE_BYTES, open_decompressed
from ...rejected import Rejected
from ..raw_article import RawArticles, ReaderOptions
from .fields import TEXT_FIELDS, ArticleFields
from .tables import clean_row

CSV_EXTENSIONS = (".csv", ".tsv")
_QUOTED = re.compile(r'"((?:[^"]|"")*+)"(?=\t|\Z)')
"""A field of a tab-separated row that is quoted as a whole."""
_MAX_LINES = 1000
"""Lines of a quoted field in a tab-separated file."""
_MAX_READ_AGAIN = 4 * MAX_ARTICLE_BYTES
"""Characters of a file that are read more than once, after quotations that do not end."""
_LINE_COST = 100
"""Characters as which the work for a line itself counts."""

Row = tuple[int, list[str] | str]
"""The number of a row's last line, and its cells or what is wrong with it."""


def read_csv(path: Path, options: ReaderOptions) -> RawArticles:
    """Yield the rows of a CSV file (RFC 4180), or of one with another delimiter.

    The header decides between comma, semicolon, tab and vertical bar; a first line ``sep=;``, as
    Excel reads it, too. In a tab-separated file, a quotation mark is a character of the text,
    unless the field is quoted as a whole. The file is UTF-8, or UTF-16 with a byte order mark.

    Raises:
        InputError: if the file is empty or not text, or the text column is missing.
    """
    csv.field_size_limit(min(MAX_ARTICLE_BYTES, sys.maxsize))
    with open_decompressed(path) as raw:
        head = raw.peek(4)[:4]
        is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if b"\0" in head and not is_utf16:
            raise InputError(f"{path}: binary data, or UTF-16 without its mark; save it as UTF-8")
        encoding = "utf-16" if is_utf16 else "utf-8-sig"
        file = io.TextIOWrapper(raw, encoding=encoding, newline="")
        try:
            yield from _read_table(path, file, options)
        except UnicodeError:
            yield Rejected(str(path), "not UTF-8; save it as UTF-8")


def _read_table(path: Path, file: IO[str], options: ReaderOptions) -> RawArticles:
    fields = ArticleFields(str(path), options)
    start = 1
    first = file.readline(MAX_ARTICLE_BYTES)
    delimiter = None
    if match := re.fullmatch(r"sep=(.)\r?\n", first):
        delimiter = match[1]
        start, first = 2, file.readline(MAX_ARTICLE_BYTES)
    while first and not first.strip():
        start, first = start + 1, file.readline(MAX_ARTICLE_BYTES)
    if not first:
        raise InputError(f"{path}: is empty; expected a header and rows")
    if delimiter is None:
        is_tsv = path.name.lower().removesuffix(".gz").endswith(".tsv")
        delimiters = "\t,;|" if is_tsv else ",;\t|"
        delimiter = _find_delimiter(first, delimiters, options.text_column)
    lines = _Lines(path, first, file, start - 1)
    rows = _split_tabs(lines) if delimiter == "\t" else _parse_csv(lines, delimiter)
    number, header = next(rows)
    if isinstance(header, str):
        raise InputError(f"{path}:{number}: {header}")
    names = _name_columns(path, header, options.text_column)
    fields.check_columns(dict.fromkeys(names))
    is_empty = True
    for number, cells in rows:
        is_empty = False
        location = f"{path}:{number}"
        if lines.is_cut:
            lines.is_cut = False
            yield Rejected(location, f"longer than {MAX_ARTICLE_BYTES >> 20} MB; split it")
        elif isinstance(cells, str):
            yield Rejected(location, cells)
        elif len(cells) != len(names):
            yield Rejected(location, "number of columns differs from the header; correct the line")
        elif any("\0" in cell for cell in cells):
            yield Rejected(location, "contains NUL bytes; remove them")
        else:
            row = clean_row(dict(zip(names, cells, strict=True)))
            yield fields.make_article(location, row)
    if is_empty:
        raise InputError(f"{path}: has a header but no rows; give one with articles")


class _Lines:
    """The lines of a file and the number of the last one; lines can be put back.

    A line that is too long is cut, and `is_cut` set.

    Raises:
        InputError: if so much is put back that reading would not end in time.
    """

    def __init__(self, path: Path, first: str, file: IO[str], number: int) -> None:
        self._path = path
        self._back = [first]
        self._file = file
        self._again = 0
        self.number = number
        self.is_cut = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else self._file.readline(MAX_ARTICLE_BYTES)
        if not line:
            raise StopIteration
        rest = line
        while len(rest) == MAX_ARTICLE_BYTES and not rest.endswith("\n"):
            self.is_cut = True
            rest = self._file.readline(MAX_ARTICLE_BYTES)
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        """Return lines, which will be the next ones."""
        self._back += reversed(lines)
        self.number -= len(lines)
        self.count_again(sum(map(len, lines)) + _LINE_COST * len(lines))

    def count_again(self, characters: int) -> None:
        """Count characters that are read more than once."""
        self._again += characters
        if self._again > _MAX_READ_AGAIN:
            raise InputError(
                f"{self._path}:{self.number}: too many quotation marks without an end; "
                "write the file again"
            )


def _find_delimiter(header: str, delimiters: str, text_column: str | None) -> str:
    """Return the delimiter by which the header has the column of the text, or most columns."""
    wanted = {text_column} if text_column else {"text", *TEXT_FIELDS}

    def rate(delimiter: str) -> tuple[bool, int]:
        cells = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter))
        return not wanted.isdisjoint(cells), len(cells)

    return max(delimiters, key=rate)


def _name_columns(path: Path, header: list[str], text_column: str | None) -> list[str]:
    """Return unique names of the columns: those without one and repeated ones get a number."""
    names: list[str] = []
    for number, name in enumerate(map(str.strip, header), 1):
        if name in names and name in {text_column or "text", "id", "spans", "meta"}:
            raise InputError(f"{path}: has two columns '{name}'; rename one")
        if not name or name in names:
            name = f"{name or 'column'}_{number}"
        names.append(name)
    return names


def _parse_csv(lines: _Lines, delimiter: str) -> Iterator[Row]:
    """Yield rows by the rules of CSV; after a mistake, reading continues in the next line."""
    taken: list[str] = []

    def take() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    reader = csv.reader(take(), delimiter=delimiter, strict=True)
    while True:
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.put_back(taken[1:])
            reader = csv.reader(take(), delimiter=delimiter, strict=True)
            yield lines.number, f"invalid CSV ({error}); correct the line"
            continue
        if cells:
            yield lines.number, cells


def _split_tabs(lines: _Lines) -> Iterator[Row]:
    """Yield rows of tab-separated lines.

    A quoted field may go on in the next lines, if these are not rows by themselves.
    """
    width = 0
    for line in lines:
        if not line.strip("\r\n"):
            continue
        cells, is_open = _split_row(line)
        if width and is_open:
            cells = _read_on(lines, line, width) or cells
        if width and len(cells) != width:
            # What seems to be a quoted tab may lie between two cells that have one mark each.
            cells = line.rstrip("\r\n").split("\t")
        width = width or len(cells)
        yield lines.number, cells


def _read_on(lines: _Lines, line: str, width: int) -> list[str] | None:
    """Return a row that goes on in the next lines; None, and no line read, if there is none."""
    more: list[str] = []
    for following in lines:
        more.append(following)
        if len(_split_row(following)[0]) == width:
            break
        row = line + "".join(more)
        lines.count_again(len(row))
        cells, is_open = _split_row(row)
        if len(cells) == width and not is_open:
            return cells
        if len(cells) > width or len(more) == _MAX_LINES:
            break
    lines.put_back(more)
    return None


def _split_row(row: str) -> tuple[list[str], bool]:
    """Return the cells of a row, and whether its last one begins a quotation without an end."""
    row = row.removesuffix("\n").removesuffix("\r")
    cells: list[str] = []
    position = 0
    while True:
        if match := _QUOTED.match(row, position):
            cells.append(match[1].replace('""', '"'))
            end = match.end()
            is_open = False
        else:
            end = row.find("\t", position)
            end = len(row) if end < 0 else end
            cells.append(row[position:end])
            is_open = row.startswith('"', position)
        if end >= len(row):
            return cells, is_open
        position = end + 1
