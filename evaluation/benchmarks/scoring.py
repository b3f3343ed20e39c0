"""Speed of `orbat evaluate` on many documents, compared with a plain loop.

    python -m orbat.evaluation.benchmarks.scoring [--documents 100000] [--resamples 1000]

Prints a Markdown table. Documents are generated. The plain loop scores them with nervaluate and
resamples the strict counts of each label. `orbat evaluate` resamples all four schemes and all
slices, and measures errors and calibration too.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.files import read_documents, write_documents
from ..counts import Counts, strict_counts
from .common import describe_machine, measure_orbat

LABELS = ("A", "B", "C", "D")
LOOP_RESAMPLES = 5
"""Resamples of the plain loop; its time is scaled up to all resamples."""


def generate(count: int, seed: int) -> Iterator[tuple[Document, Document]]:
    """Yield gold and predicted documents of about 120 words and 8 spans, a tenth of them wrong."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(2, 9))) for _ in range(5000)]
    for number in range(count):
        tokens = rng.choices(words, k=rng.randint(60, 180))
        starts = [0]
        for token in tokens:
            starts.append(starts[-1] + len(token) + 1)
        gold, predicted = [], []
        for index in range(rng.randint(0, 4), len(tokens) - 4, rng.randint(10, 20)):
            span = Span(starts[index], starts[index + rng.randint(1, 3)] - 1, rng.choice(LABELS))
            if rng.random() < 0.95:
                gold.append(span)
            if rng.random() < 0.9:
                score = round(rng.random(), 4)
                predicted.append(Span(span.start, span.end, span.label, score=score))
        text = " ".join(tokens)
        meta = {"source": f"paper {number % 25}", "date": f"{2000 + number % 20}-01-01"}
        doc_id = f"d{number}"
        yield (
            Document(doc_id, text, tuple(gold), meta),
            Document(doc_id, text, tuple(predicted), meta),
        )


def time_orbat(gold: Path, predicted: Path, resamples: int) -> tuple[float, float, float]:
    """Run `orbat evaluate` in its own process; return seconds, peak MB and F1."""
    run = measure_orbat(
        "evaluate", "--predictions", predicted, gold, "--resamples", resamples, "--json"
    )
    return run.seconds, run.peak_bytes / 2**20, json.loads(run.output)["strict"]["micro"]["f1"]


def time_loop(gold: Path, predicted: Path, resamples: int) -> tuple[float, float]:
    """Run nervaluate once, then resample the counts in a loop; return seconds and F1."""
    from nervaluate import Evaluator

    def plain(path: Path) -> list[list[dict[str, Any]]]:
        return [
            [{"label": s.label, "start": s.start, "end": s.end - 1} for s in document.spans]
            for document in read_documents(path)
        ]

    began = time.perf_counter()
    Evaluator(plain(gold), plain(predicted), tags=list(LABELS), loader="dict").evaluate()
    pairs = zip(read_documents(gold), read_documents(predicted), strict=True)
    counts = [strict_counts(a.spans, b.spans) for a, b in pairs]
    micro = sum((c for by_label in counts for c in by_label.values()), Counts())
    counted = time.perf_counter() - began
    rng = random.Random(0)
    began = time.perf_counter()
    for _ in range(LOOP_RESAMPLES):
        totals = {label: [0, 0, 0] for label in LABELS}
        for by_label in rng.choices(counts, k=len(counts)):
            for label, c in by_label.items():
                total = totals[label]
                total[0] += c.tp
                total[1] += c.fp
                total[2] += c.fn
    looped = (time.perf_counter() - began) * resamples / LOOP_RESAMPLES
    return counted + looped, micro.f1 or 0.0


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rows = []
    for documents in (options.documents // 10, options.documents):
        with tempfile.TemporaryDirectory() as scratch:
            gold, predicted = Path(scratch) / "gold.jsonl", Path(scratch) / "predicted.jsonl"
            write_documents(gold, (a for a, _ in generate(documents, 0)))
            write_documents(predicted, (b for _, b in generate(documents, 0)))
            runs = [time_orbat(gold, predicted, options.resamples) for _ in range(options.repeats)]
            loop, f1 = time_loop(gold, predicted, options.resamples)
        assert all(abs(run[2] - f1) < 1e-12 for run in runs)
        times = sorted(run[0] for run in runs)
        median = times[len(times) // 2]
        rows.append(
            f"| {documents:,} | {median:.1f} ({times[0]:.1f} to {times[-1]:.1f}) | "
            f"{max(run[1] for run in runs):.0f} | {loop:.0f} | {loop / median:.1f} |"
        )
    print(describe_machine())
    print(
        f"\n| documents | orbat evaluate, {options.resamples} resamples, s (spread) | peak MB "
        f"| plain loop, s (scaled from {LOOP_RESAMPLES} resamples) | ratio |"
    )
    print("|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
