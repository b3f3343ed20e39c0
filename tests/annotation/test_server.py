"""The local doccano server: installation, start, state and stop."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import httpx
import psutil
import pytest

from orbat.annotation.doccano import installation, server
from orbat.annotation.doccano.database import create_database
from orbat.annotation.doccano.foreground import wait_until_stopped
from orbat.annotation.doccano.installation import find_backend, find_python, install
from orbat.annotation.doccano.server import DoccanoServer
from orbat.annotation.page.home_settings import APPLICATION, FOLDER, SETTINGS
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.push import push
from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ServerError
from tests.conftest import Orbat, Running


def test_an_unsupported_python_is_reported_with_the_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installation, "PYTHON", (3, 99))
    with pytest.raises(ServerError) as caught:
        find_python()
    message = str(caught.value)
    assert "install python3.99" in message
    assert "container" in message
    assert "--url" in message
    assert "\n" not in message


def test_another_python_of_the_right_version_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python3.99"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(installation, "PYTHON", (3, 99))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_python() == str(program)


def test_the_current_python_is_used_if_it_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "PYTHON", sys.version_info[:2])
    assert find_python() == sys.executable


def test_concurrent_calls_install_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment, commands = tmp_path / "doccano", []
    both_install = Barrier(2)

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        environment.mkdir(exist_ok=True)
        with suppress(BrokenBarrierError):  # never reached by both: the other call waits
            both_install.wait(0.2)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(install, environment, lambda line: None)
    assert len(commands) == 2
    assert commands[0][-1] == str(environment)


def test_a_new_folder_has_no_running_server(tmp_path: Path) -> None:
    new = DoccanoServer(tmp_path)
    assert new.url is None
    assert not new.down()
    with pytest.raises(ServerError, match="start one with orbat annotate up"):
        _ = new.password


def test_a_server_is_recognized_by_its_command_and_folder(tmp_path: Path) -> None:
    """No note of it is needed, which orbat could be killed before it writes."""
    home, other = tmp_path / "home", tmp_path / "other"
    arguments = ("--bind", "127.0.0.1:9", APPLICATION)
    code = (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'input()', *sys.argv[1:]])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "DOCCANO_HOME": str(home / ".." / "home")},
        stdin=subprocess.PIPE,
        start_new_session=True,
    ) as started:
        while len(psutil.Process(started.pid).children()) < 1:
            assert started.poll() is None
        process = DoccanoServer(home).process("web")
        assert process is not None
        assert process.pid == started.pid  # and not its child
        assert DoccanoServer(home).url == "http://127.0.0.1:9"
        assert DoccanoServer(home).process("worker") is None
        assert DoccanoServer(other).url is None
        started.communicate(b"\n")
    assert DoccanoServer(home).url is None


@pytest.mark.slow
def test_a_taken_port_is_reported(refused: Callable[..., str], tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused(
            *("annotate", "up", "--port", port), env={"ORBAT_DOCCANO_HOME": str(tmp_path)}
        )
    assert f"port {port} is taken" in line


@pytest.mark.doccano
@pytest.mark.slow
def test_the_environment_has_the_listed_packages(doccano: Running) -> None:
    environment = doccano.server.environment
    found = {
        f"{name}=={version}"
        for path in environment.glob("lib/python*/site-packages/*.dist-info")
        for name, _, version in [path.name.removesuffix(".dist-info").rpartition("-")]
    }
    listed = installation.CONSTRAINTS.read_text().split()

    def plain(line: str) -> str:
        return re.sub(r"[-_.]+", "-", line).lower()

    others = {plain(line) for line in found} - {plain(line) for line in listed}
    assert {plain(line) for line in listed} <= {plain(line) for line in found}
    assert all(line.startswith(("pip==", "psycopg2-binary==")) for line in others), others


@pytest.mark.doccano
@pytest.mark.slow
def test_up_finds_a_running_server(orbat: Orbat, doccano: Running) -> None:
    outcome = orbat("annotate", "up", env=doccano.env)
    assert outcome.code == 0
    assert f"already running at {doccano.url}" in outcome.out


@pytest.mark.doccano
@pytest.mark.slow
def test_up_works_after_kill_9_and_in_the_foreground(
    orbat: Orbat, doccano: Running, tmp_path: Path
) -> None:
    """The children of a killed main process keep its port for a while."""

    def kill(*names: str) -> None:
        processes = list(filter(None, map(doccano.server.process, names)))
        assert len(processes) == len(names)
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=30)

    @contextmanager
    def foreground(state: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "orbat", "annotate", "up", "--foreground"]
        with subprocess.Popen(
            command,
            env={**os.environ, **doccano.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            assert any(f"doccano {state} at {doccano.url}" in line for line in lines)
            assert any("SIGTERM stops doccano" in line for line in lines)
            yield process

    kill("web", "worker")
    with foreground("started") as process:
        kill("worker")
        assert "doccano's web server or worker has ended" in process.communicate()[1]
        assert process.returncode == 2
    assert doccano.server.url is None
    assert orbat("annotate", "up", env=doccano.env).code == 0
    with foreground("already running") as process:
        process.terminate()
        assert process.communicate()[0] == "doccano stopped\n"
        assert process.returncode == 0
    assert doccano.server.url is None
    outcome = orbat("annotate", "up", env=doccano.env)
    assert f"doccano started at {doccano.url}" in outcome.out
    with doccano.connect() as connection:
        push(connection, tmp_path, [Document("x", "Gen. Smith")], ["risen"], load_labels())


@pytest.mark.parametrize("by_down", [True, False])
def test_the_foreground_fails_only_if_a_process_ends_by_itself(
    by_down: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise systemd would start again what somebody has stopped."""
    code = [sys.executable, "-c", "input()"]
    children = {name: subprocess.Popen(code, stdin=subprocess.PIPE) for name in ("web", "worker")}
    home = DoccanoServer(tmp_path)
    (tmp_path / "server.json").write_text("{}")
    processes = {name: psutil.Process(child.pid) for name, child in children.items()}
    monkeypatch.setattr(home, "process", processes.get)

    def end() -> None:
        if by_down:
            home.down()
            children["web"].kill()
        children["worker"].kill()

    try:
        if by_down:
            wait_until_stopped(home, end)
            assert not any(process.is_running() for process in processes.values())
        else:
            with pytest.raises(ServerError, match="web server or worker has ended"):
                wait_until_stopped(home, end)
    finally:
        for child in children.values():
            child.kill()
            child.communicate()


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_administrators_password_is_in_no_command(tmp_path: Path) -> None:
    environment, said = tmp_path / "environment", tmp_path / "said"
    (environment / "lib" / "python3.11" / "site-packages" / "backend").mkdir(parents=True)
    program(environment / "bin" / "doccano", f'echo "doccano $@" >> {said}')
    program(environment / "bin" / "python", f'echo "$@ <$(cat)> $(umask)" >> {said}')
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": "page", "DOCCANO_HOME": str(tmp_path)}
    create_database(environment, environ, "admin", "-secret")
    first, *_, last = said.read_text().splitlines()
    assert first == "doccano init"
    assert last.endswith(" admin admin@localhost.localdomain <-secret> 0077")
    assert said.read_text().count("-secret") == 1
    program(environment / "bin" / "python", "echo no table >&2; exit 1")
    with pytest.raises(ServerError, match=f"cannot be set up in {tmp_path}: no table"):
        create_database(environment, environ, "admin", "-secret")


