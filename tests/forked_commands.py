"""Commands in forked processes: the libraries are loaded once, the command runs in its own process.

Most of the time of a short command is the import of its libraries. A server process that has
imported them forks for each command, which then imports the modules of orbat and runs as usual. The
server only imports and waits, and refuses to fork if a library has started a thread: a fork could
wait for it for ever.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

LIGHT = (
    *("typer", "typer._adapters", "typer.rich_utils", "pydantic.main", "httpx", "numpy"),
    *("rich.console", "rich.table", "rich.progress", "rich.markdown"),
    *("lxml.html", "trafilatura", "charset_normalizer", "datasketch", "ftfy", "scipy.stats"),
    *("jinja2", "pyarrow.parquet", "py3langid", "sklearn.model_selection"),
)
HEAVY = (
    *LIGHT,
    *("sklearn.linear_model", "sklearn.isotonic", "spacy", "torch", "torch._dynamo", "onnx"),
    *("onnx.helper", "onnxruntime", "onnxruntime.quantization", "safetensors.torch", "accelerate"),
    *("transformers", "transformers.trainer", "transformers.models.bert.modeling_bert"),
    *("transformers.models.auto.modeling_auto", "transformers.models.auto.tokenization_auto"),
)
LIBRARIES = {
    **dict.fromkeys(("corpus", "annotate"), LIGHT),
    **dict.fromkeys(("train", "sweep", "evaluate", "package", "tag"), HEAVY),
}
"""What the server imports for each command."""


WITHOUT_THREADS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Keeps numpy, scipy and pyarrow from starting threads when they are imported."""


CHANGES = ("os.", "shutil.", "tempfile.", "sqlite3.connect")
"""Beginnings of the audit events of changes of files, besides `open`."""
MAX_WAIT_SECONDS = 600
"""After how long SIGALRM ends a command that may be stopped."""


@dataclass(frozen=True)
class Stop:
    """Where a command is stopped: at one of its changes in a folder, or after some computing.

    Attributes:
        folder: the folder whose changes count: files opened for writing, renamed, deleted, created.
        at: the number of the change before which it is stopped, from 1; 0 for none.
        seconds: the processor time after which it is stopped; 0 for no limit.
        signal_number: the signal that stops it; 0 to wait until `gate` was opened and closed.
        gate: a FIFO.
    """

    folder: str
    at: int = 0
    seconds: float = 0.0
    signal_number: int = signal.SIGKILL
    gate: str = ""


class Done(NamedTuple):
    """How a command ended.

    Attributes:
        code: its exit code, or the negative number of the signal that ended it.
        out: its standard output.
        err: its standard error.
        seconds: its processor time.
        memory: the most bytes of memory that it occupied.
        changes: the number of its changes, if they were counted.
    """

    code: int
    out: str
    err: str
    seconds: float
    memory: int
    changes: int


class ForkServer:
    """A process that has imported libraries and runs commands in forks of itself."""

    def __init__(self, libraries: tuple[str, ...]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *libraries],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **WITHOUT_THREADS},
        )

    @property
    def is_running(self) -> bool:
        """Whether the process can run further commands."""
        return self._process.poll() is None

    def run(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        cwd: Path | None = None,
        stop: Stop | None = None,
    ) -> Done:
        """Run a command, or stop it on its way; return how it ended and what it printed.

        Variables that a library reads when it is imported have no effect.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            names = ("out", "err", "changes")
            *streams, changes = (os.path.join(folder, name) for name in names)  # noqa: PTH118
            request = {
                "arguments": arguments,
                "environment": dict(environment),
                "cwd": str(cwd or Path.cwd()),
                "streams": streams,
                "stop": stop and {**asdict(stop), "counted": changes},
            }
            try:
                print(json.dumps(request), file=self._process.stdin, flush=True)
                code, seconds, memory = json.loads(self._process.stdout.readline())
            except BaseException:  # also a timeout of the test: nobody will read the answer
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                raise
            out, err = (Path(path).read_text(encoding="utf-8") for path in streams)
            count = Path(changes).stat().st_size if stop else 0
        return Done(code, out, err, seconds, memory, count)

    def stop(self) -> None:
        """End the process."""
        if self.is_running:
            self._process.communicate()


def serve(libraries: list[str]) -> None:
    """Import libraries, and fork for each request on the standard input."""
    sys.path.pop(0)  # the folder of this file

    import orbat  # noqa: F401  (switches off the telemetry of the libraries)

    for name in libraries:
        import_module(name)
    gc.freeze()
    threads = [*Path("/proc/self/task").iterdir()]
    if len(threads) > 1:
        raise RuntimeError(f"{len(threads)} threads after importing {' '.join(libraries)}")
    while line := os.read(0, 1 << 20):
        while not line.endswith(b"\n"):
            line += os.read(0, 1 << 20)
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            run_here(**request)
            return
        _, status, usage = os.wait4(child, 0)
        seconds = usage.ru_utime + usage.ru_stime
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps([code, seconds, usage.ru_maxrss * 1024]), flush=True)


def run_here(
    arguments: list[str],
    environment: dict[str, str],
    cwd: str,
    streams: list[str],
    stop: dict[str, Any] | None,
) -> None:
    """Run a command in this process as `python -m orbat` does."""
    # A test run in the background ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    tempfile.tempdir = None  # read TMPDIR again
    flags = os.O_WRONLY | os.O_CREAT
    for target, path in enumerate([os.devnull, *streams]):
        file = os.open(path, flags if target else os.O_RDONLY, 0o600)
        os.dup2(file, target)
        os.close(file)
    sys.argv = [os.path.join("orbat", "__main__.py"), *arguments]  # noqa: PTH118
    sys.path.insert(0, cwd)

    if stop:
        stop_here(**stop)

    from orbat.__main__ import main

    try:
        main(arguments)
    finally:
        # Ctrl-C has no effect from here on, and no such signal stands for it.
        signal.setitimer(signal.ITIMER_PROF, 0)


def stop_here(
    folder: str, at: int, seconds: float, signal_number: int, gate: str, counted: str
) -> None:
    """Stop this process later, and write one byte for each change to a file.

    In any case, it ends after some minutes: it may wait for something that never comes.

    The arguments are those of :class:`Stop`.
    """
    changes = os.open(counted, os.O_WRONLY | os.O_CREAT)
    counts = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal counts
        if event == "open":
            if not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif not event.startswith(CHANGES) or event in ("os.listdir", "os.scandir"):
            return
        if not any(str(argument).startswith(folder) for argument in arguments):
            return
        counts += 1
        os.write(changes, b".")
        if counts != at:
            return
        if signal_number:
            signal.raise_signal(signal_number)
        else:
            with open(gate, "rb") as file:  # noqa: PTH123
                file.read()

    sys.addaudithook(watch)
    signal.setitimer(signal.ITIMER_REAL, MAX_WAIT_SECONDS)
    if seconds:
        if signal_number == signal.SIGINT:
            signal.signal(signal.SIGPROF, signal.default_int_handler)
        # Otherwise, SIGPROF ends the process at once, as SIGKILL does.
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    serve(sys.argv[1:])
