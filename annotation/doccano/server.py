"""The local doccano server: start it, find it running and stop it."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
import psutil

from ...corpus.files import sha256_text, write_json
from ...corpus.output.locks import lock_folder
from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, ServerError
from ..page.home_settings import SETTINGS, PageSettings
from .client import DoccanoClient
from .database import (
    check_postgresql,
    choose_database,
    create_database,
    database_environ,
    let_readers_and_writers_work,
)
from .installation import (
    OnMessage,
    clean_environ,
    default_environment,
    install,
    install_postgresql_driver,
)
from .probes import check_free, web_answers, worker_answers
from .processes import (
    WEB,
    WORKER,
    end_orphans,
    find_address,
    find_process,
    start_web,
    start_worker,
    stop_process,
)
from .server_settings import LOOPBACK, ServerSettings, read_settings, write_settings

ADMIN = "admin"
START_SECONDS = 180
_SECRETS = ("password", "secret_key")


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
        HOME/settings.json        addresses, number of processes and database (owner only)
        HOME/page.json            settings of the annotation page (owner only)
        HOME/server.json          fingerprint of what the running server was started with
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
    def settings(self) -> ServerSettings:
        """The settings that the home keeps; those of a running server where it keeps none.

        Raises:
            InputError: if their file is damaged.
        """
        kept = read_settings(self.home)
        if kept is None:
            url = self.url
            kept = ServerSettings(port=int(url.rpartition(":")[2])) if url else ServerSettings()
        return kept

    @property
    def public_url(self) -> str | None:
        """The address that annotators open, or None while the server does not run."""
        return self.settings.address if self.url else None

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
            *(url, username, password or self.password),
            public_url=self.public_url,
            worker_is_running=self.worker_is_running,
        )

    def environ(self) -> dict[str, str]:
        """Return the environment variables of doccano's processes.

        Raises:
            ServerError: if no server was ever started in this folder.
        """
        if not self._is_set_up():
            raise ServerError(f"no doccano server in {self.home}; start one with orbat annotate up")
        return self._environ(self.settings, self._credentials()["secret_key"])

    # -- up and down --------------------------------------------------------------------------

    def up(
        self,
        port: int | None = None,
        on_message: OnMessage = lambda line: None,
        *,
        host: str | None = None,
        public_url: str | None = None,
        workers: int | None = None,
        model: tuple[str, str | None] | None = None,
    ) -> RunningServer:
        """Start web server and worker unless they are running, and wait until both answer.

        What is None stays as the home keeps it; a running server with other settings is restarted.

        Args:
            port: port of the web server.
            on_message: called before each step that takes a while.
            host: the IP address at which it listens.
            public_url: the address that annotators open; "" for that of the web server.
            workers: processes of the web server.
            model: address and token of the service that is asked for suggestions; an empty address
                for none.

        Raises:
            InputError: if a setting is invalid, the port is taken, or another process starts or
                stops the server.
            ServerError: if doccano cannot be installed or started.
        """
        changes: dict[str, Any] = {"port": port, "host": host}
        changes |= {"public_url": public_url, "workers": workers}
        given = {name: value for name, value in changes.items() if value is not None}
        settings = replace(self.settings, **given)
        database = choose_database(self.home, settings.database_url, has_data=self._is_set_up())
        with lock_folder(self.home):
            self.home.chmod(0o700)
            if model is not None:
                self.page.set_model(*model)
            return self._up(replace(settings, database_url=database), on_message)

    def _up(self, settings: ServerSettings, on_message: OnMessage) -> RunningServer:
        url = self.url
        state = self._fingerprint(settings)
        is_current = self._started_with() == state
        if url and is_current and self.worker_is_running() and web_answers(url):
            return RunningServer(url, started=False)
        self._install(settings, on_message)
        credentials = self._credentials()
        if url and not (is_current and web_answers(url)):
            if not is_current:
                # A port that is taken must not leave the team without a server.
                for bind in settings.new_binds(self.settings):
                    check_free(*bind)
                on_message("Restarting doccano, because its settings or its page have changed")
                stop_process(self.home, WORKER)
            stop_process(self.home, WEB)
            url = None
        for name in (WEB, WORKER):
            end_orphans(self.home, name)
        if url is None:
            for bind in settings.binds:
                check_free(*bind)
        environ = self._environ(settings, credentials["secret_key"])
        self._set_up(settings, environ, credentials["password"], on_message)
        on_message("Starting doccano")
        if url is None:
            url = f"http://{LOOPBACK}:{settings.port}"
            start_web(self.home, self.environment, settings, environ)
            write_settings(self.home, settings)
            write_json(self._state_file, {"page": state})
        if not self.worker_is_running():
            start_worker(self.home, self.environment, environ)
        self._wait_until_healthy(url)
        return RunningServer(url, started=True)

    def _install(self, settings: ServerSettings, on_message: OnMessage) -> None:
        install(self.environment, on_message)
        if settings.database_url:
            install_postgresql_driver(self.environment, on_message)

    def _set_up(
        self,
        settings: ServerSettings,
        environ: dict[str, str],
        password: str,
        on_message: OnMessage,
    ) -> None:
        """Set up the database at the first start, and check it at the later ones."""
        if settings.database_url:
            check_postgresql(self.environment, environ)
        if not self._is_set_up():
            on_message("Setting up doccano's database")
            create_database(self.environment, environ, ADMIN, password)
            # From here on, this home has its data there.
            write_settings(self.home, settings)
            (self.home / "ready").touch()
        let_readers_and_writers_work(self.home)

    def down(self) -> bool:
        """Stop worker and web server; return whether one of them was running.

        Raises:
            InputError: if another process starts or stops the server.
        """
        if not self.home.is_dir():
            return False
        with lock_folder(self.home):
            # First, so that whoever sees the processes end knows why.
            self._state_file.unlink(missing_ok=True)
            stopped = [stop_process(self.home, name) for name in (WORKER, WEB)]
        return any(stopped)

    @property
    def was_stopped(self) -> bool:
        """Whether the server was stopped by :meth:`down`, or never started."""
        return not self._state_file.exists()

    def _credentials(self) -> dict[str, str]:
        """Return the administrator's password and the secret key, created at the first start."""
        path = self.home / "secrets.json"
        if not path.is_file() and not self._is_set_up():
            created = {"password": secrets.token_urlsafe(15), "secret_key": secrets.token_hex(32)}
            write_json(path, created, private=True)
        try:
            credentials = read_json_object(path)
        except InputError:
            credentials = {}
        if all(credentials.get(key) and isinstance(credentials[key], str) for key in _SECRETS):
            return credentials
        fix = "delete it, and run orbat annotate up again"
        if self._is_set_up():
            fix = (
                'restore it from a copy, or write {"password": …, "secret_key": …} into it, with '
                "the administrator's password and 64 random letters"
            )
        raise InputError(f"{path}: has no password and secret_key; {fix}")

    def _is_set_up(self) -> bool:
        return (self.home / "ready").is_file()

    def _fingerprint(self, settings: ServerSettings) -> str:
        """Return a hash of all that the running processes depend on."""
        parts = [self.page.fingerprint(), asdict(settings), settings.environ]
        return sha256_text(json.dumps(parts))

    def _environ(self, settings: ServerSettings, secret_key: str) -> dict[str, str]:
        media = self.home / "media"
        media.mkdir(exist_ok=True)
        return {
            **clean_environ(),
            **self.page.environ,
            **settings.environ,
            **database_environ(self.home, settings.database_url),
            "DOCCANO_HOME": str(self.home),
            "CELERY_BROKER_URL": f"sqla+sqlite:///{self.home / 'broker.sqlite3'}",
            "MEDIA_ROOT": str(media),
            "SECRET_KEY": secret_key,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "STANDALONE": "True",
        }

    def _started_with(self) -> str | None:
        """Return the fingerprint with which the web server was started, if known."""
        try:
            return str(read_json_object(self._state_file)["page"])
        except (InputError, KeyError):
            return None

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
