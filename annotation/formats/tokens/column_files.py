"""Reading files with one word per line, of any layout, one document at a time."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ....corpus.reading.bounded import MAX_TEXT_CHARACTERS
from ....errors import InputError
from ....ui import format_count
from ..conversion_report import ConversionReport, describes_others
from ..imported import ImportedDocument, ReadOptions
from ..sources import open_source
from .column_choice import Layout, find_layout
from .column_sample import split_words
from .columns import DOCUMENT_START, Comment, Line, parse_comment, read_lines, split_fields
from .reading_notes import ColumnNotes
from .rebuilding import Sentence, Word, rebuild

_SURE = tuple(
    f"{ending}{packed}"
    for ending in (".conll", ".conllu", ".conllup", ".iob", ".iob2", ".bio")
    for packed in ("", ".gz")
)
_UNSURE = (".tsv", ".txt", ".tsv.gz", ".txt.gz")
"""Endings of the names of files that are read from a folder or archive."""
_HEAD_LINES = 20_000
"""The columns are found from this number of lines."""
_WORD_RANGE = re.compile(r"(\d+)-(\d+)")
_ESCAPE = re.compile(r"\\[sntr]")
_ESCAPED = {r"\s": " ", r"\n": "\n", r"\t": "\t", r"\r": "\r"}


def read_columns(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read words and tags in columns.

    Beside files with endings such as `.conll`, a `.txt` or `.tsv` is only read if its columns are
    certain.

    A blank line ends a sentence. `-DOCSTART-` and comments such as `# newdoc id = ID` start a
    document; in a file without them each sentence is a document.

    Args:
        path: a file, a folder of files or a zip archive.
        options: the columns and their separator; without them, they have to be certain.
        report: records what is dropped.

    Raises:
        InputError: naming the file and line that cannot be read.
    """
    with open_source(path, (*_SURE, *_UNSURE), report) as files:
        has_sure = any(file.name.endswith(_SURE) for file, _ in files)
        for file, part in files:
            lines = read_lines(file)
            try:
                head = list(itertools.islice(lines, _HEAD_LINES))
                layout = find_layout(file, head, options)
            except InputError:
                if file.name.endswith(_SURE) or not (has_sure or describes_others(file)):
                    raise
                report.leave_unread([part + file.suffix])
                continue
            notes = ColumnNotes(file, layout)
            reader = _Reader(file, layout, options.separator, report, notes)
            for document in reader.read(itertools.chain(head, lines)):
                document.part = part
                yield document
            notes.write(report)


@dataclass
class _Draft:
    """A document that is being read.

    Attributes:
        is_marked: whether the file marks where it begins; otherwise, it ends with its sentence.
    """

    where: str
    id: str | None = None
    meta: dict[str, str] = field(default_factory=dict)
    is_marked: bool = True
    sentences: list[Sentence] = field(default_factory=list)


class _Range(NamedTuple):
    """A word such as `3-4` of CoNLL-U, which stands for the words 3 and 4."""

    first: int
    last: int
    text: str
    after: str


