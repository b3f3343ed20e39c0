"""New suggestions for what nobody has begun, on a real doccano."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.session.changes.replacing_suggestions import (
    ReplacedSuggestions,
    SuggestionAccuracy,
    replace_suggestions,
)
from orbat.annotation.session.folder import Session, open_session
from orbat.annotation.session.pull import SUGGESTED, pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.files import sha256_text
from orbat.corpus.labels import load_labels
from tests.conftest import Orbat, Running

pytestmark = [pytest.mark.doccano, pytest.mark.slow]

OLD, NEW = Span(0, 4, "RANK"), (Span(5, 8, "ROLE"), Span(12, 18, "UNIT", score=0.75))
BEGUN = ("added", "deleted", "commented")
NAMES = ("plain", "second", *BEGUN, "confirmed")


def text(name: str) -> str:
    return f"Gen. Doe of 3 Wing {name}"


class NewModel:
    """Finds other spans than the first suggestions, except in the second document."""

    labels = ("ROLE", "UNIT")

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            yield document.with_spans((OLD,) if document.id == "second" else NEW)


def begin(client: DoccanoClient, session: Session, annotator: str) -> None:
    """Begin some documents as their annotator, and confirm one with the new model's first span."""
    project, password = session.projects[annotator], session.password(annotator)
    assert password
    with DoccanoClient(client.url, annotator, password) as own:
        examples = {e.upload_name: e.id for e in own.examples(project)}
        types = {t.text: t.id for t in own.span_types(project)}
        own.create_span(project, examples["added"], 5, 8, types["ROLE"])
        for name in ("deleted", "confirmed"):
            (span,) = own.spans(project, examples[name])
            own.delete_span(project, examples[name], span.id)
        own.create_comment(project, examples["commented"], "Which wing?")
        own.create_span(project, examples["confirmed"], 5, 8, types["ROLE"])
        own.confirm(project, examples["confirmed"])


@pytest.fixture
def session(doccano: Running, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    """A session in which some documents are begun."""
    documents = [Document(name, text(name), (OLD,), {"title": "T"}) for name in NAMES]
    with doccano.connect() as connection:
        name = "rs-" + "".join(filter(str.isalnum, request.node.name))[-14:]
        pushed = push(connection, tmp_path / "june", documents, [name], load_labels())
        begin(connection, pushed.session, name)
        pull(connection, tmp_path / "june")
    return pushed.session


def replace_in(connection: DoccanoClient, session: Session, **options: Any) -> ReplacedSuggestions:
    return replace_suggestions(connection, session.folder, [NewModel()], **options)


def check(connection: DoccanoClient, session: Session) -> None:
    """Check that the documents that nobody has begun, and only those, have new suggestions."""
    (name,) = session.projects
    pushed = {d.id: d.spans for d in session.pushed(name)}
    assert pushed == {doc: NEW if doc == "plain" else (OLD,) for doc in NAMES}
    pulled = pull(connection, session.folder)
    # What orbat replaced is not the annotator's change.
    assert pulled.changes[name].documents == 0
    spans = {d.id: d.spans for d in pulled.annotation_sets[name]}
    assert [(s.start, s.end, s.label, s.note) for s in spans["plain"]] == [
        *((5, 8, "ROLE", SUGGESTED), (12, 18, "UNIT", SUGGESTED))
    ]
    assert [s.label for s in spans["added"]] == ["RANK", "ROLE"]
    assert spans["deleted"] == ()
    assert [s.label for s in spans["commented"]] == ["RANK"]
    example = next(connection.examples(session.projects[name]))
    assert example.meta["meta"]["suggestions"] == [[5, 8, "ROLE"], [12, 18, "UNIT", 0.75]]
    assert example.meta["meta"]["title"] == "T"
    assert not (session.folder / "suggesting.jsonl").exists()


def test_only_documents_that_nobody_has_begun_get_new_suggestions(
    doccano: Running, session: Session
) -> None:
    (name,) = session.projects
    with doccano.connect() as connection:
        result = replace_in(connection, session)
        assert (result.replaced, result.unchanged, result.begun) == ({name: 1}, 1, len(BEGUN))
        assert (result.confirmed, result.seen) == (1, 0)
        assert result.accuracy.old is not None
        assert result.accuracy.new is not None
        assert result.accuracy.gold is None
        old, new = (r.strict.micro for r in (result.accuracy.old, result.accuracy.new))
        assert (old.precision, old.recall, new.precision, new.recall) == (0, 0, 0.5, 1)
        check(connection, session)
        again = replace_in(connection, session, seen=frozenset([sha256_text(text("confirmed"))]))
        assert (again.replaced, again.unchanged) == ({}, 2)
        assert (again.seen, again.accuracy) == (1, SuggestionAccuracy())


@pytest.mark.parametrize("method", ["delete_span", "create_span", "set_meta"])
def test_an_interrupted_replacement_is_completed(
    method: str, doccano: Running, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(DoccanoClient, method)

    def interrupted(*arguments: Any) -> None:
        real(*arguments)
        raise KeyboardInterrupt

    with doccano.connect() as connection:
        with monkeypatch.context() as patched:
            patched.setattr(DoccanoClient, method, interrupted)
            with pytest.raises(KeyboardInterrupt):
                replace_in(connection, session)
        replace_in(connection, session)
        check(connection, session)


def test_a_document_that_is_begun_meanwhile_is_left(
    doccano: Running, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = DoccanoClient.states

    def confirmed_meanwhile(client: DoccanoClient, project: int, example: int) -> Any:
        # The annotator is faster.
        if not read(client, project, example):
            client.transport.post(f"projects/{project}/examples/{example}/states", {})
        return read(client, project, example)

    with doccano.connect() as connection, monkeypatch.context() as patched:
        patched.setattr(DoccanoClient, "states", confirmed_meanwhile)
        assert replace_in(connection, session).replaced == {}
        (name,) = session.projects
        assert all(d.spans == (OLD,) for d in session.pushed(name))


def test_the_command_says_what_it_did(
    orbat: Orbat, doccano: Running, session: Session, rules_run: Path
) -> None:
    done = orbat(
        *("annotate", "suggest", "--session", session.folder, "--model", rules_run),
        *("--suggest", "model"),
        env=doccano.env,
    )
    assert done.code == 0, done.err
    assert "Old suggestions: 1 documents" in done.out
    assert "New suggestions: 1 documents" in done.out
    assert "3 are begun and 1 confirmed, and were left as they are" in done.out
    (name,) = session.projects
    assert {d.id for d in open_session(session.folder).pushed(name)} == set(NAMES)
