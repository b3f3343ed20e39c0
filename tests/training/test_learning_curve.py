"""`orbat train --curve`: scores by number of documents, and their forecast."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.training.experiments.curve_fitting import fit_learning_curve
from tests.conftest import DENSE_DEV, DENSE_TRAIN, Orbat


def counts_of(f1: list[float], documents: int = 40, spans: int = 400) -> np.ndarray:
    """Return counts of dev documents with a given F1 at each size, for two seeds."""
    rng = np.random.default_rng(0)
    correct = rng.binomial(spans, np.array(f1)[:, None, None], (len(f1), 2, documents))
    total = np.full_like(correct, spans)
    return np.stack([total, total, correct], axis=-1).astype(float)


def test_a_power_law_is_recovered_and_extrapolated() -> None:
    sizes = [20, 40, 80, 160, 320]
    law = [0.9 - 0.3 * (n / 20) ** -0.5 for n in sizes]
    curve = fit_learning_curve(sizes, counts_of(law))
    assert [point.documents for point in curve.forecast] == [400, 480, 640]
    assert curve.limit == pytest.approx(0.9, abs=0.03)
    for point, expected in zip(curve.points, law, strict=True):
        assert point.low < expected < point.high
        assert len(point.values) == 2
    expected = 0.9 - 0.3 * (640 / 20) ** -0.5
    assert curve.forecast[-1].low < expected < curve.forecast[-1].high
    assert curve.forecast[-1].f1 == pytest.approx(expected, abs=0.02)


def test_a_flat_curve_forecasts_no_gain() -> None:
    curve = fit_learning_curve([10, 20, 40], counts_of([0.8, 0.8, 0.8]))
    assert curve.forecast[-1].f1 == pytest.approx(0.8, abs=0.02)


@pytest.mark.slow
def test_the_command_trains_on_nested_parts_and_reuses_finished_runs(
    orbat: Orbat,
    refused: Callable[..., str],
    tmp_path: Path,
    train_articles: list[Document],
    dev_articles: list[Document],
) -> None:
    write_documents(tmp_path / "train.jsonl", train_articles[:DENSE_TRAIN:8])
    write_documents(tmp_path / "dev.jsonl", dev_articles[:DENSE_DEV:6])
    output = tmp_path / "curve"
    command = [
        *("train", "baseline-linear", "--train", tmp_path / "train.jsonl"),
        *("--dev", tmp_path / "dev.jsonl", "--set", "epochs=3", "--output", output),
        *("--curve", "--points", "3"),
    ]
    first = orbat(*command, "--json")
    assert first.code == 0, first.err
    curve = first.json()
    assert [point["documents"] for point in curve["points"]] == [6, 13, 27]
    assert curve["points"][0]["f1"] < curve["points"][-1]["f1"]
    parts = [
        {d.id for d in read_documents(output / "runs" / f"{size}-0" / "data" / "train.jsonl")}
        for size in (6, 13, 27)
    ]
    assert parts[0] < parts[1] < parts[2]
    assert (output / "curve.png").read_bytes().startswith(b"\x89PNG")

    written = {path: path.stat().st_mtime_ns for path in output.rglob("metrics.json")}
    again = orbat(*command, "--json")
    assert again.json() == curve
    assert {path: path.stat().st_mtime_ns for path in output.rglob("metrics.json")} == written

    assert "cannot be halved" in refused(*command, "--points", "9")
    assert "holds another run" in refused(*command, "--set", "epochs=4")
