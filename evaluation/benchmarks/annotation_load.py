"""Many annotators at once: times, errors and lost work on SQLite and on PostgreSQL.

    python -m orbat.evaluation.benchmarks.annotation_load FOLDER [--seconds 60] [--annotators 10]

FOLDER is for the benchmark's own doccano servers, one for each database. DATABASE_URL names an
empty PostgreSQL database; without it only SQLite is measured. Every annotator marks, reads back,
deletes, confirms and comments without a pause, while a lead pushes documents to them and pulls. At
the end, all that the server stores is compared with what the annotators did. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import socket
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
import numpy as np

from ...annotation.doccano.client import DoccanoClient
from ...annotation.doccano.database import DATABASE_VARIABLE
from ...annotation.doccano.records import ExampleSpan
from ...annotation.doccano.server import DoccanoServer
from ...annotation.session.folder import Session
from ...annotation.session.pull import pull
from ...annotation.session.push import push
from ...corpus.labels import load_labels
from .common import describe_machine
from .pushing import make_documents

DOCUMENTS, PUSHED = 40, 5
"""Documents of each annotator at the beginning, and those that each push adds."""
_Result = TypeVar("_Result")


@dataclass
class Work:
    """What one person did: seconds of each action, failures, and what the server must store.

    Attributes:
        seconds: the times of each action.
        failures: requests that failed or were refused.
        spans: the spans (start, end, label) of each example.
        confirmed: the confirmed examples.
        comments: the number of comments on each example.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)
    spans: dict[int, set[tuple[int, int, int]]] = field(default_factory=dict)
    confirmed: set[int] = field(default_factory=set)
    comments: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def time(self, action: str, call: Callable[[], _Result]) -> _Result:
        """Call a function and note how long it took."""
        began = time.perf_counter()
        result = call()
        self.seconds[action].append(time.perf_counter() - began)
        return result

    def watch(self, client: DoccanoClient) -> None:
        """Note the failures of all requests, also of those that the client repeats."""

        def note(response: httpx.Response) -> None:
            if response.status_code >= 400:
                self.failures.append(f"{response.request.method} {response.status_code}")

        client.transport.http.event_hooks = {"response": [note]}


@dataclass(frozen=True)
class Load:
    """The outcome of a run.

    Attributes:
        seconds: the times of each action of all persons.
        failures: requests that failed or were refused.
        lost: spans, confirmations and comments that are missing or too many at the end.
        stored: spans, confirmations and comments at the end.
    """

    seconds: dict[str, list[float]]
    failures: list[str]
    lost: int
    stored: int


def measure_load(server: DoccanoServer, folder: Path, seconds: float, annotators: int) -> Load:
    """Let annotators and a lead work at the same time, and compare what the server stores.

    Args:
        server: a running server.
        folder: a new session folder, whose name is part of the annotators' names.
        seconds: how long the annotators work.
        annotators: their number.
    """
    names = [f"{folder.name}-{number}" for number in range(annotators)]
    documents = make_documents(DOCUMENTS, 3)
    with server.connect() as client:
        session = push(client, folder, documents, names, load_labels()).session
    end = threading.Event()
    threading.Timer(seconds, end.set).start()
    with ThreadPoolExecutor(annotators + 1) as pool:
        lead = pool.submit(_lead, server, folder, names, end)
        persons = [pool.submit(_annotate, session, name, end) for name in names]
        works = {name: person.result() for name, person in zip(names, persons, strict=True)}
    with server.connect() as client:
        outcomes = [_compare(client, session.projects[name], works[name]) for name in names]
    everybody = [*works.values(), lead.result()]
    times: dict[str, list[float]] = defaultdict(list)
    for work in everybody:
        for action, spent in work.seconds.items():
            times[action] += spent
    return Load(
        dict(times),
        [failure for work in everybody for failure in work.failures],
        sum(lost for lost, _ in outcomes),
        sum(stored for _, stored in outcomes),
    )


def _annotate(session: Session, name: str, end: threading.Event) -> Work:
    """Mark, read back, delete, comment and confirm documents until the end, at least one."""
    work = Work()
    with DoccanoClient(session.url, name, session.password(name) or "") as client:
        work.watch(client)
        project = session.projects[name]
        labels = [label.id for label in client.span_types(project)]
        examples = list(client.examples(project))
        for turn in range(10**6):
            example = examples[turn % len(examples)]
            _work_on(client, work, project, example.id, len(example.text), labels, turn)
            if end.is_set():
                break
    return work


