"""Fine-tuning a token classifier with the transformers Trainer."""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.utils import logging as transformers_logging

from ...corpus.document import Document
from ...corpus.files import sha256_text
from ...errors import DivergedError, InputError
from ...ui import OnProgress, Progress
from ..base import TrainingJob
from ..recipe import Recipe
from ..tagger.arrays import Floats
from ..tagger.config import TaggerConfig
from ..tagger.tagger import NeuralTagger
from ..tagger.windows import Window, cut_windows
from ..tagger.words import FEATURE_COUNT
from ..tagging import score_dev
from .cased_vocabulary import LINE_BREAKS, make_cased_tokenizer
from .dataset import (
    Collator,
    Row,
    TeacherScorer,
    TrainingWindows,
    encode_documents,
    make_windows,
)
from .distillation import Teachers, batch_loss
from .encoder import encoder_layers, load_encoder, longest_window, special_tokens
from .model_folder import save_model, torch_network
from .network import TokenClassifier
from .quantization_aware import insert_fake_quantization

_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class _SpanTrainer(Trainer):
    """The Trainer, scoring whole spans of whole documents, and keeping no pickled arguments."""

    def __init__(self, *, score: Callable[[], dict[str, Any]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._score = score
        self._began = time.monotonic()

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        loss, outputs = batch_loss(model, inputs)
        return (loss, outputs) if return_outputs else loss

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
        metrics[f"{metric_key_prefix}_seconds"] = round(time.monotonic() - self._began, 1)
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

    def __init__(self, on_progress: OnProgress) -> None:
        self.on_progress = on_progress

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.on_progress(Progress("Training", state.global_step, state.max_steps))

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
            raise DivergedError(
                f"the loss is {logs['loss']} at step {state.global_step}; "
                "lower learning_rate or set dtype to fp32"
            )
        measured = {"loss": logs.get("loss"), "f1": logs.get("eval_f1")}
        metrics = {name: value for name, value in measured.items() if value is not None}
        self.on_progress(Progress("Training", state.global_step, state.max_steps, metrics))


class _NewWindows(TrainerCallback):
    """Cuts the windows anew before each epoch."""

    def __init__(self, windows: TrainingWindows) -> None:
        self.windows = windows

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.windows.set_epoch(round(state.epoch or 0))


class FineTuning:
    """A transformer about to be fine-tuned; nothing is written before :meth:`fit`.

    Args:
        job: what to train, on what, and where to.

    Raises:
        InputError: if the recipe's encoder cannot be used or the documents hold no word.
    """

    def __init__(self, job: TrainingJob) -> None:
        recipe: Recipe = job.recipe
        self._job = job
        self._batch_size = _share_of_batch(recipe)
        self._bf16 = recipe.dtype == "bf16" or (recipe.dtype == "auto" and bf16_is_fast())
        self._teach: TeacherScorer | None = None
        set_seed(recipe.seed)
        encoder, tokenizer = load_encoder(recipe.encoder, recipe.attention_dropout, recipe.layers)
        if recipe.prune_after_layer is not None:
            layers = len(encoder_layers(encoder))
            if recipe.prune_after_layer >= layers:
                raise InputError(
                    f"prune_after_layer {recipe.prune_after_layer}: the encoder has {layers} "
                    "layers; set prune_after_layer to fewer"
                )
        if recipe.quantization_aware:
            insert_fake_quantization(encoder)
        self._config = _tagger_config(job, encoder, tokenizer)
        self._tokenizer = tokenizer.backend_tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        cased_vocabulary = None
        outside: list[int] = []
        if recipe.transformers_compatible:
            self._tokenizer, cased_vocabulary = make_cased_tokenizer(
                self._tokenizer, recipe.encoder
            )
            if self._config.by_line:
                outside = [self._tokenizer.token_to_id(each) for each in LINE_BREAKS]
        self._network = TokenClassifier(
            encoder,
            tags=len(self._config.tags),
            features=FEATURE_COUNT,
            word_features=self._config.word_features,
            gazetteer=self._config.gazetteer,
            crf=recipe.crf,
            by_line=self._config.by_line,
            cased_vocabulary=cased_vocabulary,
            prune_after_layer=recipe.prune_after_layer,
            prune_threshold=recipe.prune_threshold,
            dropout=recipe.dropout,
            gazetteer_dropout=recipe.gazetteer_dropout,
        )
        self._teachers = None
        if recipe.teachers:
            held_out = {sha256_text(document.text) for document in job.data.dev}
            runs = [Path(run) for run in recipe.teachers]
            texts = [document.text for document in job.data.train]
            self._teachers = Teachers(
                *(runs, self._config.labels, texts, held_out),
                crf=recipe.crf,
                autocast=self._bf16,
            )
        if not torch.cuda.is_available():
            # Written out, attention trains faster on a CPU than torch's fused kernel, whose
            # backward pass is slow there.
            encoder.set_attn_implementation("eager")
        if recipe.freeze_embeddings:
            encoder.get_input_embeddings().requires_grad_(False)
        # In training no window needs another's context twice: overlaps would only repeat.
        self._cut = dataclasses.replace(self._config, stride=0)
        self._encoded = encode_documents(job.data.train, self._tokenizer, self._cut, job.gazetteer)

        def epoch_windows(rng: np.random.Generator) -> list[Row]:
            return make_windows(self._encoded, self._cut, rng, outside, self._teach)

        self._windows = TrainingWindows(epoch_windows, recipe.seed)
        if len(self._windows) == 0:
            raise InputError("the training documents hold no word to learn from; add text to them")

    def fit(self) -> dict[str, Any]:
        """Train, and write the model of the epoch with the best strict F1 on the dev documents.

        A checkpoint is written after every epoch; a job that resumes begins at the last.
        """
        job, recipe = self._job, self._job.recipe
        if self._teachers is not None:
            self._teach = self._be_taught
        last_scores: dict[str, Any] = {}

        def score() -> dict[str, Any]:
            last_scores.update(score_dev(self._tagger(), job.data.dev))
            return last_scores

        trainer = _SpanTrainer(
            score=score,
            model=self._network,
            args=_arguments(recipe, job.output, self._batch_size, self._bf16),
            data_collator=Collator(self._config.pad_id),
            train_dataset=self._windows,
            # The Trainer asks for one; evaluate scores documents and never looks at it.
            eval_dataset=self._windows,
            optimizers=(_optimizer(self._network, recipe), None),
            callbacks=[_Reporter(job.on_progress), _NewWindows(self._windows)],
        )
        trainer.remove_callback(PrinterCallback)
        checkpoints = job.output / "checkpoints"
        last = _last_whole_checkpoint(checkpoints) if job.resume else None
        with _quiet_transformers(), _full_disk_told(job.output):
            trainer.train(resume_from_checkpoint=last)
            self._network.eval()
            score()
            if trainer.is_world_process_zero():
                model = job.output / "model"
                save_model(model, self._network, self._tokenizer, self._decoding(), job.gazetteer)
                shutil.rmtree(checkpoints, ignore_errors=True)
        return {
            "dev": last_scores,
            "epochs": [
                {name: entry[f"eval_{name}"] for name in ("precision", "recall", "f1", "seconds")}
                | {"epoch": round(entry["epoch"], 3)}
                for entry in trainer.state.log_history
                if "eval_f1" in entry
            ],
            "losses": [
                {"step": entry["step"], "loss": entry["loss"]}
                for entry in trainer.state.log_history
                if "loss" in entry
            ],
            "training_windows": len(self._windows),
            "dtype": "bf16" if self._bf16 else "fp32",
        }

    def _be_taught(self, windows: Sequence[tuple[int, Window]]) -> Iterator[Floats]:
        """Give what the teachers think of an epoch's windows."""
        assert self._teachers is not None
        for done, log_probs in enumerate(self._teachers.log_probs(windows), start=1):
            self._job.on_progress(Progress("Teachers reading", done, len(windows)))
            yield log_probs

    def estimate(self) -> dict[str, str]:
        """Return what training will take, by trying a few steps; the network is spent then."""
        recipe, windows = self._job.recipe, self._windows
        weights = [(p.numel(), p.requires_grad) for p in self._network.parameters()]
        pieces = sum(len(windows[place]["input_ids"]) for place in range(len(windows)))
        steps = math.ceil(math.ceil(len(windows) / recipe.batch_size) * recipe.epochs)
        step, tagging = self._time_steps()
        teaching = self._time_teachers()
        minutes = (steps * step + math.ceil(recipe.epochs) * (tagging + teaching)) / 60
        taught = f", {teaching:.0f} s for the teachers before each" if self._teachers else ""
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
        return {
            "weights": f"{sum(n for n, _ in weights):,}, "
            f"of them trained {sum(n for n, trained in weights if trained):,}",
            "training windows": f"{len(windows):,} of up to {recipe.window} pieces, "
            f"{pieces:,} pieces in all",
            "steps": f"{steps:,} of {recipe.batch_size} windows",
            "arithmetic": f"{'bf16' if self._bf16 else 'fp32'} on {device}",
            "time": f"about {minutes:.1f} min here ({step:.2f} s a step, {tagging:.0f} s for the "
            f"dev documents after each epoch{taught}, all just tried)",
        }

    def _time_steps(self, tries: int = 4) -> tuple[float, float]:
        """Return the seconds of one step and of tagging all dev documents."""
        network, batch_size = self._network, self._job.recipe.batch_size
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        network.to(device).train()
        optimizer = _optimizer(network, self._job.recipe)
        collate = Collator(self._config.pad_id)
        rows = [self._windows[place] for place in range(min(batch_size, len(self._windows)))]
        batch = {name: tensor.to(device) for name, tensor in collate(rows).items()}
        seconds = []
        for _ in range(tries):
            began = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, enabled=self._bf16):
                loss, _ = batch_loss(network, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
            loss.item()
            seconds.append(time.perf_counter() - began)
        network.eval()
        few = self._job.data.dev[:4]
        began = time.perf_counter()
        score_dev(self._tagger(), few)
        tagging = (time.perf_counter() - began) / len(few) * len(self._job.data.dev)
        return statistics.median(seconds[1:]), tagging

    def _time_teachers(self) -> float:
        """Return the seconds that the teachers take to read an epoch's windows."""
        if self._teachers is None:
            return 0.0
        few = [
            (index, window)
            for index, (text, _) in enumerate(self._encoded[:4])
            for window in cut_windows(text, self._cut)
        ]
        began = time.perf_counter()
        list(self._teachers.log_probs(few))
        return (time.perf_counter() - began) / len(few) * len(self._windows)

    def _tagger(self) -> NeuralTagger:
        run = torch_network(self._network, autocast=self._bf16)
        find = self._job.gazetteer.find
        return NeuralTagger(run, self._tokenizer, self._decoding(), find, batch_size=32)

    def _decoding(self) -> TaggerConfig:
        """Return the configuration with what the network has learnt of sequences so far."""
        return dataclasses.replace(self._config, **self._network.crf_parameters())


def bf16_is_fast() -> bool:
    """Whether this machine has bf16 arithmetic: on a GPU, or as AVX512-BF16 or AMX on a CPU."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _last_whole_checkpoint(folder: Path) -> str | None:
    """Return the last checkpoint that was written to its end; the Trainer's state comes last."""
    whole = [
        path.parent for path in folder.glob("checkpoint-*/trainer_state.json") if _is_json(path)
    ]
    return str(max(whole, key=lambda path: int(path.name.split("-")[1]))) if whole else None


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)


@contextmanager
def _full_disk_told(output: Path) -> Iterator[None]:
    """Say of weights that cannot be written what to do; each library has its own error."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error)
        full = isinstance(error, OSError) and error.errno in _NO_ROOM
        if full or "inline_container" in reason or "I/O error" in reason:
            raise InputError(
                f"{output}: the model cannot be written ({reason.splitlines()[0]}); "
                "free space on the disk and go on with --resume"
            ) from error
        raise


def _tagger_config(job: TrainingJob, encoder: Any, tokenizer: Any) -> TaggerConfig:
    recipe: Recipe = job.recipe
    prefix, suffix = special_tokens(tokenizer)
    longest = longest_window(encoder)
    if longest and recipe.window > longest:
        raise InputError(
            f"window {recipe.window} is longer than encoder '{recipe.encoder}' reads; "
            f"set window to at most {longest}"
        )
    return TaggerConfig(
        labels=job.labels.names,
        window=recipe.window,
        stride=recipe.stride,
        prefix_ids=prefix,
        suffix_ids=suffix,
        pad_id=tokenizer.pad_token_id or 0,
        word_features=recipe.word_features,
        gazetteer=bool(job.gazetteer),
        by_line=not any(map(_crosses_lines, job.data.train)),
        transformers_compatible=recipe.transformers_compatible,
    )


def _crosses_lines(document: Document) -> bool:
    covered = (document.text[span.start : span.end] for span in document.spans)
    return any("\n" in text or "\r" in text for text in covered)


def _optimizer(network: TokenClassifier, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a rate of its own for the new layers, and no decay of vectors."""
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


def _share_of_batch(recipe: Recipe) -> int:
    """Return how many windows of a step this process takes."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if recipe.batch_size % processes:
        raise InputError(
            f"batch_size {recipe.batch_size} cannot be shared by {processes} processes; "
            "set it to a multiple of them"
        )
    return recipe.batch_size // processes


def _arguments(recipe: Recipe, output: Path, batch_size: int, bf16: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(output / "checkpoints"),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=batch_size,
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
