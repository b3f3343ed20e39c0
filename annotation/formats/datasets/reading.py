"""Reading Hugging Face data sets of tokens and tags (https://huggingface.co/docs/datasets)."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ....errors import InputError
from ..conversion_report import ConversionReport
from ..imported import ImportedDocument, ReadOptions
from ..tokens.columns import split_blanks
from ..tokens.rebuilding import Sentence, Word, rebuild
from ..tokens.tags import STANDARD, TagStyle, Token, find_style, read_spans
from .class_names import ClassNames
from .tables import open_tables

_TOKEN_COLUMNS = ("tokens", "words")
_TAG_COLUMNS = ("ner_tags", "ner", "named_entities", "bio_tags", "tags", "labels")
_HEAD_ROWS = 1000
"""The style of tags without names of classes is found from this number of rows."""


def read_datasets(
    path: Path, options: ReadOptions, report: ConversionReport
) -> Iterator[ImportedDocument]:
    """Read a data set of tokens and tags.

    It may be a folder of `save_to_disk`, a folder of files as on the Hub, or a file of Parquet,
    Arrow, JSON Lines or JSON. Columns: `tokens` or `words`; `ner_tags`, `tags` or another usual
    name, as names or as numbers whose names the data set gives. They may be inside another column,
    such as `sentences`. With the column `text` the text is exact; else tokens are joined by spaces.
    Splits are named in `meta.split`. Further columns become metadata, except lists.

    Args:
        path: the folder or file.
        options: the columns of text, tokens and tags; `outer.inner` for one inside another.
        report: records what is dropped, and rows that contradict themselves.

    Raises:
        InputError: if there is no such data set or column.
    """
    names = ClassNames()
    for table in open_tables(path, names, report):
        head = list(itertools.islice(table.rows, _HEAD_ROWS))
        if not head:
            continue
        reader = _RowReader(head, names, options, report)
        for where, row in itertools.chain(head, table.rows):
            document = reader.read(where, row)
            if document is None:
                continue
            if table.split:
                document.meta = {**document.meta, "split": table.split}
            document.part = table.part
            yield document


class _RowReader:
    """Reads the rows of one table.

    Args:
        head: the first rows.
        names: the names of classes.
        options: the columns.
        report: records what is dropped and rejected.

    Raises:
        InputError: if there are no columns of tokens and tags.
    """

    def __init__(
        self,
        head: Sequence[tuple[str, dict[str, Any]]],
        names: ClassNames,
        options: ReadOptions,
        report: ConversionReport,
    ) -> None:
        where, first = head[0]
        self._report = report
        self._text = options.text_column or "text"
        self._tokens = _find_path(first, options.token_column, _TOKEN_COLUMNS, where, "--token")
        self._tags = _find_path(first, options.tag_column, _TAG_COLUMNS, where, "--tag")
        self._names = names.get(self._tags[-1], where)
        self._style = self._find_style(head)

    def _find_style(self, head: Sequence[tuple[str, dict[str, Any]]]) -> TagStyle:
        counts: Counter[str] = Counter()
        if self._names is not None:
            counts.update(self._names)
        else:
            for where, row in head:
                for tags in _to_lists(_value_at(row, self._tags)):
                    counts.update(self._to_name(tag, where) for tag in tags)
        style = find_style(counts, is_chosen=True)
        if style is None and counts:
            example = next(iter(counts))[:40]
            raise InputError(
                f"{head[0][0]}: column {'.'.join(self._tags)} does not hold tags such as O and "
                f"B-PER, but '{example}'; choose another with --tag-column"
            )
        return style or STANDARD

    def _to_name(self, tag: Any, where: str) -> str:
        if isinstance(tag, str):
            return tag
        column = self._tags[-1]
        if self._names is None:
            raise InputError(
                f"{where}: {column} holds {tag!r} instead of names of tags; give the names in a "
                "dataset_info.json or README.md beside the file, or make the column a ClassLabel"
            )
        if not isinstance(tag, int) or not 0 <= tag < len(self._names):
            raise InputError(f"{where}: {column} holds {tag!r}, but has {len(self._names)} classes")
        return self._names[tag]

    def read(self, where: str, row: dict[str, Any]) -> ImportedDocument | None:
        """Return the document of a row; None for one that is rejected."""
        words, tags = (_to_lists(_value_at(row, path)) for path in (self._tokens, self._tags))
        if [len(items) for items in words] != [len(items) for items in tags]:
            counts = [sum(map(len, lists)) for lists in (tags, words)]
            self._report.reject(where, f"{counts[0]} tags for {counts[1]} tokens")
            return None
        sentences = [
            Sentence(
                [
                    Word(self._to_word(word, where), self._to_name(tag, where), where)
                    for word, tag in zip(some_words, some_tags, strict=True)
                ]
            )
            for some_words, some_tags in zip(words, tags, strict=True)
        ]
        text, starts = row.get(self._text), row.get("starts")
        meta = self._read_meta(row)
        if isinstance(text, str) and isinstance(starts, list) and len(sentences) == 1:
            return self._with_starts(where, row.get("id"), text, starts, sentences[0], meta)
        if isinstance(text, str):
            if len(sentences) == 1:
                sentences[0].text = text
            else:
                self._report.drop("texts beside several sentences")
        return rebuild(
            *(where, sentences, self._report, self._style), doc_id=row.get("id"), meta=meta
        )

    def _to_word(self, word: Any, where: str) -> str:
        if not isinstance(word, str):
            raise InputError(f"{where}: token {str(word)[:40]} is no string; check --token-column")
        return word

    def _with_starts(
        self,
        where: str,
        doc_id: Any,
        text: str,
        starts: list[Any],
        sentence: Sentence,
        meta: dict[str, Any],
    ) -> ImportedDocument | None:
        words = sentence.words
        tokens = [Token(start, w.text, w.tag) for start, w in zip(starts, words, strict=False)]
        for token in tokens:
            if text[token.start : token.end] != token.text:
                self._report.reject(
                    where, f"token '{token.text[:40]}' is not at {token.start} of its text"
                )
                return None
        if len(starts) != len(words):
            self._report.reject(where, f"{len(starts)} starts for {len(words)} tokens")
            return None
        spans = read_spans(tokens, [where] * len(tokens), self._style)
        return ImportedDocument(where, doc_id, text, list(spans), meta)

    def _read_meta(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the metadata of a row and its further columns."""
        used = {"id", self._text, "starts", "meta", self._tokens[0], self._tags[0]}
        meta: dict[str, Any] = {}
        for name, value in row.items():
            if isinstance(value, list | bytes) and name not in used:
                self._report.drop(f"values of column {name}")
            elif value is not None and name not in used:
                meta[name] = value
        return meta | _parse_meta(row.get("meta"))


