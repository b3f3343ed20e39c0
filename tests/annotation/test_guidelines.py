"""The versions of a session's guidelines: who had which since when, whatever was interrupted."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orbat.annotation.session.folder import open_session
from orbat.annotation.session.guidelines import (
    GuidelineLog,
    deliver_guidelines,
    read_guideline_log,
)
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from orbat.errors import InputError
from tests.annotation.memory_doccano import MemoryDoccano
from tests.conftest import Orbat, Running

MORNING = datetime.fromisoformat("2026-06-01T09:00:00+00:00")
DOCUMENTS = [Document(f"g{n}", f"Gen. {n} spoke") for n in range(3)]


def hours(count: float) -> datetime:
    return MORNING + timedelta(hours=count)


def test_each_annotator_has_a_version_since_it_was_delivered_to_them(tmp_path: Path) -> None:
    log = GuidelineLog(tmp_path, ())
    log = log.add("one", "ann", hours(0)).add("one", "ben", hours(1))
    log = log.add("two", "ann", hours(2)).add("two", "ben", hours(3)).add("two", "ben", hours(9))
    log = log.add("one", "ann", hours(4)).add("one", "ben", hours(5)).add("one", "cid", hours(6))
    assert read_guideline_log(tmp_path) == log
    assert [log.text(version.number) for version in log.versions] == ["one", "two", "one"]

    def at(annotator: str, *times: float) -> list[int | None]:
        return [log.at(annotator, hours(time).isoformat()) for time in times]

    assert at("ann", -1, 0, 1.9, 2, 3.9, 4, 99) == [None, 1, 1, 2, 2, 3, 3]
    assert at("ben", 0, 1, 2.5, 3, 5) == [None, 1, 1, 2, 3]
    assert at("cid", 5, 6) == [None, 3]
    assert log.at("ann", None) is None


@pytest.mark.parametrize("content", ["", "[]", '{"versions": [{"number": "a"}]}'])
def test_a_damaged_index_is_named(tmp_path: Path, content: str) -> None:
    GuidelineLog(tmp_path, ()).add("one", "ann", MORNING)
    (tmp_path / "guidelines" / "versions.json").write_text(content)
    with pytest.raises(InputError, match=r"versions\.json: .*"):
        read_guideline_log(tmp_path)


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after it"])
def test_an_interrupted_delivery_is_completed_by_the_next(after: bool, tmp_path: Path) -> None:
    for call in range(1, 8):
        server, folder = MemoryDoccano(), tmp_path / str(call)
        for names in (["ann", "ben"], ["cid"]):
            push(server.client, folder, DOCUMENTS, names, load_labels(), guidelines="One")
        session = open_session(folder)
        server.calls, server.interrupt_at, server.after = 0, call, after
        try:
            deliver_guidelines(server.client, session, "Two ")
        except KeyboardInterrupt:
            deliver_guidelines(server.client, session, "Two ")
        assert {project.guideline for project in server.stored.values()} == {"Two "}
        log = read_guideline_log(folder)
        assert [log.text(version.number) for version in log.versions] == ["One", "Two"]
        assert all(set(version.delivered) == {"ann", "ben", "cid"} for version in log.versions)


@pytest.mark.doccano
@pytest.mark.slow
def test_confirmed_documents_know_their_guidelines(
    orbat: Orbat, doccano: Running, tmp_path: Path
) -> None:
    folder = tmp_path / "living"

    def push_with(guidelines: str, *annotators: str) -> tuple[str, ...]:
        pushed = push(
            connection, folder, DOCUMENTS, annotators, load_labels(), guidelines=guidelines
        )
        return pushed.guidelines_updated

    with doccano.connect() as connection:
        assert push_with("Mark ranks.", "gl-ann", "gl-ben") == ()
        project = open_session(folder).projects["gl-ann"]
        examples = list(connection.examples(project))
        connection.confirm(project, examples[0].id)
        # All annotators get what is new, not only those who are named.
        assert push_with("Mark ranks.\r\nAnd units.", "gl-ben") == ("gl-ann", "gl-ben")
        connection.confirm(project, examples[1].id)
        connection.set_guidelines(project, "Edited in doccano")
        connection.confirm(project, examples[2].id)
        assert push_with("Mark ranks.\r\nAnd units.", "gl-ben") == ("gl-ann",)
        assert push_with("Mark ranks.\r\nAnd units.", "gl-ben") == ()
        back = pull(connection, folder).annotation_sets
    assert [d.meta["annotation"].get("guidelines") for d in back["gl-ann"]] == [1, 2, 3]
    assert not any("guidelines" in d.meta["annotation"] for d in back["gl-ben"])
    shown = orbat("annotate", "history", "--session", folder)
    assert "confirmed by admin under guidelines 2" in shown.out
    lines = orbat("annotate", "history", "--session", folder, "--document", "g1", "--json").out
    assert [json.loads(line)["guidelines"] for line in lines.splitlines()] == [2, None]
    listed = orbat("annotate", "history", "--session", folder, "--guidelines", "--json").json()
    assert [(row["version"], row["annotators"], row["confirmed"]) for row in listed] == [
        *((1, 2, 1), (2, 2, 1), (3, 1, 1), (4, 1, 0))
    ]
    assert Path(listed[2]["file"]).read_text() == "Edited in doccano"
