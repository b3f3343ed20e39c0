"""Two commands in one folder: while one works, the other is refused in one line, or waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.conftest import Campaign
from tests.campaign.stops import REFUSED, count_trial, draw, find_faults
from tests.campaign.workplace import Command, Workplace, compare, run_two
from tests.forked_commands import HEAVY, ForkServer

pytestmark = [pytest.mark.campaign, pytest.mark.slow]
TRAIN = ("--train", "train.jsonl", "--dev", "dev.jsonl", "--output", "run")
COMMANDS = {
    "corpus add": Command(
        "corpus add",
        lambda at: ["corpus", "add", "articles.jsonl", "--output", at / "out.jsonl"],
        ignored=("out.index*",),
    ),
    "annotate convert": Command(
        "annotate convert",
        lambda at: [
            *("annotate", "convert", "articles.zip", "brat"),
            *("--from", "jsonl", "--to", "brat"),
        ],
    ),
    "train": Command(
        "train",
        lambda at: ["train", "baseline-linear", *TRAIN, "--set", "epochs=2", "--resume"],
        ignored=("run/sha256.json", "run/training.log"),
    ),
    "tag": Command("tag", lambda at: ["tag", "trained", "articles.jsonl", "--output", "t.jsonl"]),
}


@pytest.fixture(scope="module")
def other() -> Iterator[ForkServer]:
    """Runs a command while another one runs."""
    server = ForkServer(HEAVY)
    yield server
    server.stop()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_second_is_refused_or_both_end_as_one(
    name: str,
    campaign: Campaign,
    heavy: ForkServer,
    other: ForkServer,
    template: Path,
    tmp_path: Path,
) -> None:
    workplace = Workplace(heavy, template, tmp_path / "work", COMMANDS[name])
    row = campaign.figures.row(f"two at once: {name}")
    random, faults = campaign.random(name), []
    for trial in draw(row, 12 if campaign.is_long else 3):
        workplace.clean()
        at = random.randint(1, workplace.whole.changes)
        first, second = run_two(
            workplace.run,
            lambda: workplace.run(server=other),
            *(workplace.folder, at, tmp_path / f"gate-{trial}"),
        )
        found = find_faults(first, (0, REFUSED)) + find_faults(second, (0, REFUSED))
        row.tracebacks += len(found)
        if 0 not in (first.code, second.code):
            found.append(f"both were refused: {first.err} {second.err}")
        differences = compare(workplace.expected, workplace.contents())
        row.lost += bool(differences)
        if first.changes >= at:  # otherwise, it was not held
            count_trial(row, first, second, expected=workplace.whole)
        faults += [f"trial {trial}, change {at}: {fault}" for fault in (*found, *differences)]
    campaign.check(row, faults)
