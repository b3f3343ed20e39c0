"""The folder of a labeling session: its record, its history, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orbat.annotation.session.folder import Session, is_session, open_session
from orbat.annotation.session.history import (
    ChangeCounts,
    Version,
    VersionSpan,
    add_versions,
    history_table,
    read_history,
    read_versions,
)
from orbat.annotation.session.replay import replay
from orbat.corpus.labels import load_labels
from orbat.errors import InputError

TIME = "2026-01-01T09:00:00+00:00"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session(
        tmp_path / "june",
        "http://127.0.0.1:8000",
        load_labels(),
        {"ann": 1, "ben": 2},
        {"a": ("ann", "ben"), "b": ("ann",), "c": ("ben",)},
        {"a": 120, "b": 80},
        paused=("ben",),
    )
    session.save()
    return session


def version(*spans: tuple[int, int, str], confirmed: bool = False) -> Version:
    return Version(
        "a",
        "ann",
        TIME,
        confirmed_by="ann" if confirmed else None,
        confirmed_at=TIME if confirmed else None,
        spans=tuple(VersionSpan(*span, "ann", TIME, TIME) for span in spans),
    )


def test_a_session_is_read_as_it_was_saved(session: Session) -> None:
    assert is_session(session.folder)
    assert open_session(session.folder) == session
    assert session.assigned("ann") == {"a", "b"}
    own = session.link("ben", has_page=False, number=3)
    assert own.endswith("/projects/2/sequence-labeling?page=3")
    assert session.link("ben", has_page=True, number=3) == "http://127.0.0.1:8000/orbat/annotate/2"
    assert session.pushed("ann") == []
    assert session.password("ann") is None


def test_a_session_of_the_format_before_names_the_annotators_of_every_document(
    session: Session,
) -> None:
    path = session.folder / "session.json"
    record = json.loads(path.read_text())
    record |= {"format": 3, "assignments": {"a": None, "b": "ann", "c": "ben"}}
    path.write_text(json.dumps({k: v for k, v in record.items() if k not in ("words", "paused")}))
    read = open_session(session.folder)
    assert read == replace(session, words={}, paused=(), read_format=3)
    read.save()
    assert open_session(session.folder) == replace(session, words={}, paused=())


def test_a_session_of_another_version_is_refused_in_one_line(
    session: Session, refused: Callable[..., str]
) -> None:
    path = session.folder / "session.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    line = refused("annotate", "history", "--session", session.folder)
    assert "session format 2" in line
    assert "reads formats 3 and 4" in line
    assert "push to a new folder" in line


def test_a_password_comes_from_standard_input_or_a_variable(
    session: Session, refused: Callable[..., str]
) -> None:
    pull = ("annotate", "pull", "--session", session.folder, "--url", "http://127.0.0.1:9")
    assert "the standard input has no password" in refused(*pull, "--password-stdin")
    assert "set ORBAT_DOCCANO_PASSWORD or pass --password-stdin" in refused(*pull)
    variable = {"ORBAT_DOCCANO_PASSWORD": "secret"}
    assert "doccano does not answer" in refused(*pull, env=variable)


@pytest.mark.parametrize(
    "content",
    [
        *(None, "", "[]", "{}", '{"format": 3}', '{"format": 4}', "[" * 9000, "\xff"),
        '{"format": 3, "url": 1, "labels": [], "projects": [], "assignments": []}',
        '{"format": 3, "url": "", "labels": [], "projects": 1, "assignments": {"a": null}}',
        '{"format": 4, "url": "", "labels": [], "projects": {}, "assignments": {"a": null}}',
    ],
)
def test_a_folder_that_is_not_a_session_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "session.json").write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match="not a labeling session"):
        open_session(tmp_path)


def test_only_changed_versions_are_added(session: Session) -> None:
    first = version((0, 4, "RANK"), (5, 9, "UNIT"))
    assert add_versions(session.folder, "ann", [first]) == ChangeCounts(documents=1, added=2)
    later = replace(first, pulled_at="2026-01-02T09:00:00+00:00")
    assert add_versions(session.folder, "ann", [later]) == ChangeCounts()
    changed = version((0, 4, "ROLE"), (20, 24, "UNIT"), confirmed=True)
    assert add_versions(session.folder, "ann", [changed]) == ChangeCounts(
        documents=1, added=1, removed=1, relabeled=1, confirmed=1
    )
    reopened = replace(changed, confirmed_by=None, confirmed_at=None)
    assert add_versions(session.folder, "ann", [reopened]) == ChangeCounts(documents=1, reopened=1)
    assert list(read_history(session.folder, "ann")) == [first, changed, reopened]
    table = history_table(read_versions(session.folder, "ann"))
    assert [row[3:] for row in table.rows] == [
        ("unconfirmed", 2, 2, 0, 0),
        ("confirmed by ann", 2, 1, 1, 1),
        ("unconfirmed", 2, 0, 0, 0),
    ]


def test_versions_are_selected_by_annotator_and_document(session: Session) -> None:
    add_versions(session.folder, "ann", [version(), replace(version(), document="b")])
    add_versions(session.folder, "ben", [replace(version(), annotator="ben")])
    assert [(v.annotator, v.document) for v in read_versions(session.folder)] == [
        ("ann", "a"),
        ("ann", "b"),
        ("ben", "a"),
    ]
    assert [v.annotator for v in read_versions(session.folder, document="a")] == ["ann", "ben"]
    assert [v.document for v in read_versions(session.folder, "ann", "b")] == ["b"]
    with pytest.raises(InputError, match="no annotator 'eve'; the annotators are ann, ben"):
        read_versions(session.folder, "eve")


@pytest.mark.parametrize("content", ["", "[]", "[" * 9000, '{"ann": 1}'])
def test_a_damaged_file_of_accounts_is_named(session: Session, content: str) -> None:
    (session.folder / "accounts.json").write_text(content)
    with pytest.raises(InputError, match=r"accounts\.json: "):
        session.password("ann")


@pytest.mark.parametrize(
    "line", ['{"document": "a"}', "1", "null", "[" * 9000, '{"spans": 1}', "\xff"]
)
def test_an_invalid_line_of_the_history_is_named(session: Session, line: str) -> None:
    add_versions(session.folder, "ann", [version()])
    path = session.folder / "history" / "ann.jsonl"
    path.write_text(f"{path.read_text()}{line}\n", encoding="latin-1")
    with pytest.raises(InputError, match=r"ann\.jsonl:2: not a version of a document"):
        read_versions(session.folder)


def test_only_accounts_that_orbat_created_are_replayed(session: Session) -> None:
    with pytest.raises(InputError, match="no annotator 'eve'; the annotators are ann, ben"):
        replay(session, "eve", [])
    with pytest.raises(InputError, match="the password of 'ann' is unknown"):
        replay(session, "ann", [])
