"""Files with one word per line: lines, fields and comments, without their meaning."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import shlex
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ....corpus.reading.bounded import MAX_MARKUP_BYTES, open_decompressed
from ....errors import InputError

_BLANKS = re.compile(r"[ \t]+")
_KEY_VALUE = re.compile(r"#+\s*([\w:.-]+(?: \w+)?)\s*=\s*(.*)")
_NEW_DOCUMENT = re.compile(r"#+\s*newdoc\b(?:\s+id\b)?\s*=?\s*(.*)")
_BEGIN_DOCUMENT = re.compile(r"#\s*begin document\s(.*)")
_PART = re.compile(r"\s*part\s*(\S+)")
_SENTENCE_ID = re.compile(r"#+\s*(?:sent_id|id)\b[\s=:]+(\S+).*")
_GLOBAL_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(.*)")
_DOCUMENT_KEYS = {"document_id", "doc_id", "docid"}
DOCUMENT_START = "-DOCSTART-"
BOMS_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Line(NamedTuple):
    """A line of a file, without its end."""

    number: int
    text: str


class Comment(NamedTuple):
    """What a comment line says.

    Attributes:
        kind: `begin` and `end` of a document, `document` for an id that each of its parts may
            repeat, `sentence` for a sentence's id, `text`, `columns`, `field` for another key with
            a value, `paragraph`, or `other`.
        value: the id, text, names of columns or value; "" for none.
        key: the key of a `field`.
    """

    kind: str
    value: str = ""
    key: str = ""


def read_lines(path: Path) -> Iterator[Line]:
    r"""Yield the lines of a text file, one at a time.

    Lines end at `\n` or `\r\n` only, because words may contain other separators such as U+2028.
    Files whose name ends in ``.gz`` are decompressed.

    Raises:
        InputError: if the file is missing, empty, damaged or not UTF-8, a line is too long, or
            lines end at `\r`.
    """
    path = Path(path)
    is_empty = True
    try:
        with open_decompressed(path) as file:
            lines = iter(lambda: file.readline(MAX_MARKUP_BYTES + 1), b"")
            for number, raw in enumerate(lines, start=1):
                if len(raw) > MAX_MARKUP_BYTES:
                    size = f"{MAX_MARKUP_BYTES >> 20} MB"
                    raise InputError(f"{path}:{number}: longer than {size}; check --from")
                charset = "UTF-16" if raw.startswith(BOMS_UTF16) else "ISO-8859-1"
                if number == 1:
                    raw = raw.removeprefix(codecs.BOM_UTF8)
                try:
                    text = raw.decode()
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"{path}:{number}: not UTF-8; convert it, such as with iconv -f {charset} "
                        f"-t UTF-8 {shlex.quote(str(path))} > new.txt"
                    ) from error
                is_empty = is_empty and not text.strip()
                text = text.removesuffix("\n").removesuffix("\r")
                if number == 1 and "\r" in text:
                    raise InputError(
                        f"{path}: lines end at \\r; convert them with tr '\\r' '\\n' < "
                        f"{shlex.quote(str(path))} > new.txt"
                    )
                yield Line(number, text)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged or truncated ({error}); fetch it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if is_empty:
        raise InputError(f"{path}: is empty; expected words and tags")


def split_blanks(line: str) -> list[str]:
    """Split a line at spaces and tabs only, because words may contain other blank characters."""
    stripped = line.strip(" \t")
    return _BLANKS.split(stripped) if stripped else []


def split_fields(line: str, separator: str | None) -> list[str]:
    """Return the fields of a line that is not blank.

    Args:
        line: the line.
        separator: the characters between fields; None for tabs if there are any, else spaces. A
            single space stands for any number of them. Fields between commas may be in quotation
            marks.
    """
    if separator is None and "\t" in line:
        # Blanks beside tabs are no part of words or tags; a word may be a blank.
        return [field.strip(" ") or field for field in line.split("\t")]
    if separator is None or separator == " ":
        return split_blanks(line)
    if separator == ",":
        return next(csv.reader([line]))
    return line.split(separator)


def values_of(misc: str) -> dict[str, str]:
    """Return the keys and values of a field such as `NER=B-PER|SpaceAfter=No`."""
    pairs = (part.partition("=") for part in misc.split("|") if "=" in part)
    return {key: value for key, _, value in pairs}


def _name_with_part(document: str) -> str:
    """Return `NAME/000` for `(NAME); part 000`; the part and the brackets may be missing."""
    name, _, rest = document.rpartition(";")
    part = _PART.fullmatch(rest) if name else None
    name = (name if part else document).removeprefix("(").removesuffix(")")
    return "/".join(filter(None, (name, part and part[1])))


def parse_comment(line: str) -> Comment:
    """Return what a line that begins with `#` says, if it is a comment.

    The marks of CoNLL-U and CoNLL-U Plus (https://universaldependencies.org/ext-format.html),
    CoNLL-2012 (https://conll.cemantix.org/2012/data.html) and HIPE
    (https://zenodo.org/records/6045662) are known.
    """
    if match := _GLOBAL_COLUMNS.fullmatch(line):
        return Comment("columns", match[1])
    if match := _BEGIN_DOCUMENT.fullmatch(line):
        return Comment("begin", _name_with_part(match[1].strip()))
    if re.match(r"#\s*end document", line):
        return Comment("end")
    if match := _NEW_DOCUMENT.fullmatch(line):
        return Comment("begin", match[1].strip())
    if match := _SENTENCE_ID.fullmatch(line):
        return Comment("sentence", match[1])
    if re.match(r"#+\s*newpar\b", line):
        return Comment("paragraph")
    if match := _KEY_VALUE.fullmatch(line):
        key, value = match[1].rpartition(":")[2], match[2].strip()
        if key in _DOCUMENT_KEYS:
            return Comment("document", value)
        return Comment("text", match[2]) if key == "text" else Comment("field", value, key)
    return Comment("other")
