"""Runs that a training learns from: the one whose weights it starts from, and its teachers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ...corpus.files import sha256_text
from ...errors import InputError
from ..base import TrainingJob
from ..external.loading import is_external
from ..recipe import Recipe
from ..run_folder import MODEL_FOLDER, check_files, read_manifest
from ..teachers import SPANS, START_FROM, read_teacher
from .device import Precision
from .distillation import Teachers
from .model_folder import load_network
from .network import TokenClassifier


def load_start(network: TokenClassifier, tokenizer: Any, run: Path, job: TrainingJob) -> None:
    """Load the weights of the run that a recipe starts from.

    Raises:
        InputError: if it has other labels, another tokenizer or other parts, or was trained on a
            dev document.
        ModelError: if it is not a finished run of a transformer.
    """
    read_teacher(run, job.labels.names, held_out_texts(job), START_FROM)
    trained, _ = load_network(run)
    own = Tokenizer.from_file(str(check_files(run, MODEL_FOLDER) / "tokenizer.json"))
    weights = trained.state_dict()
    shapes, needed = (
        {name: tensor.shape for name, tensor in state.items()}
        for state in (weights, network.state_dict())
    )
    other = sorted({name for name, _ in shapes.items() ^ needed.items()})
    if own.to_str() != tokenizer.to_str():
        other = ["the tokenizer", *other]
    if other:
        raise InputError(
            f"{START_FROM} {run}: its model differs from the recipe's ({other[0]}); "
            f"take the run's own recipe: orbat train {run}"
        )
    network.load_state_dict(weights)


def load_teachers(job: TrainingJob, *, precision: Precision) -> Teachers | None:
    """Load the teachers that are transformers; the others teach on unlabeled articles only.

    Raises:
        InputError: if there is a teacher that cannot be used, or that needs unlabeled articles.
        ModelError: if a teacher is not a finished run.
    """
    recipe: Recipe = job.recipe
    runs = []
    for name in recipe.teachers:
        is_run = name != SPANS and not is_external(name)
        kind = read_manifest(Path(name))["recipe"]["kind"] if is_run else ""
        if job.data.pool is None and (kind != "transformer" or not recipe.teach_gold):
            reason = "it is not a run of a transformer"
            if kind == "transformer":
                reason = "teach_gold is false"
            raise InputError(
                f"teacher {name}: teaches on unlabeled articles only, as {reason}; "
                "name some with --unlabeled"
            )
        if kind == "transformer" and recipe.teach_gold:
            runs.append(Path(name))
    if not runs:
        return None
    return Teachers(
        runs,
        job.labels.names,
        [document.text for document in job.data.train],
        held_out_texts(job),
        crf=recipe.crf,
        precision=precision,
    )


def held_out_texts(job: TrainingJob) -> set[str]:
    """Return the hashes of the texts on which no teacher may have been trained."""
    return {sha256_text(document.text) for document in (*job.data.dev, *job.data.held_out)}