def _parse_meta(value: Any) -> dict[str, Any]:
    """Return the metadata: a structure, or JSON as orbat writes it."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"meta": value}


def _find_path(
    row: dict[str, Any], chosen: str | None, names: Sequence[str], where: str, option: str
) -> list[str]:
    """Return the column of the first name that a row has, as a path into nested columns."""
    candidates = [[name] for name in names] if chosen is None else [[chosen], chosen.split(".")]
    if chosen is None:
        candidates += [[outer, name] for name in names for outer in row]
    for path in candidates:
        if _value_at(row, path) is not None:
            return path
    wanted = " or ".join(names) if chosen is None else chosen
    raise InputError(
        f"{where}: no column {wanted}; found {', '.join(row)}; choose one with {option}-column"
    )


def _value_at(row: Any, path: Sequence[str]) -> Any:
    """Return the value at a path; a list of values where a column on it is a list of objects."""
    if not path:
        return row
    if isinstance(row, list) and row and all(isinstance(item, dict) for item in row):
        values = [_value_at(item, path) for item in row]
        return None if None in values else values
    return _value_at(row.get(path[0]), path[1:]) if isinstance(row, dict) else None


def _to_lists(value: Any) -> list[list[Any]]:
    """Return the tokens or tags of each sentence."""
    if isinstance(value, str):
        return [split_blanks(value)]
    if not isinstance(value, list):
        return []
    return value if value and all(isinstance(item, list) for item in value) else [value]
