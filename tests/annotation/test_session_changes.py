"""Changes of a running session on a doccano in memory: files, refusals and interruptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orbat.annotation.quality.control_documents import ControlPlan
from orbat.annotation.quality.control_records import read_control
from orbat.annotation.session.assigning.team import move_documents
from orbat.annotation.session.changes.label_changes import change_labels
from orbat.annotation.session.changes.reopening import Ruling, reopen
from orbat.annotation.session.changes.replacing_suggestions import replace_suggestions
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import LabelSet
from orbat.errors import InputError, ServerError
from tests.annotation.memory_doccano import MemoryDoccano


def label_set(*names: str) -> LabelSet:
    labels = [{"name": name, "key": chr(ord("a") + n)} for n, name in enumerate(names)]
    return LabelSet.model_validate({"name": "staff", "label": labels})


BEFORE, AFTER = label_set("RANK", "BODY"), label_set("RANK", "UNIT")
OLD, NEW = Span(0, 4, "RANK"), (Span(5, 8, "BODY"),)
DOCUMENTS = [Document(f"d{n}", f"Gen. Doe spoke {n} times", (OLD,)) for n in range(4)]
PLAIN = [document.with_spans(()) for document in DOCUMENTS]
KNOWN = tuple(Document(f"g{n}", f"Gen. Doe led {n} wings", (OLD, *NEW)) for n in range(3))


class NewModel:
    """Finds other spans than the first suggestions."""

    labels = ("BODY",)

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        yield from (document.with_spans(NEW) for document in documents)


def test_labels_are_renamed_in_a_session_with_control_documents(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    push(server.client, folder, PLAIN, ["ann"], BEFORE, control=ControlPlan(KNOWN))
    # Nobody else gets documents, and one who read no control document has none of these.
    push(server.client, folder, PLAIN, ["ann", "cid"], BEFORE)
    push(server.client, folder, [Document("d9", "Gen. Doe went")], ["ben"], BEFORE)
    pull(server.client, folder)
    files = {str(path.relative_to(folder)) for path in folder.rglob("pulled/*.jsonl")}
    assert files == {"pulled/ann.jsonl", "pulled/ben.jsonl", "control/pulled/ann.jsonl"}
    # Earlier versions wrote these.
    (folder / "pulled" / "cid.jsonl").touch()
    change_labels(server.client, folder, AFTER, renames={"BODY": "UNIT"})
    assert {s.label for c in read_control(folder) for s in c.gold.spans} == {"RANK", "UNIT"}
    pull(server.client, folder)
    assert not (folder / "pulled" / "cid.jsonl").exists()


def test_control_documents_stay_out_of_the_annotation_sets_of_a_session(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    push(server.client, folder, PLAIN, ["ann"], BEFORE, control=ControlPlan(KNOWN))
    for output in (None, folder / "x" / ".." / "pulled"):
        with pytest.raises(InputError, match="name another folder with --output"):
            pull(server.client, folder, control=True, output=output)
    sets = pull(server.client, folder, control=True, output=tmp_path / "all").annotation_sets
    assert len(sets["ann"]) > len(DOCUMENTS)


def test_labels_are_refused_before_anything_is_changed(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    push(server.client, folder, DOCUMENTS, ["ann"], BEFORE)
    wrong = label_set("RANK", "BODY", "UNIT")
    with pytest.raises(InputError, match="the session has no label 'BDOY'; its labels are RANK, "):
        change_labels(server.client, folder, wrong, renames={"BDOY": "UNIT"})
    own, server.rows[1] = server.rows[1], []
    with pytest.raises(ServerError, match=r"project 1 has no document of .* for 'ann'"):
        change_labels(server.client, folder, AFTER, renames={"BODY": "UNIT"})
    assert server.labels[1] == ["RANK", "BODY"]
    server.rows[1] = own
    change_labels(server.client, folder, AFTER, renames={"BODY": "UNIT"})
    # The same call again changes nothing.
    assert not change_labels(server.client, folder, AFTER, renames={"BODY": "UNIT"}).renamed


COMMANDS: dict[str, Callable[[MemoryDoccano, Path], object]] = {
    "pull": lambda server, folder: pull(server.client, folder),
    "push": lambda server, folder: push(server.client, folder, DOCUMENTS, ["ann"], BEFORE),
    "reopen": lambda server, folder: reopen(server.client, folder, Ruling("nothing")),
    "assign": lambda server, folder: move_documents(server.client, folder, "ann", ["ben"]),
    "labels": lambda server, folder: change_labels(
        server.client, folder, AFTER, renames={"BODY": "UNIT"}
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_interrupted_suggestions_never_pass_for_the_work_of_annotators(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    push(server.client, folder, DOCUMENTS, ["ann"], BEFORE)
    push(server.client, folder, [Document("b", "Gen. Doe went", (OLD,))], ["ben"], BEFORE)
    pull(server.client, folder)
    journal = folder / "suggesting.jsonl"
    create, calls = server.create_span, iter(range(3))

    def interrupted(*arguments: int) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        create(*arguments)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(server, "create_span", interrupted)
        replace_suggestions(server.client, folder, [NewModel()])
    assert len(journal.read_text().splitlines()) == 3
    COMMANDS[command](server, folder)
    assert not journal.exists()
    pulled = pull(server.client, folder)
    for changes in pulled.changes.values():
        assert (changes.added, changes.removed, changes.relabeled) == (0, 0, 0)
    session = open_session(folder)
    spans = {d.id: d.spans for name in session.projects for d in session.pushed(name)}
    assert sum(s != (OLD,) for s in spans.values()) == 3


def test_documents_with_accepted_suggestions_do_not_move(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    session = push(server.client, folder, DOCUMENTS, ["ann"], BEFORE).session
    push(server.client, folder, [Document("b", "Gen. Doe went", (OLD,))], ["ben"], BEFORE)
    server.accepted.add((session.projects["ann"], 2))
    result = move_documents(server.client, folder, "ann", ["ben"])
    assert [(kept.document, kept.reason) for kept in result.kept] == [("d2", "begun")]
    assert {move.document for move in result.moved} == {"d0", "d1", "d3"}


def test_a_ruling_leaves_the_documents_of_who_left(tmp_path: Path) -> None:
    server, folder = MemoryDoccano(), tmp_path / "june"
    session = push(server.client, folder, DOCUMENTS, ["ann", "ben"], BEFORE).session
    server.confirmed |= {(number, 0) for number in session.projects.values()}
    replace(session, paused=("ann",)).save()
    result = reopen(server.client, folder, Ruling("Doe"), dry_run=True)
    assert [d.annotator for d in result.documents] == ["ben"]
    assert [d.annotator for d in result.paused] == ["ann"]
