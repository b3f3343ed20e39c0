"""A doccano server of our own: installed apart, started, found again and stopped."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import platformdirs
import psutil

from ...corpus.files import sha256_file, write_json
from ...errors import InputError

CONSTRAINTS = Path(__file__).parent / "doccano-constraints.txt"
DOCCANO = "1.8.4"
# What doccano's own metadata forgets to hold back, and gunicorn's need of pkg_resources.
REQUIREMENTS = (f"doccano=={DOCCANO}", "marshmallow<4", "numpy<2", "setuptools<81")
PYTHON = (3, 11)
START_SECONDS = 180
STOP_SECONDS = 60
ADMIN = "admin"

Say = Callable[[str], None]


class RunningServer(NamedTuple):
    """A server that answers, and whether this call started it."""

    url: str
    started: bool


def default_home() -> Path:
    """Return where a server keeps its data: `$ORBAT_DOCCANO_HOME`, else a folder of the user's."""
    chosen = os.environ.get("ORBAT_DOCCANO_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("orbat")) / "doccano"


def default_environment() -> Path:
    """Return where doccano itself is installed: inside the virtual environment that runs orbat."""
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / "doccano"
    return Path(platformdirs.user_cache_dir("orbat")) / "doccano"


def find_python() -> str:
    """Return a Python that doccano's pins can be installed on.

    Raises:
        InputError: if there is none.
    """
    if sys.version_info[:2] == PYTHON:
        return sys.executable
    name = "python{}.{}".format(*PYTHON)
    found = shutil.which(name)
    if found is None:
        here = "{}.{}".format(*sys.version_info[:2])
        raise InputError(
            f"doccano {DOCCANO} cannot be installed on Python {here}: install {name}, "
            f"or run doccano {DOCCANO} in a container and pass --url"
        )
    return found


def install(environment: Path, say: Say) -> None:
    """Install doccano into an environment of its own, unless it is there already.

    Raises:
        InputError: if the environment cannot be made.
    """
    stamp = environment / "orbat-constraints.sha256"
    wanted = sha256_file(CONSTRAINTS)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    python = find_python()
    say(f"Installing doccano {DOCCANO} in {environment} (once, about a minute)")
    shutil.rmtree(environment, ignore_errors=True)
    commands = (
        [python, "-m", "venv", str(environment)],
        [
            *(str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", "--constraint", str(CONSTRAINTS), *REQUIREMENTS),
        ],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, env=_clean_environment())
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            last = lines[-1] if lines else f"exit code {done.returncode}"
            raise InputError(f"doccano {DOCCANO} cannot be installed in {environment}: {last}")
    stamp.write_text(wanted)


def _clean_environment() -> dict[str, str]:
    """Return the process environment without what ties a Python to another installation."""
    drop = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {key: value for key, value in os.environ.items() if key not in drop}


class DoccanoServer:
    """The doccano server whose data lie in one folder.

        HOME/db.sqlite3, media/   doccano's data
        HOME/broker.sqlite3       the worker's queue, apart so that neither locks the other
        HOME/secrets.json         secret key and administrator's password, for its owner only
        HOME/server.json          where the server runs, and its processes
        HOME/web.log, worker.log  what they print

    Args:
        home: the folder; :func:`default_home` if None.
        environment: doccano's own Python environment; :func:`default_environment` if None.
    """

    def __init__(self, home: Path | None = None, environment: Path | None = None) -> None:
        self.home = Path(home or default_home()).absolute()
        self.environment = Path(environment or default_environment()).absolute()
        self._state_file = self.home / "server.json"

    # -- what is known ------------------------------------------------------------------------

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except (OSError, ValueError):
            return {}
        return state

    def _process(self, name: str) -> psutil.Process | None:
        """Return the live process of that name; a number given to another since is not ours."""
        entry = self._state().get(name)
        if not entry:
            return None
        try:
            process = psutil.Process(entry["pid"])
            same = abs(process.create_time() - entry["created"]) < 1
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except psutil.NoSuchProcess:
            pass
        return None

    @property
    def url(self) -> str | None:
        """Where the server runs, or None while it does not."""
        return self._state().get("url") if self._process("web") else None

    def worker_is_running(self) -> bool:
        """Whether the worker's process lives."""
        return self._process("worker") is not None

    @property
    def password(self) -> str:
        """The administrator's password.

        Raises:
            InputError: if no server was ever started here.
        """
        try:
            return str(json.loads((self.home / "secrets.json").read_text())["password"])
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"no doccano server in {self.home}; start one with orbat annotate up, "
                "or pass --url, --username and --password"
            ) from error

    # -- up and down --------------------------------------------------------------------------

    def up(self, port: int = 8000, say: Say = lambda text: None) -> RunningServer:
        """Start web server and worker, or find them running, and return once both answer.

        Raises:
            InputError: if doccano cannot be installed or started, or the port is taken.
        """
        url = self.url
        if url and self.worker_is_running() and _web_answers(url):
            return RunningServer(url, False)
        install(self.environment, say)
        self.home.mkdir(parents=True, exist_ok=True)
        secret = self._secrets()
        if url and not _web_answers(url):
            self._stop("web")
            url = None
        if url is None and not _port_is_free(port):
            raise InputError(f"port {port} is taken; choose another with --port")
        environment = self._settings(secret)
        if not (self.home / "ready").is_file():
            say("Setting up doccano's database")
            self._doccano("init", environment)
            self._doccano(
                "createuser",
                environment,
                *("--username", ADMIN, "--password", secret["password"]),
                *("--email", "admin@localhost.localdomain"),
            )
            (self.home / "ready").touch()
        state = self._state()
        say("Starting doccano")
        if url is None:
            url = f"http://127.0.0.1:{port}"
            backend = next(self.environment.glob("lib/python*/site-packages/backend"))
            command = [
                *(str(self.environment / "bin" / "gunicorn"), "--chdir", str(backend)),
                *("--bind", f"127.0.0.1:{port}", "--workers", "2", "config.wsgi"),
            ]
            state = {**state, "url": url, "web": self._start("web", command, environment)}
            write_json(self._state_file, state)
        if not self.worker_is_running():
            command = [str(self.environment / "bin" / "doccano"), "task", "--concurrency", "1"]
            state = {**state, "worker": self._start("worker", command, environment)}
            write_json(self._state_file, state)
        self._wait(url)
        return RunningServer(url, True)

    def down(self) -> bool:
        """Stop worker and web server; return whether either was running."""
        stopped = [self._stop(name) for name in ("worker", "web")]
        self._state_file.unlink(missing_ok=True)
        return any(stopped)

    # -- parts --------------------------------------------------------------------------------

    def _secrets(self) -> dict[str, str]:
        path = self.home / "secrets.json"
        if not path.is_file():
            made = {"password": secrets.token_urlsafe(15), "secret_key": secrets.token_hex(32)}
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                json.dump(made, file)
        found: dict[str, str] = json.loads(path.read_text())
        return found

    def _settings(self, secret: dict[str, str]) -> dict[str, str]:
        media = self.home / "media"
        media.mkdir(exist_ok=True)
        return {
            **_clean_environment(),
            "DOCCANO_HOME": str(self.home),
            "DATABASE_URL": f"sqlite:///{self.home / 'db.sqlite3'}",
            "CELERY_BROKER_URL": f"sqla+sqlite:///{self.home / 'broker.sqlite3'}",
            "MEDIA_ROOT": str(media),
            "SECRET_KEY": secret["secret_key"],
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "STANDALONE": "True",
        }

    def _doccano(self, command: str, environment: dict[str, str], *arguments: str) -> None:
        program = str(self.environment / "bin" / "doccano")
        done = subprocess.run(
            [program, command, *arguments], env=environment, capture_output=True, text=True
        )
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise InputError(f"doccano {command} failed in {self.home}: {' '.join(reason)}")

    def _start(
        self, name: str, command: list[str], environment: dict[str, str]
    ) -> dict[str, float]:
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}

    def _wait(self, url: str) -> None:
        """Return once a task has gone through web server, broker and worker."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for name in ("web", "worker"):
                if self._process(name) is None:
                    log = self.home / f"{name}.log"
                    last = log.read_text(errors="replace").strip().splitlines()[-1:]
                    raise InputError(f"doccano's {name} stopped ({' '.join(last)}); see {log}")
            if _web_answers(url) and _worker_answers(url):
                return
            time.sleep(0.3)
        raise InputError(
            f"doccano did not become healthy in {START_SECONDS} s; see the logs in {self.home}"
        )

    def _stop(self, name: str) -> bool:
        process = self._process(name)
        if process is None:
            return False
        family = [process, *process.children(recursive=True)]
        process.terminate()
        # The worker finishes the task in hand first.
        _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        for each in alive:
            each.kill()
        psutil.wait_procs(alive, timeout=5)
        return True


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _web_answers(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/v1/me", timeout=10)
    except httpx.HTTPError:
        return False
    return answer.status_code in (200, 403)


def _worker_answers(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/v1/health/", params={"format": "json"}, timeout=30)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200