def test_the_home_is_closed_and_one_process_starts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)

    def install_nothing(environment: Path, on_message: object) -> None:
        assert home.stat().st_mode & 0o777 == 0o700
        with ThreadPoolExecutor(1) as pool:
            for call in (DoccanoServer(home).up, DoccanoServer(home).down):
                with pytest.raises(InputError, match="another orbat command works in this folder"):
                    pool.submit(call).result()
        raise ServerError("far enough")

    monkeypatch.setattr(server, "install", install_nothing)
    with pytest.raises(ServerError, match="far enough"):
        DoccanoServer(home).up(1)
    assert not DoccanoServer(home).down()


def test_settings_keep_uploads_at_home(tmp_path: Path) -> None:
    (tmp_path / "config" / "settings").mkdir(parents=True)
    production = tmp_path / "config" / "settings" / "production.py"
    production.write_text(
        'SITE_ID = 1\nALLOWED_HOSTS = ["*"]\nAUTHENTICATION_BACKENDS = MIDDLEWARE = []\n'
        'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}\n'
    )
    (tmp_path / "celery").mkdir()
    (tmp_path / "celery" / "signals.py").write_text(
        "class task_postrun:\n    connect = staticmethod(lambda function: function)\n"
    )
    code = (
        f"from {SETTINGS} import *\n"
        "print(SITE_ID, DJANGO_DRF_FILEPOND_UPLOAD_TMP, FILE_UPLOAD_PERMISSIONS, *ALLOWED_HOSTS)\n"
        "print(SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE, *CSRF_TRUSTED_ORIGINS, "
        "SECURE_PROXY_SSL_HEADER, HAS_PUBLIC_ADDRESS)"
    )
    environ = {
        "PYTHONPATH": f"{FOLDER}:{tmp_path}",
        "DOCCANO_HOME": "/home/x",
        "ORBAT_DOCCANO_HOSTS": "labels.example,other.example",
    }

    def show(**more: str) -> list[str]:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, env={**environ, **more}, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    hosts = ["127.0.0.1", "localhost", "[::1]", "labels.example", "other.example"]
    first, second = show()
    assert first.split() == ["1", "/home/x/uploads", str(0o600), *hosts]
    assert second == "False False None False"
    secure, plain = "https://labels.example", "http://labels.example"
    forwarded = "('HTTP_X_FORWARDED_PROTO', 'https')"
    assert show(ORBAT_DOCCANO_ORIGIN=secure)[1] == f"True True {secure} {forwarded} True"
    assert show(ORBAT_DOCCANO_ORIGIN=plain)[1] == f"False False {plain} None True"


