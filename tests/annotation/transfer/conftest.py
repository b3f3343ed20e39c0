"""A session at work on the shared server, and a second server that begins empty."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.server import DoccanoServer
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.annotation.transfer.references import find_references
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from tests.annotation.hard_texts import HARD_TEXTS
from tests.conftest import Orbat, Running

Content = dict[str, Any]


@contextmanager
def run_doccano(orbat: Orbat, home: Path, **variables: str) -> Iterator[Running]:
    """Run a real server in a folder; the variables are those of `up`."""
    env = {"ORBAT_DOCCANO_HOME": str(home)}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        outcome = orbat("annotate", "up", "--port", port, env={**env, **variables})
        assert outcome.code == 0, outcome.err
        server = DoccanoServer(home)
        assert server.url is not None
        yield Running(server, server.url, env)
    finally:
        orbat("annotate", "down", env=env)


@pytest.fixture(scope="module")
def other(orbat: Orbat, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A second real server, empty at first."""
    with run_doccano(orbat, tmp_path_factory.mktemp("other-doccano")) as running:
        yield running


@pytest.fixture
def make_session(doccano: Running, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that begins a session of some annotators, in which the first has worked."""

    def make(*annotators: str) -> Path:
        folder = tmp_path / "June, for Zoë"
        documents = [
            Document(f"d{number}", text, (Span(at := text.index(rank), at + len(rank), "RANK"),))
            for number, (text, rank, _) in enumerate(HARD_TEXTS)
        ]
        with doccano.connect() as admin:
            guidelines = "# Guidelines\n\nMark *units* 😀."
            session = push(
                admin, folder, documents, annotators, load_labels(), guidelines=guidelines
            ).session
            work(session.url, folder, annotators[0])
            pull(admin, folder)
        return folder

    return make


def work(url: str, folder: Path, annotator: str) -> None:
    """Mark a word, delete a suggestion, comment on and confirm documents as an annotator."""
    session = open_session(folder)
    project, password = session.projects[annotator], session.password(annotator)
    assert password is not None
    with DoccanoClient(url, annotator, password) as client:
        types = {span_type.text: span_type.id for span_type in client.span_types(project)}
        for number, example in enumerate(client.examples(project)):
            end = len(example.text.encode("utf-16-le")) // 2
            client.create_span(project, example.id, end - 4, end, types["UNIT"])
            if number % 3 == 0:
                client.delete_span(project, example.id, client.spans(project, example.id)[0].id)
                client.create_comment(project, example.id, f"which one? 😀 {number}")
            if number % 2 == 0:
                client.confirm(project, example.id)


def content(client: DoccanoClient, folder: Path) -> dict[str, Content]:
    """Return all that doccano's API tells of a session's projects, with names instead of ids."""
    names = {user.id: user.username for user in client.users()}
    return {
        f"{reference.path.parent.relative_to(folder)} {annotator}": project_content(
            client, project, names
        )
        for reference in find_references(folder)
        for annotator, project in reference.projects.items()
    }


def project_content(client: DoccanoClient, project: int, names: dict[int, str]) -> Content:
    base = f"projects/{project}"
    types = [*client.transport.get(f"{base}/span-types")]
    categories = [*client.transport.get(f"{base}/category-types")]
    labels = {record["id"]: record["text"] for record in (*types, *categories)}
    named = {"user": names, "confirmed_by": names, "label": labels}

    def clean(record: Content) -> Content:
        drop = {"id", "example", "project", "filename"}
        return {
            key: named[key][value] if key in named else value
            for key, value in record.items()
            if key not in drop
        }

    return {
        "project": clean(client.transport.get(base)),
        "types": [*map(clean, types), *map(clean, categories)],
        "members": [*map(clean, client.transport.get(f"{base}/members"))],
        "comments": [*map(clean, client.transport.pages(f"{base}/comments"))],
        "examples": [
            clean(example)
            | {
                part: [*map(clean, client.transport.get(f"{base}/examples/{example['id']}/{part}"))]
                for part in ("spans", "categories")
            }
            | {
                "states": [
                    clean(state)
                    for state in client.transport.pages(f"{base}/examples/{example['id']}/states")
                ]
            }
            for example in client.transport.pages(f"{base}/examples", ordering="created_at")
        ],
    }
