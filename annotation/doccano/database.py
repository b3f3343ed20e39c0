"""doccano's database: which it is, and how it is set up with its administrator and queue."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ...corpus.addresses import hide_password
from ...errors import InputError, ServerError
from .installation import find_backend

CHILD_UMASK = 0o077
"""Only the owner can read what doccano's processes write."""
_CREATE_ADMIN_AND_QUEUE = """
import os, sys, django
from kombu import Connection
from django.core.management import call_command
django.setup()
name, email = sys.argv[1:]
call_command("create_admin", "--noinput", username=name, email=email, password=sys.stdin.read())
with Connection(os.environ["CELERY_BROKER_URL"]) as broker:
    broker.SimpleQueue("celery").close()
"""
"""What `doccano createuser` does, but all users of a machine can read its command line. The worker
and the web server would both create their queue, and fail if they did so at the same time."""

_CHECK = """
import sys, django
from django.db import connection
django.setup()
try:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        (encoding,) = cursor.fetchone()
except Exception as error:
    sys.exit(" ".join(str(error).split()))
if encoding != "UTF8":
    sys.exit(f"its encoding is {encoding}; create the database with ENCODING 'UTF8'")
"""
DATABASE_VARIABLE = "DATABASE_URL"
SQLITE_FILE = "db.sqlite3"
_LOCAL = (None, "", "localhost", "127.0.0.1", "::1")


def choose_database(home: Path, stored: str, *, has_data: bool) -> str:
    """Return the database of a home: the address in `DATABASE_URL`, else the one kept there.

    Args:
        home: the folder of the server's data.
        stored: the PostgreSQL address that the home keeps; "" for SQLite.
        has_data: whether the home has been set up with that database.

    Raises:
        InputError: if the variable names something else than PostgreSQL, or another database than
            that with the home's data.
    """
    url = os.environ.get(DATABASE_VARIABLE, "").strip()
    if not url:
        return stored
    if urlsplit(url).scheme not in ("postgres", "postgresql"):
        raise InputError(
            f"{DATABASE_VARIABLE} {show_database(url)}: only postgresql://USER:PASSWORD@HOST/NAME "
            "is supported; unset the variable to use SQLite"
        )
    if has_data and (not stored or _place(url) != _place(stored)):
        raise InputError(
            f"{DATABASE_VARIABLE} {show_database(url)}: the data of {home} are in "
            f"{show_database(stored)}; unset the variable, or pass another --home"
        )
    return url


def show_database(url: str) -> str:
    """Return a database's address to print, without user name and password; SQLite for none."""
    return hide_password(url.partition("?")[0]) if url else "SQLite"


def database_environ(home: Path, url: str) -> dict[str, str]:
    """Return the environment variable that tells doccano its database."""
    if not url:
        return {DATABASE_VARIABLE: f"sqlite:///{home / SQLITE_FILE}"}
    parts = urlsplit(url)
    if "sslmode" not in parse_qs(parts.query) and parts.hostname in _LOCAL:
        # doccano demands TLS, which PostgreSQL on the same machine may not have.
        url += ("&" if parts.query else "?") + "sslmode=prefer"
    return {DATABASE_VARIABLE: url}


def check_postgresql(environment: Path, environ: Mapping[str, str]) -> None:
    """Check that doccano can work with its PostgreSQL database.

    Args:
        environment: doccano's Python environment.
        environ: the environment variables of doccano's processes.

    Raises:
        ServerError: if it cannot connect, or the database does not store Unicode.
    """
    result = _run_python(environment, environ, _CHECK)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["no answer"])[-1]
        raise ServerError(
            f"{show_database(environ[DATABASE_VARIABLE])}: doccano cannot use this database: "
            f"{reason}"
        )


def let_readers_and_writers_work(home: Path) -> None:
    """Keep SQLite's changes in a log of their own, so that no reader waits for a writer.

    The file keeps this mode. A database that is in use keeps its mode until the next start.
    """
    path = home / SQLITE_FILE
    if path.is_file():
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


def _place(url: str) -> tuple[object, ...]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 5432, parts.path, parse_qs(parts.query).get("host")


def create_database(
    environment: Path, environ: Mapping[str, str], administrator: str, password: str
) -> None:
    """Create doccano's tables, its administrator (or set the password), and the worker's queue.

    Args:
        environment: doccano's Python environment.
        environ: the environment variables of doccano's processes.
        administrator: the account's name.
        password: its password, which reaches doccano by the standard input.

    Raises:
        ServerError: if doccano fails.
    """
    init = [str(environment / "bin" / "doccano"), "init"]
    done = subprocess.run(
        init, env=environ, input="", capture_output=True, text=True, umask=CHILD_UMASK
    )
    arguments = (administrator, "admin@localhost.localdomain")
    if not done.returncode:
        done = _run_python(environment, environ, _CREATE_ADMIN_AND_QUEUE, *arguments, text=password)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise ServerError(
            f"doccano cannot be set up in {environ['DOCCANO_HOME']}: {' '.join(reason)}"
        )


def _run_python(
    environment: Path, environ: Mapping[str, str], code: str, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run Python code that finds doccano's modules, with a text as its standard input."""
    path = os.pathsep.join((str(find_backend(environment)), environ["PYTHONPATH"]))
    return subprocess.run(
        [str(environment / "bin" / "python"), "-c", code, *arguments],
        env={**environ, "PYTHONPATH": path},
        input=text,
        capture_output=True,
        text=True,
        umask=CHILD_UMASK,
    )
