"""Speed and memory of cleaning, deduplicating and splitting a large corpus.

    python -m orbat.evaluation.benchmarks.ingestion [--articles 200000] [--engine local]

Articles are generated: about 250 words each, one in twenty a reprint of an earlier one. Prints a
Markdown table for a quarter, half and all of them; linear time means the same rate in each row.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

from .common import describe_machine, measure_orbat

FILES = 16


def generate(folder: Path, count: int, seed: int = 0) -> None:
    """Write generated articles into JSON Lines files."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 10))) for _ in range(30_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    earlier: list[str] = []
    files = [(folder / f"{index:02}.jsonl").open("w") for index in range(FILES)]
    for number in range(count):
        if earlier and rng.random() < 0.05:
            text = f"(Agency) {rng.choice(earlier)}"
        else:
            text = " ".join(rng.choices(words, weights, k=rng.randint(150, 350)))
            if len(earlier) < 2000:
                earlier.append(text)
        record = {"id": f"a{number}", "text": text, "source": f"paper {number % 40}"}
        files[number % FILES].write(json.dumps(record) + "\n")
    for file in files:
        file.close()


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=200_000)
    parser.add_argument("--engine", default="local")
    options = parser.parse_args()
    print(f"{describe_machine()}, engine {options.engine}\n")
    print(
        "| articles | added | duplicates | add: articles/s | peak MB "
        "| split: articles/s | peak MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for share in (4, 2, 1):
        count = options.articles // share
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / "in").mkdir()
            generate(folder / "in", count)
            corpus = folder / "out.jsonl"
            add = measure_orbat(
                *("corpus", "add", folder / "in", "--output", corpus, "--json"),
                *("--engine", options.engine),
            )
            split = measure_orbat("corpus", "split", corpus, "--output", folder / "parts")
        report = json.loads(add.output)
        print(
            f"| {count:,} | {report['added']:,} | {len(report['duplicates']):,} "
            f"| {count / add.seconds:.0f} | {add.peak_bytes / 2**20:.0f} "
            f"| {count / split.seconds:.0f} | {split.peak_bytes / 2**20:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
