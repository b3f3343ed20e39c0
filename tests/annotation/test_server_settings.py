"""Where the local doccano listens, what links show, and what it demands of the database."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orbat.annotation.commands.options import connect
from orbat.annotation.doccano import server as server_module
from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.database import choose_database, database_environ, show_database
from orbat.annotation.doccano.server import DoccanoServer
from orbat.annotation.doccano.server_settings import ServerSettings, read_settings, write_settings
from orbat.annotation.session.folder import Session, open_session
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ServerError
from tests.annotation.memory_doccano import MemoryDoccano


def test_orbat_reaches_every_server_at_127_0_0_1() -> None:
    assert ServerSettings().binds == [("127.0.0.1", 8000)]
    assert ServerSettings(host="192.0.2.7", port=80).binds == [("127.0.0.1", 80), ("192.0.2.7", 80)]
    everywhere = ServerSettings(host="0.0.0.0", public_url="http://labels")
    assert everywhere.binds == [("0.0.0.0", 8000)]


@pytest.mark.parametrize(
    ("settings", "address", "name"),
    [
        (ServerSettings(port=8123), "http://127.0.0.1:8123", "127.0.0.1"),
        (ServerSettings(host="192.0.2.7"), "http://192.0.2.7:8000", "192.0.2.7"),
        (ServerSettings(host="2001:db8::1"), "http://[2001:db8::1]:8000", "[2001:db8::1]"),
        (ServerSettings(public_url="HTTPS://Labels.Example:443/"), "https://labels.example", None),
        (ServerSettings(public_url="http://labels.example:81"), "http://labels.example:81", None),
    ],
)
def test_doccano_answers_to_the_name_that_annotators_use(
    settings: ServerSettings, address: str, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORBAT_DOCCANO_HOSTS", raising=False)
    assert settings.address == address
    assert settings.environ["ORBAT_DOCCANO_HOSTS"] == (name or "labels.example")
    monkeypatch.setenv("ORBAT_DOCCANO_HOSTS", "other.example")
    assert settings.environ["ORBAT_DOCCANO_HOSTS"] == f"{name or 'labels.example'},other.example"


def test_texts_without_encryption_are_warned_of() -> None:
    assert not ServerSettings().warnings
    assert not ServerSettings(public_url="https://labels.example").warnings
    for settings in (
        ServerSettings(host="192.0.2.7"),
        ServerSettings(public_url="http://labels.example"),
    ):
        (warning,) = settings.warnings
        assert f"go to {settings.address} without encryption" in warning
    (warning,) = ServerSettings(host="0.0.0.0", public_url="https://labels.example").warnings
    assert "port 8000 of 0.0.0.0 is open without encryption" in warning


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--host", "labels"), "--host labels: not an IP address"),
        (("--host", "0.0.0.0"), "name the address that annotators open with --public-url"),
        (("--public-url", "https://a.example/doccano"), "doccano needs an address without a path"),
        (("--public-url", "labels.example"), "--public-url labels.example: not an http or https"),
        (("--workers", "0"), "--workers 0: choose 1 to 64"),
        (("--port", "70000"), "port 70000: choose one from 1 to 65535"),
    ],
)
def test_a_wrong_setting_is_one_line_and_makes_no_home(
    refused: Callable[..., str], tmp_path: Path, options: tuple[str, str], message: str
) -> None:
    home = tmp_path / "home"
    line = refused("annotate", "up", *options, env={"ORBAT_DOCCANO_HOME": str(home)})
    assert message in line
    assert not home.exists()


def test_settings_are_kept_where_only_the_owner_reads_them(tmp_path: Path) -> None:
    assert read_settings(tmp_path) is None
    settings = ServerSettings(port=8123, database_url="postgresql://me:secret@db/doccano")
    write_settings(tmp_path, settings)
    assert read_settings(tmp_path) == settings
    assert (tmp_path / "settings.json").stat().st_mode & 0o077 == 0
    (tmp_path / "settings.json").write_text(json.dumps({"prot": 1}))
    with pytest.raises(InputError, match=r"settings.json: .*prot.*; correct the file"):
        read_settings(tmp_path)


def make_session(folder: Path, url: str) -> Session:
    session = Session(folder, url, load_labels(), {"ann": 3}, {})
    session.save()
    return session


def test_links_show_the_public_address(tmp_path: Path) -> None:
    """A session is found at its server's own address and at the public one."""
    doccano, public = MemoryDoccano(), "https://labels.example"
    doccano.public_url = public
    for url in (doccano.url, public):
        make_session(tmp_path, url)
        session = open_session(tmp_path, doccano.client)
        assert session.url == url
        assert session.link("ann", has_page=True) == f"{public}/orbat/annotate/3"
        session.save()
        assert public not in (tmp_path / "session.json").read_text() or url == public
    make_session(tmp_path, "https://another.example")
    move = re.escape(f"orbat annotate move {tmp_path} --url {doccano.url}")
    with pytest.raises(InputError, match=rf"is on https://another\.example; .*{move}$"):
        open_session(tmp_path, doccano.client)


def test_a_taken_port_does_not_stop_the_running_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(tmp_path, ServerSettings(port=8123))
    stopped: list[object] = []
    monkeypatch.setattr(DoccanoServer, "url", "http://127.0.0.1:8123")
    monkeypatch.setattr(server_module, "install", lambda *arguments: None)
    monkeypatch.setattr(server_module, "stop_process", lambda *arguments: stopped.append(arguments))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is taken"):
            DoccanoServer(tmp_path).up(port)
    with pytest.raises(InputError, match=r"cannot listen at 192\.0\.2\.7"):
        DoccanoServer(tmp_path).up(host="192.0.2.7")
    assert stopped == []
    assert read_settings(tmp_path) == ServerSettings(port=8123)


