"""Fine-tuning of a pretrained transformer."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, TrainerState

from ...errors import DivergedError, InputError, first_line
from ...ui import Progress
from ..base import TrainingJob
from ..experiments.trackers import make_trackers
from ..run_folder import CHECKPOINTS_FOLDER
from ..tagger.arrays import Floats
from ..tagger.thresholds import drop_below
from ..tagger.windows import Window
from ..tagging import score_dev, score_tagged, tag_documents, tune_threshold
from .dataset import Collator
from .encoder import quiet_transformers
from .estimate import estimate_training
from .hf_trainer import (
    AutoStop,
    CheckpointHasher,
    ProgressReporter,
    SpanTrainer,
    WindowCutter,
    last_complete_checkpoint,
    make_arguments,
    make_optimizer,
    read_log_history,
    scored_steps,
    seconds_until,
)
from .model_folder import save_model
from .preparation import Preparation

_DISK_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


class TransformerTrainer:
    """Fine-tunes a transformer; see :class:`orbat.training.base.Trainer`.

    Args:
        job: the training job.

    Raises:
        InputError: if the recipe's encoder or teachers cannot be used, or the documents have no
            words.
        ModelError: if a teacher is not a finished transformer run.
    """

    def __init__(self, job: TrainingJob) -> None:
        self._job = job
        self._prepared = Preparation(job)

    def estimate(self) -> dict[str, str]:
        """Return the size of the training and the estimated time.

        The trainer cannot :meth:`fit` afterward, as the measured steps change the network.
        """
        return estimate_training(self._prepared)

    def fit(self) -> dict[str, Any]:
        """Train, and write the model of the epoch with the best strict F1 on the dev documents.

        The scores of the epochs are those of all mentions, `dev` those of the mentions that the
        model predicts with its threshold.

        A checkpoint is written after every epoch. A job that resumes continues from the last one;
        one that only finishes takes the best one and trains no further.

        Returns:
            The metrics: scores on the dev documents (`dev`), the lowest confidence of predicted
            mentions (`threshold`), scores by epoch (`epochs`), whether the F1 was still rising
            when training ended (`rose_in_last_epoch`), losses by step (`losses`), the number of
            windows (`training_windows`), the `dtype`, and how long the training took before it was
            resumed (`seconds_before`).

        Raises:
            DivergedError: if the loss or the weights are not finite.
            InputError: if the disk is full, or there is no checkpoint to finish with.
            ModelError: if a teacher cannot be loaded, or a checkpoint is damaged.
        """
        job, prepared = self._job, self._prepared
        if prepared.teachers is not None:
            prepared.teacher_scorer = self._score_by_teachers
        dev_scores: dict[str, Any] = {}

        def score_documents() -> dict[str, Any]:
            dev_scores.update(score_dev(prepared.tagger(), job.data.dev))
            return dev_scores

        checkpoints = job.output / CHECKPOINTS_FOLDER
        last = last_complete_checkpoint(checkpoints) if job.resume or job.finish else None
        history = [] if last is None else read_log_history(last)
        if prepared.auto_length is not None:
            prepared.auto_length.update(scored_steps(history))
        seconds_before = seconds_until(history)
        starts_trained = job.recipe.start_from is not None and last is None
        trainer = self._make_trainer(
            checkpoints,
            starts_trained=starts_trained,
            score_documents=score_documents,
            seconds_before=seconds_before,
        )
        if prepared.pool_teachers is not None and not job.finish:
            # Other processes wait for the first one, and read its scores. Loading teachers draws
            # random numbers, which must not differ from a run whose teachers have scored before.
            with trainer.args.main_process_first(), torch.random.fork_rng():
                prepared.pool_teachers.score(prepared.all_unlabeled_documents(), job.on_progress)
            prepared.pool_is_scored = True
        with quiet_transformers(), _explain_full_disk(job.output):
            if job.finish:
                trainer.state = self._load_best(last)
            else:
                trainer.train(resume_from_checkpoint=last)
            prepared.network.eval()
            self._check_weights()
            dev_scores.update(self._apply_threshold())
            if trainer.is_world_process_zero():
                self._save()
                shutil.rmtree(checkpoints, ignore_errors=True)
        return {
            "dev": dev_scores,
            "threshold": prepared.config.threshold,
            "seconds_before": seconds_before,
            **self._history(trainer.state.log_history),
        }

    def _make_trainer(
        self, checkpoints: Path, *, starts_trained: bool, **arguments: Any
    ) -> SpanTrainer:
        prepared, recipe, length = self._prepared, self._job.recipe, self._prepared.auto_length
        optimizer = make_optimizer(prepared.network, recipe)
        trainer = SpanTrainer(
            model=prepared.network,
            args=make_arguments(
                recipe,
                checkpoints,
                batch_size=prepared.batch_size,
                precision=prepared.precision,
                auto_length=length,
                eval_on_start=starts_trained,
            ),
            data_collator=Collator(prepared.config.pad_id),
            train_dataset=prepared.windows,
            # The Trainer requires one; SpanTrainer.evaluate scores documents instead.
            eval_dataset=prepared.windows,
            optimizers=(optimizer, LambdaLR(optimizer, length) if length else None),
            callbacks=[
                ProgressReporter(self._job.on_progress, length),
                WindowCutter(prepared.windows),
                CheckpointHasher(),
                *([AutoStop(length)] if length else []),
                *make_trackers(self._job.trackers, self._job.output),
            ],
            **arguments,
        )
        trainer.remove_callback(PrinterCallback)
        return trainer

    def _score_by_teachers(self, windows: Sequence[tuple[int, Window]]) -> Iterator[Floats]:
        """Yield the teachers' log-probabilities for an epoch's windows, and report progress."""
        assert self._prepared.teachers is not None
        scored = self._prepared.teachers.log_probs(windows)
        for completed, log_probs in enumerate(scored, start=1):
            self._job.on_progress(Progress("Scoring by teachers", completed, len(windows)))
            yield log_probs

    def _apply_threshold(self) -> dict[str, Any]:
        """Set the model's threshold, and return its scores on the dev documents."""
        prepared, recipe, dev = self._prepared, self._job.recipe, self._job.data.dev
        tagged = list(tag_documents(prepared.tagger(), dev))
        if recipe.transformers_compatible:
            threshold = 0.0
        elif recipe.threshold == "auto":
            threshold = tune_threshold(dev, tagged)
        else:
            threshold = recipe.threshold
        prepared.set_threshold(threshold)
        thresholds = dict.fromkeys(prepared.config.labels, threshold)
        kept = (document.with_spans(drop_below(document.spans, thresholds)) for document in tagged)
        return score_tagged(dev, kept)

    def _load_best(self, last: str | None) -> TrainerState:
        """Load the best weights of an unfinished training, and return its state."""
        if last is None:
            raise InputError(f"{self._job.output}: keeps no epoch; train on with --resume")
        state = TrainerState.load_from_json(str(Path(last) / "trainer_state.json"))
        best = Path(last).with_name(Path(state.best_model_checkpoint or last).name)
        self._prepared.network.load_state_dict(load_file(best / "model.safetensors"))
        return state

    def _check_weights(self) -> None:
        """Refuse weights that are not finite: the last steps may have diverged unseen.

        Raises:
            DivergedError: naming the fix.
        """
        parameters = self._prepared.network.parameters()
        if not all(bool(torch.isfinite(parameter).all()) for parameter in parameters):
            raise DivergedError(
                "the trained weights are not finite; lower learning_rate or set dtype to fp32"
            )

    def _save(self) -> None:
        prepared = self._prepared
        save_model(
            self._job.output / "model",
            prepared.network,
            prepared.tokenizer,
            prepared.current_config(),
            self._job.gazetteer,
        )

    def _history(self, log_history: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the metrics of a finished training, those of `dev` left out."""
        f1 = [f1 for _, f1 in scored_steps(log_history)]
        length = self._prepared.auto_length
        return {
            "epochs": [
                {name: entry[f"eval_{name}"] for name in ("precision", "recall", "f1", "seconds")}
                | {"epoch": round(entry.get("epoch", 0), 3)}
                for entry in log_history
                if "eval_f1" in entry
            ],
            # The falling learning rate of an automatic length ends it: F1 may rise to the end.
            "rose_in_last_epoch": f1[-1] > max(f1[:-1], default=0.0)
            and not (length and length.found_plateau),
            "losses": [
                {"step": entry["step"], "loss": entry["loss"]}
                for entry in log_history
                if "loss" in entry
            ],
            "training_windows": len(self._prepared.windows),
            "dtype": self._prepared.precision,
        }


@contextmanager
def _explain_full_disk(output: Path) -> Iterator[None]:
    """Turn the errors that libraries raise on a full disk into one that names the fix.

    Raises:
        InputError: if the disk is full.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error)
        full = isinstance(error, OSError) and error.errno in _DISK_FULL
        if full or "inline_container" in reason or "I/O error" in reason:
            raise InputError(
                f"{output}: the model cannot be written ({first_line(error)}); "
                "free disk space and run again with --resume"
            ) from error
        raise
