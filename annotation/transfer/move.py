"""Give a session the new address of its server."""

from __future__ import annotations

from pathlib import Path

from ...corpus.output.locks import lock_folder
from ...errors import InputError
from ...ui import OnProgress, Progress, ignore_progress
from ..doccano.client import DoccanoClient
from ..session.accounts import read_password, store_password
from .references import Reference, find_references


def move(
    client: DoccanoClient, folder: Path, *, on_progress: OnProgress = ignore_progress
) -> list[Path]:
    """Record that the server of a session is now the connected one, with the same projects.

    Nothing is changed unless the connected server has every project with all documents that the
    session has recorded, and their texts.

    Args:
        client: an administrator's connection to the new address.
        folder: the folder of a session or an adjudication round.
        on_progress: called for each project that was compared.

    Returns:
        The files that named another address before.

    Raises:
        InputError: if the folder is no session, or the server has other projects.
        ServerError: if the server does not answer.
    """
    folder = Path(folder)
    find_references(folder)
    with lock_folder(folder):
        references = find_references(folder)
        projects = [(reference, name) for reference in references for name in reference.projects]
        for number, (reference, name) in enumerate(projects, start=1):
            _compare(client, reference, name)
            on_progress(Progress("Comparing the projects", number, len(projects)))
        moved = [reference for reference in references if reference.url != client.url]
        passwords = {
            name: read_password(reference.url, reference.path.parent, name)
            for reference in moved
            for name in reference.projects
        }
        # They are kept by the address of a server that is not on this machine. An interrupted call
        # is completed by the next, which finds the old address.
        for name, password in passwords.items():
            if password is not None and read_password(client.url, folder, name) is None:
                store_password(client, name, password)
        for reference in moved:
            reference.rewrite(client.url)
    return [reference.path for reference in moved]


def _compare(client: DoccanoClient, reference: Reference, name: str) -> None:
    """Refuse a project that lacks documents of the session."""
    project = reference.projects[name]
    whose = f"project {project} of '{name}'" if name else f"project {project} with questions"
    advice = "the address stays; name the server with the session's own projects"
    if client.project(project) is None:
        raise InputError(f"{client.url}: has no {whose}; {advice}")
    stored = {example.upload_name: example.text for example in client.examples(project)}
    for doc_id, text in reference.texts(name).items():
        if stored.get(doc_id) != text:
            raise InputError(
                f"{client.url}: {whose} has no document '{doc_id}' with the text of "
                f"{reference.path.parent}; {advice}"
            )
