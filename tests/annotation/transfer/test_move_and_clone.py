"""A session whose server gets another address, and a new session with the setting of an old one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orbat.annotation.session.folder import open_session
from orbat.annotation.session.push import push
from orbat.annotation.transfer.clone import clone
from orbat.annotation.transfer.move import move
from orbat.annotation.transfer.references import Reference, find_references
from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.corpus.labels import load_labels
from tests.annotation.memory_doccano import MemoryDoccano
from tests.conftest import Orbat, Running

MakeSession = Callable[..., Path]


@pytest.mark.doccano
@pytest.mark.slow
def test_a_session_moves_only_to_a_server_with_the_same_projects(
    orbat: Orbat,
    doccano: Running,
    make_session: MakeSession,
    refused: Callable[..., str],
) -> None:
    folder = make_session("mov-ann")
    before = (folder / "session.json").read_bytes()
    session = open_session(folder)
    project, password = session.projects["mov-ann"], session.password("mov-ann")
    assert password is not None
    # The same server by another name.
    url = doccano.url.replace("127.0.0.1", "localhost")
    move = ("annotate", "move", folder, "--url", url)
    env = {**doccano.env, "ORBAT_DOCCANO_PASSWORD": doccano.server.password}
    with doccano.connect() as admin:
        example = next(iter(admin.examples(project)))
        path = f"projects/{project}/examples/{example.id}"
        admin.transport.patch(path, {"text": "another"})
        line = refused(*move, env=env)
        assert f"project {project} of 'mov-ann' has no document 'd0' with the text of" in line
        assert (folder / "session.json").read_bytes() == before
        admin.transport.patch(path, {"text": example.text})
    moved = orbat(*move, env=env)
    assert moved.code == 0, moved.err
    assert f"on {url} from now on" in moved.out
    record = json.loads(before)
    assert json.loads((folder / "session.json").read_text()) == {**record, "url": url}
    assert open_session(folder).password("mov-ann") == password
    assert f"on {url} already" in orbat(*move, env=env).out
    pulled = orbat("annotate", "pull", "--session", folder, "--url", url, "--json", env=env)
    assert set(pulled.json()[0]["changes"].values()) == {0}
    record["projects"]["mov-ann"] = 10**6
    (folder / "session.json").write_text(json.dumps(record))
    assert "has no project 1000000 of 'mov-ann'" in refused(*move, env=env)


def test_an_interrupted_move_loses_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doccano, folder = MemoryDoccano(), tmp_path / "june"
    push(doccano.client, folder, [Document("a", "2 Wing")], ["ann"], load_labels())
    password = open_session(folder).password("ann")
    assert password is not None
    doccano.url = doccano.public_url = "http://new.test"

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Reference, "rewrite", stop)
        move(doccano.client, folder)
    assert move(doccano.client, folder) == [folder / "session.json"]
    assert open_session(folder).url == "http://new.test"
    assert open_session(folder).password("ann") == password


def test_a_clone_counts_no_paused_readers(tmp_path: Path) -> None:
    doccano, names = MemoryDoccano(), ["ann", "ben", "cid"]
    push(doccano.client, tmp_path / "june", [Document("a", "2 Wing")], names, load_labels())
    replace(open_session(tmp_path / "june"), paused=("cid",)).save()
    cloned = clone(doccano.client, tmp_path / "june", tmp_path / "july")
    assert (list(cloned.session.projects), cloned.readers) == (["ann", "ben"], 2)


@pytest.mark.doccano
@pytest.mark.slow
def test_a_clone_has_labels_guidelines_and_annotators_but_no_documents(
    orbat: Orbat,
    doccano: Running,
    make_session: MakeSession,
    refused: Callable[..., str],
    tmp_path: Path,
) -> None:
    folder, new = make_session("clo-ann", "clo-ben"), tmp_path / "new"
    old = open_session(folder)
    cloned = orbat("annotate", "clone", folder, new, env=doccano.env)
    assert cloned.code == 0, cloned.err
    assert "--annotators clo-ann,clo-ben --overlap 1 --readers 2" in cloned.out
    session = open_session(new)
    assert (session.url, session.labels) == (old.url, old.labels)
    assert (session.assignments, session.documents()) == ({}, [])
    assert list(session.projects) == list(old.projects)
    assert not set(session.projects.values()) & set(old.projects.values())
    assert session.password("clo-ann") == old.password("clo-ann")
    with doccano.connect() as admin:
        for name, id_ in session.projects.items():
            project, earlier = admin.project(id_), admin.project(old.projects[name])
            assert project is not None
            assert earlier is not None
            assert project.guideline == earlier.guideline
            assert name in {member.username for member in admin.members(id_)}
            assert [t.text for t in admin.span_types(id_)] == [*old.labels.names]
        document = Document("next", "Gen. Roe of 2 Wing")
        push(admin, new, [document], [*session.projects], load_labels())
        assert [admin.count_examples(id_) for id_ in session.projects.values()] == [1, 1]
    assert open_session(new).projects == session.projects
    assert "is a session already" in refused("annotate", "clone", folder, new, env=doccano.env)


@pytest.mark.parametrize("name", ["session.json", "question-project.json"])
@pytest.mark.parametrize("content", ["[]", "{}", '{"url": 1, "project": 2}', '{"url": "x"}', "x"])
def test_a_damaged_record_of_the_server_is_named(
    tmp_path: Path, name: str, content: str, refused: Callable[..., str]
) -> None:
    (tmp_path / name).write_text(content)
    line = refused("annotate", "backup", tmp_path, tmp_path.parent / "b.zip")
    assert name in line


def test_all_folders_inside_a_session_move_with_it(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "session.json").write_text('{"url": "a", "projects": {"ann": 1, "ben": 2}, "x": 0}')
    (inside / "question-project.json").write_text('{"url": "a", "project": 3, "format": 2}')
    write_documents(tmp_path / "pushed" / "ann.jsonl", [Document("a", "text")])
    for reference in find_references(tmp_path):
        reference.rewrite("b", {1: 10, 2: 1, 3: 2})
    assert json.loads((tmp_path / "session.json").read_text()) == {
        "url": "b",
        "projects": {"ann": 10, "ben": 1},
        "x": 0,
    }
    record = json.loads((inside / "question-project.json").read_text())
    assert record == {"url": "b", "project": 2, "format": 2}
