"""Push and pull against a real doccano: nothing lost, nothing doubled, offsets exact."""

from __future__ import annotations

import json
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

from orbat.annotation.adjudication.questions import ANOTHER, NOTHING
from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.records import UploadRow
from orbat.annotation.doccano.server import ADMIN
from orbat.annotation.session.accounts import read_password
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.history import read_history
from orbat.annotation.session.pull import SUGGESTED, pull
from orbat.annotation.session.push import push
from orbat.annotation.session.replay import replay
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ServerError
from tests.conftest import Orbat, Running
from tests.corpus.test_document import HARD_TEXT, documents

pytestmark = [pytest.mark.doccano, pytest.mark.slow]


def test_up_again_finds_it_running(orbat: Orbat, doccano: Running) -> None:
    outcome = orbat("annotate", "up", env=doccano.env)
    assert outcome.code == 0
    assert f"already running at {doccano.url}" in outcome.out


def test_secrets_are_the_owners_alone(doccano: Running) -> None:
    assert (doccano.server.home / "secrets.json").stat().st_mode & 0o077 == 0


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(st.lists(documents(), min_size=5, max_size=15))
def test_any_text_and_offsets_come_back_as_sent(
    doccano: Running, tmp_path_factory: pytest.TempPathFactory, many: list[Document]
) -> None:
    # doccano cannot import NUL everywhere nor show a text without any character.
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


