"""Processor time and F1 of training on sentences, beside a stock fine-tuning with transformers.

    python -m orbat.evaluation.benchmarks.sentence_training [--sentences 1600] [--epochs 3]
        [--seeds 3]

The shipped articles are split into sentences, each an example of its own, as in most data sets for
entity recognition. The recipe `quick` and :class:`.stock_trainer.Stock` train on the same ones in
one process, one after the other, from the same encoder, with batches of the same number of
sentences and the same learning rate of the encoder, once with each seed. Measured is the processor
time of training, with reading and tokenizing, without the scoring of dev. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import importlib
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...corpus.document import Document
from ...corpus.files import read_documents
from ...corpus.labels import load_labels
from ...training.data import TrainingData
from ...training.recipe import load_recipe
from ...training.train import train
from ...ui import Progress
from .common import ARTICLES, describe_machine, encoder_folder
from .stock_trainer import Stock

BATCH = 16
_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“])|\s*\n\s*")


def split_sentences(document: Document) -> Iterator[Document]:
    """Yield the sentences of a document, with their spans.

    There is no break inside a span or at its end, which may be that of an abbreviated rank.
    """
    spans, text = document.spans, document.text
    breaks = [
        (match.start(), match.end())
        for match in _BREAK.finditer(text)
        if not any(span.start < match.end() and match.start() <= span.end for span in spans)
    ]
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(text)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if text[start:end].strip():
            inside = [
                replace(span, start=span.start - start, end=span.end - start)
                for span in spans
                if start <= span.start < end
            ]
            yield Document(f"{document.id}-{number}", text[start:end], tuple(inside))


def read_sentences(part: str, count: int) -> list[Document]:
    """Return sentences of a part of the shipped articles, evenly spread over it."""
    documents = read_documents(ARTICLES / f"{part}.jsonl")
    sentences = [sentence for document in documents for sentence in split_sentences(document)]
    return sentences[:: max(1, len(sentences) // count)][:count]


def train_orbat(
    data: TrainingData, epochs: int, seed: int, folder: Path
) -> list[tuple[float, float]]:
    """Train the recipe `quick`; return processor seconds and dev F1 of each epoch."""
    results: list[tuple[float, float]] = []
    began = last_step = time.process_time()
    scoring = 0.0

    def on_progress(progress: Progress) -> None:
        nonlocal last_step, scoring
        now = time.process_time()
        if "f1" in progress.metrics:
            results.append((last_step - began - scoring, progress.metrics["f1"]))
            scoring += now - last_step
        last_step = now

    recipe = load_recipe("quick", [f"epochs={epochs}", f"batch_size={BATCH}", f"seed={seed}"])
    train(recipe, data, load_labels(), folder, on_progress=on_progress)
    return results


def train_stock(
    data: TrainingData, epochs: int, seed: int, folder: Path
) -> list[tuple[float, float]]:
    """Train the stock recipe; return processor seconds and dev F1 of each epoch."""
    began = time.process_time()
    stock = Stock(encoder_folder(), data.train, data.dev, seed=seed)
    reading = time.process_time() - began
    stock.train(epochs, BATCH, str(folder))
    return [(reading + epoch.processor_seconds, epoch.f1) for epoch in stock.epochs]


def main() -> None:
    """Train both with each seed, and print their processor time and F1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=1600)
    parser.add_argument("--dev-sentences", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    # The first training would pay for loading the libraries of both.
    importlib.import_module("transformers.trainer")
    data = TrainingData(
        read_sentences("train", options.sentences), read_sentences("dev", options.dev_sentences)
    )
    print(f"{describe_machine()}; {len(data.train):,} sentences, {len(data.dev):,} dev sentences\n")
    print("| seed | | processor seconds of training | dev F1 after each epoch |\n|---|---|---|---|")
    ratios = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            theirs = train_stock(data, options.epochs, seed, Path(folder) / "stock")
            ours = train_orbat(data, options.epochs, seed, Path(folder) / "orbat")
        for name, epochs in (("orbat quick", ours), ("stock Trainer", theirs)):
            scores = ", ".join(f"{f1:.3f}" for _, f1 in epochs)
            print(f"| {seed} | {name} | {epochs[-1][0]:.0f} | {scores} |", flush=True)
        ratios.append(theirs[-1][0] / ours[-1][0])
    spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
    print(f"\nThe stock Trainer takes {spread} times the processor time.")


if __name__ == "__main__":
    main()
