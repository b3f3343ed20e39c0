"""The doccano client: the REST calls that labeling sessions need, with typed records."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from ...corpus.labels import Label
from ...errors import ServerError
from ..page.server.responses import PAGE_HEADER
from .records import (
    DOCUMENT_KEY,
    Comment,
    Example,
    ExampleSpan,
    ExampleWork,
    ExportedExample,
    Invitation,
    LabelType,
    Member,
    Page,
    Project,
    ProjectType,
    Role,
    State,
    Token,
    UploadRow,
    User,
)
from .transport import Transport

EXPORT_SECONDS = 600
WORKER_SECONDS = 60
"""How long a worker may be busy with other tasks before it counts as dead."""
REOPEN_ATTEMPTS = 3
WORK_PATH = "orbat-work"
"""The address, below that of a project, that orbat adds to the doccano that it starts."""
INVITATION_PATH, PASSWORD_PATH = "/orbat/invitation", "/orbat/password"
_RESOURCE_TYPES: dict[ProjectType, str] = {
    "SequenceLabeling": "SequenceLabelingProject",
    "DocumentClassification": "TextClassificationProject",
}


class DoccanoClient:
    """A logged-in connection to a doccano server.

    Use it as a context manager, or call :meth:`close`.

    Args:
        url: address of doccano, which may include a path.
        username: an account.
        password: its password.
        public_url: the address that annotators open; None if it is `url`.
        worker_is_running: asked while the client waits for doccano's worker, which otherwise
            looks the same whether it is slow or dead. The default suits a server on another
            machine.

    Attributes:
        url: the server's address.
        public_url: the address that annotators open.
        user: the account.
        transport: sends the requests; use it for calls that the client lacks.

    Raises:
        InputError: if the address is not an http or https address.
        ServerError: if the server does not answer, is not doccano or refuses the password.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        *,
        public_url: str | None = None,
        worker_is_running: Callable[[], bool] = lambda: True,
    ) -> None:
        token = _log_in(url, username, password)
        if token is None:
            raise ServerError(
                f"{url.rstrip('/')}: doccano refuses the password of '{username}'; pass --username "
                "and set ORBAT_DOCCANO_PASSWORD"
            )
        self.worker_is_running = worker_is_running
        self.transport = Transport(url, token)
        self.url = self.transport.url
        self.public_url = public_url or self.url
        self.user = User.parse(self.transport.get("me"), self.url)

    def __enter__(self) -> DoccanoClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. The token stays valid: logging out would end it for every user."""
        self.transport.close()

    # -- server -------------------------------------------------------------------------------

    def worker_answers(self) -> bool:
        """Return whether a worker runs a task, within :data:`WORKER_SECONDS`.

        A worker has one task at a time: it answers when an import or export before it is done.
        """
        end = time.monotonic() + WORKER_SECONDS
        while True:
            response = self.transport.send(
                "GET", "health/", repeat=False, headers={"Accept": "application/json"}
            )
            if response.status_code == 200:
                return True
            if time.monotonic() > end or not self.worker_is_running():
                return False
            time.sleep(1)

    @cached_property
    def has_page(self) -> bool:
        """Whether the server has orbat's annotation page, which needs an address without a path."""
        return not urlsplit(self.url).path and self.transport.answers_with(PAGE_HEADER, "/orbat/")

    # -- accounts -----------------------------------------------------------------------------

    def users(self) -> list[User]:
        """Return all accounts of the server."""
        return [User.parse(user, self.url) for user in self.transport.get_list("users")]

    def find_user(self, username: str) -> User | None:
        """Return the account with exactly this name, or None."""
        found = self.transport.get_list("users", q=username)
        users = (User.parse(user, self.url) for user in found)
        return next((user for user in users if user.username == username), None)

    def create_user(self, username: str, password: str) -> User:
        """Create an account (administrators only)."""
        body = {"username": username, "password1": password, "password2": password}
        return User.parse(self.transport.post("users/create", body), self.url)

    def accepts_password(self, username: str, password: str) -> bool:
        """Return whether an account has a password."""
        return _log_in(self.url, username, password) is not None

    @cached_property
    def can_invite(self) -> bool:
        """Whether the server has orbat's pages on which people choose their passwords."""
        return self.has_page and self.transport.page("OPTIONS", INVITATION_PATH).status_code == 204

    def invite(self, username: str, link: str) -> str:
        """Return a link that works once, by which a person chooses the password of an account.

        Args:
            username: an account that is no administrator's.
            link: where the person starts.

        Raises:
            ServerError: if the server has no such pages, or refuses the account.
        """
        body = {"username": username, "start": urlsplit(link).path}
        response = self.transport.page("POST", INVITATION_PATH, json=body)
        invitation = Invitation.parse(self.transport.decode(response), self.url)
        return f"{self.public_url}{invitation.path}"

    def set_password(self, username: str, password: str) -> None:
        """Set the password of an account that is no administrator's, and end its logins.

        Raises:
            ServerError: if the server has no orbat page, or refuses the account or the password.
        """
        body = {"username": username, "password": password}
        self.transport.decode(self.transport.page("POST", PASSWORD_PATH, json=body))

    def members(self, project: int) -> list[Member]:
        """Return the members of a project."""
        members = self.transport.get_list(f"projects/{project}/members")
        return [Member.parse(member, self.url) for member in members]

    def add_member(self, project: int, user: int, role: str = "annotator") -> None:
        """Make an account a member of a project; does nothing if it is a member."""
        if any(member.user == user for member in self.members(project)):
            return
        roles = (Role.parse(record, self.url) for record in self.transport.get_list("roles"))
        role_ids = {found.name: found.id for found in roles}
        body = {"user": user, "role": role_ids[role]}
        self.transport.post(f"projects/{project}/members", body)

    def remove_member(self, project: int, user: int) -> None:
        """Remove an account from a project; its spans stay. Does nothing if it is no member."""
        ids = [member.id for member in self.members(project) if member.user == user]
        self.transport.delete_ids(f"projects/{project}/members", ids)

    # -- projects -----------------------------------------------------------------------------

    def projects(self, name: str) -> list[Project]:
        """Return the projects with exactly this name, oldest first."""
        found = self.transport.pages("projects", q=name)
        projects = (Project.parse(project, self.url) for project in found)
        return sorted((p for p in projects if p.name == name), key=lambda project: project.id)

    def project(self, project: int) -> Project | None:
        """Return a project by id, or None if it does not exist."""
        response = self.transport.send("GET", f"projects/{project}", repeat=True)
        if response.status_code in (403, 404):
            return None
        return Project.parse(self.transport.decode(response), self.url)

    def create_project(
        self,
        name: str,
        description: str,
        guidelines: str,
        *,
        project_type: ProjectType = "SequenceLabeling",
    ) -> Project:
        """Create a collaborative project: its members share all spans, or the one category."""
        body = {
            "name": name,
            "description": description,
            "project_type": project_type,
            "resourcetype": _RESOURCE_TYPES[project_type],
            "guideline": guidelines or "There are no guidelines.",
            "random_order": False,
            "collaborative_annotation": True,
            "single_class_classification": project_type == "DocumentClassification",
            "allow_member_to_create_label_type": False,
            "allow_overlapping": False,
            "grapheme_mode": False,
            "use_relation": False,
            "tags": [],
        }
        return Project.parse(self.transport.post("projects", body), self.url)

    def delete_project(self, project: int) -> None:
        """Delete a project with everything in it."""
        self.transport.delete(f"projects/{project}")

    def set_guidelines(self, project: int, guidelines: str) -> Project:
        """Replace the guidelines of a project, in Markdown, and return the project."""
        record = self.transport.patch(f"projects/{project}", {"guideline": guidelines})
        return Project.parse(record, self.url)

    def span_types(self, project: int) -> list[LabelType]:
        """Return the labels of a sequence labeling project."""
        return self._types(f"projects/{project}/span-types")

    def ensure_span_types(self, project: int, labels: Sequence[Label]) -> None:
        """Create the labels that a sequence labeling project lacks."""
        self._ensure_types(f"projects/{project}/span-types", labels)

    def change_span_type(self, project: int, span_type: int, changes: dict[str, Any]) -> None:
        """Change fields of a label, which all of its spans keep."""
        self.transport.patch(f"projects/{project}/span-types/{span_type}", changes)

    def tags(self, project: int) -> list[tuple[int, str]]:
        """Return the id and text of each tag of a project."""
        return [(tag["id"], tag["text"]) for tag in self.transport.get(f"projects/{project}/tags")]

    def add_tag(self, project: int, text: str) -> None:
        """Add a tag to a project."""
        self.transport.post(f"projects/{project}/tags", {"text": text})

    def delete_tag(self, project: int, tag: int) -> None:
        """Delete a tag of a project."""
        self.transport.delete(f"projects/{project}/tags/{tag}")

    def category_types(self, project: int) -> list[LabelType]:
        """Return the categories of a text classification project."""
        return self._types(f"projects/{project}/category-types")

    def ensure_category_types(self, project: int, labels: Sequence[Label]) -> None:
        """Create the categories that a text classification project lacks."""
        self._ensure_types(f"projects/{project}/category-types", labels)

    def _types(self, path: str) -> list[LabelType]:
        return [LabelType.parse(record, self.url) for record in self.transport.get_list(path)]

    def _ensure_types(self, path: str, labels: Sequence[Label]) -> None:
        existing = {label_type.text for label_type in self._types(path)}
        for label in labels:
            if label.name not in existing:
                body = {
                    "text": label.name,
                    "prefix_key": None,
                    "suffix_key": label.key,
                    "background_color": label.color,
                    "text_color": label.text_color,
                }
                self.transport.post(path, body)

    # -- examples -----------------------------------------------------------------------------

    def examples(self, project: int) -> Iterator[Example]:
        """Yield the examples of a project in upload order."""
        for example in self.transport.pages(f"projects/{project}/examples", ordering="created_at"):
            yield Example.parse(example, self.url)

    def example(self, project: int, example: int) -> Example:
        """Return an example by id."""
        return Example.parse(self.transport.get(f"projects/{project}/examples/{example}"), self.url)

    def count_examples(self, project: int) -> int:
        """Return the number of examples of a project."""
        page = self.transport.get(f"projects/{project}/examples", limit=1)
        return Page.parse(page, self.url).count

    def set_meta(self, project: int, example: int, meta: dict[str, Any]) -> None:
        """Replace the metadata of an example, as :meth:`upload` stores them."""
        self.transport.patch(f"projects/{project}/examples/{example}", {"meta": {"meta": meta}})

    def delete_examples(self, project: int, ids: Sequence[int]) -> None:
        """Delete examples by id."""
        self.transport.delete_ids(f"projects/{project}/examples", ids)

    def upload(
        self,
        project: int,
        rows: Sequence[UploadRow],
        *,
        project_type: ProjectType = "SequenceLabeling",
    ) -> None:
        """Upload documents with spans through doccano's worker, and wait for it.

        After a failure doccano may have stored any part of them, and after a success it may have
        dropped invalid spans without an error: always compare what the server holds. Repeating an
        upload creates no duplicates, because every row carries a UUID derived from server,
        project and name.

        Args:
            project: the project's id.
            rows: the documents; those of a text classification project have no spans.
            project_type: the project's type.

        Raises:
            ServerError: if the import fails, or the worker stops or does not finish in time.
        """
        lines = [json.dumps(self._to_record(project, row), ensure_ascii=True) for row in rows]
        content = ("\n".join(lines) + "\n").encode("ascii")
        response = self.transport.send(
            "POST",
            "fp/process/",
            repeat=True,
            files={"filepond": ("documents.jsonl", content, "application/jsonl")},
            headers={"Accept": "*/*"},
        )
        content_type = response.headers.get("content-type", "")
        if response.status_code != 200 or "text/plain" not in content_type:
            raise ServerError(f"{self.url}: doccano refused the upload ({response.status_code})")
        body = {
            "format": "JSONL",
            "uploadIds": [response.text.strip()],
            "task": project_type,
            # Without an encoding doccano guesses one, often wrongly.
            "encoding": "utf_8",
            "column_data": "text",
            "column_label": "label",
        }
        task = self.transport.post(f"projects/{project}/upload", body)["task_id"]
        status = self._wait_for(task, 60 + len(rows) / 50, self.worker_is_running)
        row_errors = (status["result"] or {}).get("error") or []
        if status["error"] or row_errors:
            message = row_errors[0]["message"] if row_errors else status["error"]["text"]
            raise ServerError(f"{self.url}: doccano could not import the documents: {message}")

    def _to_record(self, project: int, row: UploadRow) -> dict[str, Any]:
        seed = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.url}/{project}/{row.name}")
        return {
            "text": row.text,
            "label": row.spans,
            # One nested key in every row: rows with different keys break the whole import.
            "meta": row.meta,
            "upload_name": row.name,
            "example_uuid": str(uuid.UUID(bytes=seed.bytes, version=4)),
        }

    def export(self, project: int) -> list[ExportedExample]:
        """Return all examples of a collaborative project that were uploaded with a name.

        This is one task of the worker, which holds the text of an example in memory once for
        each of its spans.

        Raises:
            ServerError: if the export fails, or the worker does not finish in time.
        """
        path = f"projects/{project}/download"
        task = self.transport.post(path, {"format": "JSONL", "exportApproved": False})["task_id"]
        self._wait_for(task, EXPORT_SECONDS, lambda: True)
        response = self.transport.send("GET", path, repeat=True, params={"taskId": task})
        try:
            with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
                # Not splitlines(): doccano writes U+2028 and the like unescaped.
                lines = archive.read("all.jsonl").decode().split("\n")
        except (zipfile.BadZipFile, KeyError) as error:
            raise ServerError(
                f"{self.url}: doccano's export of project {project} failed; see its worker's log"
            ) from error
        records = (json.loads(line) for line in lines if line.strip())
        return [
            ExportedExample(
                record["id"],
                record["meta"][DOCUMENT_KEY],
                record["text"],
                [(start, end, label) for start, end, label in record["label"]],
            )
            for record in records
            if DOCUMENT_KEY in (record.get("meta") or {})
        ]

    def _wait_for(self, task: str, seconds: float, worker_is_running: Callable[[], bool]) -> Any:
        """Wait until the worker has finished a task, and return the task's status."""
        started = time.monotonic()
        while True:
            waited = time.monotonic() - started
            time.sleep(min(max(waited / 10, 0.25), 3))
            status = self.transport.get(f"tasks/status/{task}")
            if status["ready"]:
                return status
            if not worker_is_running() or waited > seconds:
                raise ServerError(
                    f"{self.url}: doccano's worker stopped before it finished; "
                    "run orbat annotate up, then repeat this command to complete it"
                )

    # -- annotations --------------------------------------------------------------------------

    def spans(self, project: int, example: int) -> list[ExampleSpan]:
        """Return the spans of an example; those of all members in a collaborative project."""
        spans = self.transport.get_list(f"projects/{project}/examples/{example}/spans")
        return [ExampleSpan.parse(span, self.url) for span in spans]

    def lists_work(self, project: int) -> bool:
        """Return whether the server has :meth:`work`, as those of `orbat annotate up` have."""
        path = f"projects/{project}/{WORK_PATH}"
        response = self.transport.send("GET", path, repeat=True, params={"limit": 1})
        # doccano answers unknown paths with status 200 and its web page.
        is_json = "application/json" in response.headers.get("content-type", "")
        return response.status_code == 200 and is_json

    def work(self, project: int) -> Iterator[ExampleWork]:
        """Yield the spans and confirmations of each example, in few requests."""
        for work in self.transport.pages(f"projects/{project}/{WORK_PATH}"):
            yield ExampleWork.parse(work, self.url)

    def create_span(self, project: int, example: int, start: int, end: int, label: int) -> None:
        """Add a span; offsets in UTF-16 units, `label` is a span type's id."""
        body = {"start_offset": start, "end_offset": end, "label": label}
        self.transport.post(f"projects/{project}/examples/{example}/spans", body)

    def delete_span(self, project: int, example: int, span: int) -> None:
        """Delete a span; does nothing if it does not exist."""
        self.transport.delete(f"projects/{project}/examples/{example}/spans/{span}")

    def categories(self, project: int, example: int) -> list[int]:
        """Return the ids of the category types assigned to an example."""
        categories = self.transport.get(f"projects/{project}/examples/{example}/categories")
        return [int(category["label"]) for category in categories]

    def create_category(self, project: int, example: int, label: int) -> None:
        """Assign a category to an example; `label` is a category type's id."""
        self.transport.post(f"projects/{project}/examples/{example}/categories", {"label": label})

    def comments(self, project: int, example: int | None = None) -> list[Comment]:
        """Return the comments on an example, or on all examples of a project; oldest first."""
        which = {} if example is None else {"example": example}
        path = f"projects/{project}/comments"
        comments = self.transport.pages(path, ordering="created_at", **which)
        return [Comment.parse(comment, self.url) for comment in comments]

    def create_comment(self, project: int, example: int, text: str) -> None:
        """Add a comment to an example."""
        path = f"projects/{project}/comments"
        self.transport.post(path, {"text": text}, params={"example": example})

    def states(self, project: int, example: int) -> list[State]:
        """Return the confirmations of an example."""
        states = self.transport.pages(f"projects/{project}/examples/{example}/states")
        return [State.parse(state, self.url) for state in states]

    def confirm(self, project: int, example: int) -> None:
        """Confirm an example; does nothing if it is confirmed."""
        # POST toggles the confirmation, so look first.
        if not self.states(project, example):
            self.transport.post(f"projects/{project}/examples/{example}/states", {})

    def reopen(self, project: int, example: int) -> None:
        """Withdraw the confirmation of an example; does nothing if it is not confirmed.

        Raises:
            ServerError: if the example is still confirmed, or the connection breaks; then call it
                again, which reads first.
        """
        for _ in range(REOPEN_ATTEMPTS):
            # POST toggles: sent on a sight of the state only, and never repeated by itself.
            if not self.states(project, example):
                return
            self.transport.post(f"projects/{project}/examples/{example}/states", {})
        if self.states(project, example):
            raise ServerError(
                f"{self.url}: example {example} of project {project} is confirmed again as soon as "
                "it is reopened; ask its annotator to stop, then repeat this command"
            )


def _log_in(url: str, username: str, password: str) -> str | None:
    """Return the token of an account; None if doccano refuses the password.

    Raises:
        ServerError: if doccano does not answer, or too many passwords were wrong.
    """
    # A transport of its own: the cookies of the response would take precedence over the token, and
    # every later write would fail without a CSRF token.
    transport = Transport(url)
    try:
        body = {"username": username, "password": password}
        response = transport.send("POST", "auth/login/", repeat=True, json=body)
        if response.status_code == 400:
            return None
        if response.status_code == 429:
            seconds = response.headers.get("retry-after", "some")
            raise ServerError(
                f"{transport.url}: too many wrong passwords for '{username}'; doccano takes the "
                f"next one in {seconds} s; check --username and ORBAT_DOCCANO_PASSWORD meanwhile"
            )
        return Token.parse(transport.decode(response), transport.url).key
    finally:
        transport.close()
