"""An estimate of the training time, from a few steps that are run on this machine."""

from __future__ import annotations

import math
import statistics
import time

import torch

from ..tagger.windows import cut_windows
from ..tagging import score_dev
from .dataset import Collator
from .device import autocast_dtype, training_device
from .distillation import batch_loss
from .hf_trainer import make_optimizer
from .preparation import Preparation

_MEASURED_STEPS = 4
_MEASURED_DOCUMENTS = 4


def estimate_training(prepared: Preparation) -> dict[str, str]:
    """Return the size of a training and its estimated time.

    The measured steps change the network, so it cannot be trained afterward.

    Returns:
        Texts by name: weights, training windows, unlabeled articles and their teachers if there
        are any, steps, dtype and time; without that of requests to language models.
    """
    recipe, windows = prepared.job.recipe, prepared.windows
    weights = [(p.numel(), p.requires_grad) for p in prepared.network.parameters()]
    pieces = sum(len(windows[index]["input_ids"]) for index in range(len(windows)))
    steps = math.ceil(prepared.steps_per_epoch * prepared.epochs)
    evaluations, length = math.ceil(prepared.epochs), prepared.auto_length
    steps_fact, at_most, unit = f"{steps:,} of {recipe.batch_size} windows", "", "an epoch"
    if length is not None:
        evaluations = steps // length.interval
        steps_fact, at_most = f"{recipe.min_steps:,} to {steps_fact}", "at most "
        unit = f"every {length.interval:,} steps"
    step_seconds = _time_step(prepared)
    dev_seconds = _time_dev(prepared)
    teacher_seconds = _time_teachers(prepared)
    epoch_seconds = evaluations * dev_seconds + math.ceil(prepared.epochs) * teacher_seconds
    teachers = f", {teacher_seconds:.0f} s an epoch for the teachers" if prepared.teachers else ""
    device = training_device().type
    name = torch.cuda.get_device_name() if device == "cuda" else device.upper()
    facts: dict[str, str] = {}
    scoring_seconds = 0.0
    if prepared.pool is not None:
        facts, scoring_seconds = _describe_pool(prepared, step_seconds, dev_seconds)
        teachers += f", {scoring_seconds / 60:.1f} min for the unlabeled articles' teachers"
    minutes = (steps * step_seconds + epoch_seconds + scoring_seconds) / 60
    return {
        "weights": f"{sum(count for count, _ in weights):,}, "
        f"{sum(count for count, trained in weights if trained):,} of them trained",
        "training windows": f"{len(windows):,} of up to {recipe.window} pieces, "
        f"{pieces:,} pieces in total",
        **facts,
        "steps": steps_fact,
        "dtype": f"{prepared.precision} on {name}",
        "time": f"{at_most}about {minutes:.1f} min on this machine (measured: {step_seconds:.2f} s "
        f"a step, {dev_seconds:.0f} s {unit} for the dev documents{teachers})",
    }


def _time_step(prepared: Preparation) -> float:
    """Return the median seconds of a training step, the first not counted."""
    network, windows = prepared.network, prepared.windows
    device, autocast = training_device(), autocast_dtype(prepared.precision)
    network.to(device).train()
    optimizer = make_optimizer(network, prepared.job.recipe)
    collate = Collator(prepared.config.pad_id)
    batch_size = min(prepared.job.recipe.batch_size, len(windows))
    seconds = []
    for step in range(_MEASURED_STEPS):
        # Windows from all over the epoch, as those of a batch are of similar length.
        numbers = range(step, len(windows), max(1, len(windows) // batch_size))
        rows = [windows[number] for number in numbers[:batch_size]]
        size = math.ceil(len(rows) / prepared.job.recipe.gradient_accumulation_steps)
        start = time.perf_counter()
        for begin in range(0, len(rows), size):
            part = collate(rows[begin : begin + size])
            batch = {name: tensor.to(device) for name, tensor in part.items()}
            with torch.autocast(device.type, autocast, enabled=autocast is not None):
                loss, _ = batch_loss(network, batch)
            loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        # On a GPU, wait for the step to end.
        loss.item()
        seconds.append(time.perf_counter() - start)
    network.eval()
    return statistics.median(seconds[1:])


def _time_dev(prepared: Preparation) -> float:
    """Return the seconds of tagging all dev documents, estimated from a few."""
    dev = prepared.job.data.dev
    start = time.perf_counter()
    score_dev(prepared.tagger(), dev[:_MEASURED_DOCUMENTS])
    return (time.perf_counter() - start) / len(dev[:_MEASURED_DOCUMENTS]) * len(dev)


def _time_teachers(prepared: Preparation) -> float:
    """Return the seconds in which the teachers score an epoch's windows, estimated from a few."""
    if prepared.teachers is None:
        return 0.0
    windows = [
        (index, window)
        for index, (text, _) in enumerate(prepared.encoded[:_MEASURED_DOCUMENTS])
        for window in cut_windows(text, prepared.training_config)
    ]
    start = time.perf_counter()
    list(prepared.teachers.log_probs(windows))
    return (time.perf_counter() - start) / len(windows) * len(prepared.windows)


def _describe_pool(
    prepared: Preparation, step_seconds: float, dev_seconds: float
) -> tuple[dict[str, str], float]:
    """Return facts about the unlabeled articles, and the seconds until they are scored.

    Args:
        prepared: a preparation with unlabeled articles.
        step_seconds: seconds of a training step.
        dev_seconds: seconds of tagging the dev documents.
    """
    recipe, pool, teachers = prepared.job.recipe, prepared.pool, prepared.pool_teachers
    assert pool is not None and teachers is not None
    documents = prepared.all_unlabeled_documents()
    missing = teachers.missing(documents)
    left_out = f"; left out: {pool.describe_left_out()}" if pool.left_out else ""
    unlabeled = len(prepared.windows) - prepared.labeled_windows
    facts = {
        "unlabeled articles": f"{len(pool.documents):,} of {sum(pool.words):,} words{left_out}",
        "unlabeled windows": f"{unlabeled:,} an epoch, of {len(prepared.unlabeled_documents(0)):,} "
        f"articles; {len(documents):,} articles in all epochs",
    }
    if recipe.teachers:
        names = ", ".join(recipe.teachers)
        facts["teachers"] = f"{names}; {len(missing):,} articles to score, once"
        start = time.perf_counter()
        remarks = teachers.try_out(missing, _MEASURED_DOCUMENTS)
        seconds = time.perf_counter() - start
        if remarks:
            facts["other teachers"] = "\n".join(remarks)
        return facts, seconds / max(1, len(missing[:_MEASURED_DOCUMENTS])) * len(missing)
    facts["teachers"] = (
        f"a model of this recipe, trained on the gold first; {len(missing):,} articles to score"
    )
    steps = math.ceil(prepared.labeled_windows / recipe.batch_size) * prepared.epochs
    dev_characters = sum(len(document.text) for document in prepared.job.data.dev)
    characters = sum(len(document.text) for document in missing)
    scored = sum(len(document.text) for document in prepared.job.data.train) * prepared.epochs
    training = steps * step_seconds + math.ceil(prepared.epochs) * dev_seconds
    return facts, training + dev_seconds / dev_characters * (characters + scored)
