"""The accounts that a session made, and their passwords."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from ..doccano.client import DoccanoClient, User


def ensure_account(doccano: DoccanoClient, folder: Path, name: str) -> User:
    """Return an account, made if new with a password that the session's folder keeps."""
    user = doccano.find_user(name)
    if user is None:
        password = secrets.token_urlsafe(9)
        # Recorded first: an account whose password nobody knows could not be mended by API.
        _write_account(folder, name, password)
        user = doccano.create_user(name, password)
    return user


def password_of(folder: Path, name: str) -> str | None:
    """Return the password of an account that a session's folder keeps; None if it made none."""
    return _read_accounts(folder).get(name)


def _accounts_file(folder: Path) -> Path:
    return folder / "accounts.json"


def _read_accounts(folder: Path) -> dict[str, str]:
    try:
        accounts: dict[str, str] = json.loads(_accounts_file(folder).read_text(encoding="utf-8"))
    except OSError:
        return {}
    return accounts


def _write_account(folder: Path, annotator: str, password: str) -> None:
    accounts = {**_read_accounts(folder), annotator: password}
    path = _accounts_file(folder)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(accounts, file, indent=2)
    draft.rename(path)
