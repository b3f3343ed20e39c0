"""New passwords for accounts that exist."""

from __future__ import annotations

from pathlib import Path

from ...errors import ServerError
from ..doccano.client import DoccanoClient
from .accounts import forget_password
from .folder import open_session


def invite_again(client: DoccanoClient, name: str, folder: Path | None = None) -> str:
    """Return a link that works once, by which a person chooses a new password.

    Args:
        client: an administrator's connection.
        name: the account.
        folder: the session in which the person starts afterwards; None for doccano's projects.

    Raises:
        InputError: if the session has no such annotator.
        ServerError: if there is no such account, it is an administrator's, or the server has no
            orbat page.
    """
    _check_server(client, name)
    link = client.url
    if folder is not None:
        session = open_session(folder, client)
        session.check_annotator(name)
        link = session.link(name, has_page=True)
    return client.invite(name, link)


def set_password(client: DoccanoClient, name: str, password: str) -> None:
    """Set the password of an account, and end its logins and its link. It is stored nowhere.

    Args:
        client: an administrator's connection.
        name: the account.
        password: the new password.

    Raises:
        ServerError: as :func:`invite_again`, and if doccano refuses the password.
    """
    _check_server(client, name)
    client.set_password(name, password)
    forget_password(client, name)


def _check_server(client: DoccanoClient, name: str) -> None:
    if not client.can_invite:
        raise ServerError(
            f"{client.url}: doccano cannot set the password of '{name}', and this server has no "
            "orbat page that can; change it in doccano's /admin/ there"
        )
