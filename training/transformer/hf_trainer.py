"""The transformers Trainer as orbat uses it: optimizer, arguments, evaluation and callbacks."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import SequentialSampler
from transformers import (
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from ...corpus.files import sha256_file, write_json
from ...errors import DivergedError, ModelError
from ...ui import OnProgress, Progress
from ..recipe import Recipe
from ..run_folder import HASHES_FILE
from .auto_length import AutoLength
from .dataset import TrainingWindows
from .device import Precision, training_device
from .distillation import batch_loss
from .network import TokenClassifier


class SpanTrainer(Trainer):
    """A Trainer that evaluates the spans of whole documents, and pickles nothing.

    Args:
        score_documents: returns the scores on the dev documents, with `precision`, `recall` and
            `f1`; None for an undefined score.
        seconds_before: how long the training took until the checkpoint that it resumes from.
        arguments: keyword arguments of `transformers.Trainer`.
    """

    def __init__(
        self,
        *,
        score_documents: Callable[[], dict[str, Any]],
        seconds_before: float,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self._score_documents = score_documents
        self._start = time.monotonic() - seconds_before

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        """Return a sampler in the dataset's order, which is the order of training already."""
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        """Return the loss of a batch; see :func:`.distillation.batch_loss`."""
        loss, outputs = batch_loss(model, inputs)
        return (loss, outputs) if return_outputs else loss

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Score the dev documents, whatever the dataset, and log the result."""
        self.model.eval()
        scores = self._score_documents()
        metrics = {
            f"{metric_key_prefix}_{name}": scores[name] or 0.0
            for name in ("precision", "recall", "f1")
        }
        metrics[f"{metric_key_prefix}_seconds"] = round(time.monotonic() - self._start, 1)
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None
    ) -> None:
        """Write the weights as safetensors; the original also pickles its arguments."""
        from safetensors.torch import save_file

        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(state_dict or self.model.state_dict(), folder / "model.safetensors")


class ProgressReporter(TrainerCallback):
    """Reports progress, and stops training when the loss is not finite.

    Args:
        on_progress: called after each step and each log entry.
        length: decides the length of the training; None for that of the recipe.
    """

    def __init__(self, on_progress: OnProgress, length: AutoLength | None) -> None:
        self._on_progress = on_progress
        self._length = length

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Report a step."""
        self._report(state, {})

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Report loss and F1.

        Raises:
            DivergedError: if the loss is not finite.
        """
        logs = logs or {}
        if "loss" in logs and not np.isfinite(logs["loss"]):
            raise DivergedError(
                f"the loss is {logs['loss']} at step {state.global_step}; "
                "lower learning_rate or set dtype to fp32"
            )
        measured = {"loss": logs.get("loss")}
        if "eval_f1" in logs:
            measured |= {name: logs[f"eval_{name}"] for name in ("precision", "recall", "f1")}
            measured["epoch"] = state.epoch
        metrics = {name: value for name, value in measured.items() if value is not None}
        self._report(state, metrics)

    def _report(self, state: TrainerState, metrics: dict[str, float]) -> None:
        is_open = self._length is not None and self._length.decay_start is None
        total = None if is_open else state.max_steps
        self._on_progress(Progress("Training", state.global_step, total, metrics))


class WindowCutter(TrainerCallback):
    """Cuts new windows before each epoch.

    Args:
        windows: the training windows.
    """

    def __init__(self, windows: TrainingWindows) -> None:
        self._windows = windows

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Make the windows of the epoch."""
        # A training that resumes within an epoch is at a fraction of it.
        self._windows.set_epoch(int((state.epoch or 0) + 1e-6))


class AutoStop(TrainerCallback):
    """Lets the dev scores decide when a training ends.

    Args:
        length: the length, which is updated.
    """

    def __init__(self, length: AutoLength) -> None:
        self._length = length

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Update the length by a new score; the Trainer stops at `state.max_steps`."""
        self._length.update(scored_steps(state.log_history))
        state.max_steps = self._length.end


class CheckpointHasher(TrainerCallback):
    """Writes the hashes of a checkpoint's files into it, after all of them.

    Only then are older checkpoints removed, all but the best, so that one is always complete.
    """

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Hash the files, except those of other processes, which may not be complete."""
        if not state.is_world_process_zero:
            return
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        files = {*folder.iterdir()} - {*folder.glob("rng_state_*")}
        hashes = {path.name: sha256_file(path) for path in sorted(files)}
        write_json(folder / HASHES_FILE, hashes)
        best = folder.parent / Path(state.best_model_checkpoint or folder).name
        for old in {*folder.parent.glob("checkpoint-*")} - {folder, best}:
            # Without hashes it is incomplete, should its removal be interrupted.
            (old / HASHES_FILE).unlink(missing_ok=True)
            shutil.rmtree(old)


