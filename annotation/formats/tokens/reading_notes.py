"""How a file of words and tags was read: the columns, the scheme, and what was not kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..conversion_report import ConversionReport
from .column_choice import Layout
from .columns import DOCUMENT_START
from .tags import TagStyle

_FILLERS = frozenset(("", "_", "-", "--", "*", "-X-", "O"))
"""Values that say nothing, such as of the second and third column that orbat writes."""
_MISC_READ = {"SpaceAfter", "SpacesAfter", "NoSpaceAfter", "EndOfLine"}
_FIRST_OF_ONTONOTES = 4
"""Before it, rows of CoNLL-2012 have the document, its part, the word and its number."""
_MANY_SENTENCES = 20
"""An article may have fewer sentences; a file of more is named if it is one document."""


class SchemeFinder:
    """Finds the tagging scheme of a file.

    Args:
        style: how the tags are written.
    """

    def __init__(self, style: TagStyle) -> None:
        self._style = style
        self._prefixes: set[str] = set()
        self._inside_first = 0
        """Spans that begin with I-, after another tag."""
        self._begin_first = 0
        """Spans that begin with B- after another tag, where IOB1 has I-."""

    def add(self, tags: Iterable[str]) -> None:
        """Add the tags of a sentence, which :func:`~.tags.read_spans` has read."""
        if self._style.brackets:
            return
        last: tuple[str, str] | None = None
        for tag in tags:
            parsed = self._style.parse(tag)
            if parsed is not None:
                prefix, label = parsed
                self._prefixes.add(prefix)
                if last is None or last[1] != label:
                    self._inside_first += prefix == "I"
                    self._begin_first += prefix == "B"
            last = parsed

    @property
    def name(self) -> str:
        """The scheme: IO, IOB1, IOB2, IOE, BIOES, BILOU, BMEWO or brackets; "" without a span.

        A file without B- may be of the scheme IOB1, in which no two spans of a label are neighbors.
        """
        found = self._prefixes
        if self._style.brackets:
            return "brackets"
        if not found:
            return ""
        if found & {"W", "M"}:
            return "BMEWO"
        if found & {"U", "L"}:
            return "BILOU"
        if found & {"S", "E"}:
            return "BIOES" if found & {"S", "B"} else "IOE"
        if "B" not in found:
            return "IO"
        return "IOB1" if self._inside_first and not self._begin_first else "IOB2"

    def describe(self) -> str:
        """Return `scheme IOB2`, or what is found instead."""
        return f"scheme {self.name}" if self.name else "no span"

    def count_changes(self, report: ConversionReport) -> None:
        """Record the tags of a file in IOB2 that are not in this scheme."""
        if self.name == "IOB2":
            report.drop("prefixes I- at the beginning of a span, read as B-", self._inside_first)


class ColumnNotes:
    """Notes on one file, for the report.

    Args:
        path: the file.
        layout: its columns.

    Attributes:
        scheme: finds the scheme from the tags that it gets.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._documents = 0
        self._last_size = 0
        """The sentences of the last document, if the file marks where it begins."""
        self.scheme = SchemeFinder(layout.style)
        self._layout = layout
        self._used = {layout.token, layout.tag, layout.index, layout.misc, layout.sentence}
        # These are counted as tags in other columns.
        self._used |= {column for column, _ in layout.other_tags}
        self._values: dict[int, int] = {}

    def add_row(self, fields: Sequence[str]) -> None:
        """Count the values of a row that are not kept."""
        first = 0 if self._layout.width is not None else _FIRST_OF_ONTONOTES
        for column in range(first, len(fields)):
            if column not in self._used and fields[column] not in _FILLERS:
                self._values[column] = self._values.get(column, 0) + 1
        if (misc := self._layout.misc) is not None:
            keys = {part.partition("=")[0] for part in fields[misc].split("|")}
            if keys - _FILLERS - _MISC_READ - {self._layout.tag_key}:
                self._values[misc] = self._values.get(misc, 0) + 1

    def add_document(self, sentences: int, *, is_marked: bool) -> None:
        """Count a document of so many sentences; the file may mark where it begins."""
        self._documents += 1
        self._last_size = sentences if is_marked else 0

    def write(self, report: ConversionReport) -> None:
        """Record how the file was read, and what was not kept."""
        layout = self._layout
        key = "" if layout.tag_key is None else f" (key {layout.tag_key})"
        report.read_as[
            f"words in column {layout.token + 1}, tags in column {layout.tag + 1}{key}, "
            f"{self.scheme.describe()}"
        ] += 1
        self.scheme.count_changes(report)
        columns = sorted(self._values)
        report.drop(f"values of {_name_columns(columns)}", sum(self._values.values()))
        if self._documents == 1 and self._last_size >= _MANY_SENTENCES:
            report.single_documents.append(
                f"{self._path}: {self._last_size:,} sentences are one document, because the file "
                f"has a single {DOCUMENT_START} or # newdoc; delete that line, and each sentence "
                "becomes a document"
            )


def _name_columns(columns: Sequence[int]) -> str:
    """Return columns, counted from 1, as `columns 2 to 4 and 6`."""
    runs: list[list[int]] = []
    for column in columns:
        if runs and runs[-1][-1] == column:
            runs[-1].append(column + 1)
        else:
            runs.append([column + 1])
    names = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    return f"{'columns' if len(columns) > 1 else 'column'} {listed}"