def test_addresses_of_the_running_server_itself_are_not_taken() -> None:
    local = ServerSettings(port=8123)
    everywhere = replace(local, host="0.0.0.0", public_url="http://labels")
    assert (
        local.new_binds(local) == everywhere.new_binds(local) == local.new_binds(everywhere) == []
    )
    assert replace(local, host="192.0.2.7").new_binds(local) == [("192.0.2.7", 8123)]
    assert replace(everywhere, port=8124).new_binds(everywhere) == [("0.0.0.0", 8124)]


def test_a_session_finds_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, folder = tmp_path / "home", tmp_path / "june"
    folder.mkdir()
    home.mkdir()
    monkeypatch.delenv("ORBAT_DOCCANO_PASSWORD", raising=False)
    monkeypatch.setattr(DoccanoServer, "url", "http://127.0.0.1:8123")
    monkeypatch.setattr(DoccanoServer, "connect", lambda *arguments: "local")
    write_settings(home, ServerSettings(port=8123, public_url="https://labels.example"))

    def find(url: str) -> object:
        make_session(folder, url)
        return connect(home, None, "admin", False, folder)

    assert connect(home, None, "admin", False, tmp_path / "new") == "local"
    for url in ("http://127.0.0.1:8123", "https://labels.example", "http://localhost:9"):
        assert find(url) == "local"
    with pytest.raises(InputError, match=r"another\.example: no password"):
        find("https://another.example")
    asked: list[str] = []
    monkeypatch.setenv("ORBAT_DOCCANO_PASSWORD", "secret")
    monkeypatch.setattr(DoccanoClient, "__init__", lambda self, url, *_: asked.append(url))
    find("https://another.example")
    assert asked == ["https://another.example"]


def test_a_database_that_is_not_postgresql_is_refused(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for url in ("mysql://me:secret@db/doccano", "sqlite:////tmp/other.sqlite3"):
        env = {"ORBAT_DOCCANO_HOME": str(home), "DATABASE_URL": url}
        line = refused("annotate", "up", env=env)
        assert "only postgresql://USER:PASSWORD@HOST/NAME is supported" in line
        assert "secret" not in line
        assert not home.exists()


def test_a_home_stays_with_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = "postgresql://me:old@db.example/doccano"
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert choose_database(tmp_path, kept, has_data=True) == kept
    assert choose_database(tmp_path, "", has_data=True) == ""
    new = "postgres://me:new@db.example:5432/doccano?sslmode=require"
    monkeypatch.setenv("DATABASE_URL", new)
    assert choose_database(tmp_path, kept, has_data=True) == new
    assert choose_database(tmp_path, "", has_data=False) == new
    with pytest.raises(InputError, match="are in SQLite; unset the variable") as caught:
        choose_database(tmp_path, "", has_data=True)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:new@db.example/other")
    with pytest.raises(InputError, match=r"are in postgresql://db\.example/doccano; unset"):
        choose_database(tmp_path, kept, has_data=True)
    assert "new" not in show_database(new) + str(caught.value)


def test_tls_is_demanded_of_databases_elsewhere_only(tmp_path: Path) -> None:
    here, there = "postgresql://me@127.0.0.1:5433/doccano", "postgresql://me@db.example/doccano"
    assert database_environ(tmp_path, here)["DATABASE_URL"] == f"{here}?sslmode=prefer"
    assert database_environ(tmp_path, there)["DATABASE_URL"] == there
    chosen = f"{here}?sslmode=disable"
    assert database_environ(tmp_path, chosen)["DATABASE_URL"] == chosen


def test_settings_of_a_start_that_failed_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(tmp_path, ServerSettings(port=8123))

    def fail(*arguments: object) -> None:
        raise ServerError("no network")

    monkeypatch.setattr(server_module, "install", fail)
    with pytest.raises(ServerError, match="no network"):
        DoccanoServer(tmp_path).up(host="192.0.2.7")
    assert read_settings(tmp_path) == replace(ServerSettings(), port=8123)


def test_a_refused_start_keeps_nothing_of_it(tmp_path: Path) -> None:
    server = DoccanoServer(tmp_path)
    for wrong in ({"port": 99999}, {"workers": 0}, {"public_url": "labels"}):
        with pytest.raises(InputError):
            server.up(**wrong, model=("http://127.0.0.1:8200", None))  # type: ignore[arg-type]
    assert server.page.model_url is None
    assert list(tmp_path.iterdir()) == []


def test_a_closed_standard_input_has_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="--password-stdin: the standard input has no password"):
        connect(tmp_path, None, "admin", True)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"password": "", "secret_key": "x"}'])
def test_damaged_secrets_are_named_with_the_way_to_go_on(
    tmp_path: Path, content: str | None
) -> None:
    (tmp_path / "ready").touch()
    secrets = tmp_path / "secrets.json"
    if content is not None:
        secrets.write_text(content)
    with pytest.raises(InputError) as caught:
        DoccanoServer(tmp_path).environ()
    assert str(caught.value).startswith(
        f"{secrets}: has no password and secret_key; restore it from a copy, or write "
    )
    secrets.write_text('{"password": "p", "secret_key": "k"}')
    assert DoccanoServer(tmp_path).environ()["SECRET_KEY"] == "k"
