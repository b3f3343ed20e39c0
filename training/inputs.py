"""Inputs of a training, loaded by name: recipe, documents and label set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..annotation.gold_files import GoldReader
from ..corpus.labels import LabelSet, load_guidelines, load_labels
from ..errors import InputError
from .data import TrainingData
from .external.loading import remote_address
from .recipe import AnyRecipe, load_recipe, override
from .run_folder import read_manifest

AUTO_LABELS = Path("auto")
"""In place of a label set file: the labels of the documents."""


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
    reader: GoldReader | None = None,
) -> TrainingInputs:
    """Load a recipe, its documents and its label set.

    A run folder can be named instead of a recipe. Its recipe, documents and labels are then used,
    unless others are passed.

    Args:
        recipe: name of a shipped recipe, a TOML file or a run folder.
        train: files and folders of documents to train on.
        dev: files and folders of documents to select the best epoch on.
        unlabeled: files and folders of unlabeled articles.
        held_out: files of documents that unlabeled articles must not repeat, such as test
            documents.
        labels: label set file; None for the default one, or the run's; :data:`AUTO_LABELS` for
            the labels of the documents.
        settings: `key=value` pairs that override recipe fields.
        reader: reads `train` and `dev`; None finds the format of each.

    Raises:
        InputError: naming the file or setting, the field and the fix.
        ModelError: if the folder is not a finished run.
    """
    if held_out and not unlabeled:
        raise InputError(
            "--held-out is of use with --unlabeled only; leave it out or name articles"
        )
    run, is_auto = Path(recipe), labels == AUTO_LABELS
    label_set = None if is_auto else load_labels(labels)
    if run.is_dir():
        manifest = read_manifest(run)
        named_recipe = override(manifest["recipe"], settings, recipe)
        if labels is None:
            label_set = LabelSet.model_validate(manifest["labels"])
        data = TrainingData.from_run(run, label_set, train, dev, unlabeled, held_out, reader=reader)
    else:
        named_recipe = load_recipe(recipe, settings)
        if not train or not dev:
            if label_set is None:
                raise InputError("--labels auto needs documents; name them with --train and --dev")
            return TrainingInputs(named_recipe, None, label_set)
        data = TrainingData.from_files(train, dev, label_set, unlabeled, held_out, reader=reader)
    guidelines = ""
    # The label set of a run is in its manifest, without the guidelines.
    is_known = labels is not None or label_set == load_labels()
    if label_set and is_known and any(map(remote_address, getattr(named_recipe, "teachers", ()))):
        guidelines = load_guidelines(label_set, labels)
    data = replace(data, guidelines=guidelines)
    return TrainingInputs(named_recipe, data, label_set or data.assign_labels())
