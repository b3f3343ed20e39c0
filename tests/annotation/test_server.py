"""The local doccano server: installation, start, state and stop."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from orbat.annotation.doccano import installation
from orbat.annotation.doccano.installation import find_python, install
from orbat.annotation.doccano.server import DoccanoServer
from orbat.errors import ServerError
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
    server = DoccanoServer(tmp_path)
    assert server.url is None
    assert not server.down()
    with pytest.raises(ServerError, match="start one with orbat annotate up"):
        _ = server.password


def test_a_reused_process_number_is_not_the_server(tmp_path: Path) -> None:
    import json
    import os

    state = {"url": "http://127.0.0.1:1", "web": {"pid": os.getpid(), "created": 1.0}}
    (tmp_path / "server.json").write_text(json.dumps(state))
    server = DoccanoServer(tmp_path)
    assert server.url is None
    assert not server.down()


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
def test_up_finds_a_running_server(orbat: Orbat, doccano: Running) -> None:
    outcome = orbat("annotate", "up", env=doccano.env)
    assert outcome.code == 0
    assert f"already running at {doccano.url}" in outcome.out


@pytest.mark.doccano
@pytest.mark.slow
def test_secrets_are_readable_by_the_owner_only(doccano: Running) -> None:
    assert (doccano.server.home / "secrets.json").stat().st_mode & 0o077 == 0