def _work_on(
    client: DoccanoClient,
    work: Work,
    project: int,
    example: int,
    size: int,
    labels: list[int],
    turn: int,
) -> None:
    if example not in work.spans:
        work.spans[example] = _read_spans(client, project, example)
    mine = work.spans[example]
    taken = sorted((start, end) for start, end, _ in mine)
    free = (
        (start, start + 5)
        for start in range(turn % 7, size - 5, 11)
        if all(start + 5 <= left or right <= start for left, right in taken)
    )
    for number, (start, end) in zip(range(3), free, strict=False):
        label = labels[(turn + number) % len(labels)]
        work.time("mark", partial(client.create_span, project, example, start, end, label))
        mine.add((start, end, label))
    spans = work.time("read back", lambda: client.spans(project, example))
    if _places(spans) != mine:
        work.failures.append(f"example {example} was not read back as marked")
    if spans:
        last = spans[-1]
        work.time("delete", lambda: client.delete_span(project, example, last.id))
        mine.discard((last.start_offset, last.end_offset, last.label))
    work.time("comment", lambda: client.create_comment(project, example, f"turn {turn}"))
    work.comments[example] += 1
    work.time("confirm", lambda: client.confirm(project, example))
    work.confirmed.add(example)


def _read_spans(client: DoccanoClient, project: int, example: int) -> set[tuple[int, int, int]]:
    return _places(client.spans(project, example))


def _places(spans: list[ExampleSpan]) -> set[tuple[int, int, int]]:
    return {(span.start_offset, span.end_offset, span.label) for span in spans}


def _lead(server: DoccanoServer, folder: Path, names: list[str], end: threading.Event) -> Work:
    """Push further documents and pull, again and again, until the end."""
    work, labels = Work(), load_labels()
    with server.connect() as client:
        work.watch(client)
        for turn in range(1, 10**6):
            documents = make_documents(DOCUMENTS + turn * PUSHED, 3)
            new = documents[-PUSHED:]
            work.time("push", partial(push, client, folder, new, names, labels))
            work.time("pull", lambda: pull(client, folder))
            if end.is_set():
                return work
    raise AssertionError("unreachable")


def _compare(client: DoccanoClient, project: int, work: Work) -> tuple[int, int]:
    """Return how many spans, confirmations and comments differ, and how many are stored."""
    lost = stored = 0
    for example, expected in work.spans.items():
        spans = _read_spans(client, project, example)
        confirmed = bool(client.states(project, example))
        comments = len(client.comments(project, example))
        lost += len(spans ^ expected) + (confirmed != (example in work.confirmed))
        lost += abs(comments - work.comments[example])
        stored += len(spans) + confirmed + comments
    return lost, stored


@contextmanager
def _server(home: Path, database_url: str) -> Iterator[DoccanoServer]:
    os.environ.pop(DATABASE_VARIABLE, None)
    if database_url:
        os.environ[DATABASE_VARIABLE] = database_url
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = DoccanoServer(home)
    server.up(port, on_message=lambda line: None)
    try:
        yield server
    finally:
        server.down()


def print_load(database: str, load: Load) -> None:
    """Print a run as Markdown."""
    print(f"\n### {database}\n\n| action | count | p50 ms | p99 ms |\n|---|---|---|---|")
    for action, seconds in load.seconds.items():
        middle, high = np.percentile(np.array(seconds) * 1000, [50, 99])
        print(f"| {action} | {len(seconds):,} | {middle:,.0f} | {high:,.0f} |")
    print(f"\n{len(load.failures)} errors; {load.lost} lost of {load.stored:,} stored.", flush=True)
    for failure in load.failures[:5]:
        print(f"- {failure}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--annotators", type=int, default=10)
    arguments = parser.parse_args()
    print(f"{describe_machine()}; {arguments.annotators} annotators, {arguments.seconds:.0f} s.")
    databases = {"SQLite": ""}
    if url := os.environ.get(DATABASE_VARIABLE):
        databases["PostgreSQL"] = url
    for name, url in databases.items():
        with (
            _server(arguments.folder / name.lower(), url) as server,
            tempfile.TemporaryDirectory() as folder,
        ):
            session = Path(folder) / f"load{time.time():.0f}"
            print_load(name, measure_load(server, session, arguments.seconds, arguments.annotators))


if __name__ == "__main__":
    main()
