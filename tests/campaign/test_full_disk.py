"""A full disk: the file is named, nothing is half-written, and with room all is as usual."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.conftest import Campaign
from tests.campaign.stops import REFUSED, count_trial, find_faults
from tests.campaign.workplace import Command, Workplace, compare
from tests.forked_commands import ForkServer

pytestmark = [pytest.mark.campaign, pytest.mark.slow]
TRAIN = ("--train", "train.jsonl", "--dev", "dev.jsonl", "--output", "run")
COMMANDS = [
    Command(
        "corpus add",
        lambda at: ["corpus", "add", "articles.jsonl", "--output", at / "out.jsonl"],
        ignored=("out.index*",),
    ),
    Command(
        "corpus split",
        lambda at: ["corpus", "split", at / "articles.jsonl", "--output", at / "splits"],
    ),
    Command(
        "annotate convert",
        lambda at: [
            *("annotate", "convert", "articles.zip", "brat"),
            *("--from", "jsonl", "--to", "brat"),
        ],
    ),
    Command(
        "train linear",
        lambda at: [
            *("train", "baseline-linear", *TRAIN, "--set", "epochs=2"),
            *("--set", "features=4096", "--resume"),
        ],
        ignored=("run/sha256.json", "run/training.log"),
    ),
    Command("tag", lambda at: ["tag", "trained", "articles.jsonl", "--output", "t.jsonl"]),
]
DISK = 64 * 2**20
_PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk in memory; skipped where mounting is not permitted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or shutil.which("mount") is None:
        pytest.skip("no tmpfs")
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(disk: Path, size: int) -> None:
    size = -(-size // _PAGE) * _PAGE
    options = f"remount,size={size}"
    subprocess.run(["mount", "-o", options, str(disk)], check=True, capture_output=True)


def used(disk: Path) -> int:
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_full_disk_is_told_and_loses_nothing(
    campaign: Campaign, heavy: ForkServer, template: Path, disk: Path, command: Command
) -> None:
    workplace = Workplace(heavy, template, disk / "work", command)
    row = campaign.figures.row(f"full disk: {command.name}")
    random, faults = campaign.random(command.name), []
    needed, refused = used(disk), 0
    for trial in range(12 if campaign.is_long else 3):
        resize(disk, DISK)
        workplace.clean()
        room = random.randrange(needed - used(disk))
        resize(disk, used(disk) + room)
        full = workplace.run()
        found = find_faults(full, (0, REFUSED))
        refused += full.code == REFUSED
        if full.code == REFUSED and "cannot be written" not in full.err:
            found.append(f"does not name the file: {full.err}")
        resize(disk, DISK)
        again = workplace.run(None, *command.again)
        found += find_faults(again, (0,))
        row.tracebacks += len(found)
        differences = compare(workplace.expected, workplace.contents())
        row.lost += bool(differences)
        count_trial(row, full, again, expected=workplace.whole)
        where = f"trial {trial}, {room} bytes"
        faults += [f"{where}: {fault}" for fault in (*found, *differences)]
    campaign.check(row, faults)
    assert refused, f"the disk was never full: {row}"
