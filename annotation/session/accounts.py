"""The accounts that orbat creates for annotators, and their passwords.

FOLDER/accounts.json     the passwords of the accounts that doccano has
FOLDER/new-account.json  the account that is being created: if orbat is killed then, only this file
                         has the password, which doccano does not reset
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ...corpus.files import write_json
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, ServerError
from ..doccano.client import DoccanoClient
from ..doccano.records import User


def ensure_account(client: DoccanoClient, folder: Path, name: str) -> User:
    """Return an account; create it with a random password if it does not exist.

    The password of a new account is stored in the session folder when doccano has the account.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        name: the account's name.

    Raises:
        ServerError: if doccano refuses the name, or fails.
    """
    _complete_new_account(client, folder)
    user = client.find_user(name)
    if user is not None:
        return user
    password = secrets.token_urlsafe(9)
    write_json(_new_account_path(folder), {"name": name, "password": password}, private=True)
    try:
        user = client.create_user(name, password)
    except ServerError as error:
        raise ServerError(f"annotator '{name}': {error}") from error
    _record_new_account(folder, name, password)
    return user


def _complete_new_account(client: DoccanoClient, folder: Path) -> None:
    """Record the account that an interrupted call was creating, if doccano has it."""
    try:
        new = read_json_object(_new_account_path(folder))
        name, password = str(new["name"]), str(new["password"])
    except (InputError, KeyError):
        return
    if client.find_user(name) is not None and client.accepts_password(name, password):
        _record_new_account(folder, name, password)
    else:
        _new_account_path(folder).unlink()


def _record_new_account(folder: Path, name: str, password: str) -> None:
    accounts = {**_read_accounts(folder), name: password}
    write_json(_accounts_path(folder), accounts, private=True)
    _new_account_path(folder).unlink()


def read_password(folder: Path, name: str) -> str | None:
    """Return the password of an account that orbat created; None for other accounts.

    None, too, for a user of the machine who may not read the file with the passwords.

    Raises:
        InputError: if the file with the passwords is damaged.
    """
    path = _accounts_path(folder)
    if path.exists() and not os.access(path, os.R_OK):
        return None
    return _read_accounts(folder).get(name)


def _accounts_path(folder: Path) -> Path:
    return folder / "accounts.json"


def _new_account_path(folder: Path) -> Path:
    return folder / "new-account.json"


def _read_accounts(folder: Path) -> dict[str, str]:
    path = _accounts_path(folder)
    if not path.is_file():
        return {}
    accounts = read_json_object(path)
    if not all(isinstance(password, str) for password in accounts.values()):
        raise InputError(f"{path}: a password is not a string; restore the file from a copy")
    return accounts
