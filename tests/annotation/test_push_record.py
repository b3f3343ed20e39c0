"""What a push writes down: nothing that the server does not have, whenever it is interrupted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orbat.annotation.session.accounts import accounts_folder
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from orbat.corpus.output.locks import lock_folder
from orbat.errors import InputError, ServerError
from tests.annotation.memory_doccano import MemoryDoccano

DOCUMENTS = [Document(f"d{n}", f"Gen. Number {n}", (Span(0, 4, "RANK"),)) for n in range(6)]


def push_to(server: MemoryDoccano, folder: Path, *annotators: str) -> None:
    push(server.client, folder, DOCUMENTS, annotators, load_labels(), overlap=0, guidelines="Read")


def names(server: MemoryDoccano) -> list[str]:
    return [project.name for project in server.stored.values()]


def test_sessions_of_one_name_do_not_share_a_project_that_is_still_empty(tmp_path: Path) -> None:
    server = MemoryDoccano()
    # Another session has created its project, and nothing is in it yet.
    push(server.client, tmp_path / "1" / "june", DOCUMENTS, ["ann"], load_labels())
    ((number, rows),) = server.rows.items()
    rows.clear()
    push(server.client, tmp_path / "2" / "june", DOCUMENTS, ["ann"], load_labels())
    assert open_session(tmp_path / "2" / "june").projects["ann"] != number
    assert [len(rows) for rows in server.rows.values()] == [0, len(DOCUMENTS)]


def test_a_refused_name_keeps_no_documents(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    with pytest.raises(ServerError, match=r"annotator 'ann lee': .* invalid username"):
        push_to(server, folder, "ben", "ann lee")
    assert not (folder / "session.json").exists()
    push_to(server, folder, "ben", "ann")
    session = open_session(folder)
    assert list(session.projects) == ["ben", "ann"]
    assert {name: len(session.pushed(name)) for name in session.projects} == {"ben": 3, "ann": 3}
    assert sorted(len(rows) for rows in server.rows.values()) == [3, 3]
    accounts = accounts_folder(server.url)
    assert json.loads((accounts / "accounts.json").read_text()) == server.passwords


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after it"])
def test_a_push_that_is_interrupted_at_any_call_is_completed_by_the_next(
    after: bool, tmp_path: Path
) -> None:
    whole = MemoryDoccano()
    push_to(whole, tmp_path / "0" / "june", "ann", "ben")
    assert whole.calls > 20
    for call in range(1, whole.calls + 1):
        server, folder = MemoryDoccano(), tmp_path / str(call) / "june"
        server.interrupt_at, server.after = call, after
        with pytest.raises(KeyboardInterrupt):
            push_to(server, folder, "ann", "ben")
        if (folder / "session.json").exists():
            recorded = open_session(folder)
            assert set(recorded.projects.values()) == set(server.stored)
            assert set(recorded.projects) == set(server.passwords)
            for name, project in recorded.projects.items():
                pushed = {document.id for document in recorded.pushed(name)}
                assert pushed <= {row.name for row in server.rows[project]}
        push_to(server, folder, "ann", "ben")
        assert (names(server), server.rows) == (names(whole), whole.rows), f"call {call}"
        assert (server.labels, server.member_ids) == (whole.labels, whole.member_ids)
        session = open_session(folder)
        assert session.projects == open_session(tmp_path / "0" / "june").projects
        for name, password in server.passwords.items():
            assert session.password(name) == password
        assert not (accounts_folder(server.url) / "new-account.json").exists()


def test_the_password_of_another_sessions_account_is_not_recorded(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    accounts = accounts_folder(server.url)
    accounts.mkdir(parents=True)
    new = {"name": "ann", "password": "never used"}
    (accounts / "new-account.json").write_text(json.dumps(new))
    server.create_user("ann", "another")
    push_to(server, folder, "ann")
    assert open_session(folder).password("ann") is None


def test_the_accounts_of_an_earlier_session_become_those_of_the_server(tmp_path: Path) -> None:
    server = MemoryDoccano()
    for name, folder in (("ann", "june"), ("ben", "july")):
        push_to(server, tmp_path / folder, name)
    passwords = dict(server.passwords)
    accounts = accounts_folder(server.url)
    (accounts / "accounts.json").rename(tmp_path / "june" / "accounts.json")
    assert open_session(tmp_path / "june").password("ann") == passwords["ann"]
    push_to(server, tmp_path / "june", "ann", "cid")
    assert not (tmp_path / "june" / "accounts.json").exists()
    known = json.loads((accounts / "accounts.json").read_text())
    assert known == server.passwords == passwords | {"cid": server.passwords["cid"]}
    # A session knows the accounts of another one on its server.
    assert open_session(tmp_path / "july").password("ann") == passwords["ann"]
    assert accounts.stat().st_mode & 0o077 == 0
    assert (accounts / "accounts.json").stat().st_mode & 0o077 == 0


def test_a_folder_has_one_command_at_a_time(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    push_to(server, folder, "ann")
    held, release = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        with lock_folder(folder):
            os.write(held[1], b"x")
            os.read(release[0], 1)
        os._exit(0)
    os.read(held[0], 1)
    try:
        with pytest.raises(InputError, match="another orbat command works in this folder; wait"):
            push_to(server, folder, "ann")
    finally:
        os.write(release[1], b"x")
        os.waitpid(child, 0)
    push_to(server, folder, "ann")


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        with lock_folder(tmp_path):
            os._exit(0)
    os.waitpid(child, 0)
    with lock_folder(tmp_path), lock_folder(tmp_path):
        pass


def test_pulling_from_no_session_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a labeling session"):
        pull(MemoryDoccano().client, tmp_path / "missing")
    assert not (tmp_path / "missing").exists()
