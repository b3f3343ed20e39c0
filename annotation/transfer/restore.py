"""Restore a backed-up session on the local doccano."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...corpus.output.atomic import open_folder_atomic
from ..doccano.server import DoccanoServer
from .archive import Manifest, open_backup
from .doccano_database import write_tables
from .references import find_references


def restore(
    server: DoccanoServer, file: Path, folder: Path, *, same_people: Sequence[str] = ()
) -> Manifest:
    """Restore a session with its projects in doccano.

    The whole file is verified first. doccano then stores everything or nothing, with the users and
    times of the original; ids are new, and the session's folder names the new server and projects.
    Accounts are created with their old passwords. The server's administrator takes the place of the
    administrator in the backup, and no other account becomes an administrator.

    Args:
        server: the local server, which runs; it may have other projects, even the original ones.
        file: a backup, see :func:`~orbat.annotation.transfer.backup.back_up`.
        folder: the session folder to create.
        same_people: accounts of the server that belong to the people who have the same names in the
            backup; they keep the server's passwords.

    Returns:
        What was restored.

    Raises:
        InputError: if the file is damaged, the folder exists, or the server has accounts of the
            same names with other passwords.
        ServerError: if the server does not run, or its database cannot be written.
    """
    folder = Path(folder)
    with server.connect() as client:
        url = client.url
    with open_backup(Path(file)) as backup, open_folder_atomic(folder, keep_modes=True) as draft:
        backup.extract_folder(draft)
        records = backup.records()
        # The folder is whole before doccano stores anything: only its name is missing.
        with write_tables(server, records, same_people=same_people) as new_ids:
            for reference in find_references(draft):
                reference.rewrite(url, new_ids)
        return backup.manifest
