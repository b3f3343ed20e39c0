"""Work of annotators on orbat's page and on doccano's.

    python -m orbat.evaluation.benchmarks.annotation_actions keystrokes
    python -m orbat.evaluation.benchmarks.annotation_actions replay HOME [--from-scratch]
    python -m orbat.evaluation.benchmarks.annotation_actions opening HOME

`keystrokes` prints the keystroke-level model. `replay` repeats a recorded annotation pass in a
headless Chromium against a doccano server of its own in HOME, by keyboard and by mouse, counts the
actions and compares what was stored with the recorded pass. `opening` measures how fast long
articles open. All print Markdown.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...annotation.doccano.server import DoccanoServer
from ...annotation.session.folder import Session
from ...annotation.session.pull import pull
from ...annotation.session.push import push
from ...corpus.document import Document
from ...corpus.labels import load_labels
from ...errors import OrbatError
from .annotation_doccano import replay_on_doccano
from .annotation_edits import Task, bare, read_tasks
from .annotation_hand import Hand
from .annotation_keyboard import replay_by_keyboard
from .annotation_mouse import replay_by_mouse
from .common import describe_machine
from .keystrokes import keystroke_table, method_table
from .page_opening import (
    describe,
    first_mark,
    join_articles,
    time_frames,
    time_keys,
    watch_first_mark,
)

VIEWPORT = {"width": 1366, "height": 768}

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@contextmanager
def running_server(home: Path) -> Iterator[DoccanoServer]:
    """Use the doccano server of a folder; one that does not run is started, and stopped again."""
    server = DoccanoServer(home)
    if server.url:
        yield server
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server.up(port, on_message=print)
    try:
        yield server
    finally:
        server.down()


@contextmanager
def headless_chromium() -> Iterator[Any]:
    """Start an installed Chromium without a window.

    Raises:
        OrbatError: if none is installed.
    """
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if executable is None:
        raise OrbatError("no Chromium found; install one (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def log_in(page: Any, session: Session, annotator: str) -> None:
    """Log an annotator in on doccano's page."""
    page.goto(f"{session.url}/auth")
    page.locator("input[type=password]").wait_for()
    page.locator("input").first.fill(annotator)
    page.locator("input[type=password]").fill(session.password(annotator) or "")
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects**")


def open_doccano(page: Any, session: Session, annotator: str) -> None:
    """Open the first article that is not confirmed on doccano's page."""
    project = session.projects[annotator]
    page.goto(f"{session.url}/projects/{project}/sequence-labeling?page=1&isChecked=false")


def open_page(page: Any, session: Session, annotator: str) -> None:
    """Open the first article that is not confirmed on orbat's page."""
    page.goto(session.link(annotator, has_page=True))


Replay = Callable[[Any, Sequence[Task], dict[str, str]], Hand]

OPENED: dict[str, tuple[str, Callable[[Any, Session, str], None]]] = {
    "orbat's page": ("#text mark", open_page),
    "doccano's page": ("svg line", open_doccano),
}

WAYS: dict[str, tuple[str, Callable[[Any, Session, str], None], Replay]] = {
    "keyboard": ("orbat's page, keyboard alone", open_page, replay_by_keyboard),
    "mouse": ("orbat's page, mouse", open_page, replay_by_mouse),
    "doccano-mouse": ("doccano's page, mouse", open_doccano, replay_on_doccano),
}


def run_replay(server: DoccanoServer, browser: Any, tasks: Sequence[Task], way: str) -> Hand:
    """Replay a pass in one of the ways, and check what the server stored.

    Raises:
        OrbatError: if the pulled spans are not those of the recorded pass.
    """
    keys = {label.name: str(label.key) for label in load_labels().labels}
    _, open_first, replay = WAYS[way]
    with pushed(server, [task.suggested for task in tasks]) as (session, annotator):
        page = browser.new_page(viewport=VIEWPORT)
        try:
            log_in(page, session, annotator)
            open_first(page, session, annotator)
            hand = replay(page, tasks, keys)
        finally:
            page.close()
        with server.connect() as doccano:
            stored = pull(doccano, session.folder).annotation_sets[annotator]
    for document, task in zip(stored, tasks, strict=True):
        if bare(document.spans) != bare(task.gold.spans):
            raise OrbatError(f"{way}: '{document.id}' differs from the recorded pass")
        if not document.meta["annotation"]["confirmed"]:
            raise OrbatError(f"{way}: '{document.id}' is not confirmed")
    return hand


