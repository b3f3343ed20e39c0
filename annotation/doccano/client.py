"""The doccano client: the REST calls that sessions need, typed records in and out."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import httpx
from pydantic import BaseModel

from ...corpus.labels import Label
from ...errors import InputError

PAGE = 500
"""Records in a page: gunicorn kills requests of 30 s, 1,000 examples take 1.3 s."""
TIMEOUT = httpx.Timeout(60, connect=10)
READ_RETRIES = 3
DOCUMENT = "document"
"""Key of an uploaded row's meta that repeats its name, for exports lack the name itself."""


Kind = Literal["SequenceLabeling", "DocumentClassification"]
_RESOURCES: dict[Kind, str] = {
    "SequenceLabeling": "SequenceLabelingProject",
    "DocumentClassification": "TextClassificationProject",
}


class User(BaseModel):
    """An account."""

    id: int
    username: str
    is_superuser: bool = False


class Member(BaseModel):
    """An account's membership of a project."""

    id: int
    user: int
    username: str


class Project(BaseModel):
    """A sequence labelling project."""

    id: int
    name: str
    collaborative_annotation: bool = False
    grapheme_mode: bool = False


class LabelType(BaseModel):
    """A label or category of a project."""

    id: int
    text: str


class Example(BaseModel):
    """A document of a project; `upload_name` is the id that we gave it."""

    id: int
    text: str
    upload_name: str = ""
    meta: Any = None
    is_confirmed: bool = False
    comment_count: int = 0


class ExampleSpan(BaseModel):
    """A span on an example: UTF-16 offsets, `label` is a span type's id, `user` who made it."""

    id: int
    start_offset: int
    end_offset: int
    label: int
    user: int
    created_at: datetime
    updated_at: datetime


class ExportedExample(NamedTuple):
    """A document as an export has it: spans as UTF-16 start, UTF-16 end and label name."""

    id: int
    name: str
    text: str
    spans: list[tuple[int, int, str]]


class Comment(BaseModel):
    """What a user wrote about an example."""

    text: str
    username: str
    created_at: datetime


class State(BaseModel):
    """A confirmation of an example."""

    id: int
    confirmed_by: int
    confirmed_at: datetime


class UploadRow(BaseModel):
    """A document to upload; `spans` are UTF-16 start, UTF-16 end and label name."""

    name: str
    text: str
    spans: list[tuple[int, int, str]] = []
    meta: dict[str, Any] = {}


