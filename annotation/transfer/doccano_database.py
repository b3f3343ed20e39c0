"""The database of the local doccano: reads and writes the records of projects in it.

doccano's models are in an environment of its own, where :mod:`.doccano_tables` runs as a program.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ...corpus.output.atomic import open_scratch_folder
from ...errors import InputError, ServerError
from ..doccano.database import CHILD_UMASK
from ..doccano.installation import find_backend
from ..doccano.server import ADMIN, DoccanoServer

_PROGRAM = Path(__file__).with_name("doccano_tables.py")
_MISFIT = 3


@contextmanager
def read_tables(
    server: DoccanoServer, projects: Sequence[int], accounts: Sequence[str]
) -> Iterator[Iterator[bytes]]:
    """Read the records of projects as they are at one moment, while others go on working.

    Args:
        server: the local server, which need not run.
        projects: ids of the projects.
        accounts: accounts to read besides those to which the projects refer.

    Yields:
        The lines that :mod:`.doccano_tables` describes. Read them to the end.

    Raises:
        InputError: if the database lacks a project.
        ServerError: if the database cannot be read.
    """
    misfit = (
        f"{server.home}: its doccano has no project {{}} of the session; name the data folder of "
        "the session's server with --home; if it was deleted in doccano, the session cannot be "
        "backed up, but an adjudication round of it can be moved out of the session's folder"
    )
    # Not the program's own folder: what a killed one leaves, the next run removes.
    with open_scratch_folder() as folder, _run(server, "read", misfit) as process:
        request = {"projects": [*projects], "accounts": [*accounts], "folder": str(folder)}
        process.stdin.write(f"{json.dumps(request)}\n".encode())
        process.stdin.close()
        yield iter(process.stdout)


@contextmanager
def write_tables(
    server: DoccanoServer, lines: Iterable[bytes], *, same_people: Sequence[str]
) -> Iterator[dict[int, int]]:
    """Store records in the database of a server, all or none.

    They are stored when the block ends. If it fails, or this process is killed in it, none are.

    Args:
        server: the local server, which has a database.
        lines: the records as :func:`read_tables` yields them.
        same_people: accounts of the server that belong to the people who have the same names in
            the records. The administrator and accounts with the same password hash do so anyway.

    Yields:
        The new id of each project.

    Raises:
        InputError: if the server has other accounts of the same names.
        ServerError: if the database cannot be written.
    """
    request = json.dumps({"administrator": ADMIN, "same_people": [*same_people]})
    misfit = (
        f"{server.home}: its doccano has other accounts named {{}}; restore on an empty server, or "
        "name those of the same people with --same-people"
    )
    with _run(server, "write", misfit) as process:
        with suppress(BrokenPipeError):  # it has ended, and its last line says why
            process.stdin.write(f"{request}\n".encode())
            process.stdin.writelines(lines)
            process.stdin.flush()
        # Without an answer it has failed, which is raised when it has ended.
        if answer := process.stdout.readline():
            yield {int(old): new for old, new in json.loads(answer)["projects"].items()}
            process.stdin.write(b"commit\n")


class _Process(subprocess.Popen[bytes]):
    """A process with a standard input and output."""

    stdin: IO[bytes]
    stdout: IO[bytes]


@contextmanager
def _run(server: DoccanoServer, command: str, misfit: str) -> Iterator[_Process]:
    """Run the program while the block lasts, and raise what made it fail.

    Args:
        server: the local server.
        command: the program's command.
        misfit: the message where the database does not fit, with a place for what does not.
    """
    python = server.environment / "bin" / "python"
    if not python.is_file():
        raise ServerError(
            f"doccano is not installed in {server.environment}; run orbat annotate up"
        )
    environ = server.environ()
    path = os.pathsep.join((str(find_backend(server.environment)), environ["PYTHONPATH"]))
    with tempfile.TemporaryFile() as errors:
        process = _Process(
            [str(python), str(_PROGRAM), command],
            env={**environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            umask=CHILD_UMASK,
        )
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            for stream in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    stream.close()
            process.wait()
        if process.returncode:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            reason = lines[-1] if lines else f"exit code {process.returncode}"
            if process.returncode == _MISFIT:
                raise InputError(misfit.format(reason))
            raise ServerError(
                f"{server.home}: doccano's database failed ({reason}); nothing was changed, so run "
                "the command again"
            )
