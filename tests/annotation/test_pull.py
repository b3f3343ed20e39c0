"""Pull from a real doccano: users, versions, changes, and edits made directly in doccano."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.records import UploadRow
from orbat.annotation.doccano.server import ADMIN
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

pytestmark = [pytest.mark.doccano, pytest.mark.slow]


def test_replayed_annotations_are_pulled_with_users_and_times(
    doccano: Running, tmp_path: Path, train_articles: list[Document]
) -> None:
    gold = train_articles[:3]
    suggested = [document.with_spans(document.spans[:2]) for document in gold]
    with doccano.connect() as connection:
        session = push(connection, tmp_path, suggested, ["rep"], load_labels()).session
        assert session.password("rep")
        assert replay(session, "rep", gold[:2]) == 2
        # In doccano a second confirmation withdraws the first; a second replay does not.
        assert replay(session, "rep", gold[:2]) == 2
        back = pull(connection, tmp_path).annotation_sets["rep"]
    assert [d.spans for d in back[:2]] == [d.spans for d in gold[:2]]
    assert [d.meta["annotation"]["confirmed"] for d in back] == [True, True, False]
    assert back[0].meta["annotation"]["confirmed_at"].startswith("20")
    assert {span.annotator for d in back for span in d.spans} == {"rep"}
    assert [span.note for span in back[0].spans][:3] == [SUGGESTED, SUGGESTED, None]


def test_pull_records_every_version_and_counts_the_changes(
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

    told: list[bool] = []

    def pull_again() -> dict[str, int]:
        outcome = orbat("annotate", "pull", "--session", folder, "--json", env=doccano.env)
        assert outcome.code == 0, outcome.err
        told.append("which wing?" in outcome.err)
        changes: dict[str, int] = outcome.json()[0]["changes"]
        return {name: count for name, count in changes.items() if count}

    # What was suggested is not new.
    assert pull_again() == {"documents": 2}
    # After a restart the server keeps its data and accepts old tokens.
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
    with DoccanoClient(doccano.url, "eve", password) as client:
        example = next(client.examples(project))
        types = {s.text: s.id for s in client.span_types(project)}
        rank, unit = sorted(client.spans(project, example.id), key=lambda s: s.start_offset)
        client.delete_span(project, example.id, rank.id)
        client.delete_span(project, example.id, unit.id)
        client.create_span(project, example.id, 15, 21, types["ROLE"])
        client.create_span(project, example.id, 26, 32, types["UNIT"])
        client.confirm(project, example.id)
        client.create_comment(project, example.id, "which wing?")
    # An interrupted pull leaves an incomplete line.
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
    tables = orbat("annotate", "pull", "--session", folder, env=doccano.env)
    assert "Annotation sets" in tables.out
    # A comment is printed once.
    assert told == [False, False, True]
    assert "which wing?" not in tables.err
    assert "Changes since the last pull" in tables.out
    (pulled,) = [d for d in read_documents(folder / "pulled" / "eve.jsonl") if d.id == "x"]
    assert [(s.start, s.end, s.label) for s in pulled.spans] == [(15, 21, "ROLE"), (26, 32, "UNIT")]
    shown = orbat("annotate", "history", "--session", folder, "--document", "x")
    assert "confirmed by eve" in shown.out
    listed = orbat("annotate", "history", "--session", folder, "--document", "x", "--json")
    assert [json.loads(line)["document"] for line in listed.out.splitlines()] == ["x", "x"]


def test_a_pull_takes_few_requests_and_reads_the_same_in_many(
    doccano: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [Document(f"d{n}", f"Gen. {n} spoke", (Span(0, 4, "RANK"),)) for n in range(40)]
    with doccano.connect() as connection:
        project = push(connection, tmp_path, many, ["few"], load_labels()).session.projects["few"]
        examples = list(connection.examples(project))
        for example in examples[:20]:
            connection.confirm(project, example.id)
        for example in examples[10:15]:
            connection.create_comment(project, example.id, "First")
            connection.create_comment(project, example.id, "Second")
        requests: list[object] = []
        connection.transport.http.event_hooks["request"].append(requests.append)
        few = pull(connection, tmp_path)
        assert len(requests) < 10
        (said,) = {
            tuple(comment["text"] for comment in d.meta["annotation"]["comments"])
            for d in few.annotation_sets["few"]
            if "comments" in d.meta["annotation"]
        }
        assert said == ("First", "Second")
        assert sum(d.meta["annotation"]["confirmed"] for d in few.annotation_sets["few"]) == 20
        # A doccano that orbat did not start has no list of a whole project's work.
        requests.clear()
        monkeypatch.setattr("orbat.annotation.doccano.client.WORK_PATH", "no-such-list")
        again = pull(connection, tmp_path)
    assert len(requests) > 40 + 20
    assert again.annotation_sets == few.annotation_sets
    assert again.changes["few"].documents == 0


def test_only_administrators_of_a_project_list_its_work(doccano: Running, tmp_path: Path) -> None:
    with doccano.connect() as connection:
        session = push(
            connection,
            tmp_path,
            [Document("x", "Gen. Smith")],
            ["blind-a", "blind-b"],
            load_labels(),
        ).session
        assert connection.lists_work(session.projects["blind-a"])
    for name in session.projects:
        with DoccanoClient(doccano.url, name, session.password(name) or "") as client:
            assert not any(client.lists_work(project) for project in session.projects.values())


def test_edits_of_labels_documents_and_members_are_reported(
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

        # Browsers allow spans that contain a line break.
        connection.create_span(project, example.id, 5, 14, types["UNIT"])
        pulled = pull(connection, folder)
        assert "'x' of 'hand': span 5-14 UNIT runs across a line break" in pulled.warnings[0]
        kept = (folder / "history" / "hand.jsonl").read_bytes()

        renamed = http.patch(f"{path}/span-types/{types['ROLE']}", json={"text": "OFFICE"})
        assert renamed.status_code == 200
        refuses("label 'OFFICE' is not in the session's label set")
        http.patch(f"{path}/span-types/{types['ROLE']}", json={"text": "ROLE"})
        # With another address of the server the same document gets another UUID.
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
        # Pushing again created the deleted label, too.
        pull(connection, folder)


def test_invalid_offsets_and_deletions_are_reported(doccano: Running, tmp_path: Path) -> None:
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


def test_white_space_around_spans_is_removed(doccano: Running, tmp_path: Path) -> None:
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
