"""Fine-tuning a token classifier with the transformers Trainer."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils import logging as transformers_logging

from annotation.labels import LabelSet
from annotation.matching import counts_to_json, total_counts
from annotation.prelabelling import load_phrases
from corpus.document import Document
from corpus.errors import InputError
from corpus.files import sha256_file, sha256_text, write_documents, write_json
from training.encoder import load_encoder, special_tokens
from training.gazetteer import PhraseFinder
from training.network import TokenClassifier, bf16_is_fast
from training.recipe import Recipe
from training.run import FORMAT, save_model, tag_documents, torch_network
from training.tagging import (
    FEATURE_COUNT,
    Tagger,
    TaggerConfig,
    cut_windows,
    encode_texts,
    read_off,
    spans_to_tags,
)

IGNORED = -100
"""Label of a piece at which no word is read off; cross-entropy leaves it out."""


@dataclass(frozen=True)
class Progress:
    """Where training stands.

    Attributes:
        step: steps done.
        steps: steps in all.
        loss: mean training loss since the last report, where known.
        f1: strict F1 on the dev documents after the last epoch, where known.
    """

    step: int
    steps: int
    loss: float | None = None
    f1: float | None = None


@dataclass(frozen=True)
class TrainingData:
    """Documents to train on and to choose on, with the files that they came from."""

    train: Sequence[Document]
    dev: Sequence[Document]
    train_files: Sequence[Path] = ()
    dev_files: Sequence[Path] = ()


def make_windows(
    documents: Sequence[Document],
    tokenizer: Any,
    config: TaggerConfig,
    phrases: PhraseFinder | None = None,
) -> list[dict[str, list[int]]]:
    """Cut documents into training windows.

    Returns:
        For each window `input_ids`, `features` and `labels`, of one length. A word's tag stands
        at the piece where it is read off, all other pieces are :data:`IGNORED`. Windows without
        any word to learn from are left out.
    """
    before, behind = len(config.prefix), len(config.suffix)
    rows = []
    texts = [document.text for document in documents]
    find_phrases = phrases.find if phrases and config.gazetteer else None
    encoded = encode_texts(tokenizer, texts, find_phrases, config.tags)
    for document, text in zip(documents, encoded, strict=True):
        spans = [(span.start, span.end, span.label) for span in document.spans]
        tags = spans_to_tags(text.words, spans, config.tags)
        for window in cut_windows(text, config):
            pieces = text.pieces[window.first : window.last].tolist()
            labels = np.full(before + len(pieces) + behind, IGNORED)
            position = read_off(text, window, config)
            found = position >= 0
            if not found.any():
                continue
            labels[position[found]] = tags[window.start : window.end][found]
            features = text.features[window.first : window.last].tolist()
            rows.append(
                {
                    "input_ids": [*config.prefix, *pieces, *config.suffix],
                    "features": [0] * before + features + [0] * behind,
                    "labels": labels.tolist(),
                }
            )
    return rows


class _Collator:
    """Pads windows to the longest of their batch."""

    def __init__(self, pad: int) -> None:
        self.fill = {"input_ids": pad, "features": 0, "labels": IGNORED, "attention_mask": 0}

    def __call__(self, rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        width = max(len(row["input_ids"]) for row in rows)
        rows = [{**row, "attention_mask": [1] * len(row["input_ids"])} for row in rows]
        return {
            name: torch.tensor([row[name] + [fill] * (width - len(row[name])) for row in rows])
            for name, fill in self.fill.items()
        }


class _SpanTrainer(Trainer):
    """The Trainer, scoring whole spans of whole documents, and keeping no pickled arguments."""

    def __init__(self, *, score: Callable[[], dict[str, Any]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._score = score
        self.history: list[dict[str, Any]] = []

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        self.model.eval()
        scores = self._score()
        metrics = {
            f"{metric_key_prefix}_{name}": scores[name] or 0.0
            for name in ("precision", "recall", "f1")
        }
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None
    ) -> None:
        from safetensors.torch import save_file

        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(state_dict or self.model.state_dict(), folder / "model.safetensors")


class _Reporter(TrainerCallback):
    """Passes the Trainer's progress on, and stops it when the loss is no number."""

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self.report = report

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.report(Progress(state.global_step, state.max_steps))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        logs = logs or {}
        if "loss" in logs and not np.isfinite(logs["loss"]):
            raise InputError(
                f"the loss is {logs['loss']} at step {state.global_step}; "
                "lower learning_rate or set precision to fp32"
            )
        self.report(
            Progress(state.global_step, state.max_steps, logs.get("loss"), logs.get("eval_f1"))
        )


