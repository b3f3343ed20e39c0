"""Time of `orbat train` to the dev F1 of a stock transformers fine-tuning.

    python -m orbat.evaluation.benchmarks.training_speed [--epochs 6]

The stock recipe: `AutoModelForTokenClassification` of the same encoder, `Trainer`, fp32, windows
of 512 pieces, batches padded to the longest, all weights trained, the same learning rate; the tag
of a word is that of its first piece. Both train on the shipped train articles, one after the other,
and are scored on the dev articles after each epoch; scoring counts as time. Prints a Markdown
table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ...corpus.files import read_documents
from .common import ARTICLES, describe_machine, encoder_folder
from .stock_trainer import Stock

BATCH = 8


def train_orbat(folder: Path) -> list[tuple[float, float]]:
    """Train the recipe `default`; return seconds and dev F1 of each epoch."""
    subprocess.run(
        [
            *(sys.executable, "-m", "orbat", "train", "default", "--json"),
            *("--train", str(ARTICLES / "train.jsonl"), "--dev", str(ARTICLES / "dev.jsonl")),
            *("--output", str(folder)),
        ],
        check=True,
        stdout=subprocess.PIPE,
    )
    epochs = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["epochs"]
    return [(epoch["seconds"], epoch["f1"]) for epoch in epochs]


def main() -> None:
    """Train both and print when each reached the best F1 of the stock recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    parts = {part: list(read_documents(ARTICLES / f"{part}.jsonl")) for part in ("train", "dev")}
    with tempfile.TemporaryDirectory() as folder:
        ours = train_orbat(Path(folder) / "run")
        stock = Stock(encoder_folder(), parts["train"], parts["dev"])
        stock.train(options.epochs, BATCH, folder)
    stock_epochs = [(epoch.seconds, epoch.f1) for epoch in stock.epochs]
    goal = max(f1 for _, f1 in stock_epochs)
    print(f"{describe_machine()}\n")
    print(
        "| recipe | seconds and dev F1 after each epoch "
        "| seconds to the best F1 of the stock recipe |"
    )
    print("|---|---|---|")
    reached = {}
    for name, epochs in (("orbat default", ours), ("stock Trainer", stock_epochs)):
        reached[name] = next((seconds for seconds, f1 in epochs if f1 >= goal), None)
        scores = ", ".join(f"{seconds:.0f}: {f1:.3f}" for seconds, f1 in epochs)
        shown = "not reached" if reached[name] is None else f"{reached[name]:.0f}"
        print(f"| {name} | {scores} | {shown} |")
    first, other = reached["orbat default"], reached["stock Trainer"]
    if first and other:
        print(f"\nF1 {goal:.3f} is reached {other / first:.1f} times faster.")


if __name__ == "__main__":
    main()
