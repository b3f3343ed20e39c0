"""Fixtures: the command line, a real doccano, a trained model, a browser."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
from filelock import FileLock
from hypothesis import settings

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.server import DoccanoServer
from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents, write_json
from tests.forked_commands import LIBRARIES, ForkServer

ROOT = Path(__file__).parent.parent
ARTICLES = ROOT / "corpus" / "articles"
DENSE_TRAIN, DENSE_DEV = 212, 36
"""The first articles of each file are dense: a few of them are enough to train a small model."""

if "PYTEST_XDIST_WORKER" in os.environ:
    # Otherwise each of the processes would start as many threads as there are processors.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# First calls load libraries, so that the duration of an example means nothing.
settings.register_profile("orbat", deadline=None)
settings.load_profile("orbat")


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the accounts of test servers out of the user's data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


FIRST = ("test_whole_way.py", "test_documentation.py", "test_bulk.py")
"""The longest files, with which a run begins so that its processes end at the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in FIRST)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots",
        type=Path,
        default=None,
        help="Folder for the screenshots of the browser tests.",
    )
    parser.addoption(
        "--run",
        type=Path,
        default=None,
        help="Run for the screenshot of the report; default: a small one.",
    )
    parser.addoption(
        "--campaign",
        choices=("short", "long"),
        default="short",
        help="How much tests/campaign tries.",
    )
    parser.addoption(
        "--campaign-seed", type=int, default=20, help="Seed of the random choices of the campaign."
    )
    parser.addoption(
        "--figures", type=Path, default=None, help="File for the table of the campaign (Markdown)."
    )


class Outcome(NamedTuple):
    """The exit code of a command, what it printed, and what it took if it ran in a fork.

    Attributes:
        seconds: its processor time.
        memory: the most bytes of memory that it occupied.
    """

    code: int
    out: str
    err: str
    seconds: float = 0.0
    memory: int = 0

    def json(self) -> Any:
        return json.loads(self.out)


Orbat = Callable[..., Outcome]


def succeeding(orbat: Orbat, folder: Path) -> Orbat:
    """Return a function that runs a command in a folder, which must succeed."""

    def run(*arguments: object) -> Outcome:
        outcome = orbat(*arguments, cwd=folder)
        assert outcome.code == 0, outcome.err
        return outcome

    return run


@pytest.fixture(scope="session")
def orbat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orbat]:
    """Run the command line in a process of its own, without any doccano server of the user.

    The process is a fork of one that has the libraries already, where the system allows it. With
    `fresh`, or with variables that libraries may read, it is a new Python.
    """
    home = tmp_path_factory.mktemp("no-doccano")
    servers: dict[tuple[str, ...], ForkServer] = {}

    def run(
        *arguments: object,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        fresh: bool = False,
    ) -> Outcome:
        words = [*map(str, arguments)]
        environment = {**os.environ, "ORBAT_DOCCANO_HOME": str(home), "COLUMNS": "200"}
        environment["RAY_worker_niceness"] = "0"  # otherwise, its workers wait for other tests
        environment |= env or {}
        libraries = LIBRARIES.get(words[0]) if words and sys.platform == "linux" else None
        fresh = fresh or not all(name.startswith("ORBAT_") for name in env or ())
        if libraries is not None and not fresh:
            if libraries not in servers or not servers[libraries].is_running:
                servers[libraries] = ForkServer(libraries)
            return Outcome(*servers[libraries].run(words, environment, cwd)[:5])
        done = subprocess.run(
            [sys.executable, "-m", "orbat", *words],
            capture_output=True,
            text=True,
            env=environment,
            cwd=cwd,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    yield run
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="session")
def refused(orbat: Orbat) -> Callable[..., str]:
    """Run a command that must fail with one line of error and exit code 2; return the line."""

    def run(*arguments: object, env: dict[str, str] | None = None) -> str:
        outcome = orbat(*arguments, env=env)
        assert outcome.code == 2, outcome
        lines = [line for line in outcome.err.splitlines() if not line.startswith("warning: ")]
        assert len(lines) == 1, outcome.err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")

    return run


@pytest.fixture(scope="session")
def train_articles() -> list[Document]:
    return list(read_documents(ARTICLES / "train.jsonl"))


@pytest.fixture(scope="session")
def dev_articles() -> list[Document]:
    return list(read_documents(ARTICLES / "dev.jsonl"))


@pytest.fixture(scope="session")
def test_articles() -> list[Document]:
    return list(read_documents(ARTICLES / "test.jsonl"))


# -- a trained model --------------------------------------------------------------------------


