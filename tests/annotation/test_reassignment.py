"""Who works in a session: documents that move between annotators, and what never moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.annotation.session.assigning.moves import BegunMoves, Move
from orbat.annotation.session.assigning.team import (
    add_annotator,
    move_documents,
    pause_annotator,
    remove_annotator,
    resume_annotator,
)
from orbat.annotation.session.folder import Session, open_session
from orbat.annotation.session.guidelines import read_guideline_log
from orbat.annotation.session.history import Version, add_versions
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from tests.annotation.memory_doccano import TIME, MemoryDoccano
from tests.conftest import Orbat, Running

DOCUMENTS = [
    Document(f"d{n:02}", "Gen. " + "word " * (20 + n), (Span(0, 4, "RANK"),)) for n in range(9)
]


def push_to(server: MemoryDoccano, folder: Path, *names: str, batch: int | None = None) -> Session:
    documents = DOCUMENTS
    pushed = push(
        *(server.client, folder, documents, names, load_labels()),
        readers=min(2, len(names)),
        batch=batch,
    )
    return pushed.session


def number_of(server: MemoryDoccano, project: int, doc_id: str) -> tuple[int, int]:
    return project, next(e.id for e in server.examples(project) if e.upload_name == doc_id)


def held(server: MemoryDoccano, session: Session) -> dict[str, set[str]]:
    """Return the documents that each annotator's project holds."""
    return {
        name: {example.upload_name for example in server.examples(project)}
        for name, project in session.projects.items()
    }


def check_record(server: MemoryDoccano, folder: Path) -> Session:
    """Check that the record is what the server holds, and that no work was lost."""
    session = open_session(folder)
    assert not (folder / "moves.json").exists()
    for name, ids in held(server, session).items():
        assert {document.id for document in session.pushed(name)} == ids
        assert ids <= session.assigned(name)
    assert not server.deleted & (server.confirmed | server.commented)
    return session


