"""A doccano in memory: what it stores, which names it refuses, and interruptions at any call."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.records import (
    Comment,
    Example,
    ExampleSpan,
    ExportedExample,
    LabelType,
    Member,
    Project,
    State,
    UploadRow,
    User,
)
from orbat.corpus.labels import Label
from orbat.errors import ServerError

TIME, LATER = "2026-01-01T09:00:00+00:00", "2026-01-01T10:00:00+00:00"


class MemoryDoccano:
    """The calls of the client that the commands of a session make, answered from memory.

    Attributes:
        interrupt_at: the number of the call that ends in KeyboardInterrupt; 0 for none.
        after: whether that call has its effect.
        calls: the number of calls so far.
        deleted, confirmed, commented: examples by project and number.
        accepted: examples whose spans an annotator has accepted, by project and number.
    """

    has_page = True
    can_invite = False

    def __init__(self) -> None:
        self.url = self.public_url = f"http://{secrets.token_hex(8)}.test"
        self.user = User(id=1, username="admin", is_superuser=True)
        self.passwords: dict[str, str] = {}
        self.stored: dict[int, Project] = {}
        self.labels: dict[int, list[str]] = {}
        self.member_ids: dict[int, set[int]] = {}
        self.rows: dict[int, list[UploadRow]] = {}
        self.deleted: set[tuple[int, int]] = set()
        self.confirmed: set[tuple[int, int]] = set()
        self.commented: set[tuple[int, int]] = set()
        self.accepted: set[tuple[int, int]] = set()
        self.interrupt_at = self.calls = 0
        self.after = False

    @property
    def client(self) -> DoccanoClient:
        return cast(DoccanoClient, _Interrupted(self))

    def worker_answers(self) -> bool:
        return True

    def worker_is_running(self) -> bool:
        return True

    def users(self) -> list[User]:
        names = enumerate(self.passwords, start=2)
        return [self.user, *(User(id=id_, username=name) for id_, name in names)]

    def find_user(self, username: str) -> User | None:
        names = list(self.passwords)
        return User(id=names.index(username) + 2, username=username) if username in names else None

    def create_user(self, username: str, password: str) -> User:
        if username in self.passwords or not re.fullmatch(r"[\w.@+-]+", username):
            raise ServerError(f"{self.url}: doccano refused it: invalid username")
        self.passwords[username] = password
        user = self.find_user(username)
        assert user is not None
        return user

    def accepts_password(self, username: str, password: str) -> bool:
        return self.passwords.get(username) == password

    def projects(self, name: str) -> list[Project]:
        return [project for project in self.stored.values() if project.name == name]

    def project(self, project: int) -> Project | None:
        return self.stored.get(project)

    def create_project(self, name: str, description: str, guidelines: str) -> Project:
        number = len(self.stored) + 1
        project = Project(
            id=number,
            name=name,
            description=description,
            guideline=guidelines,
            collaborative_annotation=True,
            updated_at=datetime.fromisoformat(TIME),
        )
        self.stored[number], self.rows[number] = project, []
        self.labels[number], self.member_ids[number] = [], set()
        return project

    def set_guidelines(self, project: int, guidelines: str) -> Project:
        self.stored[project] = self.stored[project].model_copy(update={"guideline": guidelines})
        return self.stored[project]

    def span_types(self, project: int) -> list[LabelType]:
        return [LabelType(id=n, text=name) for n, name in enumerate(self.labels[project])]

    def ensure_span_types(self, project: int, labels: Sequence[Label]) -> None:
        self.labels[project] = [label.name for label in labels]

    def change_span_type(self, project: int, span_type: int, changes: dict[str, Any]) -> None:
        old = self.labels[project][span_type]
        new = self.labels[project][span_type] = changes.get("text", old)
        for row in self.rows[project]:
            row.spans = [(s, e, new if label == old else label) for s, e, label in row.spans]

    def tags(self, project: int) -> list[tuple[int, str]]:
        return []

    def add_member(self, project: int, user: int, role: str = "annotator") -> None:
        self.member_ids[project].add(user)

    def remove_member(self, project: int, user: int) -> None:
        self.member_ids[project].discard(user)

    def members(self, project: int) -> list[Member]:
        users = [user for user in self.users() if user.id in self.member_ids[project]]
        return [Member(id=user.id, user=user.id, username=user.username) for user in users]

    def count_examples(self, project: int) -> int:
        return len(list(self.examples(project)))

    def examples(self, project: int) -> Iterator[Example]:
        for number in range(len(self.rows[project])):
            if (project, number) not in self.deleted:
                yield self.example(project, number)

    def example(self, project: int, example: int) -> Example:
        row, key = self.rows[project][example], (project, example)
        return Example(
            id=example,
            text=row.text,
            upload_name=row.name,
            is_confirmed=key in self.confirmed,
            comment_count=int(key in self.commented),
            meta={"meta": row.meta},
        )

    def set_meta(self, project: int, example: int, meta: dict[str, Any]) -> None:
        self.rows[project][example].meta = meta

    def lists_work(self, project: int) -> bool:
        return False

    def comments(self, project: int, example: int | None = None) -> list[Comment]:
        time = datetime.fromisoformat(TIME)
        return [
            Comment(example=number, text="Which?", username="ann", created_at=time)
            for place, number in sorted(self.commented)
            if place == project and example in (None, number)
        ]

    def spans(self, project: int, example: int) -> list[ExampleSpan]:
        names = self.labels[project]
        is_accepted = (project, example) in self.accepted
        return [
            ExampleSpan.model_validate(
                {
                    "id": 1000 * start + end,
                    "start_offset": start,
                    "end_offset": end,
                    "user": 1,
                    "label": names.index(label),
                    "created_at": TIME,
                    "updated_at": LATER if is_accepted else TIME,
                }
            )
            for start, end, label in self.rows[project][example].spans
        ]

    def create_span(self, project: int, example: int, start: int, end: int, label: int) -> None:
        self.rows[project][example].spans.append((start, end, self.labels[project][label]))

    def delete_span(self, project: int, example: int, span: int) -> None:
        row = self.rows[project][example]
        row.spans = [s for s in row.spans if 1000 * s[0] + s[1] != span]

    def states(self, project: int, example: int) -> list[State]:
        is_confirmed = (project, example) in self.confirmed
        time = datetime.fromisoformat(TIME)
        return [State(id=1, confirmed_by=2, confirmed_at=time)] if is_confirmed else []

    def upload(self, project: int, rows: Sequence[UploadRow]) -> None:
        self.rows[project] += rows

    def export(self, project: int) -> list[ExportedExample]:
        return [
            ExportedExample(number, row.name, row.text, row.spans)
            for number, row in enumerate(self.rows[project])
            if (project, number) not in self.deleted
        ]

    def delete_examples(self, project: int, ids: Sequence[int]) -> None:
        keys = {(project, number) for number in ids}
        assert not keys & (self.confirmed | self.commented), "work was deleted"
        self.deleted |= keys


class _Interrupted:
    """Counts the calls of a server's methods, and interrupts one of them."""

    def __init__(self, server: MemoryDoccano) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Any:
        value, server = getattr(self._server, name), self._server
        if not callable(value):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            server.calls += 1
            is_last = server.calls == server.interrupt_at
            if is_last and not server.after:
                raise KeyboardInterrupt
            result = value(*arguments, **named)
            if is_last:
                raise KeyboardInterrupt
            return result

        return call
