"""Push, pull and adjudication that are stopped or run twice at once, with a real doccano."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.push import push
from orbat.annotation.session.replay import replay
from orbat.corpus.document import Document
from orbat.corpus.files import read_json_lines, write_documents
from orbat.corpus.labels import load_labels
from tests.campaign.conftest import Campaign
from tests.campaign.figures import Row
from tests.campaign.stops import (
    REFUSED,
    count_trial,
    draw,
    draw_stops,
    find_faults,
    find_stop_faults,
    has_come_to,
)
from tests.campaign.workplace import run_two, without_times
from tests.conftest import Running
from tests.forked_commands import LIGHT, Done, ForkServer, Stop

pytestmark = [pytest.mark.campaign, pytest.mark.doccano, pytest.mark.slow]


class Desk:
    """Runs the commands of one session, each with accounts of its own."""

    def __init__(self, server: ForkServer, doccano: Running, folder: Path, name: str) -> None:
        self.server, self.doccano, self.folder = server, doccano, folder
        self.annotators = [f"{name}-a", f"{name}-b"]
        self.session = folder / "session"
        self.documents = folder / "documents.jsonl"

    def run(self, *words: object, stop: Stop | None = None, by: ForkServer | None = None) -> Done:
        environment = {**os.environ, **self.doccano.env, "COLUMNS": "200"}
        stop = stop or Stop(str(self.folder))
        return (by or self.server).run(["annotate", *map(str, words)], environment, stop=stop)

    @property
    def push(self) -> Sequence[object]:
        return (
            *("push", self.documents, "--session", self.session, "--suggest", "none"),
            *("--annotators", ",".join(self.annotators)),
        )

    def push_until(self, stop: Stop) -> Done:
        """Push, to a stop."""
        return self.run(*self.push, stop=stop)

    @property
    def pull(self) -> Sequence[object]:
        return ("pull", "--session", self.session)

    def find_losses(self, client: DoccanoClient, documents: Sequence[Document], row: Row) -> None:
        """Count the annotators whose project is not as it should be."""
        session = open_session(self.session)
        expected = Counter(document.id for document in documents)
        for annotator in self.annotators:
            project = client.project(session.projects[annotator])
            assert project is not None
            row.doubled += len(client.projects(project.name)) > 1
            found = Counter(example.upload_name for example in client.examples(project.id))
            row.lost += bool(expected - found)
            row.doubled += bool(found - expected)
            password = session.password(annotator)
            row.lost += password is None or not client.accepts_password(annotator, password)


@pytest.fixture
def client(doccano: Running) -> Iterator[DoccanoClient]:
    with doccano.connect() as client:
        yield client


@pytest.fixture
def articles(train_articles: list[Document]) -> list[Document]:
    return train_articles[:6]


def make_desk(
    name: str, light: ForkServer, doccano: Running, folder: Path, documents: list[Document]
) -> Desk:
    folder.mkdir()
    write_documents(folder / "documents.jsonl", documents)
    return Desk(light, doccano, folder, name)


def test_push(
    campaign: Campaign,
    light: ForkServer,
    doccano: Running,
    client: DoccanoClient,
    articles: list[Document],
    tmp_path: Path,
) -> None:
    row, faults = campaign.figures.row("stopped: annotate push"), []
    desk = make_desk("stop-push", light, doccano, tmp_path / "whole", articles)
    whole = desk.run(*desk.push)
    assert whole.code == 0, whole.err
    count, random = (16 if campaign.is_long else 3), campaign.random("push")
    for number, stop in draw_stops(tmp_path, whole, row, count, random):
        folder = tmp_path / str(number)
        desk = make_desk(f"stop-push-{number}", light, doccano, folder, articles)
        stopped, again = desk.run(*desk.push, stop=stop), desk.run(*desk.push)
        found = find_stop_faults(stop, stopped) + find_faults(again, (0,))
        row.tracebacks += len(found)
        if has_come_to(stop, stopped):
            count_trial(row, stopped, again, expected=whole)
        faults += [f"trial {number}, {stop}: {fault}" for fault in found]
        if not found:
            desk.find_losses(client, articles, row)
    campaign.check(row, faults)


def test_pull(
    campaign: Campaign,
    light: ForkServer,
    doccano: Running,
    client: DoccanoClient,
    articles: list[Document],
    tmp_path: Path,
) -> None:
    row, faults = campaign.figures.row("stopped: annotate pull"), []
    desk = make_desk("stop-pull", light, doccano, tmp_path / "desk", articles)
    session = push(client, desk.session, articles, desk.annotators, load_labels()).session
    replay(session, desk.annotators[0], articles)
    whole = desk.run(*desk.pull)
    assert whole.code == 0, whole.err
    written = [desk.session / "pulled", desk.session / "history"]
    expected = contents(written)
    count, random = (16 if campaign.is_long else 3), campaign.random("pull")
    for number, stop in draw_stops(desk.folder, whole, row, count, random):
        for folder in written:
            for path in folder.iterdir():
                path.unlink()
        stopped, again = desk.run(*desk.pull, stop=stop), desk.run(*desk.pull)
        found = find_stop_faults(stop, stopped) + find_faults(again, (0,))
        row.tracebacks += len(found)
        row.lost += contents(written) != expected
        if has_come_to(stop, stopped):
            count_trial(row, stopped, again, expected=whole)
        faults += [f"trial {number}, {stop}: {fault}" for fault in found]
    campaign.check(row, faults)


def contents(folders: Sequence[Path]) -> dict[str, bytes]:
    return {str(path): without_times(path) for folder in folders for path in folder.iterdir()}


def test_adjudicate(
    campaign: Campaign,
    light: ForkServer,
    doccano: Running,
    client: DoccanoClient,
    articles: list[Document],
    tmp_path: Path,
) -> None:
    row, faults = campaign.figures.row("stopped: annotate adjudicate"), []
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    write_documents(first, articles)
    write_documents(second, [d.with_spans(d.spans[::2]) for d in articles])
    desk = make_desk("stop-round", light, doccano, tmp_path / "desk", articles)

    def words(number: object) -> tuple[object, ...]:
        return (
            *("adjudicate", first, second, "--policy", "manual", "--output", tmp_path / "gold"),
            *("--session", tmp_path / f"round-{number}", "--adjudicator", f"stop-judge-{number}"),
        )

    def questions(number: object) -> Counter[str]:
        lines = read_json_lines(tmp_path / f"round-{number}" / "questions.jsonl")
        return Counter(str(record["id"]) for _, record in lines)

    whole = desk.run(*words("whole"), stop=Stop(str(tmp_path)))
    assert whole.code == 0, whole.err
    expected = questions("whole")
    count, random = (12 if campaign.is_long else 2), campaign.random("adjudicate")
    for number, stop in draw_stops(tmp_path, whole, row, count, random):
        stopped, again = desk.run(*words(number), stop=stop), desk.run(*words(number))
        # 1: nothing is new, because the stopped one had asked all questions.
        found = find_stop_faults(stop, stopped) + find_faults(again, (0, 1))
        row.tracebacks += len(found)
        row.lost += bool(expected - questions(number))
        row.doubled += bool(questions(number) - expected)
        if has_come_to(stop, stopped):
            count_trial(row, stopped, again, expected=whole)
        faults += [f"trial {number}, {stop}: {fault}" for fault in found]
    campaign.check(row, faults)


@pytest.mark.parametrize("second", ["push", "pull"])
def test_two_at_once(
    second: str,
    campaign: Campaign,
    light: ForkServer,
    doccano: Running,
    client: DoccanoClient,
    articles: list[Document],
    tmp_path: Path,
) -> None:
    row, faults = campaign.figures.row(f"two at once: push and {second}"), []
    other = ForkServer(LIGHT)
    random = campaign.random(second)
    whole = make_desk(f"two-{second}", light, doccano, tmp_path / "whole", articles)
    undisturbed = whole.run(*whole.push)
    for number in draw(row, 6 if campaign.is_long else 1):
        desk = make_desk(f"two-{second}-{number}", light, doccano, tmp_path / f"{number}", articles)
        at = random.randint(1, undisturbed.changes)
        held, meanwhile = run_two(
            desk.push_until,
            partial(desk.run, *getattr(desk, second), by=other),
            *(desk.folder, at, tmp_path / f"gate-{number}"),
        )
        last = desk.run(*desk.push)
        found = find_faults(last, (0,))
        for done in (held, meanwhile):
            found += find_faults(done, (0, REFUSED))
        row.tracebacks += len(found)
        desk.find_losses(client, articles, row)
        if held.changes >= at:
            count_trial(row, held, meanwhile, last, expected=undisturbed)
        faults += [f"trial {number}, change {at}: {fault}" for fault in found]
    other.stop()
    campaign.check(row, faults)
