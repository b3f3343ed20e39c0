"""The page's addresses in front of doccano, as a WSGI application."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from .accounts.invitations import InvitationStore
from .accounts.passwords import Passwords
from .accounts.requests import AccountRequests
from .files import PageFiles
from .model import ModelService
from .responses import Application, Environ, StartResponse, refuse, respond
from .session import find_refusal
from .suggestions import suggest

MODEL_URL_VARIABLE = "ORBAT_PAGE_MODEL_URL"
MODEL_TOKEN_VARIABLE = "ORBAT_PAGE_MODEL_TOKEN"

DOCCANO_REQUESTS = 2
"""Requests at a time to doccano in each process: 16 writers wait too long for SQLite's lock."""


class PageApplication:
    """Answers what is below `/orbat/`, and passes everything else to doccano.

    Args:
        doccano: doccano's application, or one that passes requests to a doccano elsewhere.
        model: the service that is asked for suggestions; None without one.
        files: the files that the browser loads; the shipped ones if None.
        accounts: answers requests about passwords; None where doccano is elsewhere.
    """

    def __init__(
        self,
        doccano: Application,
        model: ModelService | None = None,
        files: PageFiles | None = None,
        accounts: AccountRequests | None = None,
    ) -> None:
        self._doccano = doccano
        self._model = model
        self._files = files or PageFiles()
        self._accounts = accounts

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path != "/orbat" and not path.startswith("/orbat/"):
            return self._doccano(environ, start_response)
        if path == "/orbat/suggest":
            return self._suggest(environ, start_response)
        answer = self._accounts.answer(environ, start_response) if self._accounts else None
        if answer is not None:
            return answer
        if method not in ("GET", "HEAD"):
            headers = [("Allow", "GET, HEAD")]
            text = b"only GET and HEAD work here\n"
            return respond(start_response, "405 Method Not Allowed", text, headers=headers)
        content = self._get(path, environ, start_response)
        return [] if method == "HEAD" else content

    def _get(self, path: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if path == "/orbat/":
            return respond(start_response, "200 OK", b"orbat's annotation page\n")
        file = self._files.find(path)
        if file is None:
            return respond(start_response, "404 Not Found", b"no such page or file\n")
        return self._files.serve(file, environ, start_response)

    def _suggest(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            headers = [("Allow", "POST")]
            return respond(start_response, "405 Method Not Allowed", headers=headers)
        refusal = find_refusal(self._doccano, environ)
        if refusal:
            return refuse(start_response, *refusal)
        return suggest(self._model, environ, start_response)


def create() -> PageApplication:
    """Return doccano's application with the page in front, for gunicorn in doccano's environment.

    gunicorn runs several threads, so that a slow model or an idle connection of a browser blocks
    nobody.
    """
    from config.wsgi import application

    free = threading.Semaphore(DOCCANO_REQUESTS)

    def doccano(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        with free:
            content: Iterable[bytes] = application(environ, start_response)
            return content

    url = os.environ.get(MODEL_URL_VARIABLE)
    model = ModelService(url, os.environ.get(MODEL_TOKEN_VARIABLE)) if url else None
    invitations = InvitationStore(Path(os.environ["DOCCANO_HOME"]) / "invitations")
    accounts = AccountRequests(Passwords(lambda: free), invitations)
    return PageApplication(doccano, model, accounts=accounts)
