"""Set up doccano's database, with its administrator, and the queue of its worker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ...errors import ServerError
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
    program, python = (str(environment / "bin" / name) for name in ("doccano", "python"))
    _run([program, "init"], environ)
    # Python finds doccano's modules here, as the program does.
    path = os.pathsep.join((str(find_backend(environment)), environ["PYTHONPATH"]))
    create = [python, "-c", _CREATE_ADMIN_AND_QUEUE, administrator, "admin@localhost.localdomain"]
    _run(create, {**environ, "PYTHONPATH": path}, password)


def _run(command: list[str], environ: Mapping[str, str], text: str = "") -> None:
    """Run a program, with a text as its standard input."""
    result = subprocess.run(
        command, env=environ, input=text, capture_output=True, text=True, umask=CHILD_UMASK
    )
    if result.returncode:
        reason = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
        raise ServerError(
            f"doccano cannot be set up in {environ['DOCCANO_HOME']}: {' '.join(reason)}"
        )
