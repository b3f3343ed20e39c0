"""Label sets: names, keyboard keys, colors and guidelines, read from a TOML file."""

from __future__ import annotations

import colorsys
import re
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from ..errors import InputError, first_error
from .files import read_toml
from .inner_files import check_inner, find_inner
from .reading.bounded import read_bytes

DEFAULT_LABELS = Path(__file__).parent / "label_set" / "labels.toml"

MAX_GUIDELINES_BYTES = 2 * 2**20
"""Largest size of guidelines; doccano refuses larger ones."""
_TAG = re.compile(r"[BIESLU]-|O$")


def label_fault(name: str) -> str:
    """Return why a name cannot be a label's; "" if it can.

    Formats of tokens and tags write a label behind `B-` or `I-`, and `O` for no label.
    """
    if not name.strip():
        return "is empty; give the label a name"
    if name != name.strip():
        return f"'{name}' has white space at an end; remove it"
    if _TAG.match(name):
        return f"'{name}' is read as a tag of another label, or of none; choose another name"
    return ""


def _check_name(name: str) -> str:
    if fault := label_fault(name):
        raise ValueError(fault)
    return name


def _check_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


_Line = Annotated[str, Field(max_length=500), AfterValidator(_check_line)]
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]


class Label(BaseModel):
    """One label.

    Attributes:
        name: the value of `Span.label`.
        key: the keyboard key that selects it, 0-9 or a-z.
        color: background color, `#rrggbb`.
        description: one line for annotators.
        retired: whether annotators cannot choose it any more; spans that have it are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(max_length=100), AfterValidator(_check_name)]
    key: Annotated[str, Field(pattern=r"^[0-9a-z]$")] | None = None
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#999999"
    description: str = ""
    retired: bool = False

    @model_validator(mode="after")
    def _check_key(self) -> Label:
        if self.retired and self.key:
            raise ValueError(f"retired label '{self.name}' has a key; remove the key")
        return self

    @model_serializer(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what most labels are not, so that their records stay as they were."""
        record: dict[str, object] = handler(self)
        return record if self.retired else {k: v for k, v in record.items() if k != "retired"}

    @property
    def text_color(self) -> str:
        """Black or white, whichever has more contrast with `color` (WCAG relative luminance)."""
        channels = [int(self.color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#ffffff" if luminance < 0.179 else "#000000"


class SpanRules(BaseModel):
    """Where predicted spans may begin and end; the table `[spans]` of a label set.

    Attributes:
        start: characters, besides letters and digits, that a span may begin with.
        end: characters, besides letters and digits, that a span may end with.
        balanced: whether the brackets in a span must be balanced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str = ""
    end: str = ""
    balanced: bool = True


NO_EXAMPLE = "Write a text here."
"""The example text of a label set that gives none."""


class LabelSet(BaseModel):
    """The labels of a project, in the order in which annotators see them.

    Attributes:
        name: the name of the label set.
        labels: the labels; the key `label` in the file.
        description: what the labels are for, in one line, such as `Named entities of legal texts`.
        language: ISO 639 code of the texts' language; None if it is not one.
        example: a text for example code.
        guidelines: path of the annotation guidelines (Markdown) in the file's folder.
        spans: where predicted spans may begin and end; None to learn it from the gold spans.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: _Name
    labels: Annotated[tuple[Label, ...], Field(alias="label", min_length=1)]
    description: _Line = "Named entities"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    example: _Line = NO_EXAMPLE
    guidelines: str | None = None
    spans: SpanRules | None = None

    @model_validator(mode="after")
    def _check_unique(self) -> LabelSet:
        for field, values in (
            ("name", [label.name for label in self.labels]),
            ("key", [label.key for label in self.labels if label.key]),
        ):
            repeated = next((value for value in values if values.count(value) > 1), None)
            if repeated is not None:
                raise ValueError(f"duplicate label {field} '{repeated}'; it must be unique")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The label names, in order."""
        return tuple(label.name for label in self.labels)

    @property
    def choices(self) -> tuple[Label, ...]:
        """The labels that annotators can choose: all that are not retired."""
        return tuple(label for label in self.labels if not label.retired)


AUTO_NAME = "entities"
"""Name of the label sets that :func:`assign_labels` makes."""
_KEYS = string.digits + string.ascii_lowercase
_GOLDEN_RATIO = 0.618034


def distinct_color(number: int) -> str:
    """Return the color of the label of a number from 0, `#rrggbb`.

    Hues are a golden ratio apart, so that those of few and of many labels differ.
    """
    channels = colorsys.hls_to_rgb(number * _GOLDEN_RATIO % 1, 0.45, 0.6)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


def assign_labels(names: Iterable[str]) -> LabelSet:
    """Make a label set of names, each with a color and, as long as there are any, a key.

    A label's key is the first of its letters and digits that no label before has, else any other.

    Args:
        names: in any order; the labels are sorted by name.

    Raises:
        InputError: if there is no name, or one that cannot be a label's.
    """
    labels: list[Label] = []
    used: set[str] = set()
    try:
        for number, name in enumerate(sorted(set(names))):
            free = (key for key in (*name.lower(), *_KEYS) if key in _KEYS and key not in used)
            key = next(free, None)
            used.add(key or "")
            labels.append(Label(name=name, key=key, color=distinct_color(number)))
        return LabelSet(name=AUTO_NAME, labels=tuple(labels))
    except ValidationError as error:
        raise InputError(f"labels of the documents: {first_error(error)}") from error


def load_labels(path: Path | None = None) -> LabelSet:
    """Read a label set.

    Args:
        path: a TOML file; None reads the label set that ships with orbat.

    Raises:
        InputError: if the file cannot be read or a field is invalid.
    """
    path = Path(path or DEFAULT_LABELS)
    try:
        labels = LabelSet.model_validate(read_toml(path))
        # Only here: records of earlier sessions and runs, which may name other places, are read.
        check_inner(labels.guidelines or "")
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error)}") from error
    except ValueError as error:
        raise InputError(f"{path}: guidelines: {error}") from error
    return labels


def load_guidelines(labels: LabelSet, path: Path | None = None) -> str:
    """Read the guidelines of a label set.

    Args:
        labels: the label set.
        path: the file of the label set; None for the one that ships with orbat.

    Returns:
        The guidelines as Markdown; empty if the label set names none.

    Raises:
        InputError: if the guidelines cannot be read, or are a link out of the label set's folder.
    """
    if labels.guidelines is None:
        return ""
    file = find_inner(Path(path or DEFAULT_LABELS).parent, labels.guidelines)
    try:
        return read_bytes(file, MAX_GUIDELINES_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: guidelines are not UTF-8; save them as UTF-8") from error
