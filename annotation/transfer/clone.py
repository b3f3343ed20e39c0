"""Begin a new session with the setting of an old one: labels, guidelines, annotators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ...corpus.output.locks import lock_folder
from ...errors import InputError, ServerError
from ..doccano.client import DoccanoClient
from ..session.folder import Session, is_session, open_session
from ..session.projects import ensure_project


class Clone(NamedTuple):
    """A new session, and how the documents of the old one were shared out.

    Attributes:
        session: the new session, without documents.
        overlap: share of the old session's documents that several annotators read.
        readers: the most annotators that read one of them, of those in the new session.
    """

    session: Session
    overlap: float
    readers: int


def clone(client: DoccanoClient, folder: Path, new: Path) -> Clone:
    """Begin a session with the label set, guidelines and annotators of another, without documents.

    The annotators keep their accounts and get new projects; :func:`~orbat.annotation.session.push`
    gives them documents. Those who are paused are left out. Calling it again after a failure
    completes the work.

    Args:
        client: an administrator's connection to the server of the session.
        folder: the old session's folder.
        new: the new session's folder.

    Raises:
        InputError: if the folder is no session on the connected server, or the new one exists.
        ServerError: if the server fails, or a project of the old session was deleted.
    """
    folder, new = Path(folder), Path(new)
    old = open_session(folder, client)
    if is_session(new):
        raise InputError(f"{new}: is a session already; name a new folder")
    with lock_folder(folder), lock_folder(new):
        session = Session(new, old.url, old.labels, {}, {})
        projects = {}
        for annotator in (name for name in old.projects if name not in old.paused):
            project = client.project(old.projects[annotator])
            if project is None:
                raise ServerError(
                    f"{client.url}: project {old.projects[annotator]} of '{annotator}' was "
                    "deleted; restore a backup of the session first"
                )
            created = ensure_project(client, session, annotator, project.guideline)
            projects[annotator] = created.id
        session = replace(session, projects=projects)
        session.save()
    # Not those who left a document begun that another one got as well.
    counts = [
        sum(doc_id not in old.shared.get(name, ()) for name in names)
        for doc_id, names in old.assignments.items()
    ]
    shared = sum(count > 1 for count in counts)
    # Paused people may have read some, and are not in the new session.
    readers = min(max(counts, default=1), max(len(projects), 1))
    return Clone(session, shared / len(counts) if counts else 1.0, readers)
