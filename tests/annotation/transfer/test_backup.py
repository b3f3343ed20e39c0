"""Back a session up and restore it: elsewhere, beside the original, and while others work."""

from __future__ import annotations

import errno
import json
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from orbat.annotation.adjudication.question_project import ask
from orbat.annotation.adjudication.questions import Question
from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.push import push
from orbat.annotation.transfer.backup import back_up
from orbat.annotation.transfer.doccano_database import read_tables
from orbat.annotation.transfer.references import Reference
from orbat.annotation.transfer.restore import restore
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from tests.annotation.postgresql import run_postgresql
from tests.annotation.transfer.conftest import content, run_doccano
from tests.conftest import Orbat, Running

pytestmark = [pytest.mark.doccano, pytest.mark.slow]

MakeSession = Callable[..., Path]


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the mode of every file, except those about the server."""
    named = {".lock", "session.json", "question-project.json", "accounts.json"}
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in named
    }


def password_hashes(running: Running) -> dict[str, str]:
    with closing(sqlite3.connect(running.server.home / "db.sqlite3")) as database:
        return dict(database.execute("select username, password from auth_user"))


def test_a_restored_session_is_equal_record_by_record(
    orbat: Orbat, doccano: Running, other: Running, make_session: MakeSession, tmp_path: Path
) -> None:
    folder, file, restored = make_session("bak-ann", "bak-ben"), tmp_path / "b.zip", tmp_path / "r"
    question = Question("q1", "d1", "2 Wing or Wing?", ((Span(0, 6, "UNIT"),),))
    with doccano.connect() as admin:
        ask(admin, folder / "round", "bak-judge", [question], load_labels())
        ben = admin.find_user("bak-ben")
        assert ben is not None
        admin.remove_member(open_session(folder).projects["bak-ben"], ben.id)
        before = content(admin, folder)
    done = orbat("annotate", "backup", folder, file, env=doccano.env)
    assert done.code == 0, done.err
    assert "21 documents" in done.out
    assert file.stat().st_mode & 0o777 == 0o600
    done = orbat("annotate", "restore", file, restored, env=other.env)
    assert done.code == 0, done.err
    assert files_of(restored) == files_of(folder)
    old, new = open_session(folder), open_session(restored)
    assert new == replace(old, folder=restored, url=other.url, projects=new.projects)
    with other.connect() as admin:
        assert content(admin, restored) == before
    hashes = password_hashes(other)
    assert {name: password_hashes(doccano)[name] for name in hashes} | {
        "admin": hashes["admin"]
    } == hashes
    assert {"bak-ann", "bak-ben", "bak-judge"} < set(hashes)
    # The history knows users and times: nothing has changed.
    pulled = orbat("annotate", "pull", "--session", restored, "--json", env=other.env)
    assert [set(one["changes"].values()) for one in pulled.json()] == [{0}, {0}]
    password = old.password("bak-ann")
    assert password is not None
    with zipfile.ZipFile(file) as archive:
        assert not any(password.encode() in archive.read(name) for name in archive.namelist())
    assert new.password("bak-ann") is None
    with DoccanoClient(other.url, "bak-ann", password) as annotator, other.connect() as admin:
        assert not annotator.user.is_superuser
        # The work goes on, also where ids of the old server are ids of other projects here.
        documents = [*old.documents(), Document("new", "Gen. Roe of 12 Wing")]
        push(admin, restored, documents, ["bak-ann", "bak-ben"], load_labels())
        assert annotator.count_examples(new.projects["bak-ann"]) == len(documents)


def test_a_session_goes_to_postgresql_and_back(
    orbat: Orbat, doccano: Running, other: Running, make_session: MakeSession, tmp_path: Path
) -> None:
    folder, there, back = make_session("bak-pat"), tmp_path / "there", tmp_path / "back"
    with doccano.connect() as admin:
        before = content(admin, folder)
    back_up(doccano.server, folder, tmp_path / "there.zip")
    with (
        run_postgresql() as database,
        run_doccano(orbat, tmp_path / "home", DATABASE_URL=database) as postgresql,
    ):
        restore(postgresql.server, tmp_path / "there.zip", there)
        with postgresql.connect() as admin:
            assert content(admin, there) == before
        back_up(postgresql.server, there, tmp_path / "back.zip")
    restore(other.server, tmp_path / "back.zip", back)
    with other.connect() as admin:
        assert content(admin, back) == before


def test_a_backup_is_one_moment_and_keeps_nobody_from_working(
    doccano: Running, tmp_path: Path
) -> None:
    # The text is longer than what the reading program can write ahead.
    long = Document("long", "Gen. Roe of 2 Wing. " * 20_000)
    with doccano.connect() as admin:
        session = push(admin, tmp_path, [long], ["bak-mo"], load_labels()).session
        project = session.projects["bak-mo"]
        with read_tables(doccano.server, [project], []) as lines:
            counts = json.loads(next(lines))[1]
            (example,) = admin.examples(project)
            unit = next(t.id for t in admin.span_types(project) if t.text == "UNIT")
            admin.create_span(project, example.id, 12, 18, unit)
            admin.create_comment(project, example.id, "later")
            admin.confirm(project, example.id)
            tables = [json.loads(line)[0] for line in lines]
    assert counts["labels.Span"] == counts["examples.Comment"] == 0
    assert counts["examples.ExampleState"] == 0
    assert tables.count("examples.Example") == counts["examples.Example"] == 1
    assert len(tables) == sum(counts.values()) + 1
    assert "labels.Span" not in tables


def test_accounts_of_other_people_are_refused(
    doccano: Running,
    make_session: MakeSession,
    refused: Callable[..., str],
    orbat: Orbat,
    tmp_path: Path,
) -> None:
    folder, file = make_session("bak-cy", "bak-di"), tmp_path / "b.zip"
    session = open_session(folder)
    back_up(doccano.server, folder, file)
    # Beside the original, the accounts are the same.
    restore(doccano.server, file, tmp_path / "beside")
    beside = open_session(tmp_path / "beside")
    assert not set(beside.projects.values()) & set(session.projects.values())
    password = session.password("bak-cy")
    assert password is not None
    with DoccanoClient(doccano.url, "bak-cy", password) as annotator, doccano.connect() as admin:
        assert content(admin, folder) == content(admin, tmp_path / "beside")
        body = {"new_password1": "quite another 1", "new_password2": "quite another 1"}
        annotator.transport.post("auth/password/change/", body)
        before = admin.transport.get("projects", limit=1)["count"]
        again = ("annotate", "restore", file, tmp_path / "again")
        line = refused(*again, env=doccano.env)
        assert "other accounts named bak-cy;" in line
        assert "--same-people" in line
        assert not (tmp_path / "again").exists()
        assert admin.transport.get("projects", limit=1)["count"] == before
        done = orbat(*again, "--same-people", "bak-cy", env=doccano.env)
        assert done.code == 0, done.err
        assert admin.accepts_password("bak-cy", "quite another 1")
        assert content(admin, folder) == content(admin, tmp_path / "again")
    line = refused(*again, "--same-people", "bak-cy", env=doccano.env)
    assert "exists already" in line


KILLED_RESTORE = """
import os, sys
from pathlib import Path
from orbat.annotation.doccano.server import DoccanoServer
from orbat.annotation.transfer.references import Reference
from orbat.annotation.transfer.restore import restore

