"""Commands that are killed or interrupted anywhere: run again, they end as if nothing had been."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.campaign.conftest import Campaign
from tests.campaign.stops import draw_stops
from tests.campaign.workplace import Command, Workplace
from tests.forked_commands import ForkServer

pytestmark = [pytest.mark.campaign, pytest.mark.slow]

LIGHT_COMMANDS = [
    Command(
        "corpus add",
        lambda at: ["corpus", "add", at / "in", "--output", at / "out.jsonl"],
        ignored=("out.index*",),
    ),
    Command(
        "corpus split",
        lambda at: [*("corpus", "split", at / "articles.jsonl", "--output", at / "splits")],
    ),
    Command(
        "annotate convert",
        lambda at: [
            *("annotate", "convert", at / "articles.zip", at / "brat"),
            *("--from", "jsonl", "--to", "brat"),
        ],
    ),
]
TRAIN = ("--train", "train.jsonl", "--dev", "dev.jsonl", "--output", "run")
RUN_TIMES = ("run/sha256.json", "run/training.log")
HEAVY_COMMANDS = [
    Command(
        "train linear",
        lambda at: ["train", "baseline-linear", *TRAIN, "--set", "epochs=2", "--resume"],
        ignored=RUN_TIMES,
    ),
    Command(
        "train transformer",
        lambda at: [
            *("train", "quick", *TRAIN, "--resume"),
            *("--set", "layers=1", "--set", "epochs=2", "--set", "gazetteer=none"),
        ],
        ignored=RUN_TIMES,
    ),
    Command("tag", lambda at: ["tag", "trained", "in", "--output", "tagged.jsonl"]),
    Command(
        "evaluate",
        lambda at: ["evaluate", "trained", "dev.jsonl", "--report", "report.html"],
    ),
]
PACKAGE = Command("package", lambda at: ["package", "run", "--output", "dist"])


def try_stops(campaign: Campaign, workplace: Workplace, command: Command, count: int) -> None:
    row = campaign.figures.row(f"stopped: {command.name}")
    faults: list[str] = []
    random = campaign.random(command.name)
    for trial, stop in draw_stops(workplace.folder, workplace.whole, row, count, random):
        faults += [f"trial {trial}: {fault}" for fault in workplace.try_stop(stop, row)]
    campaign.check(row, faults)


@pytest.mark.parametrize("command", LIGHT_COMMANDS, ids=lambda command: command.name)
def test_light(
    campaign: Campaign, light: ForkServer, template: Path, tmp_path: Path, command: Command
) -> None:
    workplace = Workplace(light, template, tmp_path / "work", command)
    try_stops(campaign, workplace, command, 40 if campaign.is_long else 6)


@pytest.mark.parametrize("command", HEAVY_COMMANDS, ids=lambda command: command.name)
def test_heavy(
    campaign: Campaign, heavy: ForkServer, template: Path, tmp_path: Path, command: Command
) -> None:
    workplace = Workplace(heavy, template, tmp_path / "work", command)
    try_stops(campaign, workplace, command, 16 if campaign.is_long else 4)


def test_package(campaign: Campaign, heavy: ForkServer, wheel: Path, tmp_path: Path) -> None:
    shutil.copytree(wheel.parent / "run", tmp_path / "template" / "run")
    workplace = Workplace(heavy, tmp_path / "template", tmp_path / "work", PACKAGE)
    try_stops(campaign, workplace, PACKAGE, 12 if campaign.is_long else 2)