class _Reader:
    """Reads the documents of one file."""

    def __init__(
        self,
        path: Path,
        layout: Layout,
        separator: str | None,
        report: ConversionReport,
        notes: ColumnNotes,
    ) -> None:
        self._path = path
        self._layout = layout
        self._separator = separator
        self._report = report
        self._notes = notes
        self._document: _Draft | None = None
        self._sentence = Sentence()
        self._characters = 0
        """Of the document, not more than memory can hold."""
        self._comments: list[Comment] = []
        """The comments since the last row."""
        self._range: _Range | None = None
        self._sentence_id = ""

    def read(self, lines: Iterable[Line]) -> Iterator[ImportedDocument]:
        """Yield the documents, each as soon as it ends."""
        layout = self._layout
        for number, line in lines:
            if number == layout.header:
                continue
            if not line.strip():
                yield from self._end_sentence()
                continue
            where = f"{self._path}:{number}"
            fields = self._split(line)
            if line.startswith("#") and not self._is_row(fields):
                comment = parse_comment(line)
                if comment.kind == "end":
                    yield from self._end_document()
                else:
                    self._comments.append(comment)
            elif DOCUMENT_START in fields[:2]:
                yield from self._end_document()
                self._document = _Draft(where)
            else:
                if layout.sentence is not None and len(fields) == layout.width:
                    yield from self._begin_sentence(fields[layout.sentence])
                yield from self._apply_comments(where)
                for row in split_words(line, layout.parts) if layout.parts else [fields]:
                    self._add_row(row, where)
                if layout.parts:
                    yield from self._end_sentence()
        yield from self._end_document()

    def _split(self, line: str) -> list[str]:
        fields = split_fields(line, self._separator)
        is_without_word = len(fields) + 1 == self._layout.width and line[0] == " "
        return ["", *fields] if is_without_word else fields

    def _begin_sentence(self, sentence_id: str) -> Iterator[ImportedDocument]:
        """End the sentence if a row names another one; rows without a name belong to the last."""
        if sentence_id and sentence_id != self._sentence_id:
            self._sentence_id = sentence_id
            yield from self._end_sentence()

    def _is_row(self, fields: list[str]) -> bool:
        """Return whether a line that begins with `#` is the row of such a word."""
        layout = self._layout
        return (
            not layout.parts
            and layout.index != 0
            and len(fields) == layout.width
            and layout.style.knows(layout.read_tag(fields))
        )

    def _apply_comments(self, where: str) -> Iterator[ImportedDocument]:
        """Use the comments in front of a row, and yield the document that ends before it."""
        comments, self._comments = self._comments, []
        ids = [c.value for c in comments if c.kind in ("begin", "document") and c.value]
        doc_id = ids[-1] if ids else None
        is_repeated = self._document is not None and doc_id == self._document.id
        fields = {c.key: c.value for c in comments if c.kind == "field"}
        if any(c.kind == "begin" for c in comments) or (ids and not is_repeated):
            if not self._is_empty():
                yield from self._end_document()
            self._document = _Draft(where, doc_id, fields)
        elif self._document is None:
            self._document = _Draft(where, None, fields, is_marked=False)
        else:
            self._report.drop("comments", len(fields))
        self._report.drop("comments", sum(c.kind == "other" for c in comments))
        for comment in comments:
            if comment.kind == "text" and not self._sentence.words:
                self._sentence.text = comment.value
            elif comment.kind == "sentence" and not self._document.is_marked:
                self._document.id = comment.value
            elif comment.kind == "sentence":
                self._report.drop("ids of sentences")

    def _add_row(self, fields: list[str], where: str) -> None:
        layout = self._layout
        if layout.width is None:
            if len(fields) <= layout.tag:
                raise InputError(
                    f"{where}: {format_count(len(fields), 'column')}, expected at least "
                    f"{layout.tag + 1}; correct the line"
                )
        elif len(fields) != layout.width:
            raise InputError(
                f"{where}: {format_count(len(fields), 'column')}, expected {layout.width}; correct "
                "the line, or give the characters between columns with --separator"
            )
        for column, style in layout.other_tags:
            if style.knows(fields[column]) and style.parse(fields[column]) is not None:
                self._report.drop("tags in other columns")
        self._notes.add_row(fields)
        text, tag, is_same = fields[layout.token], layout.read_tag(fields), False
        after = " " if layout.misc is None else _read_after(fields[layout.misc])
        if layout.index is not None:
            number = fields[layout.index]
            if "." in number:
                self._report.drop("empty nodes")
                return
            if match := _WORD_RANGE.fullmatch(number):
                self._range = _Range(int(match[1]), int(match[2]), text, after)
                return
            if self._range and number.isdecimal():
                if self._range.first <= int(number) <= self._range.last:
                    text, after = self._range.text, self._range.after
                    is_same = int(number) > self._range.first
                else:
                    self._range = None
        self._characters += len(text) + 1
        if self._characters > MAX_TEXT_CHARACTERS:
            raise InputError(
                f"{where}: a document of more than {MAX_TEXT_CHARACTERS:,} characters; put a blank "
                f"line after each sentence, and {DOCUMENT_START} before each document"
            )
        self._sentence.words.append(Word(text, tag, where, after, is_same))

    def _is_empty(self) -> bool:
        """Return whether no word came after the mark of the document."""
        document = self._document
        return document is None or not (document.sentences or self._sentence.words)

    def _end_sentence(self) -> Iterator[ImportedDocument]:
        self._range = None
        if self._sentence.words and self._document is not None:
            self._document.sentences.append(self._sentence)
            self._sentence = Sentence()
            if not self._document.is_marked:
                yield from self._end_document()

    def _end_document(self) -> Iterator[ImportedDocument]:
        document = self._document
        if document is None:
            return
        if self._sentence.words:
            document.sentences.append(self._sentence)
        self._sentence, self._document, self._characters = Sentence(), None, 0
        if document.sentences:
            self._notes.add_document(len(document.sentences), is_marked=document.is_marked)
            yield rebuild(
                *(document.where, document.sentences, self._report, self._layout.style),
                doc_id=document.id,
                meta=document.meta,
                scheme=self._notes.scheme,
            )
        else:
            self._report.drop("documents without words")


def _read_after(misc: str) -> str:
    """Return the characters after a word, which CoNLL-U, UDPipe and HIPE note in column MISC."""
    for part in misc.split("|"):
        if part in ("SpaceAfter=No", "NoSpaceAfter") and "EndOfLine" not in misc:
            return ""
        if part == "EndOfLine":
            return "\n"
        if part.startswith("SpacesAfter="):
            return _ESCAPE.sub(lambda match: _ESCAPED[match[0]], part.removeprefix("SpacesAfter="))
    return " "
