"""The manifest of a run: its inputs, and whether two runs have the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from ..corpus.document import Document
from ..corpus.files import sha256_path, sha256_text
from ..corpus.labels import LabelSet
from ..corpus.output.atomic import DRAFT_SUFFIX
from ..corpus.output.locks import LOCK_FILE
from ..corpus.reading.json_files import read_json_object
from ..errors import InputError
from .data import TrainingData
from .external.loading import is_external
from .recipe import AnyRecipe
from .run_folder import MANIFEST_FILE, RUN_FORMAT, read_manifest
from .tagger.gazetteer import Gazetteer
from .teachers import (
    SPANS,
    START_FROM,
    STARTED_DEV,
    hash_model,
    learned_documents,
    load_other_teacher,
)

_PACKAGES = (
    *("orbat", "torch", "transformers", "tokenizers", "accelerate", "numpy", "scikit-learn"),
    "spacy",
)
_MODEL_INPUTS = ("recipe", "labels", "documents", "gazetteer", "teachers", START_FROM)
"""Parts of a manifest that determine the trained model."""


def make_manifest(
    recipe: AnyRecipe, data: TrainingData, labels: LabelSet, gazetteer: Gazetteer
) -> dict[str, Any]:
    """Return the manifest of a run that starts now.

    Raises:
        InputError: if a teacher knows none of the labels.
        ModelError: if a teacher that the recipe names is neither a finished run nor a tagger that
            can be loaded, or the run that it starts from is not a finished one.
    """

    def hash_files(paths: Sequence[Path]) -> list[dict[str, str]]:
        return [{"file": Path(path).name, "sha256": sha256_path(path)} for path in paths]

    def hash_documents(documents: Sequence[Document]) -> list[dict[str, str]]:
        return [
            {"id": d.id, "sha256": sha256_text(d.text)}
            | ({"url": str(d.meta["url"])} if "url" in d.meta else {})
            for d in documents
        ]

    inputs = {"train": hash_files(data.train_files), "dev": hash_files(data.dev_files)}
    documents = {"train": hash_documents(data.train), "dev": hash_documents(data.dev)}
    if data.pool is not None:
        inputs["unlabeled"] = hash_files(data.unlabeled_files)
        inputs["held-out"] = hash_files(data.held_out_files)
        documents["unlabeled"] = hash_documents(data.pool.documents)
    start_from = getattr(recipe, START_FROM, None)
    if start_from is not None:
        first = read_manifest(Path(start_from))
        selected = [
            entry for part in ("dev", STARTED_DEV) for entry in first["documents"].get(part, ())
        ]
        for part, known, entries in (
            (START_FROM, documents["train"], learned_documents(first)),
            (STARTED_DEV, documents["dev"], selected),
        ):
            hashes = {entry["sha256"] for entry in known}
            documents[part] = [entry for entry in entries if entry["sha256"] not in hashes]
    return {
        "format": RUN_FORMAT,
        "status": "training",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": recipe.model_dump(),
        "labels": labels.model_dump(by_alias=True),
        "inputs": inputs,
        "gazetteer": hashlib.sha256(gazetteer.to_bytes()).hexdigest(),
        "teachers": _hash_teachers(recipe, data, labels),
        START_FROM: _hash_run(Path(start_from)) if start_from else None,
        "documents": documents,
        "versions": {"python": platform.python_version(), **_package_versions()},
        "code": code_version(),
        "machine": {
            "system": platform.platform(),
            "processors": os.cpu_count(),
            "threads": _count_threads(recipe),
        },
    }


def code_version() -> dict[str, str | None]:
    """Return the version of orbat and, in a checkout with git, the commit; None without.

    The commit of a checkout with changed files ends in `-dirty`.
    """
    commit = None
    root = Path(__file__).parents[1]
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
        with suppress(OSError):
            done = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True)
            commit = done.stdout.strip() or None
    return {"version": __version__, "commit": commit}


def _count_threads(recipe: AnyRecipe) -> int:
    """Return the threads that a training computes in, on which its rounding depends."""
    if recipe.kind != "transformer":
        return 1
    import torch

    return int(torch.get_num_threads())


def _hash_teachers(recipe: AnyRecipe, data: TrainingData, labels: LabelSet) -> list[dict[str, str]]:
    hashes = []
    for run in getattr(recipe, "teachers", ()):
        if run == SPANS:
            documents = data.pool.documents if data.pool is not None else ()
            spans = [[dataclasses.astuple(span) for span in d.spans] for d in documents]
            hashes.append({"run": SPANS, "sha256": sha256_text(json.dumps(spans))})
        elif is_external(run):
            teacher = load_other_teacher(run, labels, data.guidelines, set())
            hashes.append({"run": run, "sha256": teacher.fingerprint})
        else:
            hashes.append(_hash_run(Path(run)))
    return hashes


def _hash_run(run: Path) -> dict[str, str]:
    return {"run": run.name, "sha256": hash_model(run)}


def _package_versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def is_same_run(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Return whether two manifests describe the same training: all but versions, code and times."""
    return all(_is_same_part(old, new, part) for part in _MODEL_INPUTS)


def _is_same_part(old: Mapping[str, Any], new: Mapping[str, Any], part: str) -> bool:
    return bool(old.get(part) == json.loads(json.dumps(new[part])))


def require_empty_folder(output: Path, kind: str) -> None:
    """Refuse an output that exists, unless it is a folder with a lock and drafts at most.

    Raises:
        InputError: naming the folder and the fix.
    """
    if output.is_dir() and all(
        path.name == LOCK_FILE or path.name.endswith(DRAFT_SUFFIX) for path in output.iterdir()
    ):
        return
    if output.exists():
        raise InputError(f"{output}: exists and is not a {kind}; name a new folder")


def check_output(output: Path, manifest: Mapping[str, Any], resume: bool) -> None:
    """Refuse an output folder with contents, unless it is an unfinished run to resume.

    Args:
        output: the run folder.
        manifest: the manifest of the run that will be written.
        resume: accept an unfinished run of the same recipe, labels, documents and gazetteer.

    Raises:
        InputError: naming the folder and the fix.
    """
    path = output / MANIFEST_FILE
    if not path.is_file():
        require_empty_folder(output, "run")
        return
    try:
        old = read_json_object(path)
    except InputError as error:
        raise InputError(f"{path}: not valid JSON; name a new folder") from error
    if old.get("format") != RUN_FORMAT:
        raise InputError(f"{output}: holds a run of another version of orbat; name a new folder")
    if not resume:
        fix = "add --resume to continue it, or " if old.get("status") == "training" else ""
        raise InputError(f"{output}: holds a run already; {fix}name a new folder")
    if old.get("status") == "finished":
        raise InputError(
            f"{output}: this run has finished; name a new folder to train again, or from its "
            f"weights with --set {START_FROM}={output}"
        )
    for part in _MODEL_INPUTS:
        if not _is_same_part(old, manifest, part):
            raise InputError(
                f"{output}: not the {part} that this run was started with; "
                "resume with the same recipe, labels, documents and gazetteer"
            )
