"""Training from a recipe of any kind: gold in, a run folder out."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..corpus.files import write_documents, write_json
from ..corpus.labels import LabelSet
from ..errors import InputError
from .base import Fitting, Job, Report
from .manifest import (
    TrainingData,
    claim_output,
    gazetteer_of,
    is_same_run,
    make_manifest,
)
from .recipe import AnyRecipe
from .run_folder import read_json


def train(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    *,
    resume: bool = False,
    report: Report = lambda progress: None,
) -> dict[str, Any]:
    """Train a model and write its run folder.

    The same recipe, data and seed give the same weights on the same CPU. Under `torchrun` or
    `accelerate launch` all processes train one transformer, and the first alone writes.

    Args:
        recipe: how to train.
        data: documents with gold spans.
        labels: the label set.
        output: the run folder; it must not exist, unless `resume`.
        resume: go on with an unfinished run of the same recipe and data.
        report: called with the progress.

    Returns:
        The metrics that stand in `metrics.json`.

    Raises:
        InputError: if the documents, the recipe or the output folder cannot be used.
    """
    started = time.monotonic()
    job = _job(recipe, data, labels, output, resume, report)
    manifest = make_manifest(recipe, data, labels, job.gazetteer)
    writes = is_first_process()
    if writes:
        claim_output(job.output, manifest, resume)
    fitting = _fitting(job)
    if writes:
        write_json(job.output / "manifest.json", manifest)
        write_documents(job.output / "data" / "train.jsonl", data.train)
        write_documents(job.output / "data" / "dev.jsonl", data.dev)
    metrics = {**fitting.fit(), "seconds": round(time.monotonic() - started, 1)}
    if writes:
        write_json(job.output / "metrics.json", metrics)
        manifest["status"] = "finished"
        manifest["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(job.output / "manifest.json", manifest)
    return metrics


def train_once(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    report: Report = lambda progress: None,
) -> dict[str, Any]:
    """Train a model that may have been trained, wholly or in part, in the same folder before.

    Returns:
        The metrics that stand in `metrics.json`.

    Raises:
        InputError: as :func:`train`, and if the folder holds another run.
    """
    manifest = output / "manifest.json"
    old = read_json(manifest) if manifest.is_file() else {}
    if old.get("status") == "finished":
        wanted = make_manifest(recipe, data, labels, gazetteer_of(recipe, labels))
        if not is_same_run(old, wanted):
            raise InputError(f"{output}: holds another run; name a new folder")
        metrics: dict[str, Any] = read_json(output / "metrics.json")
        return metrics
    return train(recipe, data, labels, output, resume=True, report=report)


def explain(recipe: AnyRecipe, data: TrainingData, labels: LabelSet) -> dict[str, str]:
    """Return what a training would take on this machine, by name; nothing is written.

    Raises:
        InputError: if the documents or the recipe cannot be used.
    """
    return _fitting(_job(recipe, data, labels, Path(), False, lambda progress: None)).explain()


def is_first_process() -> bool:
    """Whether this process is the only one of its training, or the first of several."""
    # torchrun and accelerate number machines, and the processes of each.
    return all(os.environ.get(name, "0") == "0" for name in ("GROUP_RANK", "LOCAL_RANK"))


def _job(
    recipe: AnyRecipe,
    data: TrainingData,
    labels: LabelSet,
    output: Path,
    resume: bool,
    report: Report,
) -> Job:
    data.check()
    return Job(recipe, data, labels, gazetteer_of(recipe, labels), Path(output), resume, report)


def _fitting(job: Job) -> Fitting:
    # Each kind brings libraries of its own.
    match job.recipe.kind:
        case "rules":
            from .baselines.rules import Rules

            return Rules(job)
        case "linear":
            from .baselines.linear import LinearTraining

            return LinearTraining(job)
        case "cnn":
            from .baselines.spacy_cnn import CnnTraining

            return CnnTraining(job)
        case _:
            from .transformer.trainer import FineTuning

            return FineTuning(job)
