"""The local doccano server's edges that need no server."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.annotation.doccano import installation
from orbat.annotation.doccano.installation import find_python
from orbat.annotation.doccano.server import DoccanoServer
from orbat.errors import ServerError


def test_a_python_that_doccano_cannot_run_on_is_told_what_to_do(
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


def test_another_python_of_the_right_version_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python3.99"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(installation, "PYTHON", (3, 99))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_python() == str(program)


def test_the_right_python_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "PYTHON", sys.version_info[:2])
    assert find_python() == sys.executable


def test_nothing_runs_where_nothing_was_started(tmp_path: Path) -> None:
    server = DoccanoServer(tmp_path)
    assert server.url is None
    assert not server.down()
    with pytest.raises(ServerError, match="start one with orbat annotate up"):
        _ = server.password


def test_a_recycled_process_number_is_not_ours(tmp_path: Path) -> None:
    import json
    import os

    state = {"url": "http://127.0.0.1:1", "web": {"pid": os.getpid(), "created": 1.0}}
    (tmp_path / "server.json").write_text(json.dumps(state))
    server = DoccanoServer(tmp_path)
    assert server.url is None
    assert not server.down()


@pytest.mark.slow
def test_a_taken_port_is_named(refused: Callable[..., str], tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused(
            *("annotate", "up", "--port", port), env={"ORBAT_DOCCANO_HOME": str(tmp_path)}
        )
    assert f"port {port} is taken" in line
