"""Annotators, a push and a pull at the same time: no errors, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.evaluation.benchmarks.annotation_load import measure_load
from tests.conftest import Running


@pytest.mark.doccano
@pytest.mark.slow
def test_concurrent_work_loses_nothing(doccano: Running, tmp_path: Path) -> None:
    load = measure_load(doccano.server, tmp_path / "load", seconds=4, annotators=4)
    assert load.failures == []
    assert load.lost == 0
    assert load.stored > 0
    actions = {"mark", "read back", "delete", "comment", "confirm", "push", "pull"}
    assert load.seconds.keys() == actions
