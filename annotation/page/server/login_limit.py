"""doccano's logins: after too many wrong passwords, an account waits before the next one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.http import HttpResponse
from rest_framework.exceptions import Throttled

from .login_counts import LoginCounts

_LOOPBACK = ("", "127.0.0.1", "::1")


class LoginLimit:
    """The first backend that Django asks at every login; it refuses some, and accepts none."""

    def authenticate(self, request: Any, username: Any = None, **_: Any) -> None:
        """Let the next backend decide, unless the account must wait.

        Raises:
            Throttled: if it must, which doccano's API answers with status 429 and `Retry-After`.
        """
        if request is None or not isinstance(username, str):
            return
        seconds = _counts().seconds_to_wait(username, _address(request))
        if seconds:
            raise Throttled(seconds, "Too many wrong passwords.")


class RefusedLogins:
    """Middleware that answers refused logins of pages that are not doccano's API."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Pass a request on."""
        return self._get_response(request)

    def process_exception(self, request: Any, exception: Exception) -> Any:
        """Answer a request whose login was refused."""
        if not isinstance(exception, Throttled):
            return None
        headers = {"Retry-After": str(exception.wait)}
        content = f"{exception.detail}\n"
        return HttpResponse(content, "text/plain; charset=utf-8", status=429, headers=headers)


def _counts() -> LoginCounts:
    return LoginCounts(Path(os.environ["DOCCANO_HOME"]) / "logins.sqlite3", settings.SECRET_KEY)


def _address(request: Any) -> str:
    """Return the address of a client, which a proxy on this machine puts last in a header.

    Without a public address there is no proxy, and users of this machine could write the header.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    if not settings.HAS_PUBLIC_ADDRESS or remote not in _LOOPBACK:
        return remote
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    return forwarded or remote


def _on_failure(sender: Any, credentials: dict[str, Any], request: Any, **_: Any) -> None:
    username = credentials.get("username")
    if request is not None and isinstance(username, str):
        _counts().add_failure(username, _address(request))


def _on_success(sender: Any, request: Any, user: Any, **_: Any) -> None:
    if request is not None:
        _counts().add_success(user.get_username(), _address(request))


user_login_failed.connect(_on_failure)
user_logged_in.connect(_on_success)
