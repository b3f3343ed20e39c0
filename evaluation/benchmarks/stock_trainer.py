"""A stock fine-tuning of a token classifier with transformers, to compare orbat's with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...corpus.document import Document, Span
from ...corpus.labels import load_labels
from ..counts import total_counts

MAX_PIECES = 512


class StockEpoch(NamedTuple):
    """The dev F1 after an epoch, and the seconds until then; see :attr:`Stock.epochs`."""

    f1: float
    seconds: float
    processor_seconds: float


class Stock:
    """A fine-tuning as `run_ner.py` of the examples of transformers does it, on spans.

    `AutoModelForTokenClassification` and `Trainer` in fp32, all weights trained, batches of random
    windows padded to the longest; the tag of a word is that of its first piece.

    Args:
        source: the encoder's folder.
        train: documents to train on.
        dev: documents to score after each epoch.
        seed: of the new classifier's weights and the order of the batches.

    Attributes:
        epochs: of each epoch the dev F1 and the seconds since training began, of the clock and of
            the processor. The seconds of scoring are not among the latter.
    """

    def __init__(
        self, source: str, train: Sequence[Document], dev: Sequence[Document], *, seed: int = 0
    ) -> None:
        import torch
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        labels = load_labels().names
        self.tags = ["O", *(f"{mark}-{label}" for label in labels for mark in "BI")]
        torch.manual_seed(seed)
        self.seed = seed
        self.tokenizer = AutoTokenizer.from_pretrained(source)
        self.model = AutoModelForTokenClassification.from_pretrained(
            source, num_labels=len(self.tags), dtype="float32"
        )
        self.rows = [row for document in train for row in self._windows(document)]
        self.dev = list(dev)
        self.epochs: list[StockEpoch] = []

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

    def train(self, epochs: int, batch_size: int, folder: str) -> None:
        """Train, and append an entry to :attr:`epochs` after each epoch."""
        import torch
        from transformers import (
            DataCollatorForTokenClassification,
            Trainer,
            TrainerCallback,
            TrainingArguments,
        )

        bench, began, processor_began = self, time.perf_counter(), time.process_time()

        class ScoreDev(TrainerCallback):  # type: ignore[misc]
            scoring = 0.0

            def on_epoch_end(self, *_: Any, **__: Any) -> None:
                processor = time.process_time()
                bench.model.eval()
                predicted = [d.with_spans(bench.find(d)) for d in bench.dev]
                counts = total_counts(zip(bench.dev, predicted, strict=True))[0]
                trained = processor - processor_began - self.scoring
                seconds = time.perf_counter() - began
                bench.epochs.append(StockEpoch(counts.f1 or 0.0, seconds, trained))
                self.scoring += time.process_time() - processor
                bench.model.train()

        Trainer(
            model=self.model,
            args=TrainingArguments(
                output_dir=folder,
                seed=self.seed,
                num_train_epochs=epochs,
                per_device_train_batch_size=batch_size,
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
