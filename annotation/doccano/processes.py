"""The processes of a local doccano, recognized by what they are.

A note of their process numbers would be lost if orbat was killed before it was written. The times
of start, by which a reused number could be recognized, change with the clock.
"""

from __future__ import annotations

from pathlib import Path

import psutil

from ..page.home_settings import APPLICATION

WEB, WORKER = "web", "worker"


def find_process(home: Path, name: str) -> psutil.Process | None:
    """Return the main process of the web server or the worker of a doccano home, or None.

    Args:
        home: the folder of doccano's data.
        name: `web` or `worker`.
    """
    found = [process for process in psutil.process_iter() if _belongs(process, home, name)]
    # Their children have the same command and environment.
    numbers = {process.pid for process in found}
    return next((process for process in found if _parent(process) not in numbers), None)


def find_address(process: psutil.Process) -> str | None:
    """Return the address at which a web server was started; None if it has ended."""
    try:
        command = process.cmdline()
        return f"http://{command[command.index('--bind') + 1]}"
    except (psutil.Error, ValueError, IndexError):
        return None


def _belongs(process: psutil.Process, home: Path, name: str) -> bool:
    try:
        command = process.cmdline()
        if name == WEB:
            fits = APPLICATION in command and "--bind" in command
        else:
            fits = "task" in command and any(part.endswith("/doccano") for part in command)
        if not fits:
            return False
        folder = process.environ().get("DOCCANO_HOME")
    except psutil.Error:  # it has ended, or is another user's
        return False
    return folder is not None and Path(folder).resolve() == home.resolve()


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0