def make_optimizer(network: TokenClassifier, recipe: Recipe) -> torch.optim.Optimizer:
    """Return AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) for a network.

    New layers have a learning rate of their own. Weight decay is not applied to biases and norms.
    """
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
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
        ],
        fused=True,
    )


def make_arguments(
    recipe: Recipe,
    checkpoints: Path,
    *,
    batch_size: int,
    precision: Precision,
    auto_length: AutoLength | None,
    eval_on_start: bool,
) -> TrainingArguments:
    """Return the Trainer's arguments.

    Args:
        recipe: the recipe.
        checkpoints: folder for the checkpoints; one is written after each evaluation.
        batch_size: windows that this process computes at once.
        precision: the arithmetic of training.
        auto_length: decides the length of the training; None for that of the recipe.
        eval_on_start: score the dev documents before the first step.
    """
    length: dict[str, Any] = {"num_train_epochs": recipe.epochs}
    length |= {"eval_strategy": "epoch", "save_strategy": "epoch"}
    if auto_length is not None:
        interval = auto_length.interval
        length = {"max_steps": auto_length.end, "eval_steps": interval, "save_steps": interval}
        length |= {"eval_strategy": "steps", "save_strategy": "steps"}
    return TrainingArguments(
        output_dir=str(checkpoints),
        **length,
        eval_on_start=eval_on_start,
        per_device_train_batch_size=batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=recipe.warmup,
        seed=recipe.seed,
        gradient_accumulation_steps=recipe.gradient_accumulation_steps,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=training_device().type == "cpu",
        load_best_model_at_end=True,
        metric_for_best_model="f1",
        greater_is_better=True,
        logging_strategy="steps",
        logging_steps=10,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        # Trackers are added as callbacks; see :mod:`..experiments.trackers`.
        report_to="none",
        run_name=checkpoints.parent.name,
        trackio_static_space_id=False,
        disable_tqdm=True,
        dataloader_pin_memory=training_device().type == "cuda",
        ddp_find_unused_parameters=False,
    )


def last_complete_checkpoint(checkpoints: Path) -> str | None:
    """Return the last checkpoint that was written completely, or None.

    :class:`CheckpointHasher` writes the hashes last. All complete checkpoints are compared with
    theirs: at the end of the training, the best one is loaded.

    Raises:
        ModelError: naming the first file that was changed, and the fix.
    """
    complete = [path.parent for path in checkpoints.glob(f"checkpoint-*/{HASHES_FILE}")]
    for folder in complete:
        if name := _damaged_file(folder):
            raise ModelError(
                f"{folder / name}: the checkpoint is damaged; delete {checkpoints} and run again "
                "with --resume, which then begins at the first epoch"
            )
    last = max(complete, key=lambda folder: int(folder.name.split("-")[1]), default=None)
    return None if last is None else str(last)


def read_log_history(checkpoint: str) -> list[dict[str, Any]]:
    """Return the Trainer's log up to a complete checkpoint."""
    state = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))
    history: list[dict[str, Any]] = state.log_history
    return history


def seconds_until(log_history: Sequence[dict[str, Any]]) -> float:
    """Return how long a training took until the last dev score of a Trainer's log."""
    return max((entry.get("eval_seconds", 0.0) for entry in log_history), default=0.0)


def scored_steps(log_history: Sequence[dict[str, Any]]) -> list[tuple[int, float]]:
    """Return the steps of a Trainer's log after which dev was scored, and the F1."""
    return [(entry["step"], entry["eval_f1"]) for entry in log_history if "eval_f1" in entry]


def _damaged_file(checkpoint: Path) -> str | None:
    """Return the name of a file that is missing or not as it was written; None for none."""
    try:
        hashes = dict(json.loads((checkpoint / HASHES_FILE).read_bytes()))
    except (ValueError, TypeError):
        return HASHES_FILE
    for name, digest in hashes.items():
        if not (checkpoint / name).is_file() or sha256_file(checkpoint / name) != digest:
            return str(name)
    return None
