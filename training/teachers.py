"""Finished runs that others learn from: which may teach, and what identifies their models."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
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
    leaked = {entry["sha256"] for entry in learned_documents(manifest)} & held_out
    if leaked:
        raise InputError(
            f"{role} {run}: was trained on {len(leaked)} of the dev documents; "
            "name a run that was not"
        )
    return manifest


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
