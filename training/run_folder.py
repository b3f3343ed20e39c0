"""The run folder: what training writes, and reading it.

RUN/manifest.json   recipe, labels, seed, versions, hashes of every input and article
RUN/metrics.json    scores on the dev documents: by epoch, and of the model that was kept
RUN/data/           the documents: train.jsonl, dev.jsonl
RUN/model/          the model; its files depend on the recipe's kind
RUN/values.json     the value tables of the gazetteer
RUN/evaluations/    results of `orbat evaluate`, one file for each gold file
RUN/teacher/        the run that taught it on unlabeled articles, if the recipe names no teachers
RUN/scores.sqlite   what it answered as a teacher of unlabeled articles
RUN/checkpoints/    only while training is unfinished
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..corpus.document import Document
from ..corpus.files import read_documents, sha256_text
from ..errors import InputError, ModelError

RUN_FORMAT = 5
"""Version of the run folder. Folders of other versions are refused."""
MANIFEST_FILE = "manifest.json"
"""The manifest, in run folders, sweep folders and packaged models."""
GAZETTEER_FILE = "gazetteer.json"
"""The phrases and patterns of the gazetteer, in model folders."""
VALUES_FILE = "values.json"
"""The value tables, in run folders and packaged models."""
TEACHER_FOLDER = "teacher"
"""Folder of a run with its own teacher, another run."""
EVALUATIONS_FOLDER = "evaluations"
"""Folder of a run with the results of `orbat evaluate`."""


def read_manifest(run: Path) -> dict[str, Any]:
    """Return the manifest of a finished run.

    Raises:
        ModelError: if the folder is not a run, its format is of another version, or its training
            is unfinished.
    """
    run = Path(run)
    path = run / MANIFEST_FILE
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{run}: not a run folder (no readable {MANIFEST_FILE}); "
            "name the --output of orbat train"
        ) from error
    if manifest.get("format") != RUN_FORMAT:
        raise ModelError(f"{path}: written by another version of orbat; train again")
    if manifest.get("status") != "finished":
        raise ModelError(f"{run}: its training has not finished; resume with orbat train --resume")
    return manifest


def run_documents(run: Path, part: str) -> list[Document]:
    """Return the documents of a run.

    Args:
        run: the run folder.
        part: `train` or `dev`.

    Raises:
        InputError: if the file is missing, or its documents are not those in the manifest.
        ModelError: as :func:`read_manifest`.
    """
    path = Path(run) / "data" / f"{part}.jsonl"
    documents = list(read_documents(path))
    hashes = [entry["sha256"] for entry in read_manifest(run)["documents"][part]]
    if [sha256_text(document.text) for document in documents] != hashes:
        raise InputError(f"{path}: was changed after training; restore the original file")
    return documents


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        ModelError: if it is missing or broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: missing or broken; train again") from error
