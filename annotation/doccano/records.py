"""The records that the doccano client takes and returns.

Offsets are those of doccano: UTF-16 code units, end exclusive.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ValidationError

from ...errors import ServerError, first_error

ProjectType = Literal["SequenceLabeling", "DocumentClassification"]
DOCUMENT_KEY = "document"
"""Key in an uploaded row's meta that repeats its name, because exports omit the name."""


class _Record(BaseModel):
    """An object that doccano sends."""

    @classmethod
    def parse(cls, value: object, server: str) -> Self:
        """Return the record that doccano sent.

        Args:
            value: decoded JSON.
            server: the server's address, for messages.

        Raises:
            ServerError: if the value is none: something else answers at the address.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise ServerError(
                f"{server}: its answer is no {cls.__name__} of doccano 1.8 ({first_error(error)}); "
                "check --url"
            ) from error


class Token(_Record):
    """The answer to a login."""

    key: str


class Page(_Record):
    """A part of a paged list, and the number of all records."""

    count: int
    results: list[Any] = []


class Role(_Record):
    """A role of members."""

    id: int
    name: str


class User(_Record):
    """An account."""

    id: int
    username: str
    is_superuser: bool = False


class Invitation(_Record):
    """The way to the page on which a person chooses a password, and until when it works."""

    path: str
    expires: float


class Member(_Record):
    """The membership of an account in a project."""

    id: int
    user: int
    username: str


class Project(_Record):
    """A project; `updated_at` is when its settings were last changed, by the server's clock."""

    id: int
    name: str
    description: str = ""
    guideline: str = ""
    collaborative_annotation: bool = False
    grapheme_mode: bool = False
    updated_at: datetime


class LabelType(_Record):
    """A label (span type) or category of a project."""

    id: int
    text: str
    suffix_key: str | None = None
    background_color: str = ""
    text_color: str = ""


class Example(_Record):
    """A document of a project; `upload_name` is the id that orbat gave it."""

    id: int
    text: str
    upload_name: str = ""
    meta: Any = None
    is_confirmed: bool = False
    comment_count: int = 0


class ExampleSpan(_Record):
    """A span of an example; `label` is a span type's id, `user` the id of its author."""

    id: int
    start_offset: int
    end_offset: int
    label: int
    user: int
    created_at: datetime
    updated_at: datetime


class ExportedExample(NamedTuple):
    """A document in an export; `spans` are (start, end, label name)."""

    id: int
    name: str
    text: str
    spans: list[tuple[int, int, str]]


class Comment(_Record):
    """A user's comment on an example."""

    example: int
    text: str
    username: str
    created_at: datetime


class State(_Record):
    """A confirmation of an example."""

    id: int
    confirmed_by: int
    confirmed_at: datetime


class ExampleWork(_Record):
    """The spans and confirmations of an example."""

    id: int
    spans: list[ExampleSpan]
    states: list[State]


class UploadRow(BaseModel):
    """A document to upload; `spans` are (start, end, label name)."""

    name: str
    text: str
    spans: list[tuple[int, int, str]] = []
    meta: dict[str, Any] = {}
