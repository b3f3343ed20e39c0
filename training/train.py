"""Training a model of any kind from a recipe, and estimating the training time."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..corpus.files import write_documents, write_json
from ..corpus.labels import LabelSet
from ..corpus.output.atomic import name_full_disk
from ..corpus.output.locks import lock_folder
from ..errors import InputError, describe_fault
from ..ui import OnProgress, Progress, format_value, ignore_progress
from .backends import load_run, make_trainer
from .base import TrainingJob
from .baselines.linear_comparison import is_comparable, score_linear
from .data import TrainingData
from .experiments.trackers import check_trackers
from .gazetteer import load_recipe_gazetteer
from .manifest import check_output, is_same_run, make_manifest
from .recipe import AnyRecipe
from .run_folder import (
    DATA_FOLDER,
    MANIFEST_FILE,
    METRICS_FILE,
    TEACHER_FOLDER,
    VALUES_FILE,
    append_log,
    check_files,
    finish_run,
    read_json,
    read_kept_epochs,
    read_manifest,
)
from .value_tables import load_recipe_value_tables


def train(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    resume: bool = False,
    compare_linear: bool = False,
    finish: bool = False,
    trackers: Sequence[str] = (),
    on_progress: OnProgress = ignore_progress,
) -> dict[str, Any]:
    """Train a model and write its run folder.

    The same recipe, data and seed give the same weights on the same CPU. Under `torchrun` or
    `accelerate launch` all processes train one transformer, and only the first one writes.

    With unlabeled articles and no teachers, a model is first trained on the gold in the folder
    `teacher` of the run folder, and teaches the second one (self-training).

    Args:
        recipe: how to train.
        data: documents with gold spans.
        labels: the label set.
        output: the run folder. It must not exist, unless `resume` is set.
        resume: continue an unfinished run of the same recipe and data.
        compare_linear: before a transformer on few words, train `baseline-linear` too, and add its
            scores to the metrics as `baseline_linear`; None if scikit-learn is not installed. See
            :data:`.baselines.linear_comparison.MAX_WORDS`.
        finish: keep the best epoch of such a run, of a transformer, and train no further.
        trackers: programs that record the losses and scores of a transformer, on this machine; see
            :data:`.experiments.trackers.TRACKERS`.
        on_progress: called with the progress.

    Returns:
        The metrics, as written to `metrics.json`.

    Raises:
        InputError: if the documents, the recipe, a tracker or the output folder cannot be used, or
            another process writes the folder.
        ModelError: if a teacher cannot be used.
        DivergedError: if the loss is no longer finite.
    """
    started = time.monotonic()
    data.check()
    check_trackers(trackers)
    if trackers and recipe.kind != "transformer":
        raise InputError(f"a recipe of kind {recipe.kind} has no losses to record; remove --log")
    gazetteer = load_recipe_gazetteer(recipe, labels)
    resume, kept = resume or finish, read_kept_epochs(output) if finish else None
    job = TrainingJob(
        *(recipe, data, labels, gazetteer, Path(output), load_run, resume),
        _report_epochs(Path(output), on_progress) if is_first_process() else on_progress,
        finish,
        tuple(trackers),
    )
    value_tables = load_recipe_value_tables(recipe, labels)
    manifest = make_manifest(recipe, data, labels, gazetteer)
    manifest["span_constraints"] = dataclasses.asdict(job.span_constraints)
    writes = is_first_process()
    if writes:
        check_output(job.output, manifest, resume)
    if finish and kept is None:
        has_run = (job.output / MANIFEST_FILE).is_file()
        fix = "train on with --resume" if has_run else "leave out --finish to train one"
        found = "keeps no finished epoch" if has_run else "holds no interrupted run"
        raise InputError(f"{output}: {found}; {fix}")
    # Making a trainer checks the job; nothing has been written yet.
    trainer = make_trainer(job)
    with _own_folder(job.output, manifest, resume) if writes else nullcontext(), ExitStack() as log:
        if writes:
            write_json(job.output / MANIFEST_FILE, manifest)
            log.enter_context(_log_ends(job.output, manifest))
            write_documents(job.output / DATA_FOLDER / "train.jsonl", data.train)
            write_documents(job.output / DATA_FOLDER / "dev.jsonl", data.dev)
        if job.data.pool is not None and not job.recipe.teachers:
            trainer = make_trainer(_train_teacher(job))
        compares = writes and compare_linear and is_comparable(job)
        # Before the checkpoints are deleted: Ctrl-C loses nothing then.
        linear = score_linear(job) if compares else None
        metrics = trainer.fit()
        seconds = metrics.pop("seconds_before", 0.0) + time.monotonic() - started
        metrics["seconds"] = round(seconds, 1)
        if compares:
            metrics["baseline_linear"] = linear
        if kept is not None:
            metrics["finished_after_epochs"] = manifest["finished_after_epochs"] = kept.epochs
        if writes:
            (job.output / VALUES_FILE).write_bytes(value_tables.to_bytes())
            write_json(job.output / METRICS_FILE, metrics)
            manifest["status"] = "finished"
            manifest["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
            finish_run(job.output, manifest)
            append_log(job.output, _describe_end(metrics))
    return metrics


def f1_of_all_mentions(metrics: Mapping[str, Any]) -> float:
    """Return the dev F1 of a finished training without its threshold, which may cost half a point.

    Trainings are compared by it.

    Args:
        metrics: what :func:`train` returns.
    """
    if metrics.get("threshold"):
        return max(float(epoch["f1"]) for epoch in metrics["epochs"])
    return float(metrics["dev"]["f1"] or 0.0)


def _describe_end(metrics: Mapping[str, Any]) -> str:
    early = ""
    if "finished_after_epochs" in metrics:
        early = f", of {metrics['finished_after_epochs']:g} epochs before --finish"
    f1 = format_value(metrics["dev"]["f1"])
    if metrics.get("threshold"):
        early += f"; mentions of a confidence below {metrics['threshold']:g} are left out"
    return f"finished after {metrics['seconds']:.0f} s; dev F1 of the model {f1}{early}"


@contextmanager
def _own_folder(output: Path, manifest: Mapping[str, Any], resume: bool) -> Iterator[None]:
    """Keep other trainings from a run folder until the block ends.

    Raises:
        InputError: if another one is in the folder, or was until now, or the disk is full.
    """
    with lock_folder(output), name_full_disk(output):
        check_output(output, manifest, resume)
        yield


@contextmanager
def _log_ends(output: Path, manifest: Mapping[str, Any]) -> Iterator[None]:
    """Write to the log of a run what it is made of and with, and how it ends."""
    counts = ", ".join(f"{len(part)} {name}" for name, part in manifest["documents"].items())
    append_log(output, f"training begins or goes on; documents: {counts}")
    append_log(output, f"recipe {json.dumps(manifest['recipe'], ensure_ascii=False)}")
    append_log(output, f"versions {json.dumps(manifest['versions'])}")
    try:
        yield
    except BaseException as error:
        with suppress(OSError):  # the disk may be full
            append_log(output, f"ended by {describe_fault(error)}")
        raise


def _report_epochs(output: Path, on_progress: OnProgress) -> OnProgress:
    """Return a function that also writes each epoch to the log of the run."""
    describe = EpochLines()

    def report(progress: Progress) -> None:
        if line := describe(progress):
            append_log(output, line)
        on_progress(progress)

    return report


def describe_step(progress: Progress) -> str:
    """Return the step of a training, and the last one if that is known."""
    last = "" if progress.total is None else f" of {progress.total}"
    return f"step {progress.completed}{last}"


class EpochLines:
    """Describes each epoch in a line; a task's latest loss and best F1 are remembered.

    Notes of other tasks are lines as they are.
    """

    def __init__(self) -> None:
        self._loss: dict[str, float] = {}
        self._best: dict[str, float] = {}

    def __call__(self, progress: Progress) -> str | None:
        """Return the line of an event that ends an epoch or has a note; None for others."""
        if progress.note:
            return progress.note
        metrics = dict(progress.metrics)
        task = progress.task
        if (loss := metrics.pop("loss", None)) is not None:
            self._loss[task] = loss
        if "f1" not in metrics:
            return None
        parts = [describe_step(progress)]
        if (epoch := metrics.pop("epoch", None)) is not None:
            parts.insert(0, f"epoch {round(epoch, 2):g}")
        if task in self._loss:
            metrics = {"loss": self._loss[task], **metrics}
        parts += [f"{name} {format_value(value)}" for name, value in metrics.items()]
        if metrics["f1"] > self._best.get(task, -1.0):
            self._best[task] = metrics["f1"]
            parts.append("best so far")
        return "  ".join(parts)


def _train_teacher(job: TrainingJob) -> TrainingJob:
    """Train the job's recipe on the gold, and return the job with the result as teacher."""
    run = job.output / TEACHER_FOLDER
    gold = dataclasses.replace(job.data, unlabeled=(), unlabeled_files=())

    def on_progress(progress: Progress) -> None:
        job.on_progress(dataclasses.replace(progress, task=f"{progress.task} (teacher)"))

    train_or_resume(job.recipe, gold, job.labels, run, on_progress=on_progress)
    _wait_for_other_processes()
    return dataclasses.replace(job, recipe=job.recipe.model_copy(update={"teachers": (str(run),)}))


