"""The records that the doccano client takes and returns.

Offsets are those of doccano: UTF-16 code units, end exclusive.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

ProjectType = Literal["SequenceLabeling", "DocumentClassification"]
DOCUMENT_KEY = "document"
"""Key in an uploaded row's meta that repeats its name, because exports omit the name."""


class User(BaseModel):
    """An account."""

    id: int
    username: str
    is_superuser: bool = False


class Member(BaseModel):
    """The membership of an account in a project."""

    id: int
    user: int
    username: str


class Project(BaseModel):
    """A project."""

    id: int
    name: str
    guideline: str = ""
    collaborative_annotation: bool = False
    grapheme_mode: bool = False


class LabelType(BaseModel):
    """A label (span type) or category of a project."""

    id: int
    text: str


class Example(BaseModel):
    """A document of a project; `upload_name` is the id that orbat gave it."""

    id: int
    text: str
    upload_name: str = ""
    meta: Any = None
    is_confirmed: bool = False
    comment_count: int = 0


class ExampleSpan(BaseModel):
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


class Comment(BaseModel):
    """A user's comment on an example."""

    text: str
    username: str
    created_at: datetime


class State(BaseModel):
    """A confirmation of an example."""

    id: int
    confirmed_by: int
    confirmed_at: datetime


class UploadRow(BaseModel):
    """A document to upload; `spans` are (start, end, label name)."""

    name: str
    text: str
    spans: list[tuple[int, int, str]] = []
    meta: dict[str, Any] = {}
