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
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...corpus.document import Document, Span
from ...corpus.files import read_documents
from ...corpus.labels import load_labels
from ..counts import total_counts
from .common import ARTICLES, describe_machine, encoder_folder

MAX_PIECES = 512
BATCH = 8


class Stock:
    """A fine-tuning as in the examples of the libraries.

    Args:
        source: the encoder's folder.
        train: documents to train on.
        dev: documents to score after each epoch.
    """

    def __init__(self, source: str, train: Sequence[Document], dev: Sequence[Document]) -> None:
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        labels = load_labels().names
        self.tags = ["O", *(f"{mark}-{label}" for label in labels for mark in "BI")]
        self.tokenizer = AutoTokenizer.from_pretrained(source)
        self.model = AutoModelForTokenClassification.from_pretrained(
            source, num_labels=len(self.tags), dtype="float32"
        )
        self.rows = [row for document in train for row in self._windows(document)]
        self.dev = list(dev)
        self.epochs: list[tuple[float, float]] = []

    def _encode(self, document: Document) -> Any:
        return self.tokenizer(
            document.text,
            truncation=True,
            max_length=MAX_PIECES,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )

    def _windows(self, document: Document) -> list[dict[str, Any]]:
        encoded = self._encode(document)
        rows = []
        for index, offsets in enumerate(encoded["offset_mapping"]):
            words = encoded.word_ids(index)
            labels, last = [], None
            for word, (start, _) in zip(words, offsets, strict=True):
                first = word is not None and word != last
                labels.append(self._tag(document, start) if first else -100)
                last = word
            rows.append(
                {
                    "input_ids": encoded["input_ids"][index],
                    "attention_mask": encoded["attention_mask"][index],
                    "labels": labels,
                }
            )
        return rows

    def _tag(self, document: Document, start: int) -> int:
        for span in document.spans:
            if span.start <= start < span.end:
                mark = "B" if start == span.start else "I"
                return self.tags.index(f"{mark}-{span.label}")
        return 0

    def find(self, document: Document) -> list[Span]:
        """Return the spans of a document, window by window."""
        import torch

        encoded = self._encode(document)
        spans: list[Span] = []
        for index, offsets in enumerate(encoded["offset_mapping"]):
            inputs = {
                name: torch.tensor([encoded[name][index]])
                for name in ("input_ids", "attention_mask")
            }
            with torch.inference_mode():
                best = self.model(**inputs).logits[0].argmax(dim=1).tolist()
            last, open_span = None, False
            for word, tag, (start, end) in zip(encoded.word_ids(index), best, offsets, strict=True):
                if word is None:
                    continue
                if word == last:
                    if open_span:
                        spans[-1] = Span(spans[-1].start, end, spans[-1].label)
                    continue
                last = word
                mark, _, label = self.tags[tag].partition("-")
                if open_span and mark == "I" and spans[-1].label == label:
                    spans[-1] = Span(spans[-1].start, end, label)
                elif label:
                    spans.append(Span(start, end, label))
                open_span = bool(label)
        return spans

    def train(self, epochs: int, folder: str) -> None:
        """Train, and append the seconds so far and the dev F1 after each epoch."""
        import torch
        from transformers import (
            DataCollatorForTokenClassification,
            Trainer,
            TrainerCallback,
            TrainingArguments,
        )

        bench, began = self, time.perf_counter()

        class ScoreDev(TrainerCallback):  # type: ignore[misc]
            def on_epoch_end(self, *_: Any, **__: Any) -> None:
                bench.model.eval()
                predicted = [d.with_spans(bench.find(d)) for d in bench.dev]
                counts = total_counts(zip(bench.dev, predicted, strict=True))[0]
                bench.epochs.append((time.perf_counter() - began, counts.f1 or 0.0))
                bench.model.train()

        torch.manual_seed(0)
        Trainer(
            model=self.model,
            args=TrainingArguments(
                output_dir=folder,
                num_train_epochs=epochs,
                per_device_train_batch_size=BATCH,
                learning_rate=2e-4,
                warmup_steps=0.1,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                use_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=self.rows,
            data_collator=DataCollatorForTokenClassification(self.tokenizer),
            callbacks=[ScoreDev()],
        ).train()


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
        stock.train(options.epochs, folder)
    goal = max(f1 for _, f1 in stock.epochs)
    print(f"{describe_machine()}\n")
    print(
        "| recipe | seconds and dev F1 after each epoch "
        "| seconds to the best F1 of the stock recipe |"
    )
    print("|---|---|---|")
    reached = {}
    for name, epochs in (("orbat default", ours), ("stock Trainer", stock.epochs)):
        reached[name] = next((seconds for seconds, f1 in epochs if f1 >= goal), None)
        scores = ", ".join(f"{seconds:.0f}: {f1:.3f}" for seconds, f1 in epochs)
        shown = "not reached" if reached[name] is None else f"{reached[name]:.0f}"
        print(f"| {name} | {scores} | {shown} |")
    first, other = reached["orbat default"], reached["stock Trainer"]
    if first and other:
        print(f"\nF1 {goal:.3f} is reached {other / first:.1f} times faster.")


if __name__ == "__main__":
    main()
