"""From a decoded record to an article: which field is its text, its id and its metadata."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ....errors import InputError
from ...addresses import hide_passwords
from ...json_values import replace_surrogates, to_json_value
from ...reading.boundary import guard
from ...rejected import Rejected
from ..pages.html import clean_html
from ..raw_article import RawArticle, ReaderOptions

TEXT_FIELDS = (
    *("maintext", "main_text", "body", "body_text", "bodyText", "content", "text_content"),
    *("article", "article_text", "article_body", "articleBody", "articleText", "raw_text"),
    *("full_text", "fullText", "fulltext", "news_text", "story_text"),
)
"""Usual names of the field with the text, besides `text`."""
_MAX_NAMED_FIELDS = 20
"""Fields that a message names."""
_MARKUP = re.compile(
    r"\s*(?:<!--.*?-->\s*)*+<(?:!doctype\s+html|html|body|article|section|div|p|h[1-6]|ul|ol|table"
    r"|blockquote|figure|span|a|img|strong|em|b|i|br)\b[^<>]*>.*<(?:/(?:html|body|article|section"
    r"|div|p|h[1-6]|ul|ol|table|blockquote)\s*>|br\s*/?>)",
    re.I | re.S,
)


class ArticleFields:
    """Makes articles of the records of one file or dataset.

    The text is the field that the options name. Without one, it is `text` or, where there is none,
    the only one of :data:`TEXT_FIELDS`; the reader is told once which one it was.

    Args:
        source: the file or dataset, for notices.
        options: the name of the text's field, and whom to tell what was done.
    """

    def __init__(self, source: str, options: ReaderOptions) -> None:
        self._source = source
        self._name = options.text_column
        self._notify = options.notify
        self._told: set[str] = set()

    def make_article(
        self, location: str, value: Any, origin: Mapping[str, Any] | None = None
    ) -> RawArticle | Rejected:
        """Make an article of a decoded record, or tell why it is none.

        A list of strings is joined by blank lines; of HTML, the article is extracted. The text of a
        record with `spans` is not changed. A number that is an id becomes a string. Numbers that
        JSON does not know (NaN) become null, and unpaired surrogates outside the text U+FFFD. All
        other fields are kept.

        Args:
            location: the file and the line or item.
            value: the record.
            origin: facts about its source; None for its file and line.
        """
        if origin is None:
            origin = {"file": location.rpartition("/")[2]}
        return guard(location, lambda: self._make_article(location, value, origin))

    def _make_article(self, location: str, value: Any, origin: Mapping[str, Any]) -> RawArticle:
        if not isinstance(value, dict) or not value:
            raise InputError(f"{location}: {_kind(value)}, not an object with fields")
        return RawArticle(location, "", record=self._read(location, value), origin=origin)

    def has_text(self, value: Any) -> bool:
        """Return whether a decoded record has a text, by the rules of :meth:`make_article`."""
        if not isinstance(value, dict):
            return False
        if self._name is not None:
            return _is_text(_find(value, self._name))
        return _is_text(value.get("text")) or len(_usual_fields(value)) == 1

    def check_columns(self, columns: Mapping[str, Any]) -> None:
        """Check that a table has the column with the text.

        Args:
            columns: the names of its columns, and an object for those with named parts.

        Raises:
            InputError: if the column is missing, or several could be it.
        """
        names = list(columns)
        if self._name is not None:
            if self._name not in names and self._name.partition(".")[0] not in names:
                raise self._missing(self._source, columns)
        elif "text" not in names:
            usual = [name for name in names if name in TEXT_FIELDS]
            if not usual:
                raise self._missing(self._source, columns)
            if len(usual) > 1:
                raise _ambiguous(self._source, usual)

    def _read(self, location: str, value: Mapping[str, Any]) -> dict[str, Any]:
        name = self._find_name(location, value)
        text = _find(value, name)
        is_plain = "spans" in value  # Spans count the characters of this very text.
        if isinstance(text, list) and _is_text(text) and not is_plain:
            text = "\n\n".join(part for part in text if part.strip())
        if not isinstance(text, str):
            raise InputError(f"{location}: field '{name}' is {_kind(text)}, not text")
        if not is_plain and _MARKUP.match(text):
            text = _extract(text, f"{location}: field '{name}'")
            self._tell(f"field '{name}' is HTML; the articles in it were extracted")
        rest = to_json_value(_without(value, name), location)
        rest = {key: item if key == "id" else hide_passwords(item) for key, item in rest.items()}
        if "id" in rest:
            rest["id"] = _read_id(rest["id"], value["id"], location)
            if rest["id"] is None:
                del rest["id"]
        # What stands in `text` while the text is elsewhere is metadata.
        other = rest.pop("text", None)
        if other and isinstance(rest.get("meta", {}), dict):
            rest["meta"] = {"text": other, **rest.get("meta", {})}
        return {**rest, "text": text}

    def _find_name(self, location: str, value: Mapping[str, Any]) -> str:
        if self._name is not None:
            if _find(value, self._name) is None:
                raise self._missing(location, value)
            return self._name
        if _is_text(value.get("text")):
            return "text"
        usual = _usual_fields(value)
        if len(usual) > 1:
            raise _ambiguous(location, usual)
        if usual:
            self._tell(f"the text was read from '{usual[0]}' (--text-column names another one)")
            return usual[0]
        if value.get("text") is not None:
            return "text"
        raise self._missing(location, value)

    def _tell(self, notice: str) -> None:
        if notice not in self._told:
            self._told.add(notice)
            self._notify(f"{self._source}: {notice}")

    def _missing(self, location: str, value: Mapping[str, Any]) -> InputError:
        wanted = f"no field '{self._name or 'text'}'"
        paths = [path[:60] for path in _paths(value)]
        names = ", ".join(paths[:_MAX_NAMED_FIELDS]) or "none"
        more = ", …" if len(paths) > _MAX_NAMED_FIELDS else ""
        return InputError(
            f"{location}: {wanted}; its fields are {names}{more} (--text-column NAME)"
        )


def _ambiguous(location: str, names: list[str]) -> InputError:
    return InputError(
        f"{location}: the text may be in {' or '.join(names)}; choose with --text-column NAME"
    )


def _usual_fields(value: Mapping[str, Any]) -> list[str]:
    return [name for name in TEXT_FIELDS if _is_text(value.get(name))]


def _is_text(value: Any) -> bool:
    """Return whether a value is a string, or a list of strings, that is not blank."""
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value) and any(map(str.strip, value))
    return isinstance(value, str) and bool(value.strip())


def _find(value: Any, path: str) -> Any:
    """Return the value of a field, which may be `outer.inner`; None if it is missing."""
    if isinstance(value, dict) and path not in value:
        outer, _, inner = path.partition(".")
        return _find(value.get(outer), inner) if inner else None
    return value.get(path) if isinstance(value, dict) else None


def _without(value: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a copy without the field, and without objects that it leaves empty."""
    outer, _, inner = path.partition(".")
    if path in value:
        return {key: item for key, item in value.items() if key != path}
    rest = _without(value[outer], inner)
    return {
        key: rest if key == outer else item for key, item in value.items() if key != outer or rest
    }


def _paths(value: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of fields, those of objects in the record as `outer.inner`."""
    for key, item in value.items():
        if isinstance(item, dict) and item and prefix.count(".") < 2:
            yield from _paths(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _extract(text: str, location: str) -> str:
    if not re.search(r"<body\b", text, re.I):
        text = f"<html><body><article>{text}</article></body></html>"
    # With a byte order mark, an encoding that the page declares does not matter.
    content = replace_surrogates(text).encode("utf-8-sig")
    return clean_html(content, location).text


def _read_id(value: Any, raw: Any, location: str) -> Any:
    """Return an id as text: 1 and 1.0 are both "1"; None if it is blank."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"{location}: the id is {_kind(value)}; make it a string or a number")
    if value != raw and isinstance(raw, str):
        raise InputError(f"{location}: the id has an unpaired surrogate; replace it with U+FFFD")
    return value


def _kind(value: Any) -> str:
    """Return what a value is, in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN or infinite"
    kinds = {dict: "object", list: "list", str: "string", bool: "Boolean"}
    kind = kinds.get(type(value), "number")
    if isinstance(value, dict | list | str) and not value:
        return f"an empty {kind}"
    return f"an {kind}" if kind == "object" else f"a {kind}"
