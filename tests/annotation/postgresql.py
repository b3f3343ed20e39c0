"""A real PostgreSQL server with a database for doccano."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.conftest import skip_without

PASSWORD = "p@ss/w%rd"
_DEBIAN = "/usr/lib/postgresql"


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_postgresql(encoding: str = "UTF8") -> Iterator[str]:
    """Run a server in a temporary folder; yield the address of its database `doccano`."""
    programs = _find_programs()
    # The server refuses to run as root, and other users cannot enter the folders of the tests.
    folder, port = Path(tempfile.mkdtemp(prefix="orbat-postgresql-")), free_port()
    owner = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}

    def run(program: str, *arguments: str) -> None:
        environ = {**os.environ, "PGPASSWORD": PASSWORD, "LC_ALL": "C"}
        command = [str(programs / program), *arguments]
        subprocess.run(  # type: ignore[call-overload]
            command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environ, **owner
        )

    password, data = folder / "password", folder / "data"
    password.write_text(PASSWORD)
    try:
        if owner:
            for path in (folder, password):
                shutil.chown(path, **owner)
        login = ("--auth", "scram-sha-256", "--username", "doccano", "--pwfile", str(password))
        run("initdb", "--no-sync", "--encoding", encoding, *login, str(data))
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
        try:
            reached = ("--host", "127.0.0.1", "--port", str(port), "--username", "doccano")
            run("createdb", *reached, "doccano")
            yield f"postgresql://doccano:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/doccano"
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder)


def _find_programs() -> Path:
    """Return the folder of PostgreSQL's programs; skip the test where it is not installed."""
    found = [
        *map(Path, filter(None, [shutil.which("initdb")])),
        *Path(_DEBIAN).glob("*/bin/initdb"),
    ]
    if not found:
        skip_without("PostgreSQL", "postgresql")
    return found[-1].parent