class DoccanoClient:
    """A logged-in connection to a doccano server.

    Reading and other safe calls are repeated when the connection breaks; writing is not, because
    most of doccano's writing calls double or toggle when repeated.

    Args:
        url: where doccano answers, below a sub-path too.
        username: an account.
        password: its password.

    Raises:
        InputError: if the server is down, is no doccano or refuses the password.
    """

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise InputError(f"{url}: no http or https address; write http://HOST:PORT")
        # A client of its own: the cookies of the login answer would win over the token, and every
        # later write would fail for want of a CSRF token.
        with httpx.Client(timeout=TIMEOUT) as door:
            answer = self._send(
                door,
                "POST",
                "auth/login/",
                repeat=True,
                json={"username": username, "password": password},
            )
        if answer.status_code == 400:
            raise InputError(
                f"{self.url}: refuses the password of '{username}'; "
                "pass --username and --password (or ORBAT_DOCCANO_PASSWORD)"
            )
        key = self._json(answer)["key"]
        self._client = httpx.Client(timeout=TIMEOUT, headers={"Authorization": f"Token {key}"})
        self.user = User.model_validate(self._get("me"))

    def __enter__(self) -> DoccanoClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. The token stays valid: logging out would end it for all."""
        self._client.close()

    # -- transport ----------------------------------------------------------------------------

    def _send(
        self, client: httpx.Client, method: str, path: str, *, repeat: bool, **arguments: Any
    ) -> httpx.Response:
        tries = READ_RETRIES if repeat else 1
        for attempt in range(1, tries + 1):
            try:
                answer = client.request(method, f"{self.url}/v1/{path}", **arguments)
            except httpx.HTTPError as error:
                if attempt == tries:
                    raise InputError(
                        f"{self.url}: doccano does not answer ({type(error).__name__}); "
                        "start it with orbat annotate up, or check --url"
                    ) from error
            else:
                if answer.status_code < 500 or attempt == tries:
                    return answer
            time.sleep(attempt)
        raise AssertionError("unreachable")

    def _json(self, answer: httpx.Response) -> Any:
        request = f"{answer.request.method} {answer.request.url.path}"
        if answer.status_code >= 500:
            raise InputError(
                f"{self.url}: doccano failed at {request} with status {answer.status_code}; "
                "see its log, then orbat annotate down and up"
            )
        # Unknown paths answer 200 with the web page.
        if "application/json" not in answer.headers.get("content-type", ""):
            raise InputError(
                f"{self.url}: is no doccano 1.8 ({request} gave {answer.status_code} "
                f"{answer.headers.get('content-type', 'without type')}); check --url"
            )
        if answer.status_code >= 400:
            detail = json.dumps(answer.json(), ensure_ascii=False)
            raise InputError(f"{self.url}: doccano refuses {request}: {detail}")
        return answer.json()

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._json(self._send(self._client, "GET", path, repeat=True, params=parameters))

    def _post(self, path: str, body: Any, *, repeat: bool = False) -> Any:
        return self._json(self._send(self._client, "POST", path, repeat=repeat, json=body))

    def _delete(self, path: str, ids: Sequence[int]) -> None:
        # An empty list would delete everything there.
        if ids:
            self._send(self._client, "DELETE", path, repeat=True, json={"ids": list(ids)})

    def _pages(self, path: str, **parameters: Any) -> Iterator[Any]:
        # `next` is built from the Host header and wrong behind proxies: count offsets here.
        offset = 0
        while True:
            page = self._get(path, limit=PAGE, offset=offset, **parameters)
            yield from page["results"]
            offset += len(page["results"])
            if not page["results"] or offset >= page["count"]:
                return

    # -- server -------------------------------------------------------------------------------

    def worker_is_alive(self) -> bool:
        """Ask the server to run a task; False when no worker takes it within a few seconds.

        A worker busy with a long import looks dead too.
        """
        answer = self._send(
            self._client, "GET", "health/", repeat=False, headers={"Accept": "application/json"}
        )
        return answer.status_code == 200

    # -- accounts -----------------------------------------------------------------------------

    def find_user(self, username: str) -> User | None:
        """Return the account of that exact name."""
        users = map(User.model_validate, self._get("users", q=username))
        return next((user for user in users if user.username == username), None)

    def create_user(self, username: str, password: str) -> User:
        """Make an account (administrators only)."""
        body = {"username": username, "password1": password, "password2": password}
        return User.model_validate(self._post("users/create", body))

    def users(self) -> list[User]:
        """Return all accounts of the server."""
        return [User.model_validate(user) for user in self._get("users")]

    def members(self, project: int) -> list[Member]:
        """Return the members of a project."""
        return [Member.model_validate(m) for m in self._get(f"projects/{project}/members")]

    def remove_member(self, project: int, user: int) -> None:
        """Take an account out of a project; its spans stay. Nothing changes if it is no member."""
        ids = [member.id for member in self.members(project) if member.user == user]
        self._delete(f"projects/{project}/members", ids)

    def add_member(self, project: int, user: int, role: str = "annotator") -> None:
        """Make an account a member of a project; nothing changes if it is one already."""
        if any(member.user == user for member in self.members(project)):
            return
        roles = {each["name"]: each["id"] for each in self._get("roles")}
        self._post(f"projects/{project}/members", {"user": user, "role": roles[role]})

    # -- projects -----------------------------------------------------------------------------

    def projects(self, name: str) -> list[Project]:
        """Return the projects of that exact name, oldest first."""
        found = map(Project.model_validate, self._pages("projects", q=name))
        return sorted((p for p in found if p.name == name), key=lambda project: project.id)

    def project(self, project: int) -> Project | None:
        """Return a project by id, or None if there is none."""
        answer = self._send(self._client, "GET", f"projects/{project}", repeat=True)
        return (
            None if answer.status_code in (403, 404) else Project.model_validate(self._json(answer))
        )

    def create_project(
        self, name: str, description: str, guidelines: str, *, kind: Kind = "SequenceLabeling"
    ) -> Project:
        """Create a collaborative project: all members see all spans, or the one category."""
        body = {
            "name": name,
            "description": description,
            "project_type": kind,
            "resourcetype": _RESOURCES[kind],
            "guideline": guidelines or "No guidelines were given.",
            "random_order": False,
            "collaborative_annotation": True,
            "single_class_classification": kind == "DocumentClassification",
            "allow_member_to_create_label_type": False,
            "allow_overlapping": False,
            "grapheme_mode": False,
            "use_relation": False,
            "tags": [],
        }
        return Project.model_validate(self._post("projects", body))

    def delete_project(self, project: int) -> None:
        """Delete a project with all that is in it."""
        self._send(self._client, "DELETE", f"projects/{project}", repeat=True)

    def span_types(self, project: int) -> list[LabelType]:
        """Return the labels of a project."""
        return [LabelType.model_validate(s) for s in self._get(f"projects/{project}/span-types")]

    def ensure_span_types(self, project: int, labels: Sequence[Label]) -> None:
        """Create the labels that a project lacks."""
        self._ensure_types(f"projects/{project}/span-types", labels)

    def category_types(self, project: int) -> list[LabelType]:
        """Return the categories that a text classification project offers."""
        found = self._get(f"projects/{project}/category-types")
        return [LabelType.model_validate(each) for each in found]

    def ensure_category_types(self, project: int, labels: Sequence[Label]) -> None:
        """Create the categories that a project lacks."""
        self._ensure_types(f"projects/{project}/category-types", labels)

    def _ensure_types(self, path: str, labels: Sequence[Label]) -> None:
        there = {each["text"] for each in self._get(path)}
        for label in labels:
            if label.name not in there:
                body = {
                    "text": label.name,
                    "prefix_key": None,
                    "suffix_key": label.key,
                    "background_color": label.color,
                    "text_color": label.text_color,
                }
                self._post(path, body)

    # -- examples -----------------------------------------------------------------------------

    def examples(self, project: int) -> Iterator[Example]:
        """Yield the examples of a project in upload order."""
        for example in self._pages(f"projects/{project}/examples", ordering="created_at"):
            yield Example.model_validate(example)

    def count_examples(self, project: int) -> int:
        """Return how many examples a project has."""
        return int(self._get(f"projects/{project}/examples", limit=1)["count"])

    def delete_examples(self, project: int, ids: Sequence[int]) -> None:
        """Delete examples by id."""
        self._delete(f"projects/{project}/examples", ids)

    def upload(
        self,
        project: int,
        rows: Sequence[UploadRow],
        *,
        task: Kind = "SequenceLabeling",
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Upload documents with spans through the worker, and wait until it is done.

        doccano may have stored any part of them when this fails, and drops faulty spans without
        a word when it does not: compare what the server holds afterwards. Repeating an upload
        doubles nothing, because every row carries a UUID made of server, project and name.

        Args:
            project: the project's id.
            rows: the documents; those of a text classification have no spans.
            task: the project's kind.
            alive: asked while waiting; the wait ends when it says False.

        Raises:
            InputError: if the import fails, or the worker dies or does not finish in time.
        """
        lines = []
        for row in rows:
            seed = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.url}/{project}/{row.name}")
            record = {
                "text": row.text,
                "label": row.spans,
                # One nested key in every row: differing keys break the whole import.
                "meta": row.meta,
                "upload_name": row.name,
                "example_uuid": str(uuid.UUID(bytes=seed.bytes, version=4)),
            }
            lines.append(json.dumps(record, ensure_ascii=True))
        content = ("\n".join(lines) + "\n").encode("ascii")
        answer = self._send(
            self._client,
            "POST",
            "fp/process/",
            repeat=True,
            files={"filepond": ("documents.jsonl", content, "application/jsonl")},
            headers={"Accept": "*/*"},
        )
        if answer.status_code != 200 or "text/plain" not in answer.headers.get("content-type", ""):
            raise InputError(f"{self.url}: doccano refuses the upload ({answer.status_code})")
        body = {
            "format": "JSONL",
            "uploadIds": [answer.text.strip()],
            "task": task,
            "encoding": "utf_8",
            "column_data": "text",
            "column_label": "label",
        }
        number = self._post(f"projects/{project}/upload", body)["task_id"]
        status = self._wait_for(number, 60 + len(rows) / 50, alive)
        faults = (status["result"] or {}).get("error") or []
        if status["error"] or faults:
            first = faults[0]["message"] if faults else status["error"]["text"]
            raise InputError(f"{self.url}: doccano could not import the documents: {first}")

    def export(self, project: int) -> list[ExportedExample]:
        """Return all examples of a collaborative project that were uploaded under a name.

        One task of the worker for all of them, which holds an example's text in memory once for
        each of its spans.

        Raises:
            InputError: if the export fails, or the worker does not finish it in time.
        """
        body = {"format": "JSONL", "exportApproved": False}
        task = self._post(f"projects/{project}/download", body)["task_id"]
        self._wait_for(task, 600, lambda: True)
        answer = self._send(
            self._client,
            "GET",
            f"projects/{project}/download",
            repeat=True,
            params={"taskId": task},
        )
        try:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                # Split at line feeds only: U+2028 and the like come raw.
                lines = archive.read("all.jsonl").decode().split("\n")
        except (zipfile.BadZipFile, KeyError) as error:
            raise InputError(
                f"{self.url}: doccano's export of project {project} failed; see its worker's log"
            ) from error
        records = (json.loads(line) for line in lines if line.strip())
        # The export leaves upload_name out, but not what was uploaded as meta.
        return [
            ExportedExample(
                record["id"],
                record["meta"][DOCUMENT],
                record["text"],
                [(start, end, label) for start, end, label in record["label"]],
            )
            for record in records
            if DOCUMENT in (record.get("meta") or {})
        ]

    def _wait_for(self, task: str, seconds: float, alive: Callable[[], bool]) -> Any:
        """Wait until the worker has finished a task, and return the task's state."""
        began = time.monotonic()
        while True:
            waited = time.monotonic() - began
            time.sleep(min(max(waited / 10, 0.25), 3))
            status = self._get(f"tasks/status/{task}")
            if status["ready"]:
                return status
            if not alive() or waited > seconds:
                raise InputError(
                    f"{self.url}: doccano's worker stopped during the work; "
                    "run orbat annotate up, then do this again to complete it"
                )

    # -- spans and states ---------------------------------------------------------------------

    def spans(self, project: int, example: int) -> list[ExampleSpan]:
        """Return the spans of an example, of all members where the project is collaborative."""
        found = self._get(f"projects/{project}/examples/{example}/spans")
        return [ExampleSpan.model_validate(span) for span in found]

    def create_span(self, project: int, example: int, start: int, end: int, label: int) -> None:
        """Add a span; offsets in UTF-16 units, `label` a span type's id."""
        body = {"start_offset": start, "end_offset": end, "label": label}
        self._post(f"projects/{project}/examples/{example}/spans", body)

    def delete_span(self, project: int, example: int, span: int) -> None:
        """Delete a span; nothing changes if it is gone already."""
        path = f"projects/{project}/examples/{example}/spans/{span}"
        self._send(self._client, "DELETE", path, repeat=True)

    def categories(self, project: int, example: int) -> list[int]:
        """Return the ids of the categories chosen for an example."""
        found = self._get(f"projects/{project}/examples/{example}/categories")
        return [int(each["label"]) for each in found]

    def choose_category(self, project: int, example: int, label: int) -> None:
        """Choose a category for an example; `label` is a category type's id."""
        self._post(f"projects/{project}/examples/{example}/categories", {"label": label})

    def comments(self, project: int, example: int) -> list[Comment]:
        """Return what users wrote about an example."""
        found = self._pages(f"projects/{project}/comments", example=example)
        return [Comment.model_validate(comment) for comment in found]

    def comment(self, project: int, example: int, text: str) -> None:
        """Write something about an example."""
        self._send(
            self._client,
            "POST",
            f"projects/{project}/comments",
            repeat=False,
            params={"example": example},
            json={"text": text},
        ).raise_for_status()

    def states(self, project: int, example: int) -> list[State]:
        """Return the confirmations of an example."""
        path = f"projects/{project}/examples/{example}/states"
        return [State.model_validate(state) for state in self._pages(path)]

    def confirm(self, project: int, example: int) -> None:
        """Mark an example as done; nothing changes if it is marked already."""
        # POST toggles, so look first.
        if not self.states(project, example):
            self._post(f"projects/{project}/examples/{example}/states", {})