def test_pushing_twice_changes_nothing(
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
        # What an annotator did in between stays.
        example = next(connection.examples(session.projects["ann-a"]))
        span = connection.spans(session.projects["ann-a"], example.id)[0]
        connection.create_comment(session.projects["ann-a"], example.id, "Is this one unit or two?")
        connection.delete_span(session.projects["ann-a"], example.id, span.id)
    assert orbat(*arguments, env=doccano.env).code == 0
    assert open_session(tmp_path / "s").projects == session.projects
    with doccano.connect() as connection:
        after = pull(connection, tmp_path / "s").annotation_sets
    assert after["ann-b"] == before["ann-b"]
    (said,) = after["ann-a"][0].meta["annotation"]["comments"]
    assert (said["by"], said["text"]) == ("admin", "Is this one unit or two?")
    assert [len(d.spans) for d in after["ann-a"]] == [
        len(d.spans) - (1 if n == 0 else 0) for n, d in enumerate(before["ann-a"])
    ]
    assert (tmp_path / "s" / "accounts.json").stat().st_mode & 0o077 == 0


def test_a_replayed_pass_comes_back_with_who_and_when(
    doccano: Running, tmp_path: Path, train_articles: list[Document]
) -> None:
    gold = train_articles[:3]
    suggested = [document.with_spans(document.spans[:2]) for document in gold]
    with doccano.connect() as connection:
        session = push(connection, tmp_path, suggested, ["rep"], load_labels()).session
        assert session.password("rep")
        assert replay(session, "rep", gold[:2]) == 2
        # Again: confirming toggles in doccano, replaying does not.
        assert replay(session, "rep", gold[:2]) == 2
        back = pull(connection, tmp_path).annotation_sets["rep"]
    assert [d.spans for d in back[:2]] == [d.spans for d in gold[:2]]
    assert [d.meta["annotation"]["confirmed"] for d in back] == [True, True, False]
    assert back[0].meta["annotation"]["confirmed_at"].startswith("20")
    assert {span.annotator for d in back for span in d.spans} == {"rep"}
    assert [span.note for span in back[0].spans][:3] == [SUGGESTED, SUGGESTED, None]


def test_conflicts_are_settled_in_a_third_pass(
    orbat: Orbat, doccano: Running, tmp_path: Path
) -> None:
    text = "Gen. Smith leads 2nd Bde of the army"
    same = Document("same", text, (Span(0, 4, "RANK"),))
    write_documents(
        tmp_path / "a.jsonl",
        [
            same,
            *(
                Document(name, text, (Span(0, 4, "RANK"), Span(17, 24, "UNIT")))
                for name in ("split", "hand")
            ),
        ],
    )
    write_documents(
        tmp_path / "b.jsonl",
        [
            same,
            *(
                Document(name, text, (Span(0, 4, "RANK"), Span(21, 24, "UNIT")))
                for name in ("split", "hand")
            ),
        ],
    )
    arguments = (
        *("annotate", "adjudicate", tmp_path / "a.jsonl", tmp_path / "b.jsonl"),
        *(
            "--output",
            tmp_path / "gold.jsonl",
            "--policy",
            "manual",
            "--session",
            tmp_path / "third",
        ),
    )
    begun = orbat(*arguments, env=doccano.env)
    assert begun.code == 0, begun.err
    assert "2 of 2 conflicts are open, 2 of them new" in begun.out
    waiting = orbat(*arguments, env=doccano.env)
    assert waiting.code == 1
    assert "2 of 2 conflicts are open, 0 of them new" in waiting.out
    assert not (tmp_path / "gold.jsonl").exists()
    folder = tmp_path / "third"
    password = read_password(folder, "adjudicator")
    assert password

    def answer(choices: dict[str, str]) -> None:
        project = json.loads((folder / "question-project.json").read_text())["project"]
        with DoccanoClient(doccano.url, "adjudicator", password) as own:
            types = {each.text: each.id for each in own.category_types(project)}
            assert set(types) == {"1", "2", NOTHING, ANOTHER}
            for example in own.examples(project):
                choice = choices.get(example.upload_name.partition("#")[0])
                if choice and not example.is_confirmed:
                    own.create_category(project, example.id, types[choice])
                    own.confirm(project, example.id)

    answer({"split": "1"})
    assert "1 of 2 conflicts are open" in orbat(*arguments, env=doccano.env).out
    answer({"hand": ANOTHER})
    by_hand = orbat(*arguments, env=doccano.env)
    assert "1 of 2 conflicts are open, 1 of them new" in by_hand.out
    assert "sequence-labeling" in by_hand.out
    session = open_session(folder)
    marked = Document("hand", text, (Span(0, 4, "RANK"), Span(17, 36, "UNIT")))
    replay(session, "adjudicator", [marked])
    done = orbat(*arguments, env=doccano.env)
    assert done.code == 0, done.err
    gold = {d.id: d for d in read_documents(tmp_path / "gold.jsonl")}
    assert gold["same"].spans == same.spans
    assert gold["split"].spans == (Span(0, 4, "RANK"), Span(17, 24, "UNIT"))
    assert gold["hand"].spans == marked.spans
    record = gold["split"].meta["adjudication"]
    assert record["decided_by"] == "adjudicator"
    assert record["decisions"][0]["gold"] == [[17, 24, "UNIT"]]
    assert gold["hand"].meta["adjudication"]["decisions"][0]["gold"] == [[17, 36, "UNIT"]]
    # An annotator who changes their mind is asked about anew, and old answers do not stand.
    read = list(read_documents(tmp_path / "b.jsonl"))
    changed = [
        d.with_spans([*d.spans[:1], Span(17, 36, "UNIT")]) if d.id == "split" else d for d in read
    ]
    write_documents(tmp_path / "b.jsonl", changed)
    again = orbat(*arguments, env=doccano.env)
    assert "1 of 2 conflicts are open, 1 of them new" in again.out


def test_documents_are_shared_dealt_out_and_handed_out_in_batches(
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
    shared = [identity for identity, owner in plan.items() if owner is None]
    assert (list(plan), len(shared)) == ([d.id for d in many], 6)
    assert set(first["one"]) & set(first["two"]) <= set(shared)
    owners = [owner for owner in plan.values() if owner]
    assert (owners.count("one"), owners.count("two")) == (12, 12)

    shown = orbat("annotate", "status", "--session", folder, "--json", env=doccano.env).json()
    assert [(p["annotator"], p["documents"], p["confirmed"], p["waiting"]) for p in shown] == [
        ("one", 7, 3, 11),
        ("two", 4, 0, 14),
    ]
    assert shown[0]["per_hour"] > 0
    assert shown[0]["hours_left"] == pytest.approx(15 / shown[0]["per_hour"])
    assert shown[0]["link"].endswith("page=4")
    # An annotator who comes later gets what all share, and none of the others' own.
    later = orbat(*arguments[:5], "--annotators", "three", "--batch", "30", env=doccano.env)
    assert later.code == 0, later.err
    assert [d.id for d in open_session(folder).pushed("three")] == shared


def test_every_version_is_kept_and_changes_are_told(
    orbat: Orbat, doccano: Running, tmp_path: Path
) -> None:
    text = "Gen. Smith led 2 Wing and 3 Wing"
    write_documents(
        tmp_path / "d.jsonl",
        [Document("x", text, (Span(0, 4, "RANK"), Span(15, 21, "UNIT"))), Document("y", text)],
    )
    folder = tmp_path / "versions"
    pushed = orbat(
        *("annotate", "push", tmp_path / "d.jsonl", "--session", folder),
        *("--annotators", "eve", "--suggest", "none"),
        env=doccano.env,
    )
    assert pushed.code == 0, pushed.err

    def pull_again() -> dict[str, int]:
        outcome = orbat("annotate", "pull", "--session", folder, "--json", env=doccano.env)
        assert outcome.code == 0, outcome.err
        changes: dict[str, int] = outcome.json()[0]["changes"]
        return {name: count for name, count in changes.items() if count}

    assert pull_again() == {"documents": 2, "added": 2}
    # A server that was stopped and started holds what it held, and old tokens still open it.
    with doccano.connect() as before:
        assert orbat("annotate", "down", env=doccano.env).code == 0
        port = doccano.url.rpartition(":")[2]
        assert orbat("annotate", "up", "--port", port, env=doccano.env).code == 0
        assert before.find_user("eve") is not None
    assert pull_again() == {}
    session = open_session(folder)
    project = session.projects["eve"]
    password = session.password("eve")
    assert password
    with DoccanoClient(doccano.url, "eve", password) as own:
        example = next(own.examples(project))
        types = {s.text: s.id for s in own.span_types(project)}
        rank, unit = sorted(own.spans(project, example.id), key=lambda s: s.start_offset)
        own.delete_span(project, example.id, rank.id)
        own.delete_span(project, example.id, unit.id)
        own.create_span(project, example.id, 15, 21, types["ROLE"])
        own.create_span(project, example.id, 26, 32, types["UNIT"])
        own.confirm(project, example.id)
    # A pull that was killed while it wrote leaves half a line.
    log = folder / "history" / "eve.jsonl"
    log.write_bytes(log.read_bytes() + b'{"document": "x", "anno')
    changed = {"documents": 1, "added": 1, "removed": 1, "relabeled": 1, "confirmed": 1}
    assert pull_again() == changed
    versions = list(read_history(folder, "eve"))
    assert [(v.document, len(v.spans), v.confirmed_by) for v in versions] == [
        ("x", 2, None),
        ("y", 0, None),
        ("x", 2, "eve"),
    ]
    assert {span.user for span in versions[0].spans} == {"admin"}
    assert {span.user for span in versions[2].spans} == {"eve"}
    shown = orbat("annotate", "history", "--session", folder, "--document", "x")
    assert "confirmed by eve" in shown.out
    listed = orbat("annotate", "history", "--session", folder, "--document", "x", "--json")
    assert [json.loads(line)["document"] for line in listed.out.splitlines()] == ["x", "x"]


def test_likely_errors_go_back_to_annotators(
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


def test_labels_doubles_and_members_changed_by_hand_are_named(
    orbat: Orbat, doccano: Running, tmp_path: Path, refused: Callable[..., str]
) -> None:
    folder = tmp_path / "hands"
    with doccano.connect() as connection:
        sent = [Document("x", "Gen. Smith\nled 2 Wing", (Span(0, 4, "RANK"),))]
        session = push(connection, folder, sent, ["hand"], load_labels()).session
        project = session.projects["hand"]
        pull(connection, folder)
        kept = (folder / "history" / "hand.jsonl").read_bytes()
        types = {s.text: s.id for s in connection.span_types(project)}
        example = next(connection.examples(project))
        path = f"{doccano.url}/v1/projects/{project}"
        http = connection.transport.http

        def refuses(part: str) -> None:
            line = refused("annotate", "pull", "--session", folder, env=doccano.env)
            assert part in line
            assert (folder / "history" / "hand.jsonl").read_bytes() == kept

        # What a browser may make: a span that runs on to the next line.
        connection.create_span(project, example.id, 5, 14, types["UNIT"])
        pulled = pull(connection, folder)
        assert "'x' of 'hand': span 5-14 UNIT runs across a line break" in pulled.warnings[0]
        kept = (folder / "history" / "hand.jsonl").read_bytes()

        renamed = http.patch(f"{path}/span-types/{types['ROLE']}", json={"text": "OFFICE"})
        assert renamed.status_code == 200
        refuses("label 'OFFICE' is not in the session's label set")
        http.patch(f"{path}/span-types/{types['ROLE']}", json={"text": "ROLE"})
        # Under another name of the server the same document has another UUID.
        elsewhere = doccano.url.replace("127.0.0.1", "localhost")
        with DoccanoClient(elsewhere, ADMIN, doccano.server.password) as other:
            other.upload(project, [UploadRow(name="x", text=sent[0].text)])
        refuses("document 'x' exists twice")
        for text, part in (
            ("Col. Smith", "text of 'x' was changed in doccano"),
            (sent[0].text, "twice"),
        ):
            http.patch(f"{path}/examples/{example.id}", json={"text": text})
            refuses(part)
        doubled = [e.id for e in connection.examples(project) if e.id != example.id]
        connection.delete_examples(project, doubled)
        http.delete(f"{path}/span-types/{types['OPERATION']}")
        refuses("label 'OPERATION' was deleted in doccano")

        user = connection.find_user("hand")
        assert user is not None
        connection.remove_member(project, user.id)
        outcome = orbat("annotate", "status", "--session", folder, env=doccano.env)
        assert "'hand' was removed from their project" in outcome.err
        push(connection, folder, sent, ["hand"], load_labels())
        outcome = orbat("annotate", "status", "--session", folder, env=doccano.env)
        assert outcome.err == ""
        # Pushing again has made the label again too.
        pull(connection, folder)


def test_changes_made_behind_our_back_are_named(doccano: Running, tmp_path: Path) -> None:
    with doccano.connect() as connection:
        sent = [Document("x", "Gen. Smith"), Document("y", "Col. Jones")]
        session = push(connection, tmp_path, sent, ["odd"], load_labels()).session
        project = session.projects["odd"]
        examples = list(connection.examples(project))
        rank = next(s.id for s in connection.span_types(project) if s.text == "RANK")
        connection.create_span(project, examples[0].id, 30, 400, rank)
        with pytest.raises(ServerError, match="'x': offset 30 is outside the text"):
            pull(connection, tmp_path)
        connection.delete_examples(project, [examples[0].id])
        with pytest.raises(ServerError, match="'x' was deleted in doccano"):
            pull(connection, tmp_path)
        connection.delete_examples(project, [])
        assert len(list(connection.examples(project))) == 1
        with pytest.raises(InputError, match="'y' was pushed with another text"):
            push(connection, tmp_path, [Document("y", "Other")], ["odd"], load_labels())


def test_white_space_that_the_mouse_took_along_is_cut_off(doccano: Running, tmp_path: Path) -> None:
    with doccano.connect() as connection:
        text = "led by 😀 Gen. Smith today"
        pushed = push(connection, tmp_path, [Document("x", text)], ["mouse"], load_labels())
        project = pushed.session.projects["mouse"]
        example = next(connection.examples(project))
        types = {s.text: s.id for s in connection.span_types(project)}
        connection.create_span(project, example.id, 9, 15, types["RANK"])
        connection.create_span(project, example.id, 20, 21, types["UNIT"])
        (back,) = pull(connection, tmp_path).annotation_sets["mouse"]
    assert [(text[s.start : s.end], s.label) for s in back.spans] == [("Gen.", "RANK")]


def test_a_worker_killed_in_mid_upload_is_named_and_pushing_again_completes(
    orbat: Orbat, doccano: Running, tmp_path: Path, refused: Callable[..., str]
) -> None:
    # doccano stores a thousand at a time.
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


def test_a_server_that_is_not_there_or_refuses_is_named(
    doccano: Running, tmp_path: Path, refused: Callable[..., str]
) -> None:
    write_documents(tmp_path / "d.jsonl", [Document("a", "Gen. Smith")])
    push_there = (
        *("annotate", "push", tmp_path / "d.jsonl", "--session", tmp_path / "s"),
        *("--annotators", "x"),
    )
    assert "start it with orbat annotate up" in refused(*push_there)
    assert "does not answer" in refused(
        *push_there, "--url", "http://127.0.0.1:9", "--password", "x"
    )
    assert "refuses the password of 'admin'" in refused(
        *push_there, "--url", doccano.url, "--password", "wrong"
    )
    assert "no password" in refused(*push_there, "--url", doccano.url)
    assert "not a labeling session" in refused(
        "annotate", "pull", "--session", tmp_path, env=doccano.env
    )
    assert not (tmp_path / "s").exists()


def test_an_address_that_is_no_doccano_is_named(tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html></html>")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with pytest.raises(ServerError, match=r"not a doccano 1\.8 server"):
            DoccanoClient(f"http://127.0.0.1:{server.server_port}", "a", "b")
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(InputError, match="not an http or https address"):
        DoccanoClient("ftp://x", "a", "b")
