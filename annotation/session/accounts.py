"""The accounts that orbat creates for annotators, and their passwords."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from ...corpus.files import write_json
from ..doccano.client import DoccanoClient
from ..doccano.records import User


def ensure_account(client: DoccanoClient, folder: Path, name: str) -> User:
    """Return an account; create it with a random password if it does not exist.

    The password of a new account is stored in the session folder.

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
    """Return the password of an account that orbat created; None for other accounts."""
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
    write_json(_accounts_path(folder), accounts, private=True)
