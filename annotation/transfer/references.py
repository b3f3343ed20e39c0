"""Where the files of a session name its server: the address and the ids of projects.

SESSION/session.json            a labeling session
SESSION/question-project.json   an adjudication round
SESSION/FOLDER/…                the same in folders inside
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...corpus.files import write_json
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError
from ..adjudication.questions import read_questions
from ..session.folder import ROUND_FILE, SESSION_FILE, open_session


@dataclass(frozen=True)
class Reference:
    """A file that names a server.

    Attributes:
        path: the file.
        url: the server's address.
        projects: ids of projects on it, by annotator; of a round, one by the name "".
    """

    path: Path
    url: str
    projects: Mapping[str, int]

    def texts(self, annotator: str) -> dict[str, str]:
        """Return the texts by id that the session has recorded for a project on the server.

        Raises:
            InputError: if their file is damaged.
        """
        folder = self.path.parent
        if self.path.name == ROUND_FILE:
            return {question.id: question.text for question in read_questions(folder)}
        return {document.id: document.text for document in open_session(folder).pushed(annotator)}

    def rewrite(self, url: str, new_ids: Mapping[int, int] | None = None) -> None:
        """Name another server.

        Args:
            url: its address.
            new_ids: the new id of each project; None if they stay.
        """
        record = {**read_json_object(self.path), "url": url}
        if new_ids is not None:
            projects = {name: new_ids[old] for name, old in self.projects.items()}
            is_round = self.path.name == ROUND_FILE
            record |= {"project": projects[""]} if is_round else {"projects": projects}
        write_json(self.path, record)


def find_references(folder: Path) -> list[Reference]:
    """Return all files in a session's folder that name its server.

    Raises:
        InputError: if there is none, or one is damaged.
    """
    folder = Path(folder)
    paths = sorted(path for name in (SESSION_FILE, ROUND_FILE) for path in folder.rglob(name))
    if not paths:
        raise InputError(
            f"{folder}: neither a labeling session nor an adjudication round; create one with "
            "orbat annotate push"
        )
    return [_read_reference(path) for path in paths]


def _read_reference(path: Path) -> Reference:
    record = read_json_object(path)
    url, projects = record.get("url"), record.get("projects", {"": record.get("project")})
    if (
        not isinstance(url, str)
        or not isinstance(projects, dict)
        or not all(isinstance(project, int) for project in projects.values())
    ):
        raise InputError(f"{path}: names no server and projects; restore the file from a copy")
    return Reference(path, url, projects)
