"""Finished runs as teachers: which may teach, and what identifies their models."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..errors import InputError
from .run_folder import MODEL_FOLDER, read_hashes, read_manifest

SPANS = "spans"
"""Teacher that stands for the spans which unlabeled articles have already."""


def read_teacher(run: Path, labels: tuple[str, ...], held_out: set[str]) -> dict[str, Any]:
    """Return the manifest of a run that may teach.

    Args:
        run: the run folder.
        labels: the labels of the student.
        held_out: SHA-256 of the texts on which no teacher may have been trained.

    Raises:
        InputError: if the run has other labels or was trained on a held-out text.
        ModelError: if the run is unfinished or damaged.
    """
    manifest = read_manifest(run)
    if tuple(label["name"] for label in manifest["labels"]["label"]) != labels:
        raise InputError(f"teacher {run}: has other labels; train it with the same label file")
    leaked = {entry["sha256"] for entry in manifest["documents"]["train"]} & held_out
    if leaked:
        raise InputError(
            f"teacher {run}: was trained on {len(leaked)} of the dev documents; "
            "name a teacher that was not"
        )
    return manifest


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
