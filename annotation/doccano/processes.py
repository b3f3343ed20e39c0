"""The processes of a local doccano: start, stop, and recognize them by what they are.

A note of their process numbers would be lost if orbat was killed before it was written. The times
of start, by which a reused number could be recognized, change with the clock.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from ..page.home_settings import APPLICATION
from .database import CHILD_UMASK
from .installation import find_backend
from .server_settings import ServerSettings

WEB, WORKER = "web", "worker"
STOP_SECONDS = 60
_LOCAL = "http://127.0.0.1:"


def start_web(
    home: Path, environment: Path, settings: ServerSettings, environ: Mapping[str, str]
) -> None:
    """Start the web server.

    Args:
        home: the folder of doccano's data.
        environment: doccano's Python environment.
        settings: where it listens, and its number of processes.
        environ: its environment variables.
    """
    binds: list[str] = []
    for host, port in settings.binds:
        binds += ("--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    command = [
        *(str(environment / "bin" / "gunicorn"), "--chdir", str(find_backend(environment))),
        *(*binds, "--workers", str(settings.workers), "--threads", "8"),
        # A client must not send a request on a connection that the server is about to close.
        *("--keep-alive", "0"),
        # It would lie in the user's home, and servers of two homes would share it.
        *("--no-control-socket", APPLICATION),
    ]
    _start(home, WEB, command, environ)


def start_worker(home: Path, environment: Path, environ: Mapping[str, str]) -> None:
    """Start the worker, which imports and exports; see :func:`start_web` for the arguments."""
    program = str(environment / "bin" / "doccano")
    _start(home, WORKER, [program, "task", "--concurrency", "1"], environ)


def _start(home: Path, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
    with (home / f"{name}.log").open("ab") as log:
        subprocess.Popen(
            command,
            env=environ,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=CHILD_UMASK,
        )


def stop_process(home: Path, name: str) -> bool:
    """Stop the web server or the worker with its children; return whether it was running."""
    process = find_process(home, name)
    if process is None:
        return False
    processes = [process, *process.children(recursive=True)]
    process.terminate()
    # The worker finishes its current task first.
    _, running = psutil.wait_procs(processes, timeout=STOP_SECONDS)
    for child in running:
        child.kill()
    psutil.wait_procs(running, timeout=5)
    return True


def find_process(home: Path, name: str) -> psutil.Process | None:
    """Return the main process of the web server or the worker of a doccano home, or None.

    Args:
        home: the folder of doccano's data.
        name: `web` or `worker`.
    """
    return next((p for p in _find_all(home, name) if _is_main(p)), None)


def end_orphans(home: Path, name: str) -> None:
    """End the processes that outlive a main process that was killed, and keep its port."""
    processes = _find_all(home, name)
    if not any(_is_main(process) for process in processes):
        for process in processes:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(processes, timeout=5)


def _find_all(home: Path, name: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _belongs(process, home, name)]


def _is_main(process: psutil.Process) -> bool:
    """Return whether a process was started by orbat: its children are in the same session."""
    try:
        return os.getsid(process.pid) == process.pid
    except OSError:
        return False


def find_address(process: psutil.Process) -> str | None:
    """Return the address at which orbat reaches a web server; None if it has ended."""
    try:
        command = process.cmdline()
        port = command[command.index("--bind") + 1].rpartition(":")[2]
        return f"{_LOCAL}{port}"
    except (psutil.Error, ValueError, IndexError):
        return None


def find_home(url: str) -> Path | None:
    """Return the home of the local doccano that orbat reaches at an address; None if none runs."""
    if not url.startswith(_LOCAL):
        return None
    for process in psutil.process_iter():
        home = _home_of(process, WEB)
        if home is not None and find_address(process) == url.rstrip("/"):
            return home
    return None


def _belongs(process: psutil.Process, home: Path, name: str) -> bool:
    folder = _home_of(process, name)
    return folder is not None and folder == home.resolve()


def _home_of(process: psutil.Process, name: str) -> Path | None:
    """Return the home of a web server or worker; None for other processes."""
    try:
        command = process.cmdline()
        if name == WEB:
            fits = APPLICATION in command and "--bind" in command
        else:
            fits = "task" in command and any(part.endswith("/doccano") for part in command)
        folder = process.environ().get("DOCCANO_HOME") if fits else None
    except psutil.Error:  # it has ended, or is another user's
        return None
    return Path(folder).resolve() if folder else None
