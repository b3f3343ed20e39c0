"""The accounts of the doccano in this process: who is an administrator, and passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

MAX_PASSWORD_LENGTH = 1024


class PasswordError(Exception):
    """A password that cannot be used; the arguments are sentences that say why."""


class Passwords:
    """Reads and changes doccano's accounts, as Django keeps them.

    Args:
        turn: a context in which doccano's database may be used, as requests to doccano are.
    """

    def __init__(self, turn: Callable[[], AbstractContextManager[Any]]) -> None:
        self._turn = turn

    def is_administrator(self, token: str) -> bool:
        """Return whether a token of doccano's API is an administrator's."""
        from rest_framework.authtoken.models import Token

        with self._database():
            tokens = Token.objects.filter(key=token, user__is_active=True, user__is_superuser=True)
            return bool(tokens.exists())

    def may_be_set(self, username: str) -> bool:
        """Return whether there is an account with this name that is no administrator's."""
        with self._database():
            return _find(username) is not None

    def check(self, username: str, password: str) -> None:
        """Refuse a password that doccano would refuse, or not recognize at the login.

        Raises:
            PasswordError: if it cannot be used.
        """
        from django.contrib.auth.password_validation import validate_password
        from django.core.exceptions import ValidationError

        if password != password.strip():
            raise PasswordError("The password may not begin or end with a blank.")
        if "\0" in password:
            raise PasswordError("The password may not have a null character.")
        if len(password) > MAX_PASSWORD_LENGTH:
            raise PasswordError(f"The password may have {MAX_PASSWORD_LENGTH} characters at most.")
        with self._database():
            try:
                validate_password(password, _find(username))
            except ValidationError as error:
                raise PasswordError(*error.messages) from error

    def set(self, username: str, password: str) -> None:
        """Set a password, and end the account's sessions and tokens.

        Raises:
            PasswordError: if the account does not exist any longer.
        """
        from rest_framework.authtoken.models import Token

        with self._database():
            user = _find(username)
            if user is None:
                raise PasswordError("The account does not exist.")
            user.set_password(password)
            user.save(update_fields=["password"])
            Token.objects.filter(user=user).delete()

    @contextmanager
    def _database(self) -> Iterator[None]:
        from django.db import close_old_connections

        with self._turn():
            close_old_connections()
            try:
                yield
            finally:
                close_old_connections()


def _find(username: str) -> Any:
    """Return the account with a name, None if there is none or it is an administrator's."""
    from django.contrib.auth import get_user_model

    users = get_user_model().objects.filter(username=username, is_superuser=False, is_active=True)
    return users.first()
