"""Fixtures of the campaign: its length, its seed, and the figures that it collects."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from tests.campaign.figures import Figures, Row
from tests.corpus.test_ingestion import PAGE
from tests.corpus.test_sources import zipped
from tests.forked_commands import HEAVY, LIGHT, ForkServer

_SHOWN_FAULTS = 20
FOLDER = "tests/campaign"
FIGURES = pytest.StashKey[Figures]()


@dataclass(frozen=True)
class Campaign:
    """How much is tried, with which random numbers.

    Attributes:
        is_long: whether this is the long form.
        seed: of all random choices.
        figures: what was found.
    """

    is_long: bool
    seed: int
    figures: Figures

    def random(self, name: str) -> Random:
        """Return the random numbers of a test."""
        return Random(f"{self.seed} {name}")

    def check(self, row: Row, faults: Sequence[str]) -> None:
        """Fail if there are faults, or if the row is not clean; say what repeats them."""
        listed = "\n".join(faults[:_SHOWN_FAULTS])
        assert not faults, f"{len(faults)} faults with seed {self.seed}, {row}:\n{listed}"
        assert row.is_clean, f"seed {self.seed}, {row}"


@pytest.fixture(scope="session")
def campaign(pytestconfig: pytest.Config) -> Campaign:
    """The campaign; if all of it succeeds, its figures are written to the file of --figures."""
    figures = Figures(pytestconfig.getoption("--campaign-seed"))
    pytestconfig.stash[FIGURES] = figures
    return Campaign(pytestconfig.getoption("--campaign") == "long", figures.seed, figures)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the figures of a whole campaign: the long form, without failures, nothing left out."""
    options = session.config.option
    if options.figures is None or options.campaign != "long" or exitstatus != pytest.ExitCode.OK:
        return
    stats = session.config.pluginmanager.getplugin("terminalreporter").stats
    left_out = any(stats.get(kind) for kind in ("skipped", "deselected"))
    if session.config.args == [FOLDER] and not left_out:
        session.config.stash[FIGURES].write(options.figures)


@pytest.fixture(scope="session")
def light() -> Iterator[ForkServer]:
    """Runs commands that need no model."""
    server = ForkServer(LIGHT)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def heavy() -> Iterator[ForkServer]:
    """Runs all commands."""
    server = ForkServer(HEAVY)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory, train_articles: list[Document], rules_run: Path
) -> Path:
    """The inputs of the commands: gold, articles in files and archives, and a run."""
    folder = tmp_path_factory.mktemp("template")
    write_documents(folder / "train.jsonl", train_articles[:12:2])
    write_documents(folder / "dev.jsonl", train_articles[1:5:2])
    write_documents(folder / "articles.jsonl", train_articles[:30])
    content = (folder / "articles.jsonl").read_bytes()
    (folder / "articles.zip").write_bytes(zipped(articles_jsonl=content))
    (folder / "in").mkdir()
    (folder / "in" / "page.html").write_text(PAGE)
    texts = [{"id": article.id, "text": article.text} for article in train_articles[:20]]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    (folder / "in" / "texts.jsonl").write_text(lines)
    (folder / "in" / "texts.zip").write_bytes(zipped(a_txt=train_articles[40].text.encode()))
    shutil.copytree(rules_run, folder / "trained")
    return folder