def train(
    recipe: Recipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Fine-tune a model and write its run folder.

    After every epoch the model tags the dev documents and a checkpoint is written; the model of
    the epoch with the best strict F1 is kept. The same recipe, data and seed give the same
    weights on the same CPU.

    Args:
        recipe: how to train.
        data: documents with gold spans.
        labels: the label set.
        output: the run folder; it must not exist, unless `resume`.
        resume: go on from the last checkpoint of an unfinished run of the same recipe and data.
        report: called with the progress after every step.

    Returns:
        The metrics that stand in `metrics.json`.

    Raises:
        InputError: if the documents, the recipe or the output folder cannot be used.
    """
    started = time.monotonic()
    output = Path(output)
    _check_data(data)
    phrases = find_phrases_of(recipe, labels)
    manifest = _manifest(recipe, data, labels, phrases)
    _claim_output(output, manifest, resume)
    set_seed(recipe.seed)
    encoder, tokenizer = load_encoder(recipe.encoder)
    config = _tagger_config(recipe, labels, encoder, tokenizer, bool(phrases))
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    network = TokenClassifier(
        encoder,
        tags=len(config.tags),
        features=FEATURE_COUNT,
        word_features=config.features,
        gazetteer=config.gazetteer,
        dropout=recipe.dropout,
        gazetteer_dropout=recipe.gazetteer_dropout,
    )
    disable_progress_bars()
    windows = Dataset.from_list(make_windows(data.train, backend, config, phrases))
    if len(windows) == 0:
        raise InputError("the training documents hold no word to learn from; add text to them")
    write_json(output / "manifest.json", manifest)
    write_documents(output / "data" / "train.jsonl", data.train)
    write_documents(output / "data" / "dev.jsonl", data.dev)

    bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and bf16_is_fast())
    dev_scores: dict[str, Any] = {}

    def score() -> dict[str, Any]:
        run = torch_network(network, autocast=bf16)
        tagger = Tagger(run, backend, config, phrases.find, batch_size=32)
        micro, each = total_counts(zip(data.dev, tag_documents(tagger, data.dev), strict=True))
        dev_scores.clear()
        dev_scores.update(counts_to_json(micro))
        dev_scores["labels"] = {label: counts_to_json(each[label]) for label in each}
        return dev_scores

    trainer = _SpanTrainer(
        score=score,
        model=network,
        args=_arguments(recipe, output, bf16),
        data_collator=_Collator(config.pad),
        train_dataset=windows,
        # The Trainer asks for one; evaluate scores documents and never looks at it.
        eval_dataset=windows,
        optimizers=(_optimizer(network, recipe), None),
        callbacks=[_Reporter(report)],
    )
    trainer.remove_callback(PrinterCallback)
    checkpoints = output / "checkpoints"
    last = get_last_checkpoint(str(checkpoints)) if resume and checkpoints.is_dir() else None
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        trainer.train(resume_from_checkpoint=last)
    finally:
        transformers_logging.set_verbosity(level)
    network.eval()
    score()
    save_model(output / "model", network, backend, config, phrases)
    metrics = {
        "dev": dict(dev_scores),
        "epochs": [
            {name: entry[f"eval_{name}"] for name in ("precision", "recall", "f1")}
            | {"epoch": round(entry["epoch"], 3)}
            for entry in trainer.state.log_history
            if "eval_f1" in entry
        ],
        "losses": [
            {"step": entry["step"], "loss": entry["loss"]}
            for entry in trainer.state.log_history
            if "loss" in entry
        ],
        "training_windows": len(windows),
        "precision": "bf16" if bf16 else "fp32",
        "seconds": round(time.monotonic() - started, 1),
    }
    write_json(output / "metrics.json", metrics)
    manifest["status"] = "finished"
    manifest["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(output / "manifest.json", manifest)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return metrics


def find_phrases_of(recipe: Recipe, labels: LabelSet) -> PhraseFinder:
    """Return the finder of the phrases that a recipe names; of none, one that finds nothing.

    Raises:
        InputError: if the gazetteer cannot be read.
    """
    if recipe.gazetteer == "none":
        return PhraseFinder({})
    path = None if recipe.gazetteer == "default" else Path(recipe.gazetteer)
    return PhraseFinder(vars(load_phrases(path, labels.names)))


def _check_data(data: TrainingData) -> None:
    for name, documents in (("training", data.train), ("dev", data.dev)):
        if not documents:
            raise InputError(f"no {name} documents; give at least one")
    if not any(document.spans for document in data.train):
        raise InputError("the training documents have no spans; label some first")


def _manifest(
    recipe: Recipe, data: TrainingData, labels: LabelSet, phrases: PhraseFinder
) -> dict[str, Any]:
    def files(paths: Sequence[Path]) -> list[dict[str, str]]:
        return [{"file": Path(path).name, "sha256": sha256_file(path)} for path in paths]

    def articles(documents: Sequence[Document]) -> list[dict[str, str]]:
        return [
            {"id": d.id, "sha256": sha256_text(d.text)}
            | ({"url": str(d.meta["url"])} if "url" in d.meta else {})
            for d in documents
        ]

    return {
        "format": FORMAT,
        "status": "training",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": recipe.model_dump(),
        "labels": labels.model_dump(by_alias=True),
        "inputs": {"train": files(data.train_files), "dev": files(data.dev_files)},
        "phrases": hashlib.sha256(phrases.to_bytes()).hexdigest(),
        "documents": {"train": articles(data.train), "dev": articles(data.dev)},
        "versions": {
            "python": platform.python_version(),
            **{
                package: version(package)
                for package in ("orbat", "torch", "transformers", "tokenizers", "datasets", "numpy")
            },
        },
        "machine": {"system": platform.platform(), "processors": os.cpu_count()},
    }


def _claim_output(output: Path, manifest: dict[str, Any], resume: bool) -> None:
    """Refuse an output folder that holds something else than this very run."""
    path = output / "manifest.json"
    if not path.is_file():
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise InputError(f"{output}: exists and is not a run; name a new folder")
        return
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is broken; name a new folder") from error
    if not resume:
        mend = "add --resume to go on with it, or " if old.get("status") == "training" else ""
        raise InputError(f"{output}: holds a run already; {mend}name a new folder")
    if old.get("status") == "finished":
        raise InputError(f"{output}: this run has finished; name a new folder to train again")
    for part in ("recipe", "labels", "documents", "phrases"):
        if old.get(part) != json.loads(json.dumps(manifest[part])):
            raise InputError(
                f"{output}: was begun with another {part.rstrip('s')} set; "
                "resume with the same recipe, labels, documents and gazetteer"
            )


def _tagger_config(
    recipe: Recipe, labels: LabelSet, encoder: Any, tokenizer: Any, gazetteer: bool
) -> TaggerConfig:
    prefix, suffix = special_tokens(tokenizer)
    longest = getattr(encoder.config, "max_position_embeddings", None)
    if longest and recipe.window > longest:
        raise InputError(
            f"window {recipe.window} is longer than encoder '{recipe.encoder}' reads; "
            f"set window to at most {longest}"
        )
    return TaggerConfig(
        labels=labels.names,
        window=recipe.window,
        overlap=recipe.overlap,
        prefix=prefix,
        suffix=suffix,
        pad=tokenizer.pad_token_id or 0,
        features=recipe.word_features,
        gazetteer=gazetteer,
    )


def _optimizer(network: TokenClassifier, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a rate of its own for the new layers, and no decay of vectors."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        key = (name.startswith("encoder."), parameter.ndim > 1)
        groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": recipe.learning_rate if pretrained else recipe.head_learning_rate,
                "weight_decay": recipe.weight_decay if matrix else 0.0,
            }
            for (pretrained, matrix), parameters in groups.items()
        ]
    )


def _arguments(recipe: Recipe, output: Path, bf16: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(output / "checkpoints"),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=recipe.warmup,
        seed=recipe.seed,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="f1",
        greater_is_better=True,
        logging_strategy="steps",
        logging_steps=10,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
    )