def _wait_for_other_processes() -> None:
    """Wait until all processes of a training are here: the first one writes the run folder."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        from .transformer.device import training_device

        PartialState(cpu=training_device().type == "cpu").wait_for_everyone()


def train_or_resume(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    on_progress: OnProgress = ignore_progress,
) -> dict[str, Any]:
    """Train a model, resume its unfinished run, or return the metrics of its finished run.

    Args:
        recipe: how to train.
        data: documents with gold spans.
        labels: the label set.
        output: the run folder; new, or of the same recipe, data and labels.
        on_progress: called with the progress.

    Returns:
        The metrics, as written to `metrics.json`.

    Raises:
        InputError: as :func:`train`, and if the folder holds another run.
        ModelError: as :func:`train`, and if the finished run was changed.
        DivergedError: as :func:`train`.
    """
    path = output / MANIFEST_FILE
    old = read_json(path) if path.is_file() else {}
    if old.get("status") == "finished":
        new = make_manifest(recipe, data, labels, load_recipe_gazetteer(recipe, labels))
        if not is_same_run(read_manifest(output), new):
            raise InputError(f"{output}: holds another run; name a new folder")
        metrics: dict[str, Any] = read_json(check_files(output, METRICS_FILE))
        return metrics
    return train(recipe, data, labels, output, resume=True, on_progress=on_progress)


def estimate(recipe: AnyRecipe, data: TrainingData, labels: LabelSet) -> dict[str, str]:
    """Estimate the training time on this machine by running a few steps. Writes nothing.

    Returns:
        The size of the task and the estimated time, by name, as text.

    Raises:
        InputError: if the documents or the recipe cannot be used.
        ModelError: if a teacher cannot be used.
    """
    data.check()
    gazetteer = load_recipe_gazetteer(recipe, labels)
    documents = f"{len(data.train):,} to train on, {len(data.dev):,} to select on"
    job = TrainingJob(recipe, data, labels, gazetteer, Path(), load_run)
    facts = make_trainer(job).estimate()
    return {"documents": documents, **facts}


def is_first_process() -> bool:
    """Return whether this is the only process of a training, or the first of several."""
    # torchrun and accelerate number machines, and the processes of each.
    return all(os.environ.get(name, "0") == "0" for name in ("GROUP_RANK", "LOCAL_RANK"))
