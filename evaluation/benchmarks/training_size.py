"""Processor time, memory and F1 of training by the number of sentences.

    python -m orbat.evaluation.benchmarks.training_size RUNS [--sizes 1250 5000 20000]
        [--set epochs=auto]

The recipe `quick` is trained with `orbat train` on so many sentences of the shipped articles, each
an example of its own, and scored on sentences of dev. Each training runs in its own process, from
reading to the final scores; seconds per 1,000 words are those of an epoch. RUNS is a new folder
that keeps the runs. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ...corpus.files import write_documents
from .common import describe_machine, measure_orbat
from .sentence_training import read_sentences


def main() -> None:
    """Train on each size, and print a row for it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1250, 5000, 20000])
    parser.add_argument("--dev-sentences", type=int, default=600)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    settings = [part for setting in options.settings for part in ("--set", setting)]
    dev = options.runs / "dev.jsonl"
    write_documents(dev, read_sentences("dev", options.dev_sentences))
    print(f"{describe_machine()}\n")
    print("| sentences | words | epochs | processor seconds | per 1,000 words | MB | dev F1 |")
    print("|---" * 7 + "|")
    for size in options.sizes:
        sentences = read_sentences("train", size)
        train, run = options.runs / f"{size}.jsonl", options.runs / f"{size}"
        write_documents(train, sentences)
        done = measure_orbat(
            *("train", "quick", *settings, "--train", train, "--dev", dev, "--output", run)
        )
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        epochs = metrics["epochs"][-1]["epoch"]
        words = sum(len(sentence.text.split()) for sentence in sentences)
        print(
            f"| {len(sentences):,} | {words:,} | {epochs:.1f} | {done.processor_seconds:.0f} "
            f"| {1000 * done.processor_seconds / words / epochs:.2f} "
            f"| {done.peak_bytes / 1e6:,.0f} | {metrics['dev']['f1']:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
