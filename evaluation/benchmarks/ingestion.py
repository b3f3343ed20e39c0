"""Speed and memory of cleaning, deduplicating and splitting a large corpus.

    python -m orbat.evaluation.benchmarks.ingestion [--articles 200000] [--engine local]

Articles are generated: about 250 words each, one in twenty a reprint of an earlier one. Prints a
Markdown table for a quarter, half and all of them; linear time means the same rate in each row.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def run(*arguments: object) -> tuple[float, float, dict[str, object]]:
    """Run an orbat command in its own process; return seconds, peak MB and its JSON."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "orbat", *map(str, arguments), "--json"]
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"{command} ended with {status}")
        out.seek(0)
        return time.perf_counter() - began, usage.ru_maxrss / 1024, json.load(out)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=200_000)
    parser.add_argument("--engine", default="local")
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(f"engine {options.engine}\n")
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
            add = run(
                "corpus", "add", folder / "in", "--output", corpus, "--engine", options.engine
            )
            split = run("corpus", "split", corpus, "--output", folder / "parts")
        duplicates = add[2]["duplicates"]
        assert isinstance(duplicates, list)
        print(
            f"| {count:,} | {add[2]['added']:,} | {len(duplicates):,} | {count / add[0]:.0f} "
            f"| {add[1]:.0f} | {count / split[0]:.0f} | {split[1]:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
