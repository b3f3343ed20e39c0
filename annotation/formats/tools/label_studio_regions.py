"""Regions of Label Studio, and the field of the task's data that they label.

An export names the control and the text that a region belongs to, but not the field with the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, NamedTuple

from ..conversion_report import ConversionReport
from ..imported import ImportedSpan, OffsetUnit, is_quote_at_offsets

UNITS: tuple[OffsetUnit, ...] = ("code points", "utf-16")
"""Label Studio counts code points; versions before 2022 counted UTF-16 units."""

_SPAN_TYPES = ("labels", "hypertextlabels")
_LABEL_FIELDS = (*_SPAN_TYPES, "htmllabels")
_PLURALS = {
    "relation": "relations",
    "choices": "choices",
    "textarea": "text areas",
    "rating": "ratings",
    "number": "numbers",
    "taxonomy": "taxonomies",
}


class Region(NamedTuple):
    """A labeled part of a text.

    Attributes:
        target: the name of the text in the project's configuration.
        span: the labeled part.
    """

    target: str
    span: ImportedSpan


def read_regions(
    result: Iterable[Mapping[str, Any]], where: str, report: ConversionReport
) -> Iterator[Region]:
    """Yield the regions that label parts of a text.

    Args:
        result: the field `result` of an annotation.
        where: the task's position.
        report: records relations, choices and other results that are dropped, by kind.
    """
    for item in result:
        kind, value = item.get("type"), item.get("value")
        if not isinstance(value, dict) or kind not in (*_SPAN_TYPES, None):
            report.drop(_PLURALS.get(str(kind), f"results of type '{kind}'"))
            continue
        found = next((value[name] for name in _LABEL_FIELDS if value.get(name)), None)
        labels = found if isinstance(found, list) else [found]
        if found is None:
            report.drop("regions without a label")
            continue
        report.drop("additional labels of a region", len(labels) - 1)
        start, end = value.get("start"), value.get("end")
        if "startOffset" in value:
            offsets = value.get("globalOffsets")
            if not isinstance(offsets, dict):
                report.drop("regions of HTML without 'globalOffsets'")
                continue
            start, end = offsets.get("start"), offsets.get("end")
        region_id = item.get("id")
        position = f"{where}: region {region_id}" if isinstance(region_id, str) else where
        span = ImportedSpan(
            *(start, end, labels[0], value.get("text"), position),
            score=item.get("score"),
            note=_read_note(item.get("meta")),
        )
        yield Region(str(item.get("to_name")), span)


def is_region_value(value: Any) -> bool:
    """Return whether a value of any type is that of a labeled part of a text."""
    return isinstance(value, dict) and "start" in value and any(map(value.get, _LABEL_FIELDS))


def _read_note(meta: Any) -> str | None:
    """Return the text that an annotator added to a region."""
    texts = meta.get("text") if isinstance(meta, dict) else None
    lines = texts if isinstance(texts, list) else [texts]
    return "\n".join(line for line in lines if isinstance(line, str)) or None


class TextField(NamedTuple):
    """A field of the data of tasks.

    Attributes:
        path: the keys that lead to the field, joined with dots.
        is_html: offsets count the characters between the tags.
    """

    path: str
    is_html: bool = False


def text_of(data: Mapping[str, Any], field: TextField) -> Any:
    """Return the value of a field, usually a string; None if it is missing."""
    value: Any = data.get(field.path)
    if value is None:
        value = data
        for key in field.path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
    return _without_tags(value) if field.is_html and isinstance(value, str) else value


def without_field(data: Mapping[str, Any], field: TextField) -> dict[str, Any]:
    """Return the data without a field."""
    if field.path in data:
        return {key: value for key, value in data.items() if key != field.path}
    first, _, rest = field.path.partition(".")
    inner = data.get(first)
    if not rest or not isinstance(inner, dict):
        return dict(data)
    return {**data, first: without_field(inner, TextField(rest))}


def _fields(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[TextField, str]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _fields(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            yield TextField(f"{prefix}{key}"), value
            if "<" in value:
                yield TextField(f"{prefix}{key}", is_html=True), _without_tags(value)


class _TextNodes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _without_tags(html: str) -> str:
    parser = _TextNodes()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)


@dataclass
class FieldChoice:
    """Finds the text field of the tasks of an export.

    Attributes:
        matches: how many quotes of the regions of a text stand in a field, by text and field.
        present: in how many tasks a field has a string.
    """

    matches: Counter[tuple[str, TextField]]
    present: Counter[TextField]

    @classmethod
    def empty(cls) -> FieldChoice:
        """Return a choice that has seen no task."""
        return cls(Counter(), Counter())

    def add(self, data: Mapping[str, Any], regions: Iterable[Region]) -> None:
        """Look for the quotes of a task's regions in its fields."""
        fields = dict(_fields(data))
        self.present.update(fields.keys())
        for target, span in regions:
            self.matches.update(
                (target, field)
                for field, text in fields.items()
                if is_quote_at_offsets(span, text, UNITS)
            )

    def find(self, name: str | None) -> TextField | None:
        """Return the field in which most quotes stand; the only one, or `text`, without quotes.

        Args:
            name: the name of the field if it is known.

        Returns:
            The field; None if several are possible.
        """
        totals: Counter[TextField] = Counter()
        for (_, field), count in self.matches.items():
            totals[field] += count
        if name is not None:
            html = TextField(name, is_html=True)
            return html if totals[html] > totals[TextField(name)] else TextField(name)
        if totals:
            return max(totals, key=lambda f: (totals[f], f.path == "text", not f.is_html))
        plain = [field for field in self.present if not field.is_html]
        if len(plain) > 1 and TextField("text") not in plain:
            return None
        return TextField("text") if len(plain) != 1 else plain[0]

    def is_of(self, region: Region, field: TextField) -> bool:
        """Return whether a region labels a field, as far as the quotes tell."""
        others = [f for (target, f), n in self.matches.items() if target == region.target and n]
        return not others or field in others
