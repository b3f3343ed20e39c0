"""Fixtures of the campaign: its length, its seed, and the figures that it collects."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.campaign.figures import Figures


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


@pytest.fixture(scope="session")
def campaign(pytestconfig: pytest.Config) -> Iterator[Campaign]:
    """The campaign; its figures are written at the end to the file of --figures."""
    command = shlex.join(["pytest", *sys.argv[1:]])
    figures = Figures(command, pytestconfig.getoption("--campaign-seed"))
    yield Campaign(pytestconfig.getoption("--campaign") == "long", figures.seed, figures)
    path: Path | None = pytestconfig.getoption("--figures")
    if path is not None:
        figures.write(path)
