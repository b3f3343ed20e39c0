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
SHORT, LONG = 1_000, 20_000


def results(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield what came of each input; after one that ends its process, the next ones are tried."""
    groups: dict[str, str] = {}
    number = 0
    while number < count:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.campaign.hostile_inputs",
                str(seed),
                str(count),
                str(number),
            ],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout is not None
        groups = json.loads(process.stdout.readline())
        for line in process.stdout:
            result = json.loads(line)
            yield {**result, "group": groups[result["reader"]], "number": number}
            number += 1
        process.stdout.close()
        code = process.wait()
        if number < count:
            reader = [*groups][number % len(groups)]
            fault = f"ended its process with code {code}"
            yield {
                "reader": reader,
                "group": groups[reader],
                "number": number,
                "fault": fault,
                "seconds": 3.0 * MAX_SECONDS,
                "memory": 0,
            }
            number += 1


def test_damaged_input_is_read_or_refused_in_one_line(campaign: Campaign) -> None:
    faults, rows = [], set()
    for result in results(campaign.seed, LONG if campaign.is_long else SHORT):
        row = campaign.figures.row(f"damaged input: {result['group']}")
        row.count(result["seconds"], result["memory"])
        row.tracebacks += bool(result["fault"])
        rows.add(row.what)
        if result["fault"] or result["seconds"] > MAX_SECONDS:
            where = f"{result['reader']} {result['number']}"
            faults.append(f"{where}: {result['seconds']:.1f} s {result['fault']}")
    assert not faults, f"{len(faults)} inputs of seed {campaign.seed}:\n" + "\n".join(faults[:20])
    assert all(campaign.figures.rows[what].is_clean for what in rows)
