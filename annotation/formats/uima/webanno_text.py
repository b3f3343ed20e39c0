"""The rows and the text of a WebAnno TSV 3 file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ....corpus.reading.bounded import read_bytes
from ....errors import InputError
from ...utf16 import Utf16Offsets
from ..imported import OffsetUnit

_MAX_GAP = 1 << 20
"""Most characters between two sentences: more is a wrong offset."""
_FORMAT = re.compile(r"#FORMAT=WebAnno TSV 3(?:\.(\d+))?\s*")
_LAYER = re.compile(r"#T_(SP|RL|CH)=([^|]+)(?:\|(.*))?")
_ROW = re.compile(r"(\d+-\d+)(?:\.\d+)?")
_TEXT_ESCAPE = re.compile(r"\\([tnfrb\\\x00-\x1f])")
_JAVA_ESCAPE = re.compile(r"""\\(?:u+([0-9a-fA-F]{4})|([tnfrb\\"']))""")
_CHARACTERS = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", "b": "\b"}


@dataclass(slots=True)
class Columns:
    """The columns of a layer.

    Attributes:
        kind: `SP` for spans, `RL` for relations, `CH` for chains.
        layer: the UIMA type.
        names: the names of the columns; one empty name for a layer without features.
        first: the index of the first one in a row.
    """

    kind: str
    layer: str
    names: list[str]
    first: int


@dataclass(slots=True)
class Row:
    """A token, or a part of one.

    Attributes:
        where: file and line.
        token: sentence and number, such as `1-3`.
        is_part: whether it is a part of the token.
        start: offset of its first character.
        end: offset after the last one.
        form: its text.
        cells: the values of the columns.
    """

    where: str
    token: str
    is_part: bool
    start: int
    end: int
    form: str
    cells: list[str]


@dataclass(slots=True)
class Sentence:
    """A sentence: its text, and its rows. Only the last one of a file may have none."""

    text: str
    rows: list[Row] = field(default_factory=list)


def read_sentences(path: Path, where: str) -> tuple[list[Columns], list[Sentence]]:
    """Read the rows of a file.

    Args:
        path: the file.
        where: its name for messages.

    Raises:
        InputError: naming the line that cannot be read.
    """
    try:
        content = read_bytes(path, location=where).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8; convert the file to UTF-8") from error
    lines = content.split("\n")
    version = _FORMAT.fullmatch(lines[0])
    if not version:
        raise InputError(f"{where}:1: no '#FORMAT=WebAnno TSV 3'; export as WebAnno TSV 3.3")
    # Up to 3.1, and in files that do not say, texts have the escapes of Java.
    unescape = _unescape_text if int(version[1] or 0) > 1 else _unescape_java
    columns: list[Columns] = []
    sentences: list[Sentence] = []
    texts: list[str] = []
    for number, line in enumerate(lines[1:], start=2):
        line = line.removesuffix("\r")
        if match := _LAYER.fullmatch(line):
            names = (match[3] or "").rstrip("|").split("|")
            first = columns[-1].first + len(columns[-1].names) if columns else 0
            columns.append(Columns(match[1], match[2], names, first))
        elif line.startswith("#Text="):
            texts.append(unescape(line.removeprefix("#Text=")))
        elif line.strip() and not line.startswith("#"):
            if texts:
                sentences.append(Sentence("\n".join(texts)))
                texts = []
            row = _read_row(line, f"{where}:{number}", columns)
            if not sentences:
                raise InputError(f"{row.where}: no '#Text=' before it; export the file again")
            sentences[-1].rows.append(row)
    if texts:
        sentences.append(Sentence("\n".join(texts)))
    return columns, sentences


def _read_row(line: str, where: str, columns: Sequence[Columns]) -> Row:
    fields = line.split("\t")
    width = columns[-1].first + len(columns[-1].names) if columns else 0
    name = _ROW.fullmatch(fields[0])
    offsets = re.fullmatch(r"(\d{1,12})-(\d{1,12})", fields[1]) if len(fields) > 2 else None
    if not name or not offsets:
        raise InputError(f"{where}: not 'SENTENCE-TOKEN<tab>START-END<tab>TOKEN'; correct the line")
    if len(fields) < 3 + width:
        raise InputError(
            f"{where}: {len(fields) - 3} columns of annotations, expected {width}; correct the line"
        )
    start, end = int(offsets[1]), int(offsets[2])
    return Row(where, name[1], "." in fields[0], start, end, fields[2], fields[3 : 3 + width])


def rebuild_text(sentences: Sequence[Sentence]) -> tuple[str, OffsetUnit]:
    """Return the text, and the unit in which the offsets of all tokens fit.

    As in INCEpTION, a line break and blanks fill the space between two sentences, which the file
    does not tell.

    Raises:
        ValueError: if a token is not at its offsets; its arguments are the position and the reason.
    """
    try:
        return _place(sentences, "utf-16"), "utf-16"
    except ValueError as error:
        try:
            # Scripts count code points.
            return _place(sentences, "code points"), "code points"
        except ValueError:
            raise error from None


def _place(sentences: Sequence[Sentence], unit: OffsetUnit) -> str:
    size = _utf16_length if unit == "utf-16" else len
    parts: list[str] = []
    length = 0
    for sentence in sentences:
        if not sentence.rows:
            parts += ["\n", sentence.text]
            continue
        first = sentence.rows[0]
        start = first.start - size(sentence.text[: max(0, sentence.text.find(first.form))])
        while parts and start < length and parts[-1][-1:].isspace():
            # Sentences may end with blanks that are before the next one as well.
            length -= size(parts[-1][-1])
            parts[-1] = parts[-1][:-1]
        if start < length or start - length > _MAX_GAP:
            raise ValueError(
                first.where,
                f"the sentence starts at {start}, but the one before ends at {length}; "
                "offsets count UTF-16 units of the whole text",
            )
        gap = start - length
        parts += ["\n" + " " * (gap - 1) if gap and parts else " " * gap, sentence.text]
        length = start + size(sentence.text)
    text = "".join(parts)
    _check_tokens(text, sentences, unit)
    return text


def _check_tokens(text: str, sentences: Sequence[Sentence], unit: OffsetUnit) -> None:
    convert: Callable[[int], int] = Utf16Offsets(text).to_code_points if unit == "utf-16" else int
    for row in (row for sentence in sentences for row in sentence.rows):
        try:
            found = text[convert(row.start) : convert(row.end)]
        except ValueError as error:
            raise ValueError(row.where, str(error)) from error
        if row.form not in (found, found.strip()) and _unescape_text(row.form) != found:
            raise ValueError(
                row.where,
                f"expected '{row.form}' at {row.start}-{row.end}, but the text has "
                f"'{' '.join(found.split())[:40]}'",
            )


def _utf16_length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _unescape_text(text: str) -> str:
    return _TEXT_ESCAPE.sub(lambda match: _CHARACTERS.get(match[1], match[1]), text)


def _unescape_java(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _CHARACTERS.get(match[2], match[2])

    replaced = _JAVA_ESCAPE.sub(replace, text)
    # Two escapes make a character beyond U+FFFF.
    return replaced.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