@contextmanager
def pushed(server: DoccanoServer, documents: Sequence[Document]) -> Iterator[tuple[Session, str]]:
    """Push documents to a new annotator; return the session and the annotator's name."""
    # An account of an earlier run in the same HOME would keep its unknown password.
    annotator = f"annotator-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory() as folder, server.connect() as doccano:
        path = Path(folder) / "pass"
        session = push(doccano, path, documents, [annotator], load_labels()).session
        try:
            yield session, annotator
        finally:
            doccano.delete_project(session.projects[annotator])


def replay_table(hands: dict[str, Hand], tasks: Sequence[Task]) -> str:
    """Return the actions of each way as Markdown."""
    spans = sum(len(task.gold.spans) for task in tasks)
    names = ("keys", "clicks", "drags")
    lines = [
        "| way | keys | clicks | drags | actions | a span | held keys | scrolls | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for way, hand in hands.items():
        cells = [WAYS[way][0], *(hand.counts[name] for name in names), hand.actions]
        cells += [f"{hand.actions / spans:.2f}", hand.counts["held"], hand.counts["scrolls"]]
        lines.append("| " + " | ".join(map(str, [*cells, f"{hand.seconds:.0f}"])) + " |")
    return "\n".join(lines)


def measure_opening(server: DoccanoServer, browser: Any, words: int, spans: int, n: int) -> str:
    """Open an article repeatedly on both pages in turn; return the times as Markdown."""
    document = join_articles(words, spans)
    with pushed(server, [document]) as (session, annotator):
        context = browser.new_context(viewport=VIEWPORT)
        tabs = {name: context.new_page() for name in OPENED}
        log_in(tabs["orbat's page"], session, annotator)
        times: dict[str, list[float]] = {name: [] for name in OPENED}
        for name, (selector, _) in OPENED.items():
            watch_first_mark(tabs[name], selector)
        for _ in range(n + 1):
            for name, (_, open_first) in OPENED.items():
                # A tab behind another one is drawn once a second.
                tabs[name].bring_to_front()
                open_first(tabs[name], session, annotator)
                times[name].append(first_mark(tabs[name]))
        page = tabs["orbat's page"]
        page.bring_to_front()
        keys, frames = time_keys(page, 20), time_frames(page)
        context.close()
    # The first time also fills the browser's caches.
    lines = [f"{len(document.text.split())} words, {spans} suggestions, milliseconds:", ""]
    lines += ["| what | median and range |", "|---|---|"]
    lines += [f"| first mark, {name} | {describe(found[1:])} |" for name, found in times.items()]
    lines += [f"| key until painted: {name} | {describe(found)} |" for name, found in keys.items()]
    lines.append(f"| frame while scrolling | {describe(frames)} |")
    return "\n".join(lines)


def main() -> None:
    """Run one of the measurements and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("keystrokes")
    replay = commands.add_parser("replay")
    replay.add_argument("home", type=Path)
    replay.add_argument("--articles", type=int, default=10)
    replay.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    replay.add_argument("--from-scratch", action="store_true", help="without suggestions")
    opening = commands.add_parser("opening")
    opening.add_argument("home", type=Path)
    opening.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    if options.command == "keystrokes":
        print(keystroke_table(), method_table(), sep="\n\n")
        return
    with running_server(options.home) as server, headless_chromium() as browser:
        if options.command == "opening":
            print(f"{describe_machine()}, load {os.getloadavg()[0]:.1f}\n")
            for words, spans in ((5_000, 216), (50_000, 1_800)):
                print(measure_opening(server, browser, words, spans, options.repeats), "\n")
            return
        tasks = read_tasks(load_labels(), options.articles)
        if options.from_scratch:
            tasks = [replace(task, suggested=task.gold.with_spans(())) for task in tasks]
        hands = {way: run_replay(server, browser, tasks, way) for way in options.ways}
    print(replay_table(hands, tasks))


if __name__ == "__main__":
    main()
