"""The accounts that orbat makes for annotators, and their passwords."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from ..doccano.client import DoccanoClient
from ..doccano.records import User


def ensure_account(client: DoccanoClient, folder: Path, name: str) -> User:
    """Return an account; a new one gets a random password, which the folder keeps.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        name: the account's name.
    """
    user = client.find_user(name)
    if user is None:
        password = secrets.token_urlsafe(9)
        # Write the password first: the API cannot reset the password of an existing account.
        _write_password(folder, name, password)
        user = client.create_user(name, password)
    return user


def read_password(folder: Path, name: str) -> str | None:
    """Return the password of an account that orbat made; None for other accounts."""
    return _read_accounts(folder).get(name)


def _accounts_path(folder: Path) -> Path:
    return folder / "accounts.json"


def _read_accounts(folder: Path) -> dict[str, str]:
    try:
        accounts: dict[str, str] = json.loads(_accounts_path(folder).read_text(encoding="utf-8"))
    except OSError:
        return {}
    return accounts


def _write_password(folder: Path, name: str, password: str) -> None:
    accounts = {**_read_accounts(folder), name: password}
    path = _accounts_path(folder)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(accounts, file, indent=2)
    draft.rename(path)
