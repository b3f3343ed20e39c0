"""A labelling session: documents pushed to annotators' projects and pulled back with their spans.

    SESSION/session.json            server, label set, each annotator's project, who labels what
    SESSION/accounts.json           passwords of accounts made here, readable by the owner only
    SESSION/pushed/ANNOTATOR.jsonl  documents as verified on the server, with the spans suggested
    SESSION/history/ANNOTATOR.jsonl every version that was ever pulled

Each annotator has a collaborative doccano project of their own: they see and may change the
suggestions, do not see each other's work, and the administrator's token reads all of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ...corpus.document import Document
from ...corpus.files import read_documents, write_json
from ...corpus.labels import LabelSet
from ...errors import InputError
from ..doccano.client import DoccanoClient
from .accounts import password_of
from .assignment import Assignment

FORMAT = 2

Report = Callable[[str, int, int], None]
"""Called with what is being done, how many are done and how many there are."""


@dataclass(frozen=True)
class Session:
    """A labelling session as its folder records it.

    Attributes:
        folder: where it is recorded.
        url: the doccano server.
        labels: the label set.
        projects: each annotator's project id.
        assignments: who labels which document.
    """

    folder: Path
    url: str
    labels: LabelSet
    projects: dict[str, int]
    assignments: Assignment

    def save(self) -> None:
        """Write `session.json`."""
        write_json(
            self.folder / "session.json",
            {
                "format": FORMAT,
                "url": self.url,
                "labels": self.labels.model_dump(by_alias=True),
                "projects": self.projects,
                "assignments": self.assignments,
            },
        )

    def pushed(self, annotator: str) -> list[Document]:
        """Return the documents verified on the server for an annotator, with their suggestions."""
        path = self.folder / "pushed" / f"{annotator}.jsonl"
        return list(read_documents(path)) if path.is_file() else []

    def password(self, annotator: str) -> str | None:
        """Return the password of an account that this session made."""
        return password_of(self.folder, annotator)

    def link(self, annotator: str, number: int = 1) -> str:
        """Return the address of one of an annotator's documents, counted from 1."""
        project = self.projects[annotator]
        return f"{self.url}/projects/{project}/sequence-labeling?page={number}"


def is_session(folder: Path) -> bool:
    """Whether a labelling session has been begun in a folder."""
    return (Path(folder) / "session.json").is_file()


def open_session(folder: Path) -> Session:
    """Read a session folder.

    Raises:
        InputError: if the folder is not one.
    """
    path = Path(folder) / "session.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise InputError(
                f"{folder}: a session of another version of orbat; pull with that, begin a new one"
            )
        return Session(
            Path(folder),
            value["url"],
            LabelSet.model_validate(value["labels"]),
            {str(name): int(project) for name, project in value["projects"].items()},
            value["assignments"],
        )
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise InputError(
            f"{folder}: not a labelling session; make one with orbat annotate push"
        ) from error


def open_here(doccano: DoccanoClient, folder: Path) -> Session:
    """Read the folder of a session that is on the connected server.

    Raises:
        InputError: if the folder is no session, or its server is another.
    """
    session = open_session(folder)
    if session.url != doccano.url:
        raise InputError(f"{folder}: this session is on {session.url}; connect to that with --url")
    return session
