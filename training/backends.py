"""The table of backends: how each kind of recipe is trained, and how its runs are loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, ModelError, OrbatError, describe_fault
from .base import TextTagger, Trainer, TrainingJob
from .recipe import AnyRecipe, CnnRecipe, LinearRecipe, Recipe, RulesRecipe
from .run_folder import MODEL_FOLDER, check_files, read_manifest
from .tagger.span_constraints import SpanConstraints
from .transformer.encoder import refuse_pickles


@dataclass(frozen=True)
class Backend:
    """One kind of model. Its libraries are imported on first use.

    Attributes:
        recipe: the class of its recipes.
        trainer: makes the trainer of a job.
        load: loads a finished run as a tagger; takes the run folder, the label names, and the
            constraints of its mentions, if it has any.
    """

    recipe: type[AnyRecipe]
    trainer: Callable[[TrainingJob], Trainer]
    load: Callable[[Path, tuple[str, ...], SpanConstraints | None], TextTagger]


def _transformer_trainer(job: TrainingJob) -> Trainer:
    from .transformer.trainer import TransformerTrainer

    return TransformerTrainer(job)


def _load_transformer(
    run: Path, labels: tuple[str, ...], constraints: SpanConstraints | None
) -> TextTagger:
    from .transformer.model_folder import load_tagger

    return load_tagger(run)


def _rules_trainer(job: TrainingJob) -> Trainer:
    from .baselines.rules import RulesTrainer

    return RulesTrainer(job)


def _load_rules(
    run: Path, labels: tuple[str, ...], constraints: SpanConstraints | None
) -> TextTagger:
    from .baselines.rules import load_rules

    return load_rules(check_files(run, MODEL_FOLDER), labels, constraints)


def _linear_trainer(job: TrainingJob) -> Trainer:
    from .baselines.linear import LinearTrainer

    return LinearTrainer(job)


def _load_linear(
    run: Path, labels: tuple[str, ...], constraints: SpanConstraints | None
) -> TextTagger:
    from .baselines.linear import load_linear

    return load_linear(check_files(run, MODEL_FOLDER), labels, constraints)


def _cnn_trainer(job: TrainingJob) -> Trainer:
    from .baselines.spacy_cnn import CnnTrainer

    return CnnTrainer(job)


def _load_cnn(
    run: Path, labels: tuple[str, ...], constraints: SpanConstraints | None
) -> TextTagger:
    from .baselines.spacy_cnn import load_cnn

    return load_cnn(check_files(run, MODEL_FOLDER), labels, constraints)


BACKENDS = {
    "transformer": Backend(Recipe, _transformer_trainer, _load_transformer),
    "rules": Backend(RulesRecipe, _rules_trainer, _load_rules),
    "linear": Backend(LinearRecipe, _linear_trainer, _load_linear),
    "cnn": Backend(CnnRecipe, _cnn_trainer, _load_cnn),
}
"""Every kind of recipe, by the recipe's field `kind`."""


def make_trainer(job: TrainingJob) -> Trainer:
    """Return the trainer for a job's recipe.

    Raises:
        InputError: if the trainer refuses the job.
        ModelError: if a teacher cannot be used.
    """
    if job.data.pool is not None and job.recipe.kind != "transformer":
        raise InputError(
            f"a recipe of kind {job.recipe.kind} cannot learn from unlabeled articles; "
            "choose one of a transformer or leave out --unlabeled"
        )
    return BACKENDS[job.recipe.kind].trainer(job)


def load_run(run: Path) -> TextTagger:
    """Load a finished run of any kind as a tagger.

    Raises:
        InputError: if the run contains a pickle.
        ModelError: if the run is unfinished, or one of its files is missing, changed or broken.
    """
    run = Path(run)
    manifest = read_manifest(run)
    refuse_pickles(run)
    labels = tuple(label["name"] for label in manifest["labels"]["label"])
    fields = manifest.get("span_constraints")
    try:
        constraints = None if fields is None else SpanConstraints(**fields)
        return BACKENDS[manifest["recipe"]["kind"]].load(run, labels, constraints)
    except (OrbatError, ImportError, OSError, MemoryError):
        raise
    # Someone else may have written the files, and their hashes; libraries raise errors of theirs.
    except Exception as error:
        if _is_full_memory(error):
            raise
        raise ModelError(
            f"{run}: cannot be loaded ({describe_fault(error)}); train again"
        ) from error


def _is_full_memory(error: Exception) -> bool:
    """Return whether a GPU's memory was too small, which is no fault of the run."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)
