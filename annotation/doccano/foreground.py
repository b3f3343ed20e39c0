"""Keep a local doccano in the foreground, for systemd and containers."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

from ...errors import ServerError
from .processes import STOP_SECONDS, WEB, WORKER
from .server import DoccanoServer


def wait_until_stopped(server: DoccanoServer, on_ready: Callable[[], None]) -> None:
    """Return after Ctrl-C or SIGTERM, and stop the server then, or when `down` has stopped it.

    Args:
        server: a running server.
        on_ready: called when signals stop the server.

    Raises:
        ServerError: if its web server or its worker has ended by itself, so that the caller may
            start both again.
    """
    processes = [process for name in (WEB, WORKER) if (process := server.process(name))]
    try:
        with _sigterm_interrupts():
            on_ready()
            ended: list[psutil.Process] = []
            while len(processes) == 2 and not ended:
                ended, _ = psutil.wait_procs(processes, timeout=2)
    except KeyboardInterrupt:
        server.down()
        return
    if server.was_stopped:
        # systemd ends what is left when this process ends, and the worker may finish an import.
        psutil.wait_procs(processes, timeout=2 * STOP_SECONDS)
        return
    server.down()
    raise ServerError(
        f"doccano's web server or worker has ended; see web.log and worker.log in {server.home}"
    )


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM, by which systemd and containers stop a program, do what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
