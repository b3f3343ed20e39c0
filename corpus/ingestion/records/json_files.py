"""Reader of JSON files: an array of articles, one article a line, or one object."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ....errors import InputError
from ...files import iterate_json_lines
from ...reading.bounded import MAX_ARTICLE_BYTES, open_decompressed, read_limited
from ...reading.json_arrays import is_json_array, iterate_json_items
from ...rejected import Rejected
from ..raw_article import RawArticles, ReaderOptions
from .fields import ArticleFields

LINES_EXTENSIONS = (".jsonl", ".ndjson", ".jl")
"""Extensions of files with one JSON object a line."""
JSON_EXTENSIONS = (".json", *LINES_EXTENSIONS)
LIST_FIELDS = (
    *("articles", "results", "items", "docs", "documents", "data", "hits", "news", "posts"),
    *("stories", "entries", "records", "rows", "@graph"),
)
"""Usual names of the field of an object that holds the list of articles."""
_MAX_LIST_DEPTH = 3


def read_json(path: Path, options: ReaderOptions) -> RawArticles:
    """Yield the articles of a JSON file; what it holds is determined by its content.

    An array holds one article in each item, JSON Lines (https://jsonlines.org) one in each line.
    Any other file holds one object: an article, or the answer of a search with a list of articles
    under one of :data:`LIST_FIELDS`, such as ``{"response": {"results": [...]}}``.

    Raises:
        InputError: if the file is empty, damaged, not UTF-8 or holds no article.
    """
    fields = ArticleFields(str(path), options)
    if is_json_array(path):
        values = iterate_json_items(path)
    elif _is_json_lines(path):
        values = iterate_json_lines(path)
    else:
        values = _iterate_object(path, fields, options)
    is_empty = True
    for location, value in values:
        is_empty = False
        yield value if isinstance(value, Rejected) else fields.make_article(location, value)
    if is_empty:
        raise InputError(f"{path}: holds no article, its list is empty; give one with articles")


def _is_json_lines(path: Path) -> bool:
    """Return whether the name says so, or one of the first two lines is an object by itself."""
    if path.name.lower().removesuffix(".gz").endswith(LINES_EXTENSIONS):
        return True
    try:
        with open_decompressed(path) as file:
            read = iter(partial(file.readline, MAX_ARTICLE_BYTES), b"")
            lines = list(islice(filter(bytes.strip, read), 2))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    return len(lines) == 2 and any(map(_is_object, lines))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _iterate_object(
    path: Path, fields: ArticleFields, options: ReaderOptions
) -> Iterator[tuple[str, Any]]:
    """Yield the object in a file or, if it holds a list of articles, the items of the list."""
    with open_decompressed(path) as file:
        content = read_limited(file, str(path))
    if not content.strip():
        raise InputError(f"{path}: is empty; expected JSON")
    try:
        value = json.loads(content)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert it to UTF-8") from error
    except json.JSONDecodeError as error:
        reason = f"invalid JSON ({error.msg}, line {error.lineno}); export it again"
        raise InputError(f"{path}: {reason}") from error
    except RecursionError as error:
        raise InputError(f"{path}: lists and objects are nested too deeply; flatten it") from error
    except ValueError as error:
        raise InputError(f"{path}: a number has too many digits; write it as a string") from error
    if isinstance(value, list):  # An array in UTF-16.
        yield from ((f"{path}: item {number}", item) for number, item in enumerate(value, 1))
        return
    lists = [] if fields.has_text(value) else list(_find_lists(value))
    of_articles = [name for name, items in lists if any(map(fields.has_text, items))]
    if len(of_articles) > 1:
        names = " and ".join(of_articles)
        raise InputError(f"{path}: articles may be in {names}; give one of them as a JSON array")
    if not of_articles and lists:
        # With the fields of the list's items, the message can name the one to choose.
        name, items = lists[0]
        if not items:
            raise InputError(f"{path}: holds no article, '{name}' is empty; give one with articles")
        of_articles = [name] if isinstance(items[0], dict) else []
    if not of_articles:
        yield str(path), value
        return
    options.notify(f"{path}: the articles were read from '{of_articles[0]}'")
    for number, item in enumerate(dict(lists)[of_articles[0]], 1):
        yield f"{path}: {of_articles[0]} {number}", item


def _find_lists(value: Any, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, list[Any]]]:
    """Yield the names and items of the lists that may hold articles."""
    for name, item in value.items() if isinstance(value, dict) else ():
        if isinstance(item, dict) and depth < _MAX_LIST_DEPTH:
            yield from _find_lists(item, f"{prefix}{name}.", depth + 1)
        elif isinstance(item, list) and name in LIST_FIELDS:
            yield f"{prefix}{name}", item