@pytest.mark.doccano
@pytest.mark.slow
def test_uploads_and_old_exports_go_away(doccano: Running, tmp_path: Path) -> None:
    media = doccano.server.home / "media"
    old, other = media / f"{uuid.uuid4()}.zip", media / "picture.zip"
    for path in (old, other):
        path.touch()
        os.utime(path, (0, 0))
    uploads = doccano.server.home / "uploads"
    with doccano.connect() as connection:
        # An import that no worker has finished.
        file = {"filepond": ("documents.jsonl", b"{}\n", "application/jsonl")}
        connection.transport.send("POST", "fp/process/", repeat=False, files=file)
        with sqlite3.connect(doccano.server.home / "db.sqlite3", timeout=60) as database:
            table = "django_drf_filepond_temporaryupload"
            database.execute(f"UPDATE {table} SET uploaded = '2020-01-01 00:00:00'")
        assert any(path.is_file() for path in uploads.rglob("*"))
        push(connection, tmp_path, [Document("x", "Gen. Smith")], ["guest"], load_labels())
        project = open_session(tmp_path).projects["guest"]
        assert len(connection.export(project)) == 1
    exported = [path for path in media.glob("*-*.zip") if path != old]
    deadline = time.monotonic() + 60
    # The worker answers before it deletes.
    while old.exists() or any(path.is_file() for path in uploads.rglob("*")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert exported
    assert other.exists()
    assert {path for path in media.rglob("*") if path.is_file()} == {*exported, other}
    other.unlink()


@pytest.mark.doccano
@pytest.mark.slow
def test_nobody_else_can_read_what_doccano_has(doccano: Running, tmp_path: Path) -> None:
    home = doccano.server.home
    with doccano.connect() as connection:
        push(connection, tmp_path, [Document("x", "Gen. Smith")], ["secret"], load_labels())
    assert home.stat().st_mode & 0o777 == 0o700
    names = {path.name for path in home.iterdir()}
    assert {"db.sqlite3", "broker.sqlite3", "uploads", "secrets.json"} <= names
    private = [home / name for name in names if ".sqlite3" in name]
    private += [
        home / "secrets.json",
        home / "settings.json",
        home / "uploads",
        *(home / "media").rglob("*"),
    ]
    assert [path for path in private if path.stat().st_mode & 0o077] == []
    uploads = find_backend(doccano.server.environment) / "filepond-temp-uploads"
    assert not uploads.exists() or not uploads.stat().st_mode & 0o077
    for name in ("web", "worker"):
        process = doccano.server.process(name)
        assert process is not None
        for one in (process, *process.children(recursive=True)):
            assert doccano.server.password not in " ".join(one.cmdline())
    answer = httpx.get(f"{doccano.url}/v1/me", headers={"Host": "evil.example"})
    assert answer.status_code == 400
