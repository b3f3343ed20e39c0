"""Requests about passwords: administrators invite, and invited people choose their password.

POST /orbat/invitation         {"username", "start"} → {"path", "expires"}
POST /orbat/password           {"username", "password"} → {}
GET, POST /orbat/invitation/TOKEN   the page on which a person chooses the password
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from ..files import PAGE_PATH
from ..responses import Environ, StartResponse, refuse, respond, respond_json
from .invitations import InvitationStore
from .page import PAGE_HEADERS, render_closed, render_done, render_form
from .passwords import PasswordError, Passwords

INVITATION, PASSWORD = "/orbat/invitation", "/orbat/password"
MAX_BODY_BYTES = 2**16
_HTML = "text/html; charset=utf-8"


class AccountRequests:
    """Answers the requests about passwords of one server.

    Args:
        passwords: doccano's accounts.
        invitations: the open invitations.
    """

    def __init__(self, passwords: Passwords, invitations: InvitationStore) -> None:
        self._passwords = passwords
        self._invitations = invitations

    def answer(self, environ: Environ, start_response: StartResponse) -> list[bytes] | None:
        """Answer a request; None for one to another address."""
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path.startswith(f"{INVITATION}/"):
            return self._show(path.removeprefix(f"{INVITATION}/"), environ, start_response)
        change = {INVITATION: self._invite, PASSWORD: self._set}.get(path)
        if change is None:
            return None
        if method != "POST":
            # Clients ask by OPTIONS whether the server has these addresses.
            status = "204 No Content" if method == "OPTIONS" else "405 Method Not Allowed"
            return respond(start_response, status, headers=[("Allow", "OPTIONS, POST")])
        return self._change(environ, start_response, change)

    # -- administrators -----------------------------------------------------------------------

    def _change(
        self,
        environ: Environ,
        start_response: StartResponse,
        change: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> list[bytes]:
        """Make a change that an administrator's program asks for.

        Only its token counts: a browser sends cookies with requests of other pages, too.
        """
        kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind != "Token" or not self._passwords.is_administrator(token):
            detail = "Only an administrator may set passwords."
            return refuse(start_response, "403 Forbidden", detail)
        try:
            body = json.loads(_read_body(environ))
            if not isinstance(body, dict) or not isinstance(body.get("username"), str):
                raise ValueError
        except (ValueError, RecursionError):
            return refuse(start_response, "400 Bad Request", "The body names no account.")
        if not self._passwords.may_be_set(body["username"]):
            detail = "There is no such account, or it is an administrator's."
            return refuse(start_response, "400 Bad Request", detail)
        try:
            return respond_json(start_response, "200 OK", change(body))
        except PasswordError as error:
            return refuse(start_response, "400 Bad Request", " ".join(error.args))

    def _invite(self, body: dict[str, Any]) -> dict[str, Any]:
        start = body.get("start")
        is_page = isinstance(start, str) and PAGE_PATH.fullmatch(start)
        token, invitation = self._invitations.create(body["username"], start if is_page else None)
        return {"path": f"{INVITATION}/{token}", "expires": invitation.expires}

    def _set(self, body: dict[str, Any]) -> dict[str, Any]:
        password = body.get("password")
        if not isinstance(password, str):
            raise PasswordError("There is no password.")
        self._passwords.check(body["username"], password)
        # Whoever else may have the link cannot take the account any more.
        self._invitations.revoke(body["username"])
        self._passwords.set(body["username"], password)
        return {}

    # -- invited people -----------------------------------------------------------------------

    def _show(self, token: str, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer a request to the page of an invitation."""

        def page(content: str, status: str = "200 OK") -> list[bytes]:
            sent = [] if environ["REQUEST_METHOD"] == "HEAD" else [content.encode()]
            respond(start_response, status, content.encode(), _HTML, PAGE_HEADERS)
            return sent

        if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "POST"):
            headers = [("Allow", "GET, HEAD, POST")]
            return respond(start_response, "405 Method Not Allowed", headers=headers)
        invitation = self._invitations.find(token)
        if invitation is None:
            return page(render_closed(), "404 Not Found")
        if environ["REQUEST_METHOD"] != "POST":
            return page(render_form(invitation))
        try:
            password = _read_password(environ)
            self._passwords.check(invitation.username, password)
            if not self._invitations.use(token):
                return page(render_closed(), "404 Not Found")
            try:
                self._passwords.set(invitation.username, password)
            except Exception:
                self._invitations.put_back(token, invitation)
                raise
        except PasswordError as error:
            return page(render_form(invitation, error.args), "400 Bad Request")
        return page(render_done(invitation))


def _read_body(environ: Environ) -> bytes:
    """Return the body of a request; nothing of one that is too large."""
    try:
        size = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = 0
    body: bytes = environ["wsgi.input"].read(size) if 0 < size <= MAX_BODY_BYTES else b""
    return body


def _read_password(environ: Environ) -> str:
    """Return the password of a form that was sent.

    Raises:
        PasswordError: if both fields differ, or are not text.
    """
    try:
        text = _read_body(environ).decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=8)
    except ValueError:
        raise PasswordError("The form could not be read; try again.") from None
    password, again = (fields.get(name, [""])[0] for name in ("password", "again"))
    if password != again:
        raise PasswordError("The two passwords differ.")
    return password
