"""Push against a real doccano: assignment, verification, repetition and failures."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import SUGGESTED, pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.corpus.labels import load_labels
from tests.conftest import Orbat, Running
from tests.corpus.test_document import HARD_TEXT, documents

pytestmark = [pytest.mark.doccano, pytest.mark.slow]


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(st.lists(documents(), min_size=5, max_size=15))
def test_texts_and_offsets_survive_a_round_trip(
    doccano: Running, tmp_path_factory: pytest.TempPathFactory, many: list[Document]
) -> None:
    # doccano cannot import NUL with every database, nor show an empty text.
    sent = [
        Document(f"d{n}", d.text.replace("\0", " "), d.spans) for n, d in enumerate(many)
        if "\0" not in d.text
    ]  # fmt: skip
    sent.append(
        Document(
            "hard",
            HARD_TEXT,
            (Span(2, 6, "RANK"), Span(HARD_TEXT.index("2nd"), HARD_TEXT.index("2nd") + 7, "UNIT")),
        )
    )
    folder = tmp_path_factory.mktemp("session")
    with doccano.connect() as connection:
        session = push(connection, folder, sent, ["prop"], load_labels()).session
        back = pull(connection, folder).annotation_sets["prop"]
        connection.delete_project(session.projects["prop"])
    assert [(d.id, d.text, d.spans) for d in back] == [(d.id, d.text, d.spans) for d in sent]
    assert all(span.note == SUGGESTED for d in back for span in d.spans)


def test_push_is_idempotent(
    orbat: Orbat, doccano: Running, tmp_path: Path, train_articles: list[Document]
) -> None:
    bare = [Document(d.id, d.text) for d in train_articles[:4]]
    write_documents(tmp_path / "d.jsonl", bare)
    arguments = (
        *("annotate", "push", tmp_path / "d.jsonl", "--session", tmp_path / "s"),
        *("--annotators", "ann-a,ann-b"),
    )
    outcome = orbat(*arguments, env=doccano.env)
    assert outcome.code == 0, outcome.err
    session = open_session(tmp_path / "s")
    with doccano.connect() as connection:
        before = {a: pull(connection, tmp_path / "s").annotation_sets[a] for a in session.projects}
        # Annotations made between two pushes are kept.
        example = next(connection.examples(session.projects["ann-a"]))
        span = connection.spans(session.projects["ann-a"], example.id)[0]
        connection.create_comment(session.projects["ann-a"], example.id, "Is this one unit or two?")
        connection.delete_span(session.projects["ann-a"], example.id, span.id)
        connection.set_guidelines(session.projects["ann-b"], "Earlier guidelines")
    again = orbat(*arguments, env=doccano.env)
    assert again.code == 0
    assert "guidelines have changed, and were replaced for ann-b\n" in again.out
    with doccano.connect() as connection:
        shown = [connection.project(session.projects[a]) for a in ("ann-a", "ann-b")]
    assert len({project.guideline for project in shown if project}) == 1
    assert open_session(tmp_path / "s").projects == session.projects
    with doccano.connect() as connection:
        after = pull(connection, tmp_path / "s").annotation_sets
    assert after["ann-b"] == before["ann-b"]
    (said,) = after["ann-a"][0].meta["annotation"]["comments"]
    assert (said["by"], said["text"]) == ("admin", "Is this one unit or two?")
    assert [len(d.spans) for d in after["ann-a"]] == [
        len(d.spans) - (1 if n == 0 else 0) for n, d in enumerate(before["ann-a"])
    ]
    accounts = doccano.server.home / "accounts" / "accounts.json"
    assert accounts.stat().st_mode & 0o077 == 0


def test_administrators_do_not_annotate(orbat: Orbat, doccano: Running, tmp_path: Path) -> None:
    write_documents(tmp_path / "d.jsonl", [Document("d1", "One text.")])
    refused = orbat(
        *("annotate", "push", tmp_path / "d.jsonl", "--annotators", "admin", "--suggest", "none"),
        *("--session", tmp_path / "session"),
        env=doccano.env,
    )
    assert refused.code == 2
    assert "annotator 'admin': this is an administrator of" in refused.err
    assert not (tmp_path / "session" / "session.json").exists()


def test_documents_are_assigned_and_uploaded_in_batches(
    orbat: Orbat, doccano: Running, tmp_path: Path
) -> None:
    many = [Document(f"b{n}", f"Gen. Number {n} spoke.") for n in range(30)]
    write_documents(tmp_path / "d.jsonl", many)
    folder = tmp_path / "batches"
    arguments = (
        *("annotate", "push", tmp_path / "d.jsonl", "--session", folder),
        *("--annotators", "one,two", "--overlap", "0.2", "--batch", "4"),
    )

    def push_again() -> dict[str, list[str]]:
        outcome = orbat(*arguments, env=doccano.env)
        assert outcome.code == 0, outcome.err
        session = open_session(folder)
        return {name: [d.id for d in session.pushed(name)] for name in session.projects}

    first = push_again()
    assert {name: len(ids) for name, ids in first.items()} == {"one": 4, "two": 4}
    assert push_again() == first
    with doccano.connect() as connection:
        project = open_session(folder).projects["one"]
        for example in list(connection.examples(project))[:3]:
            connection.confirm(project, example.id)
    second = push_again()
    assert second["two"] == first["two"]
    assert second["one"][:4] == first["one"]
    assert len(second["one"]) == 7
    plan = open_session(folder).assignments
    shared = [doc_id for doc_id, names in plan.items() if names == ("one", "two")]
    assert (list(plan), len(shared)) == ([d.id for d in many], 6)
    assert set(first["one"]) & set(first["two"]) <= set(shared)
    owners = [names[0] for names in plan.values() if len(names) == 1]
    assert (owners.count("one"), owners.count("two")) == (12, 12)

    shown = orbat("annotate", "status", "--session", folder, "--json", env=doccano.env).json()
    shown = shown["annotators"]
    assert [(p["annotator"], p["documents"], p["confirmed"], p["waiting"]) for p in shown] == [
        ("one", 7, 3, 11),
        ("two", 4, 0, 14),
    ]
    assert shown[0]["per_hour"] > 0
    assert shown[0]["hours_left"] > 0
    project = open_session(folder).projects["one"]
    assert shown[0]["link"] == f"{doccano.url}/orbat/annotate/{project}"
    # No push changes who reads what; new documents go to the one who has the least to read.
    later = orbat(*arguments[:5], "--annotators", "three,two", env=doccano.env)
    assert later.code == 0, later.err
    assert "'three' has no documents: all of these were assigned before" in later.out
    assert open_session(folder).assignments == plan
    write_documents(tmp_path / "d.jsonl", [*many, Document("new", "Gen. Smith spoke.")])
    later = orbat(*arguments[:5], "--annotators", "three,two", "--readers", 1, env=doccano.env)
    assert open_session(folder).assignments == {**plan, "new": ("three",)}


def test_audit_pushes_documents_with_label_issues(
    orbat: Orbat, doccano: Running, tmp_path: Path, train_articles: list[Document]
) -> None:
    write_documents(tmp_path / "gold.jsonl", train_articles[::14])
    folder = tmp_path / "again"
    outcome = orbat(
        *("annotate", "audit", tmp_path / "gold.jsonl", "--work", tmp_path / "work"),
        *("--recipe", "baseline-linear", "--set", "epochs=2", "--folds", 2, "--top", 10),
        *("--session", folder, "--annotators", "second-look,third-look"),
        env=doccano.env,
    )
    assert outcome.code == 0, outcome.err
    session = open_session(folder)
    parts = [session.pushed(name) for name in session.projects]
    gold = {document.id: document.spans for document in train_articles}
    assert all(parts)
    for document in (document for part in parts for document in part):
        assert document.spans == gold[document.id]
        assert "gold" in document.meta["review"]["issue 1"]
    with doccano.connect() as connection:
        example = next(connection.examples(session.projects["second-look"]))
    assert "issue 1" in example.meta["meta"]["review"]


def test_push_again_completes_an_upload_whose_worker_was_killed(
    orbat: Orbat, doccano: Running, tmp_path: Path, refused: Callable[..., str]
) -> None:
    # doccano stores a thousand documents at a time.
    many = [
        Document(f"k{n}", f"Gen. Number {n} spoke.", (Span(0, 4, "RANK"),)) for n in range(4000)
    ]
    write_documents(tmp_path / "d.jsonl", many)
    session = tmp_path / "killed"
    arguments = ("annotate", "push", tmp_path / "d.jsonl", "--session", session)
    arguments = (*arguments, "--annotators", "killed", "--suggest", "none")
    worker = doccano.server.process("worker")
    assert worker is not None

    def kill_soon() -> None:
        deadline = time.monotonic() + 300
        with doccano.connect() as connection:
            while time.monotonic() < deadline:
                if (session / "session.json").exists() and connection.count_examples(
                    open_session(session).projects["killed"]
                ):
                    break
                time.sleep(0.05)
        for process in [*worker.children(recursive=True), worker]:
            os.kill(process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_soon)
    killer.start()
    line = refused(*arguments, env=doccano.env)
    killer.join()
    assert "worker" in line
    assert "orbat annotate up" in line
    assert not psutil.pid_exists(worker.pid) or worker.status() == psutil.STATUS_ZOMBIE
    assert not (session / "pushed").exists()
    with doccano.connect() as connection:
        stored = connection.count_examples(open_session(session).projects["killed"])
    assert 0 < stored < len(many)
    again = orbat("annotate", "up", env=doccano.env)
    assert again.code == 0, again.err
    assert doccano.url in again.out
    done = orbat(*arguments, env=doccano.env)
    assert done.code == 0, done.err
    with doccano.connect() as connection:
        project = open_session(session).projects["killed"]
        names = [example.upload_name for example in connection.examples(project)]
    assert sorted(names) == sorted(document.id for document in many)


def test_unreachable_servers_and_wrong_passwords_are_reported(
    doccano: Running, tmp_path: Path, refused: Callable[..., str]
) -> None:
    write_documents(tmp_path / "d.jsonl", [Document("a", "Gen. Smith")])
    push_there = (
        *("annotate", "push", tmp_path / "d.jsonl", "--session", tmp_path / "s"),
        *("--annotators", "x"),
    )
    assert "start it with orbat annotate up" in refused(*push_there)
    wrong = {"ORBAT_DOCCANO_PASSWORD": "wrong"}
    assert "does not answer" in refused(*push_there, "--url", "http://127.0.0.1:9", env=wrong)
    assert "refuses the password of 'admin'" in refused(
        *push_there, "--url", doccano.url, env=wrong
    )
    assert "the standard input has no password" in refused(*push_there, "--password-stdin")
    assert "no password" in refused(*push_there, "--url", doccano.url)
    assert "not a labeling session" in refused(
        "annotate", "pull", "--session", tmp_path, env=doccano.env
    )
    assert not (tmp_path / "s").exists()
