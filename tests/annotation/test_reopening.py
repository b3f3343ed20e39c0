"""Reopening what a ruling touches, on a real doccano: which documents, comments, interruptions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.session.changes.reopening import Ruling, parse_before, reopen
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ServerError
from tests.conftest import Orbat, Running

HQ = (Span(4, 21, "UNIT"),)
DOCUMENTS = [
    Document("marked", "The Army Headquarters moved.", HQ),
    Document("plain", "ARMY\n  headquarters said so."),
    Document("other", "The Air Headquarters moved."),
    Document("longer", "Army Headquartersville is a town."),
]


def test_a_phrase_is_found_as_words() -> None:
    pattern = Ruling("army headquarters (north).").pattern
    assert pattern.search("An Army\nHeadquarters  (North).")
    assert not pattern.search("Army Headquarters North")
    assert parse_before("3") == 3
    assert str(parse_before("2026-06-30")) == "2026-06-30 00:00:00+00:00"
    with pytest.raises(InputError, match="--before soon: neither"):
        parse_before("soon")


@pytest.fixture
def confirmed(doccano: Running, tmp_path: Path) -> Path:
    """A session of two annotators who have confirmed everything, the second one after a push."""
    folder = tmp_path / "rulings"
    with doccano.connect() as connection:
        for number, name in enumerate(("ro-ann", "ro-ben"), start=1):
            push(
                connection,
                folder,
                DOCUMENTS,
                ["ro-ann", "ro-ben"],
                load_labels(),
                guidelines=f"Version {number}",
            )
            confirm_all(connection, folder, name)
    return folder


def confirm_all(connection: DoccanoClient, folder: Path, name: str) -> None:
    project = open_session(folder).projects[name]
    for example in connection.examples(project):
        connection.confirm(project, example.id)


def states(connection: DoccanoClient, folder: Path) -> dict[str, set[str]]:
    """The open documents of each annotator."""
    return {
        name: {e.upload_name for e in connection.examples(project) if not e.is_confirmed}
        for name, project in open_session(folder).projects.items()
    }


def comments(connection: DoccanoClient, folder: Path) -> list[str]:
    projects = open_session(folder).projects.values()
    return [comment.text for project in projects for comment in connection.comments(project)]


@pytest.mark.doccano
@pytest.mark.slow
def test_a_ruling_reopens_what_it_touches_and_says_why(
    orbat: Orbat, doccano: Running, confirmed: Path, refused: Callable[..., str]
) -> None:
    command = ("annotate", "reopen", "--session", confirmed, "--ruling", " Army  Headquarters ")

    def found(*options: str) -> set[tuple[str, str]]:
        outcome = orbat(*command, *options, "--dry-run", "--json", env=doccano.env)
        assert outcome.code == 0, outcome.err
        return {(d["annotator"], d["document"]) for d in outcome.json()["documents"]}

    ann, ben = (
        {("ro-ann", "marked"), ("ro-ann", "plain")},
        {("ro-ben", "marked"), ("ro-ben", "plain")},
    )
    assert found() == ann | ben
    assert found("--label", "UNIT", "--annotators", "ro-ann") == {("ro-ann", "marked")}
    assert found("--label", "RANK") == set()
    assert found("--documents", "plain,other") == {("ro-ann", "plain"), ("ro-ben", "plain")}
    assert found("--before", "2") == ann
    assert found("--before", "1") == set()
    assert found("--before", "2099-01-01") == ann | ben
    assert "no such version" in refused(*command, "--before", "7", env=doccano.env)
    assert "--label NONE" in refused(*command, "--label", "NONE", env=doccano.env)
    assert "--ruling is empty" in refused(*command[:-1], " ", env=doccano.env)
    with doccano.connect() as connection:
        assert not any(states(connection, confirmed).values())
        done = orbat(*command, "--before", "2", "--note", "It is a UNIT.", env=doccano.env)
        assert done.code == 0, done.err
        assert "2 documents of 1 annotators reopened" in done.out
        assert states(connection, confirmed) == {"ro-ann": {"marked", "plain"}, "ro-ben": set()}
        said = "Reopened for the ruling on “Army Headquarters”. It is a UNIT."
        assert comments(connection, confirmed) == [said, said]
        (back, *_) = pull(connection, confirmed).annotation_sets["ro-ann"]
        assert [(s.start, s.end, s.label) for s in back.spans] == [(4, 21, "UNIT")]
        shown = orbat("annotate", "history", "--session", confirmed, "--document", "marked").out
        assert "confirmed by admin under guidelines 1" in shown
        # What was confirmed again stays so, until another ruling comes.
        confirm_all(connection, confirmed, "ro-ann")
        again = orbat(*command, "--before", "2", "--note", "It is a UNIT.", env=doccano.env)
        assert "0 documents of 0 annotators reopened" in again.out
        assert reopen(connection, confirmed, Ruling("air headquarters")).documents[0].document == (
            "other"
        )


@pytest.mark.doccano
@pytest.mark.slow
def test_an_interrupted_call_is_completed_without_a_second_comment(
    doccano: Running, confirmed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruling = Ruling("army headquarters", note="Look again.")
    real = {name: getattr(DoccanoClient, name) for name in ("create_comment", "reopen")}
    for step, name in enumerate(("create_comment", "reopen", "reopen")):

        def broken(*arguments: Any, name: str = name, step: int = step) -> None:
            if step != 1:
                real[name](*arguments)
            raise KeyboardInterrupt

        with doccano.connect() as connection, monkeypatch.context() as patched:
            patched.setattr(DoccanoClient, name, broken)
            with pytest.raises(KeyboardInterrupt):
                reopen(connection, confirmed, ruling)
    with doccano.connect() as connection:
        reopen(connection, confirmed, ruling)
        assert reopen(connection, confirmed, ruling).documents == ()
        assert set(map(frozenset, states(connection, confirmed).values())) == {
            frozenset({"marked", "plain"})
        }
        assert comments(connection, confirmed) == [ruling.comment] * 4


@pytest.mark.doccano
@pytest.mark.slow
def test_a_confirmation_that_changes_meanwhile_is_never_added(
    doccano: Running, confirmed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with doccano.connect() as connection:
        project = open_session(confirmed).projects["ro-ann"]
        example = next(connection.examples(project)).id
        post = connection.transport.post

        def crossed(path: str, body: Any, **arguments: Any) -> Any:
            monkeypatch.setattr(connection.transport, "post", post)
            post(path, body)  # the annotator withdraws it at the same time
            return post(path, body, **arguments)

        monkeypatch.setattr(connection.transport, "post", crossed)
        connection.reopen(project, example)
        assert not connection.states(project, example)
        # Lost answers are not repeated: what was toggled stays so.
        connection.confirm(project, example)

        def lost(path: str, body: Any, **arguments: Any) -> Any:
            post(path, body, **arguments)
            raise ServerError("no answer")

        monkeypatch.setattr(connection.transport, "post", lost)
        with pytest.raises(ServerError):
            connection.reopen(project, example)
        connection.reopen(project, example)
        assert not connection.states(project, example)