class Trained(NamedTuple):
    """A run folder and the files that it was trained with."""

    run: Path
    train: Path
    dev: Path


MakeOnce = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Make a folder once for all test processes; return a copy of it for this one."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder, done = shared / f"shared-{name}", shared / f"shared-{name}.done"
        with FileLock(f"{folder}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return Path(shutil.copytree(folder, base / name))

    return make


@pytest.fixture(scope="session")
def trained(
    orbat: Orbat,
    make_once: MakeOnce,
    train_articles: list[Document],
    dev_articles: list[Document],
) -> Trained:
    """A small model, trained once by the command line on 20 articles."""

    def fill(folder: Path) -> None:
        train, dev = folder / "train.jsonl", folder / "dev.jsonl"
        write_documents(train, train_articles[:DENSE_TRAIN:11])
        write_documents(dev, dev_articles[:DENSE_DEV:6])
        outcome = orbat(
            *("train", "quick", "--train", train, "--dev", dev, "--output", folder / "run"),
            *("--set", "epochs=10"),
        )
        assert outcome.code == 0, outcome.err

    folder = make_once("trained", fill)
    return Trained(folder / "run", folder / "train.jsonl", folder / "dev.jsonl")


@pytest.fixture(scope="session")
def rules_run(
    orbat: Orbat,
    make_once: MakeOnce,
    train_articles: list[Document],
    dev_articles: list[Document],
) -> Path:
    """A run of the rules baseline, which needs no training."""

    def fill(folder: Path) -> None:
        train, dev = folder / "train.jsonl", folder / "dev.jsonl"
        write_documents(train, train_articles[:2])
        write_documents(dev, dev_articles[:2])
        outcome = orbat(
            *("train", "baseline-rules", "--train", train, "--dev", dev),
            *("--output", folder / "run"),
        )
        assert outcome.code == 0, outcome.err

    return make_once("rules", fill) / "run"


@pytest.fixture(scope="session")
def wheel(orbat: Orbat, trained: Trained, make_once: MakeOnce) -> Path:
    """The small model as a wheel, and beside it the run folder that it was made from."""

    def fill(folder: Path) -> None:
        # A copy: tests that evaluate the model record scores in its run folder, which cards show.
        run = shutil.copytree(trained.run, folder / "run")
        outcome = orbat("package", run, "--output", folder)
        assert outcome.code == 0, outcome.err

    return next(make_once("wheel", fill).glob("*.whl"))


# -- doccano ----------------------------------------------------------------------------------


class Running(NamedTuple):
    """A running doccano server and the environment in which the command line finds it."""

    server: DoccanoServer
    url: str
    env: dict[str, str]

    def connect(self) -> DoccanoClient:
        return self.server.connect()


@pytest.fixture(scope="session")
def doccano(orbat: Orbat, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real doccano server, started and stopped by orbat's commands."""
    home = tmp_path_factory.mktemp("doccano")
    env = {"ORBAT_DOCCANO_HOME": str(home)}
    # Some created passwords begin with a dash.
    credentials = {"password": "-dash 'and' \"quotes\"", "secret_key": secrets.token_hex(32)}
    write_json(home / "secrets.json", credentials, private=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outcome = orbat("annotate", "up", "--port", port, env=env)
    try:
        assert outcome.code == 0, outcome.err
        server = DoccanoServer(home)
        assert server.url is not None
        yield Running(server, server.url, env)
    finally:
        orbat("annotate", "down", env=env)


def skip_without(program: str, package: str) -> NoReturn:
    """Skip a test that needs a program; fail where ORBAT_PROGRAMS_REQUIRED is set.

    Args:
        program: what is missing.
        package: Debian's package with it.
    """
    message = f"no {program} found; install it (apt-get install {package})"
    if os.environ.get("ORBAT_PROGRAMS_REQUIRED"):
        pytest.fail(message)
    pytest.skip(message)


# -- a browser --------------------------------------------------------------------------------

_BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """An installed Chrome or Chromium, headless."""
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if executable is None:
        skip_without("Chrome or Chromium", "chromium")
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(
            executable_path=executable,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update"),
                "--disable-sync",
            ],
        )
        yield chrome
        chrome.close()


@pytest.fixture
def screenshot(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., None]:
    """Take a screenshot of a page; --screenshots names the folder that keeps it."""
    folder = request.config.getoption("--screenshots") or tmp_path

    def take(page: Any, name: str, **options: Any) -> None:
        path = Path(folder) / f"{name}.png"
        page.screenshot(path=path, **options)
        assert path.stat().st_size > 5000

    return take
