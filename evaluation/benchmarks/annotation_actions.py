"""Work of annotators on orbat's page and on doccano's.

    python -m orbat.evaluation.benchmarks.annotation_actions keystrokes
    python -m orbat.evaluation.benchmarks.annotation_actions replay HOME

`keystrokes` prints the keystroke-level model. `replay` repeats a recorded annotation pass in a
headless Chromium against a doccano server of its own in HOME, by keyboard and by mouse, counts the
actions and compares what was stored with the recorded pass. Both print Markdown.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...annotation.doccano.server import DoccanoServer
from ...annotation.session.folder import Session
from ...annotation.session.pull import pull
from ...annotation.session.push import push
from ...corpus.labels import load_labels
from ...errors import OrbatError
from .annotation_doccano import replay_on_doccano
from .annotation_edits import Task, bare, read_tasks
from .annotation_hand import Hand
from .annotation_keyboard import replay_by_keyboard
from .annotation_mouse import replay_by_mouse
from .keystrokes import keystroke_table, method_table

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
    labels = load_labels()
    keys = {label.name: str(label.key) for label in labels.labels}
    _, open_first, replay = WAYS[way]
    # An account of an earlier run in the same HOME would keep its unknown password.
    annotator = f"{way}-{secrets.token_hex(3)}"
    with tempfile.TemporaryDirectory() as folder, server.connect() as doccano:
        documents = [task.suggested for task in tasks]
        session = push(doccano, Path(folder) / "pass", documents, [annotator], labels).session
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        try:
            log_in(page, session, annotator)
            open_first(page, session, annotator)
            hand = replay(page, tasks, keys)
            pulled = pull(doccano, session.folder).annotation_sets[annotator]
        finally:
            page.close()
            doccano.delete_project(session.projects[annotator])
    for document, task in zip(pulled, tasks, strict=True):
        if bare(document.spans) != bare(task.gold.spans):
            raise OrbatError(f"{way}: '{document.id}' differs from the recorded pass")
        if not document.meta["annotation"]["confirmed"]:
            raise OrbatError(f"{way}: '{document.id}' is not confirmed")
    return hand


def replay_table(hands: dict[str, Hand], tasks: Sequence[Task]) -> str:
    """Return the actions of each way as Markdown."""
    spans = sum(len(task.gold.spans) for task in tasks)
    lines = [
        "| way | keys | clicks | drags | actions | actions per span | scrolls | held keys |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for way, hand in hands.items():
        counts = [hand.counts[name] for name in ("keys", "clicks", "drags")]
        cells = [WAYS[way][0], *counts, hand.actions, f"{hand.actions / spans:.2f}"]
        cells += [hand.counts["scrolls"], hand.counts["held"]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
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
    options = parser.parse_args()
    if options.command == "keystrokes":
        print(keystroke_table(), method_table(), sep="\n\n")
        return
    tasks = read_tasks(load_labels(), options.articles)
    with running_server(options.home) as server, headless_chromium() as browser:
        hands = {way: run_replay(server, browser, tasks, way) for way in options.ways}
    print(replay_table(hands, tasks))


if __name__ == "__main__":
    main()
