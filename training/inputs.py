"""Inputs of a training, loaded by name: recipe, documents and label set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..corpus.labels import LabelSet, load_labels
from ..errors import InputError
from .data import TrainingData
from .recipe import AnyRecipe, load_recipe, override
from .run_folder import read_manifest


@dataclass(frozen=True)
class TrainingInputs:
    """The inputs of a training.

    Attributes:
        recipe: how to train.
        data: documents with gold spans; None if no files were named.
        labels: the label set.
    """

    recipe: AnyRecipe
    data: TrainingData | None
    labels: LabelSet


def load_inputs(
    recipe: str,
    train: Sequence[Path] = (),
    dev: Sequence[Path] = (),
    unlabeled: Sequence[Path] = (),
    held_out: Sequence[Path] = (),
    *,
    labels: Path | None = None,
    settings: Iterable[str] = (),
) -> TrainingInputs:
    """Load a recipe, its documents and its label set.

    A run folder can be named instead of a recipe. Its recipe, documents and labels are then used,
    unless others are passed.

    Args:
        recipe: name of a shipped recipe, a TOML file or a run folder.
        train: JSON Lines files of documents to train on.
        dev: JSON Lines files of documents to select the best epoch on.
        unlabeled: files and folders of unlabeled articles.
        held_out: files of documents that unlabeled articles must not repeat, such as test
            documents.
        labels: label set file; None for the default one, or the run's.
        settings: `key=value` pairs that override recipe fields.

    Raises:
        InputError: naming the file or setting, the field and the fix.
        ModelError: if the folder is not a finished run.
    """
    if held_out and not unlabeled:
        raise InputError(
            "--held-out is of use with --unlabeled only; leave it out or name articles"
        )
    run = Path(recipe)
    if run.is_dir():
        manifest = read_manifest(run)
        run_recipe = override(manifest["recipe"], settings, recipe)
        label_set = load_labels(labels) if labels else LabelSet.model_validate(manifest["labels"])
        data = TrainingData.from_run(run, label_set, train, dev, unlabeled, held_out)
        return TrainingInputs(run_recipe, data, label_set)
    named_recipe, label_set = load_recipe(recipe, settings), load_labels(labels)
    if not train or not dev:
        return TrainingInputs(named_recipe, None, label_set)
    data = TrainingData.from_files(train, dev, label_set, unlabeled, held_out)
    return TrainingInputs(named_recipe, data, label_set)
