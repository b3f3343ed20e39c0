"""The annotators' projects in doccano, each with its labels and its annotator as a member."""

from __future__ import annotations

import platform

from ...corpus.files import sha256_text
from ...errors import InputError, ServerError
from ..doccano.client import DoccanoClient
from ..doccano.records import Project
from .accounts import ensure_account
from .changes.project_labels import mark_retired
from .folder import Session


def ensure_project(
    client: DoccanoClient, session: Session, annotator: str, guidelines: str
) -> Project:
    """Create or check an annotator's account, project, labels and membership.

    Args:
        client: an administrator's connection.
        session: the session; nothing of it is changed or saved.
        annotator: the account's name.
        guidelines: those of a new project.

    Returns:
        The project as it was found or created.

    Raises:
        InputError: if a new annotator is an administrator.
        ServerError: if doccano refuses the account, the project was deleted or its settings do
            not fit, or the server fails.
    """
    user = ensure_account(client, session.folder, annotator)
    if user.is_superuser and annotator not in session.projects:
        raise InputError(
            f"annotator '{annotator}': this is an administrator of {client.url}, whose spans count "
            "as suggestions; name another account, which is created if it does not exist"
        )
    project = _find_project(client, session, annotator)
    if project is None:
        name = _project_name(session, annotator)
        project = client.create_project(name, _describe(session), guidelines)
    if not project.collaborative_annotation or project.grapheme_mode:
        raise ServerError(
            f"{client.url}: project {project.id} must be collaborative and without grapheme mode; "
            "change its settings in doccano"
        )
    client.ensure_span_types(project.id, session.labels.labels)
    if len(session.labels.choices) < len(session.labels.labels):
        mark_retired(client, project.id, session.labels)
    client.add_member(project.id, user.id)
    return project


def _find_project(client: DoccanoClient, session: Session, annotator: str) -> Project | None:
    if annotator not in session.projects:
        # An interrupted push may have created the project without recording it.
        found = client.projects(_project_name(session, annotator))
        own = (p for p in found if p.description == _describe(session))
        return next((p for p in own if client.count_examples(p.id) == 0), None)
    project = client.project(session.projects[annotator])
    if project is None:
        raise ServerError(
            f"{client.url}: project {session.projects[annotator]} of '{annotator}' was "
            "deleted; restore the server's data or push to a new session folder"
        )
    return project


def _project_name(session: Session, annotator: str) -> str:
    return f"{session.folder.absolute().name} · {annotator}"[:100]


def _describe(session: Session) -> str:
    """Return what tells the projects of sessions apart whose folders have the same name."""
    place = f"{platform.node()}:{session.folder.absolute()}"
    return f"{session.labels.name} · {sha256_text(place)[:12]}"
