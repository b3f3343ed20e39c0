"""The folder of a labeling session.

    SESSION/session.json             server, label set, projects, assignments, paused annotators
    SESSION/moves.json               moves of documents between annotators that have begun
    SESSION/.lock                    locked while a command works in the folder
    SESSION/pushed/ANNOTATOR.jsonl   documents as verified on the server, with their suggestions
    SESSION/pulled/ANNOTATOR.jsonl   annotation sets of the last pull
    SESSION/history/ANNOTATOR.jsonl  every version that was ever pulled
    SESSION/guidelines/              every version of the guidelines, see guidelines.py
    SESSION/suggesting.jsonl         suggestions that are being replaced
    SESSION/control/                 control documents, see quality/control_records.py
    SESSION/qualification/           qualifications, see quality/qualification_records.py
    SESSION/notified.json            the milestones that were delivered, see overview/milestones.py

Each annotator has one collaborative doccano project. Annotators see and may change the suggestions,
and do not see each other's work. The administrator's token reads all projects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ...corpus.document import Document
from ...corpus.files import read_documents, write_documents, write_json
from ...corpus.labels import LabelSet
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError
from ..doccano.client import DoccanoClient
from .accounts import read_password
from .assigning.assignment import Assignments

SESSION_FILE, ROUND_FILE = "session.json", "question-project.json"
"""What a folder has that holds a labeling session, and an adjudication round."""
SESSION_FILES = (
    *(SESSION_FILE, "moves.json", "suggesting.jsonl", "notified.json"),
    *("pushed", "pulled", "history", "guidelines", "control", "qualification"),
)
"""The files and folders of a session."""
SESSION_FORMAT = 4
_SHARED_BY_ALL_FORMAT = 3
"""In the format before, a document had one annotator's name, or null for all of the session's."""


@dataclass(frozen=True)
class Session:
    """A labeling session as its folder records it.

    Attributes:
        folder: the session folder.
        url: address of the doccano server.
        labels: the label set.
        projects: the project id of each annotator.
        assignments: the annotators of each document, sorted.
        words: the number of words of assigned documents.
        paused: annotators who get no documents and may not open their project, sorted.
        shared: by annotator, the documents on which they have begun and which another one got as
            well, sorted.
        read_format: the format of the file that it was read from; :meth:`save` writes the newest.
        public_url: where annotators reach the server; None if it is `url`. Not recorded.
    """

    folder: Path
    url: str
    labels: LabelSet
    projects: dict[str, int]
    assignments: Assignments
    words: Mapping[str, int] = field(default_factory=dict)
    paused: tuple[str, ...] = ()
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    read_format: int = SESSION_FORMAT
    public_url: str | None = field(default=None, compare=False)

    def save(self) -> None:
        """Write `session.json`."""
        write_json(
            self.folder / SESSION_FILE,
            {
                "format": SESSION_FORMAT,
                "url": self.url,
                "labels": self.labels.model_dump(by_alias=True),
                "projects": self.projects,
                "assignments": self.assignments,
                "words": self.words,
                "paused": self.paused,
                "shared": self.shared,
            },
        )

    def assigned(self, annotator: str) -> set[str]:
        """Return the ids of the documents assigned to an annotator, alone or with others."""
        return {doc_id for doc_id, names in self.assignments.items() if annotator in names}

    def check_annotator(self, name: str) -> None:
        """Refuse a name that is none of the session's annotators.

        Raises:
            InputError: naming those that it has.
        """
        if name not in self.projects:
            raise InputError(
                f"{self.folder}: no annotator '{name}'; the annotators are "
                f"{', '.join(self.projects)}"
            )

    def pushed(self, annotator: str) -> list[Document]:
        """Return the documents verified on the server for an annotator, with their suggestions."""
        path = self.pushed_path(annotator)
        return list(read_documents(path)) if path.is_file() else []

    def documents(self) -> list[Document]:
        """Return the documents verified on the server for any annotator, each once."""
        pushed = (document for name in self.projects for document in self.pushed(name))
        return list({document.id: document for document in pushed}.values())

    def record_pushed(self, annotator: str, documents: Sequence[Document]) -> None:
        """Record the documents verified on the server for an annotator."""
        write_set(self.pushed_path(annotator), documents)

    def pushed_path(self, annotator: str) -> Path:
        """Return the file of :meth:`pushed`."""
        return self.folder / "pushed" / f"{annotator}.jsonl"

    def password(self, annotator: str) -> str | None:
        """Return the password with which orbat created an account; None for other accounts."""
        return read_password(self.url, self.folder, annotator)

    def link(self, annotator: str, *, has_page: bool, number: int = 1) -> str:
        """Return the address at which an annotator works.

        Args:
            annotator: account name.
            has_page: whether the server has orbat's annotation page, which opens the annotator's
                first unconfirmed document.
            number: the document that doccano's own page opens, counted from 1.
        """
        project, address = self.projects[annotator], self.public_url or self.url
        if has_page:
            return f"{address}/orbat/annotate/{project}"
        return f"{address}/projects/{project}/sequence-labeling?page={number}"


class _SessionFile(BaseModel):
    """The shape of `session.json`, besides its format."""

    url: str
    labels: LabelSet
    projects: dict[str, int]
    assignments: dict[str, tuple[str, ...]]
    words: dict[str, int] = {}
    paused: tuple[str, ...] = ()
    shared: dict[str, tuple[str, ...]] = {}


def write_set(path: Path, documents: Sequence[Document]) -> None:
    """Write the documents of an annotator; without documents, there is no file."""
    if documents:
        write_documents(path, documents)
    else:
        path.unlink(missing_ok=True)


def is_session(folder: Path) -> bool:
    """Return whether a folder holds a labeling session."""
    return (Path(folder) / SESSION_FILE).is_file()


def is_round(folder: Path) -> bool:
    """Return whether a folder holds an adjudication round."""
    return (Path(folder) / ROUND_FILE).is_file()


def open_session(folder: Path, client: DoccanoClient | None = None) -> Session:
    """Read a session folder.

    Args:
        folder: the session folder.
        client: a connection that must be to the session's server; None to skip that check.

    Raises:
        InputError: if the folder is not a session of this version of orbat, or its server is not
            the connected one.
    """
    folder = Path(folder)
    try:
        record = read_json_object(folder / SESSION_FILE)
        number = record["format"]
        if number == _SHARED_BY_ALL_FORMAT:
            record["assignments"] = _name_all(record["assignments"], record["projects"])
        if number in (SESSION_FORMAT, _SHARED_BY_ALL_FORMAT):
            values = vars(_SessionFile.model_validate(record))
            session = Session(folder, **values, read_format=number)
    except (InputError, KeyError, ValidationError, AttributeError, TypeError) as error:
        raise InputError(
            f"{folder}: not a labeling session; create one with orbat annotate push"
        ) from error
    if number not in (SESSION_FORMAT, _SHARED_BY_ALL_FORMAT):
        raise InputError(
            f"{folder}: session format {number}, but this version of orbat reads formats "
            f"{_SHARED_BY_ALL_FORMAT} and {SESSION_FORMAT}; pull it with the version "
            "that created it, then push to a new folder"
        )
    if client is None:
        return session
    if session.url not in (client.url, client.public_url):
        raise InputError(
            f"{folder}: this session is on {session.url}; connect to it with --url, or, if its "
            f"server is at {client.url} now, run orbat annotate move {folder} --url {client.url}"
        )
    return replace(session, public_url=client.public_url)


def session_address(folder: Path) -> str | None:
    """Return the server's address that a session or an adjudication round records, if it does."""
    for name in (SESSION_FILE, ROUND_FILE):
        with suppress(InputError):
            url = read_json_object(Path(folder) / name).get("url")
            if isinstance(url, str):
                return url
    return None


def _name_all(assignments: Mapping[str, str | None], projects: Mapping[str, int]) -> object:
    """Return assignments of the format before with the names of all annotators of each document."""
    return {
        doc_id: sorted(projects) if name is None else [name] for doc_id, name in assignments.items()
    }