def test_open_documents_move_and_work_stays(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    before = push_to(server, folder, "ann", "ben", "cat")
    ann = before.projects["ann"]
    own = [document.id for document in before.pushed("ann")]
    server.confirmed.add(number_of(server, ann, own[-1]))
    server.commented.add(number_of(server, ann, own[-2]))
    result = move_documents(server.client, folder, "ann", ["ben", "cat"], count=2)
    after = check_record(server, folder)
    assert [(kept.document, kept.reason) for kept in result.kept] == [
        (own[-1], "confirmed"),
        (own[-2], "begun"),
    ]
    assert [move.document for move in result.moved] == [own[-3], own[-4]]
    for move in result.moved:
        assert set(after.assignments[move.document]) == (
            set(before.assignments[move.document]) - {"ann"} | {move.target}
        )
    assert all(len(names) == 2 for names in after.assignments.values())
    with pytest.raises(InputError, match="'ann' has no document 'zz'"):
        move_documents(server.client, folder, "ann", ["ben"], documents=["zz"])
    with pytest.raises(InputError, match="no annotator 'eve'; the annotators are ann, ben, cat"):
        move_documents(server.client, folder, "ann", ["eve"])


def test_who_joins_gets_an_even_share_and_who_leaves_gives_it_back(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    before = push_to(server, folder, "ann", "ben", "cat", batch=4)
    add_annotator(server.client, folder, "dan")
    joined = check_record(server, folder)
    words = {n: sum(joined.words[d] for d in joined.assigned(n)) for n in joined.projects}
    assert max(words.values()) - min(words.values()) <= 2 * max(joined.words.values())
    assert {d: len(names) for d, names in joined.assignments.items()} == dict.fromkeys(
        before.assignments, 2
    )
    assert not add_annotator(server.client, folder, "dan").moved
    assert server.stored[joined.projects["dan"]].guideline == server.stored[1].guideline

    own = [document.id for document in joined.pushed("ann")]
    confirmed, begun = (number_of(server, 1, doc_id) for doc_id in own[:2])
    server.confirmed.add(confirmed)
    server.commented.add(begun)
    result = remove_annotator(server.client, folder, "ann")
    left = check_record(server, folder)
    assert left.paused == ("ann",)
    assert server.member_ids[1] == set()
    assert own[0] in {kept.document for kept in result.kept}
    assert {move.document for move in result.moved if move.stays} == {own[1]}
    assert len(left.assignments[own[1]]) == 3
    stayed = {k.document: k.reason for k in result.kept}
    assert left.assigned("ann") == set(stayed) | {own[1]}
    assert all(reason == "confirmed" or "read it already" in reason for reason in stayed.values())
    with pytest.raises(InputError, match="'ann' is paused; leave the name out"):
        push_to(server, folder, "ann", "ben")
    push_to(server, folder, "ben", "cat", "dan")
    after = check_record(server, folder)
    assert held(server, after)["ben"] == after.assigned("ben")
    resume_annotator(server.client, folder, "ann")
    assert (open_session(folder).paused, len(server.member_ids[1])) == ((), 1)
    pause_annotator(server.client, folder, "ben")
    with pytest.raises(InputError, match="'ben' is paused; use --resume ben"):
        move_documents(server.client, folder, "ann", ["ben"])
    assert open_session(folder).assignments == after.assignments


def test_an_annotator_may_lose_all_documents(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    session = push_to(server, folder, "ann", "ben", "cat")
    ids = [document.id for document in session.pushed("ann")]
    target = {doc_id: ({"ben", "cat"} - set(session.assignments[doc_id])).pop() for doc_id in ids}
    # The first document is named twice, and moves once.
    for doc_id in ids:
        result = move_documents(
            server.client, folder, "ann", ["ben", "cat"], documents=[doc_id, doc_id]
        )
        assert [(m.document, m.target) for m in result.moved] == [(doc_id, target[doc_id])]
    session = check_record(server, folder)
    assert session.pushed("ann") == []
    assert {len(names) for names in session.assignments.values()} == {2}
    # All later commands read the session, and ann gets new documents.
    push_to(server, folder, "ann", "ben", "cat")
    remove_annotator(server.client, folder, "ann")
    add_annotator(server.client, folder, "dan")
    assert check_record(server, folder).pushed("dan")


def test_reopened_documents_of_who_leaves_go_to_another_one_as_well(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    session = push_to(server, folder, "ann", "ben", "cat")
    doc_id = session.pushed("ann")[0].id
    confirmed = Version(doc_id, "ann", TIME, confirmed_by="ann", confirmed_at=TIME, spans=())
    add_versions(folder, "ann", [confirmed])
    result = remove_annotator(server.client, folder, "ann")
    assert [move.document for move in result.moved if move.stays] == [doc_id]
    assert len(check_record(server, folder).assignments[doc_id]) == 3


def test_guidelines_of_who_joins_are_recorded(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    for text in ("One", "Two"):
        push(*(server.client, folder, DOCUMENTS, ["ann"], load_labels()), guidelines=text)
    add_annotator(server.client, folder, "dan")
    log = read_guideline_log(folder)
    assert [log.current(name) for name in ("ann", "dan")] == [2, 2]
    assert {server.stored[n].guideline for n in open_session(folder).projects.values()} == {"Two"}


@pytest.mark.parametrize(
    ("change", "after"), [("move", False), ("move", True), ("add", True), ("remove", False)]
)
def test_a_change_that_is_interrupted_at_any_call_is_completed_by_the_next(
    change: str, after: bool, tmp_path: Path
) -> None:
    changes: dict[str, Callable[[MemoryDoccano, Path], object]] = {
        "move": lambda s, f: move_documents(s.client, f, "ann", ["ben", "cat"], count=2),
        "add": lambda s, f: add_annotator(s.client, f, "dan"),
        "remove": lambda s, f: remove_annotator(s.client, f, "ann"),
    }

    def prepare(folder: Path) -> MemoryDoccano:
        server = MemoryDoccano()
        session = push_to(server, folder, "ann", "ben", "cat")
        for n, doc_id in enumerate(d.id for d in session.pushed("ann")[-2:]):
            key = number_of(server, session.projects["ann"], doc_id)
            (server.confirmed if n else server.commented).add(key)
        server.calls = 0
        return server

    whole, folder = prepare(tmp_path / "0" / "june"), tmp_path / "0" / "june"
    changes[change](whole, folder)
    expected = check_record(whole, folder)
    assert whole.calls > 20
    for call in range(1, whole.calls + 1):
        folder = tmp_path / str(call) / "june"
        server = prepare(folder)
        server.interrupt_at, server.after = call, after
        with pytest.raises(KeyboardInterrupt):
            changes[change](server, folder)
        # At any time the record names what the server holds, so that pull reads all of it.
        session = open_session(folder)
        for name, ids in held(server, session).items():
            assert {document.id for document in session.pushed(name)} <= ids
        changes[change](server, folder)
        session = check_record(server, folder)
        assert (session.assignments, session.paused) == (expected.assignments, expected.paused)
        assert held(server, session) == held(whole, expected)


def test_work_that_begins_while_documents_move_stays_with_both(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    session = push_to(server, folder, "ann", "ben", "cat")
    doc_id = next(d for d, names in session.assignments.items() if names == ("ann", "ben"))
    BegunMoves({}, (Move(doc_id, "ann", "cat"),)).save(folder)
    server.confirmed.add(number_of(server, session.projects["ann"], doc_id))
    result = move_documents(server.client, folder, "ben", ["cat"], documents=[])
    assert result.moved[0] == Move(doc_id, "ann", "cat", stays=True)
    assert {"ann", "cat"} <= set(check_record(server, folder).assignments[doc_id])


@pytest.mark.doccano
@pytest.mark.slow
def test_a_team_changes_on_a_real_server(
    orbat: Orbat, doccano: Running, tmp_path: Path, refused: Callable[..., str]
) -> None:
    folder = tmp_path / "team"
    write_documents(tmp_path / "d.jsonl", DOCUMENTS)
    names = ("assign-a", "assign-b", "assign-c")
    here = ("--session", folder)
    pushing = ("annotate", "push", tmp_path / "d.jsonl", *here, "--suggest", "none")
    pushed = orbat(*pushing, "--annotators", ",".join(names), "--readers", 2, env=doccano.env)
    assert pushed.code == 0, pushed.err
    before = open_session(folder)
    assert {len(readers) for readers in before.assignments.values()} == {2}
    own = [document.id for document in before.pushed("assign-a")]
    with doccano.connect() as connection:
        project = before.projects["assign-a"]
        ids = {e.upload_name: e.id for e in connection.examples(project)}
        connection.confirm(project, ids[own[0]])
        label = connection.span_types(project)[0].id
        connection.create_span(project, ids[own[1]], 5, 9, label)

    assign = ("annotate", "assign", *here)
    moved = orbat(
        *(*assign, "--from", names[0], "--to", f"{names[1]},{names[2]}", "--count", 1, "--json"),
        env=doccano.env,
    ).json()["moved"]
    assert [move["document"] for move in moved] == own[-1:]
    added = orbat(*assign, "--add", "assign-d", env=doccano.env)
    assert added.code == 0, added.err
    assert open_session(folder).pushed("assign-d")
    removed = orbat(*assign, "--remove", names[0], "--json", env=doccano.env).json()
    assert removed["paused"] == [names[0]]
    assert {"document": own[0], "annotator": names[0], "reason": "confirmed"} in removed["kept"]
    assert [m["document"] for m in removed["moved"] if m["stays"]] == [own[1]]
    again = orbat(*assign, "--remove", names[0], "--json", env=doccano.env).json()
    assert again["moved"] == []

    session = open_session(folder)
    with doccano.connect() as connection:
        assert names[0] not in {m.username for m in connection.members(project)}
        for name, number in session.projects.items():
            examples = {e.upload_name: e for e in connection.examples(number)}
            assert set(examples) == {document.id for document in session.pushed(name)}
            if name != names[0]:
                for example in examples.values():
                    connection.confirm(number, example.id)
    pulled = orbat("annotate", "pull", *here, env=doccano.env)
    assert pulled.code == 0, pulled.err
    sets = sorted((folder / "pulled").glob("*.jsonl"))
    assert orbat("annotate", "agree", *sets).code == 0
    merged = orbat("annotate", "adjudicate", *sets, "--output", tmp_path / "gold.jsonl")
    assert merged.code == 0, merged.err
    confirmed = {d: sum(n != names[0] for n in r) for d, r in session.assignments.items()}
    confirmed[own[0]] += 1
    assert len(list(read_documents(tmp_path / "gold.jsonl"))) == sum(
        count >= 2 for count in confirmed.values()
    )
    again = orbat(*pushing, "--annotators", names[1], "--readers", 1, env=doccano.env)
    assert "documents were assigned before and keep their annotators" in again.out
    assert "is paused" in refused(*pushing, "--annotators", names[0], env=doccano.env)
    resumed = orbat(*assign, "--resume", names[0], env=doccano.env)
    assert resumed.code == 0, resumed.err
    assert "pass one of --from" in refused(*assign, env=doccano.env)
    assert "--from and --to go together" in refused(*assign, "--from", "x", env=doccano.env)