Reference.rewrite = lambda *arguments: os.kill(os.getpid(), 9)
restore(DoccanoServer(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
"""


def test_a_restore_that_ends_before_its_folder_leaves_no_projects(
    doccano: Running, make_session: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file, restored = make_session("bak-kit"), tmp_path / "b.zip", tmp_path / "r"
    back_up(doccano.server, folder, file)

    def fill_disk(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with doccano.connect() as admin:
        before = admin.transport.get("projects", limit=1)["count"]
        with monkeypatch.context() as patch, pytest.raises(InputError, match="No space left"):
            patch.setattr(Reference, "rewrite", fill_disk)
            restore(doccano.server, file, restored)
        paths = map(str, (doccano.server.home, file, restored))
        done = subprocess.run([sys.executable, "-c", KILLED_RESTORE, *paths])
        assert done.returncode == -signal.SIGKILL
        # The program of the database notices that orbat has gone.
        psutil.wait_procs(find_programs(doccano.server.home), timeout=60)
        assert find_programs(doccano.server.home) == []
        assert admin.transport.get("projects", limit=1)["count"] == before
        assert not restored.exists()
        restore(doccano.server, file, restored)
        assert admin.transport.get("projects", limit=1)["count"] == before + 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".r.")] == []


def find_programs(home: Path) -> list[psutil.Process]:
    """Return the programs that read or write the database of a home."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_program = any("doccano_tables.py" in part for part in process.cmdline())
            if is_program and process.environ().get("DOCCANO_HOME") == str(home):
                found.append(process)
    return found


def test_a_backup_makes_nobody_an_administrator(
    doccano: Running, other: Running, tmp_path: Path
) -> None:
    with doccano.connect() as admin:
        folder = tmp_path / "s"
        push(admin, folder, [Document("a", "2 Wing")], ["bak-boss"], load_labels())
    with closing(sqlite3.connect(doccano.server.home / "db.sqlite3")) as database, database:
        database.execute(
            "update auth_user set is_superuser = 1, is_staff = 1 where username = 'bak-boss'"
        )
    back_up(doccano.server, folder, tmp_path / "b.zip")
    restore(other.server, tmp_path / "b.zip", tmp_path / "r")
    with other.connect() as admin:
        boss = admin.find_user("bak-boss")
    assert boss is not None
    assert not boss.is_superuser


def test_a_session_of_another_server_is_not_backed_up(
    doccano: Running,
    other: Running,
    make_session: MakeSession,
    refused: Callable[..., str],
    tmp_path: Path,
) -> None:
    folder, file = make_session("bak-eve"), tmp_path / "b.zip"
    line = refused("annotate", "backup", folder, file, env=other.env)
    assert "--home" in line
    assert not file.exists()
    back_up(doccano.server, folder, file)
    restored = tmp_path / "restored"
    restore(other.server, file, restored)
    # A project with that number exists, but it is another session's.
    open_session(folder)
    projects = open_session(restored).projects
    replace(open_session(folder), projects=projects).save()
    path = folder / "pushed" / "bak-eve.jsonl"
    path.write_text(path.read_text().replace('"d', '"e'))
    with pytest.raises(InputError, match="those of another session"):
        back_up(other.server, folder, file)
    with pytest.raises(InputError, match="neither a labeling session nor an adjudication round"):
        back_up(other.server, tmp_path / "nothing", file)
    with pytest.raises(InputError, match="lies in"):
        back_up(doccano.server, restored, restored / "b.zip")
