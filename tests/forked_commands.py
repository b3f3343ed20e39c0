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
from importlib import import_module
from pathlib import Path

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
        self, arguments: list[str], environment: Mapping[str, str], cwd: Path | None
    ) -> tuple[int, str, str]:
        """Run a command; return its exit code and what it printed to both streams.

        Variables that a library reads when it is imported have no effect.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            streams = [os.path.join(folder, name) for name in ("out", "err")]  # noqa: PTH118
            request = {
                "arguments": arguments,
                "environment": dict(environment),
                "cwd": str(cwd or Path.cwd()),
                "streams": streams,
            }
            try:
                print(json.dumps(request), file=self._process.stdin, flush=True)
                code = int(self._process.stdout.readline())
            except BaseException:  # also a timeout of the test: nobody will read the answer
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                raise
            out, err = (Path(path).read_text(encoding="utf-8") for path in streams)
        return code, out, err

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
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(code, flush=True)


def run_here(
    arguments: list[str], environment: dict[str, str], cwd: str, streams: list[str]
) -> None:
    """Run a command in this process as `python -m orbat` does."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    flags = os.O_WRONLY | os.O_CREAT
    for target, path in enumerate([os.devnull, *streams]):
        file = os.open(path, flags if target else os.O_RDONLY, 0o600)
        os.dup2(file, target)
        os.close(file)
    sys.argv = [os.path.join("orbat", "__main__.py"), *arguments]  # noqa: PTH118
    sys.path.insert(0, cwd)

    from orbat.cli import main

    main(arguments)


if __name__ == "__main__":
    serve(sys.argv[1:])
