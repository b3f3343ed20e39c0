"""What models learn from: which runs and other taggers may teach, and what identifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..corpus.labels import LabelSet
from ..errors import InputError
from .base import TextTagger
from .external.label_map import LabelMap
from .external.loading import load_external, rename_fingerprint
from .run_folder import MODEL_FOLDER, read_hashes, read_manifest

START_FROM = "start_from"
"""Field of recipes and manifests, and part of a manifest's documents: the run whose weights a run
started from, and what these had learned from besides the run's own documents."""
STARTED_DEV = "start_from_dev"
"""Part of a manifest's documents: the dev documents of that run, which chose its weights."""
SPANS = "spans"
"""Teacher that stands for the spans which unlabeled articles have already."""


def read_teacher(
    run: Path, labels: tuple[str, ...], held_out: set[str], role: str = "teacher"
) -> dict[str, Any]:
    """Return the manifest of a run that may teach, or from whose weights another may start.

    Args:
        run: the run folder.
        labels: the labels of the student.
        held_out: SHA-256 of the texts on which no teacher may have been trained.
        role: what the run is to the student, for error messages.

    Raises:
        InputError: if the run has other labels or was trained on a held-out text.
        ModelError: if the run is unfinished or damaged.
    """
    manifest = read_manifest(run)
    if tuple(label["name"] for label in manifest["labels"]["label"]) != labels:
        raise InputError(f"{role} {run}: has other labels; train it with the same label file")
    _refuse_held_out(f"{role} {run}", manifest, held_out)
    return manifest


class OtherTeacher(NamedTuple):
    """A teacher that orbat did not train.

    Attributes:
        tagger: the tagger, with its own labels.
        label_map: the names that they get.
        fingerprint: hash of everything that its answers and these names depend on.
    """

    tagger: TextTagger
    label_map: LabelMap
    fingerprint: str


def load_other_teacher(
    name: str, labels: LabelSet, guidelines: str, held_out: set[str]
) -> OtherTeacher:
    """Load a tagger that orbat did not train as a teacher.

    Args:
        name: see :func:`.external.loading.is_external`.
        labels: the labels of the student.
        guidelines: Markdown for language models; "" for none.
        held_out: SHA-256 of the texts on which no teacher may have been trained.

    Raises:
        InputError: if it knows no label of the student, or was written from a run that was trained
            on a held-out text.
        ModelError: if it cannot be loaded.
    """
    external = load_external(name, labels, guidelines)
    label_map = external.label_map(name)
    if not set(label_map.labels) & set(labels.names):
        raise InputError(
            f"teacher {name}: predicts {', '.join(label_map.labels)} and none of the label "
            f"set's {', '.join(labels.names)}; rename its labels by map in a model file"
        )
    if external.run_manifest:
        _refuse_held_out(f"teacher {name}", external.run_manifest, held_out)
    fingerprint = rename_fingerprint(external.fingerprint, label_map.names)
    return OtherTeacher(external.tagger, label_map, fingerprint)


def _refuse_held_out(what: str, manifest: Mapping[str, Any], held_out: set[str]) -> None:
    leaked = {entry["sha256"] for entry in learned_documents(manifest)} & held_out
    if leaked:
        raise InputError(
            f"{what}: was trained on {len(leaked)} of the dev or held-out documents; name a run "
            "that was not"
        )


def learned_documents(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the entries of the documents that the weights of a run have learned from.

    Among them are those of the runs whose weights it started from.
    """
    parts = ("train", "unlabeled", START_FROM)
    return [entry for part in parts for entry in manifest["documents"].get(part, [])]


def hash_model(run: Path) -> str:
    """Return a hash of the hashes of the files of a run's model, which loading it checks.

    Raises:
        ModelError: if the folder is not a finished run.
    """
    read_manifest(run)
    digest = hashlib.sha256()
    for name, file_digest in sorted(read_hashes(run).items()):
        if name.startswith(f"{MODEL_FOLDER}/"):
            digest.update(f"{name} {file_digest}\n".encode())
    return digest.hexdigest()
