"""Damaged input at every way into orbat: a result or one line, in time and in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.campaign.conftest import Campaign
from tests.campaign.figures import MAX_SECONDS
from tests.conftest import ROOT

pytestmark = [pytest.mark.campaign, pytest.mark.slow]
GROUPS = ("articles", "annotated sources", "settings", "folders", "addresses")
SHORT, LONG = 21, 410
"""Inputs for each of the about fifty readers: 1,000 and 20,000 in all."""


def results(group: str, seed: int, each: int) -> Iterator[dict[str, Any]]:
    """Yield what came of each input; after one that ends its process, the next ones are tried."""
    number, total = 0, 1
    while number < total:
        words = ["tests.campaign.hostile_inputs", group, str(seed), str(each), str(number)]
        process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, cwd=ROOT)
        assert process.stdout is not None
        readers = json.loads(process.stdout.readline())
        total = each * len(readers)
        for line in process.stdout:
            yield {**json.loads(line), "number": number}
            number += 1
        process.stdout.close()
        code = process.wait()
        if number < total:
            yield {
                "reader": readers[number % len(readers)],
                "number": number,
                "fault": f"ended its process with code {code}",
                "seconds": 3.0 * MAX_SECONDS,
                "memory": 0,
            }
            number += 1


@pytest.mark.parametrize("group", GROUPS)
def test_damaged_input_is_read_or_refused_in_one_line(campaign: Campaign, group: str) -> None:
    row, faults = campaign.figures.row(f"damaged input: {group}"), []
    for result in results(group, campaign.seed, LONG if campaign.is_long else SHORT):
        row.count(result["seconds"], result["memory"])
        row.tracebacks += bool(result["fault"])
        if result["fault"] or result["seconds"] > MAX_SECONDS:
            where = f"{result['reader']} {result['number']}"
            faults.append(f"{where}: {result['seconds']:.1f} s {result['fault']}")
    campaign.check(row, faults)
