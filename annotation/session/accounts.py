"""The accounts that orbat creates for annotators, and the passwords that it gave them.

A server has one folder of accounts, which all sessions on it share: `accounts` in the home of a
local server, else a folder of its own in the user's data.

    accounts.json     the passwords with which orbat created accounts
    new-account.json  the account that is being created: if orbat is killed then, only this file
                      has the password, which doccano does not reset

Sessions of earlier versions have an accounts.json of their own. It is read, too, and moved when a
session creates or looks for an account.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from ...corpus.files import write_json
from ...corpus.output.locks import lock_folder
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, ServerError
from ..doccano.client import DoccanoClient
from ..doccano.processes import find_home
from ..doccano.records import User

_WAIT_SECONDS = 60
_ACCOUNTS, _NEW_ACCOUNT = "accounts.json", "new-account.json"


def accounts_folder(url: str) -> Path:
    """Return the folder with the accounts of a server.

    Args:
        url: the server's address; a local server is found by it while it runs.
    """
    home = find_home(url)
    if home is not None:
        return home / "accounts"
    key = hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]
    return Path(platformdirs.user_data_dir("orbat")) / "accounts" / key


def ensure_account(client: DoccanoClient, folder: Path, name: str) -> User:
    """Return an account; create it with a random password if it does not exist.

    The password of a new account is stored when doccano has the account.

    Args:
        client: an administrator's connection.
        folder: the session folder.
        name: the account's name.

    Raises:
        ServerError: if doccano refuses the name, or fails.
    """
    with _locked_accounts(client, folder) as accounts:
        user = client.find_user(name)
        if user is not None:
            return user
        password = secrets.token_urlsafe(9)
        new = {"name": name, "password": password}
        write_json(accounts / _NEW_ACCOUNT, new, private=True)
        try:
            user = client.create_user(name, password)
        except ServerError as error:
            raise ServerError(f"annotator '{name}': {error}") from error
        _record(accounts, {name: password})
        (accounts / _NEW_ACCOUNT).unlink()
        return user


def store_password(client: DoccanoClient, name: str, password: str) -> None:
    """Record the password with which orbat created an account."""
    with _locked_accounts(client, None) as accounts:
        _record(accounts, {name: password})


def forget_password(client: DoccanoClient, name: str) -> None:
    """Delete the password with which orbat created an account, because it has another one."""
    with _locked_accounts(client, None) as accounts:
        known = _read_accounts(accounts)
        if name in known:
            kept = {other: password for other, password in known.items() if other != name}
            write_json(accounts / _ACCOUNTS, kept, private=True)


@contextmanager
def _locked_accounts(client: DoccanoClient, session: Path | None) -> Iterator[Path]:
    """Lock a server's accounts, and complete what an interrupted call was creating."""
    accounts = accounts_folder(client.url)
    with lock_folder(accounts, wait=_WAIT_SECONDS):
        accounts.chmod(0o700)
        _complete_new_account(client, accounts, accounts)
        if session is not None:
            _complete_new_account(client, session, accounts)
            earlier = _read_accounts(session)
            _record(accounts, {**earlier, **_read_accounts(accounts)})
            (session / _ACCOUNTS).unlink(missing_ok=True)
        yield accounts


def _complete_new_account(client: DoccanoClient, folder: Path, accounts: Path) -> None:
    """Record the account that an interrupted call was creating, if doccano has it."""
    path = folder / _NEW_ACCOUNT
    try:
        new = read_json_object(path)
        name, password = str(new["name"]), str(new["password"])
    except (InputError, KeyError):
        return
    if client.find_user(name) is not None and client.accepts_password(name, password):
        _record(accounts, {name: password})
    path.unlink()


def _record(accounts: Path, passwords: dict[str, str]) -> None:
    known = _read_accounts(accounts)
    if known != {**known, **passwords}:
        write_json(accounts / _ACCOUNTS, {**known, **passwords}, private=True)


def read_password(url: str, folder: Path, name: str) -> str | None:
    """Return the password with which orbat created an account; None for other accounts.

    None, too, for a user of the machine who may not read the file with the passwords.

    Args:
        url: the server's address.
        folder: a session on it.
        name: the account's name.

    Raises:
        InputError: if the file with the passwords is damaged.
    """
    for place in (accounts_folder(url), folder):
        path = place / _ACCOUNTS
        try:
            readable = path.is_file() and os.access(path, os.R_OK)
        except OSError:
            readable = False
        accounts = _read_accounts(place) if readable else {}
        if name in accounts:
            return accounts[name]
    return None


def _read_accounts(folder: Path) -> dict[str, str]:
    path = folder / _ACCOUNTS
    if not path.is_file():
        return {}
    accounts = read_json_object(path)
    if not all(isinstance(password, str) for password in accounts.values()):
        raise InputError(f"{path}: a password is not a string; restore the file from a copy")
    return accounts
