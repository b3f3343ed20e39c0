"""Invitations to choose a password: one file each, by the hash of its token.

The token is in the link only. An invitation works once and for some days; a newer one for the same
account replaces it, and a password that an administrator sets revokes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from pathlib import Path
from typing import NamedTuple

LIFETIME_SECONDS = 7 * 24 * 3600
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Invitation(NamedTuple):
    """An invitation.

    Attributes:
        username: the account.
        start: the page on which the person starts, such as `/orbat/annotate/7`; None for none.
        expires: seconds since 1970.
    """

    username: str
    start: str | None
    expires: float


class InvitationStore:
    """The invitations of a server.

    Args:
        folder: where they are kept; created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, username: str, start: str | None) -> tuple[str, Invitation]:
        """Return a token and its invitation; those that it replaces, or that expired, are gone."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.revoke(username)
        token = secrets.token_urlsafe(32)
        invitation = Invitation(username, start, time.time() + LIFETIME_SECONDS)
        self._write(token, invitation)
        return token, invitation

    def revoke(self, username: str) -> None:
        """Delete the invitation of an account, and those that expired."""
        for path in self._folder.glob("*.json"):
            old = _read(path)
            if old is None or old.username == username or old.expires < time.time():
                path.unlink(missing_ok=True)

    def find(self, token: str) -> Invitation | None:
        """Return the invitation of a token; None if there is none, it was used or it expired."""
        if not TOKEN.fullmatch(token):
            return None
        invitation = _read(self._path(token))
        return invitation if invitation and invitation.expires >= time.time() else None

    def use(self, token: str) -> bool:
        """Use an invitation up; return False if another request has done so."""
        try:
            self._path(token).unlink()
        except FileNotFoundError:
            return False
        return True

    def put_back(self, token: str, invitation: Invitation) -> None:
        """Make an invitation valid again that was used in vain."""
        self._write(token, invitation)

    def _write(self, token: str, invitation: Invitation) -> None:
        draft = self._folder / f"{secrets.token_hex(8)}.draft"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(invitation._asdict()))
        draft.replace(self._path(token))

    def _path(self, token: str) -> Path:
        return self._folder / f"{hashlib.sha256(token.encode()).hexdigest()}.json"


def _read(path: Path) -> Invitation | None:
    try:
        return Invitation(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
