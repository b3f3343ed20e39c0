"""The local doccano server: start it, find it running and stop it."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import platformdirs
import psutil

from ...corpus.addresses import check_port
from ...corpus.files import write_json
from ...corpus.output.locks import lock_folder
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, ServerError
from ..page.home_settings import APPLICATION, SETTINGS, PageSettings
from .client import DoccanoClient
from .database import CHILD_UMASK, create_database
from .installation import OnMessage, clean_environ, default_environment, find_backend, install
from .probes import port_is_free, web_answers, worker_answers
from .processes import WEB, WORKER, find_address, find_process

ADMIN = "admin"
START_SECONDS = 180
STOP_SECONDS = 60


class RunningServer(NamedTuple):
    """The address of a server that answers, and whether this call started it."""

    url: str
    started: bool


def default_home() -> Path:
    """Return the folder of the server's data: `$ORBAT_DOCCANO_HOME`, else in the user's data."""
    home = os.environ.get("ORBAT_DOCCANO_HOME")
    return Path(home) if home else Path(platformdirs.user_data_dir("orbat")) / "doccano"


class DoccanoServer:
    """A doccano server on this machine, with its data in one folder that only its owner can enter.

        HOME/db.sqlite3, media/   doccano's data
        HOME/uploads/             files that are being imported
        HOME/broker.sqlite3       the worker's queue, apart from the data to avoid locks
        HOME/secrets.json         secret key and administrator's password (owner only)
        HOME/page.json            settings of the annotation page (owner only)
        HOME/server.json          fingerprint of the page that the running server has
        HOME/web.log, worker.log  output of the processes
        HOME/.lock                locked while the server is started or stopped

    Args:
        home: the folder; :func:`default_home` if None.
        environment: doccano's Python environment; :func:`.installation.default_environment` if
            None.
    """

    def __init__(self, home: Path | None = None, environment: Path | None = None) -> None:
        self.home = Path(home or default_home()).absolute()
        self.environment = Path(environment or default_environment()).absolute()
        self.page = PageSettings(self.home)
        self._state_file = self.home / "server.json"

    # -- state --------------------------------------------------------------------------------

    @property
    def url(self) -> str | None:
        """The server's address, or None while it does not run."""
        process = self.process(WEB)
        return find_address(process) if process else None

    @property
    def password(self) -> str:
        """The administrator's password.

        Raises:
            ServerError: if no server was ever started in this folder.
        """
        try:
            return str(read_json_object(self.home / "secrets.json")["password"])
        except (InputError, KeyError) as error:
            raise ServerError(
                f"no doccano server in {self.home}; start one with orbat annotate up, "
                "or pass --url and --username"
            ) from error

    def worker_is_running(self) -> bool:
        """Return whether the worker's process is running."""
        return self.process(WORKER) is not None

    def process(self, name: str) -> psutil.Process | None:
        """Return the running process `web` or `worker`, or None."""
        return find_process(self.home, name)

    def connect(self, username: str = ADMIN, password: str | None = None) -> DoccanoClient:
        """Return a connection to the running server.

        Args:
            username: an account.
            password: its password; the administrator's if None.

        Raises:
            ServerError: if the server does not run or refuses the password.
        """
        url = self.url
        if url is None:
            raise ServerError(
                f"no doccano server is running in {self.home}; start it with orbat annotate up, "
                "or pass --url"
            )
        return DoccanoClient(
            *(url, username, password or self.password), worker_is_running=self.worker_is_running
        )

    # -- up and down --------------------------------------------------------------------------

    def up(self, port: int = 8000, on_message: OnMessage = lambda line: None) -> RunningServer:
        """Start web server and worker unless they are running, and wait until both answer.

        Args:
            port: port on 127.0.0.1 for the web server.
            on_message: called before each step that takes a while.

        Raises:
            InputError: if the port is invalid or taken, or another process starts or stops the
                server.
            ServerError: if doccano cannot be installed or started.
        """
        check_port(port, lowest=1)
        with lock_folder(self.home):
            self.home.chmod(0o700)
            return self._up(port, on_message)

    def _up(self, port: int, on_message: OnMessage) -> RunningServer:
        url = self.url
        page = self.page.fingerprint()
        is_current = self._started_with() == page
        if url and is_current and self.worker_is_running() and web_answers(url):
            return RunningServer(url, started=False)
        install(self.environment, on_message)
        credentials = self._credentials()
        if url and not (is_current and web_answers(url)):
            if not is_current:
                on_message("Restarting doccano, because the page or its model has changed")
                port = int(url.rpartition(":")[2])
                self._stop(WORKER)
            self._stop(WEB)
            url = None
        if url is None and not port_is_free(port):
            raise InputError(f"port {port} is taken; choose another with --port")
        environ = self._environ(credentials["secret_key"])
        if not (self.home / "ready").is_file():
            on_message("Setting up doccano's database")
            create_database(self.environment, environ, ADMIN, credentials["password"])
            (self.home / "ready").touch()
        on_message("Starting doccano")
        if url is None:
            url = f"http://127.0.0.1:{port}"
            self._start(WEB, self._web_command(port), environ)
            write_json(self._state_file, {"page": page})
        if not self.worker_is_running():
            program = str(self.environment / "bin" / "doccano")
            self._start(WORKER, [program, "task", "--concurrency", "1"], environ)
        self._wait_until_healthy(url)
        return RunningServer(url, started=True)

    def down(self) -> bool:
        """Stop worker and web server; return whether one of them was running.

        Raises:
            InputError: if another process starts or stops the server.
        """
        if not self.home.is_dir():
            return False
        with lock_folder(self.home):
            stopped = [self._stop(name) for name in (WORKER, WEB)]
            self._state_file.unlink(missing_ok=True)
        return any(stopped)

    def _credentials(self) -> dict[str, str]:
        """Return the administrator's password and the secret key, created at the first start."""
        path = self.home / "secrets.json"
        if not path.is_file():
            created = {"password": secrets.token_urlsafe(15), "secret_key": secrets.token_hex(32)}
            write_json(path, created, private=True)
        credentials = read_json_object(path)
        if not all(isinstance(credentials.get(key), str) for key in ("password", "secret_key")):
            raise InputError(f"{path}: has no password and secret_key; restore it from a copy")
        return credentials

    def _environ(self, secret_key: str) -> dict[str, str]:
        media = self.home / "media"
        media.mkdir(exist_ok=True)
        return {
            **clean_environ(),
            **self.page.environ,
            "DOCCANO_HOME": str(self.home),
            "DATABASE_URL": f"sqlite:///{self.home / 'db.sqlite3'}",
            "CELERY_BROKER_URL": f"sqla+sqlite:///{self.home / 'broker.sqlite3'}",
            "MEDIA_ROOT": str(media),
            "SECRET_KEY": secret_key,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "STANDALONE": "True",
        }

    def _web_command(self, port: int) -> list[str]:
        backend = find_backend(self.environment)
        return [
            *(str(self.environment / "bin" / "gunicorn"), "--chdir", str(backend)),
            *("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "8"),
            # A client must not send a request on a connection that the server is about to close.
            *("--keep-alive", "0", APPLICATION),
        ]

    def _started_with(self) -> str | None:
        """Return the fingerprint of the page with which the web server was started, if known."""
        try:
            return str(read_json_object(self._state_file)["page"])
        except (InputError, KeyError):
            return None

    def _start(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            subprocess.Popen(
                command,
                env=environ,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=CHILD_UMASK,
            )

    def _wait_until_healthy(self, url: str) -> None:
        """Return once a task has passed through web server, broker and worker."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for name in (WEB, WORKER):
                if self.process(name) is None:
                    log = self.home / f"{name}.log"
                    last = log.read_text(errors="replace").strip().splitlines()[-1:]
                    raise ServerError(
                        f"doccano's {name} process stopped ({' '.join(last)}); see {log}"
                    )
            if web_answers(url) and worker_answers(url):
                return
            time.sleep(0.3)
        raise ServerError(
            f"doccano did not become healthy within {START_SECONDS} s; see the logs in {self.home}"
        )

    def _stop(self, name: str) -> bool:
        process = self.process(name)
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
