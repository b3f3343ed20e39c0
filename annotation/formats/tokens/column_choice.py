"""Which columns of a file hold the words and the tags, found from the file itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....errors import InputError
from ..imported import ReadOptions
from .column_sample import TOKEN_NAMES, Sample
from .columns import Line, values_of
from .tags import BRACKETS, OUTSIDE, STANDARD, TagStyle, find_style

_CONLLU = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_INDEX = re.compile(r"(\d+)(?:[-.]\d+)?")
_CHUNKS = {"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"}
_CHUNKS |= {"AP", "NC", "PC", "VC"}
_SENTENCE_NAME = re.compile(r"SENT(ENCE)?([ _]?(#|ID|IDX|NUM|NUMBER))?")
_HIPE_DEFAULT = "NE-COARSE-LIT"
_ONTONOTES_TOKEN, _ONTONOTES_TAG = 3, 10


@dataclass(frozen=True)
class Layout:
    """Where a file has what; columns are counted from 0.

    Attributes:
        width: the number of columns; None if it differs between lines.
        token: the column of the words.
        tag: the column of the tags.
        style: how the tags are written.
        tag_key: tags are the values of this key in column `tag`, such as `NER=B-PER`.
        index: the column with the numbers of words in a sentence; None for none.
        misc: the column that says where no space is between words; None for none.
        sentence: the column whose values, where not empty, name the sentence; None for none.
        other_tags: columns with other tags, and their styles.
        header: the line with the names of columns; 0 for none.
        parts: of a file with a sentence per line, the number of fields of a word; else 0.
    """

    width: int | None
    token: int
    tag: int
    style: TagStyle
    tag_key: str | None = None
    index: int | None = None
    misc: int | None = None
    sentence: int | None = None
    other_tags: tuple[tuple[int, TagStyle], ...] = ()
    header: int = 0
    parts: int = 0

    def read_tag(self, fields: Sequence[str]) -> str:
        """Return the tag of a row."""
        value = fields[self.tag]
        return value if self.tag_key is None else values_of(value).get(self.tag_key, OUTSIDE)


def find_layout(path: Path, head: Iterable[Line], options: ReadOptions) -> Layout:
    """Return the layout of a file.

    Args:
        path: the file, for messages.
        head: its first lines.
        options: columns and separator, if the user has chosen them.

    Raises:
        InputError: if the columns of words and tags are not certain; it names the option that
            would choose them.
    """
    sample = Sample(path, head, options.separator)
    return _Choice(path, sample, options).layout()


class _Choice:
    """Chooses the columns of a file."""

    def __init__(self, path: Path, sample: Sample, options: ReadOptions) -> None:
        self._path = path
        self._sample = sample
        self._options = options
        self._rows = [row for sentence in sample.sentences for row in sentence]
        self._width = Counter(map(len, self._rows)).most_common(1)[0][0]
        self._names = sample.names if len(sample.names) == self._width else []
        self._index = next(filter(self._is_index, range(min(self._width, 4))), None)
        if not self._names and self._width == len(_CONLLU) and self._index == 0:
            self._names = list(_CONLLU)
        upper = [name.upper() for name in self._names]
        self._misc = upper.index("MISC") if "MISC" in upper else None
        numbered = (i for i, name in enumerate(upper) if _SENTENCE_NAME.fullmatch(name))
        self._sentence = next(numbered, None)

    def layout(self) -> Layout:
        """Return the layout.

        Raises:
            InputError: if it is not certain.
        """
        if layout := self._ontonotes():
            return layout
        if self._width == 1:
            raise InputError(
                f"{self._path}: 1 column, expected words and tags; give the characters between "
                "columns with --separator"
            )
        styles = {column: style for column in range(self._width) if (style := self._style(column))}
        key = None
        if self._options.tag_column is not None:
            tag, key = self._chosen_tag(self._options.tag_column)
            style = self._style(tag, key, is_chosen=True)
            if style is None:
                raise InputError(
                    f"{self._path}: column {self._options.tag_column} does not hold tags such as O "
                    f"and B-PER, but '{self._example(tag, key)}'; choose another --tag-column"
                )
        else:
            tag, key = self._find_tag(styles)
            style = self._style(tag, key) or STANDARD
        token = self._find_token(tag, styles)
        return Layout(
            *(self._width, token, tag, style, key, self._index, self._misc, self._sentence),
            other_tags=tuple(
                (column, other)
                for column, other in styles.items()
                if column not in (tag, token) and not self._is_chunks(column, other)
            ),
            header=self._sample.header,
            parts=self._sample.parts,
        )

    def _ontonotes(self) -> Layout | None:
        """Return the layout of CoNLL-2012, whose rows have different numbers of columns."""
        chosen = self._options.token_column or self._options.tag_column
        if chosen or not self._sample.has_begin or min(map(len, self._rows)) <= _ONTONOTES_TAG:
            return None
        if any(
            "*" not in row[_ONTONOTES_TAG] and "(" not in row[_ONTONOTES_TAG] for row in self._rows
        ):
            return None
        return Layout(None, _ONTONOTES_TOKEN, _ONTONOTES_TAG, BRACKETS)

    def _values(self, column: int, key: str | None = None) -> list[str]:
        values = [row[column] for row in self._rows if len(row) == self._width]
        if key is not None:
            values = [pairs[key] for pairs in map(values_of, values) if key in pairs]
        return values

    def _style(
        self, column: int, key: str | None = None, *, is_chosen: bool = False
    ) -> TagStyle | None:
        return find_style(Counter(self._values(column, key)), is_chosen=is_chosen)

    def _is_index(self, column: int) -> bool:
        """Return whether a column numbers the words of each sentence."""
        for sentence in self._sample.sentences:
            last: int | None = None
            for row in sentence:
                match = _INDEX.fullmatch(row[column]) if column < len(row) else None
                if match is None:
                    return False
                number = int(match[1])
                if last is not None and number not in (last, last + 1):
                    return False
                last = number
        first = self._rows[0][column]
        return first[0] in "01" and (len(self._rows) > 1 or self._width > 2)

    def _is_chunks(self, column: int, style: TagStyle, *, allow_none: bool = True) -> bool:
        """Return whether tags mark chunks such as noun phrases, or nothing at all."""
        parsed = map(style.parse, filter(style.knows, set(self._values(column))))
        labels = {tag[1] for tag in parsed if tag}
        return labels <= _CHUNKS and (allow_none or bool(labels))

    def _find_tag(self, styles: dict[int, TagStyle]) -> tuple[int, str | None]:
        """Return the column of the tags and the key in it.

        Raises:
            InputError: if there is none, or several.
        """
        columns = list(styles)
        upper = [name.upper() for name in self._names]
        if self._misc is not None:
            keys = self._tag_keys(self._misc)
            if len(keys) == 1 and not columns:
                return self._misc, keys[0]
            if len(keys) > 1:
                named = " or ".join(f"--tag-column {upper[self._misc]}:{key}" for key in keys)
                raise InputError(f"{self._path}: several keys hold tags; choose {named}")
        if not columns:
            raise InputError(f"{self._path}: {self._no_tags()}")
        if _HIPE_DEFAULT in upper and upper.index(_HIPE_DEFAULT) in styles:
            return upper.index(_HIPE_DEFAULT), None
        if self._width == 4 and self._index == 0 and columns == [2, 3] and not self._names:
            # GermEval 2014: number, word, outer and inner tag.
            return 2, None
        first = 1 if self._index == 0 else 0
        if len(columns) > 1 and first in columns:
            # All words may be `O`.
            columns.remove(first)
        if len(columns) > 1:
            # CoNLL-2003 has chunks before the tags; other tools leave that column empty.
            others = [
                column
                for column in columns[:-1]
                if not self._is_chunks(column, styles[column], allow_none=self._width > 3)
            ]
            columns = [*others, columns[-1]]
        if len(columns) > 1:
            numbers = " or ".join(f"--tag-column {self._name(column)}" for column in columns)
            raise InputError(
                f"{self._path}: {self._width} columns, of which {len(columns)} hold tags; choose "
                f"{numbers}"
            )
        return columns[0], None

    def _no_tags(self) -> str:
        if self._misc is not None:
            keys = {key for value in self._values(self._misc) for key in values_of(value)}
            found = f" (MISC has {', '.join(sorted(keys)[:8])})" if keys else ""
            return (
                f"no column holds tags such as O and B-PER{found}; choose one with --tag-column, "
                "such as --tag-column MISC:NER"
            )
        shown = " | ".join(self._rows[0])[:60]
        return (
            f"{self._width} columns ({shown}), none of which surely holds tags such as O and "
            f"B-PER; choose with --token-column 1 --tag-column {self._width}"
        )

    def _tag_keys(self, column: int) -> list[str]:
        counts: dict[str, Counter[str]] = {}
        for value in self._values(column):
            for key, item in values_of(value).items():
                counts.setdefault(key, Counter())[item] += 1
        return [
            key
            for key, values in counts.items()
            if all(map(STANDARD.knows, values)) and set(values) != {OUTSIDE}
        ]

    def _find_token(self, tag: int, styles: dict[int, TagStyle]) -> int:
        """Return the column of the words.

        Raises:
            InputError: if it is not certain.
        """
        if self._options.token_column is not None:
            column = self._find_column(self._options.token_column, "--token-column")
            if column == tag:
                raise InputError(
                    f"{self._path}: column {self._name(tag)} cannot hold both words and tags; "
                    "choose with --token-column and --tag-column"
                )
            return column
        named = [i for i, name in enumerate(self._names) if name.casefold() in TOKEN_NAMES]
        if len(named) == 1:
            return named[0]
        columns = [column for column in range(self._width) if column not in (tag, self._index)]
        if columns:
            token = columns[0]
            values = self._values(token)
            # Ids of documents are the same in many rows; numbers may be those of sentences.
            is_constant = len(values) > 3 and len(set(values)) == 1
            is_number = self._width > 2 and all(map(str.isdecimal, values))
            if self._width == 2 or not (is_constant or is_number):
                return token
        shown = " | ".join(self._rows[0])[:60]
        raise InputError(
            f"{self._path}: {self._width} columns ({shown}), none of which surely holds the words; "
            "choose one with --token-column"
        )

    def _chosen_tag(self, chosen: str) -> tuple[int, str | None]:
        name, colon, key = chosen.partition(":")
        if not colon or chosen.casefold() in map(str.casefold, self._names):
            return self._find_column(chosen, "--tag-column"), None
        return self._find_column(name, "--tag-column"), key

    def _find_column(self, chosen: str, option: str) -> int:
        """Return the column of a name, or of a number from 1 or, from the last one, from -1."""
        if re.fullmatch(r"-?\d+", chosen):
            number = int(chosen)
            if 1 <= abs(number) <= self._width:
                return number - 1 if number > 0 else self._width + number
        names = [name.casefold() for name in self._names]
        if chosen.casefold() in names:
            return names.index(chosen.casefold())
        found = f"named {', '.join(self._names)}" if self._names else "without names"
        raise InputError(
            f"{self._path}: no column {chosen}; {option} is one of {self._width} columns {found}"
        )

    def _name(self, column: int) -> str:
        return self._names[column] if self._names else str(column + 1)

    def _example(self, column: int, key: str | None) -> str:
        return next(filter(None, self._values(column, key)), "")[:40]
