"""What a run is made of: its data, its manifest, and its claim to a folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..corpus.document import Document
from ..corpus.files import sha256_file, sha256_text
from ..corpus.gazetteer import load_patterns, load_phrases
from ..corpus.labels import LabelSet
from ..errors import InputError
from .recipe import AnyRecipe
from .run_folder import FORMAT
from .tagger.gazetteer import Gazetteer

_PACKAGES = (
    *("orbat", "torch", "transformers", "tokenizers", "accelerate", "numpy", "scikit-learn"),
    "spacy",
)


_IDENTITY = ("recipe", "labels", "documents", "gazetteer", "teachers")


@dataclass(frozen=True)
class TrainingData:
    """Documents to train on and to choose on, with the files that they came from."""

    train: Sequence[Document]
    dev: Sequence[Document]
    train_files: Sequence[Path] = ()
    dev_files: Sequence[Path] = ()

    def check(self) -> None:
        """Refuse data that nothing can be learnt from or chosen on.

        Raises:
            InputError: naming what is missing.
        """
        for name, documents in (("training", self.train), ("dev", self.dev)):
            if not documents:
                raise InputError(f"no {name} documents; give at least one")
        if not any(document.spans for document in self.train):
            raise InputError("the training documents have no spans; label some first")

    def absent_labels(self, labels: LabelSet) -> list[str]:
        """Return the labels that no training document has; a model can never give them."""
        known = {span.label for document in self.train for span in document.spans}
        return [name for name in labels.names if name not in known]


def gazetteer_of(recipe: AnyRecipe, labels: LabelSet) -> Gazetteer:
    """Return the gazetteer that a recipe names; for none, one that finds nothing.

    Raises:
        InputError: if the gazetteer cannot be read.
    """
    if recipe.gazetteer == "none":
        return Gazetteer({})
    path = gazetteer_file(recipe)
    patterns = load_patterns(path, labels.names)
    try:
        return Gazetteer(vars(load_phrases(path, labels.names)), patterns)
    except (ValueError, KeyError, TypeError, re.error) as error:
        raise InputError(f"{path or 'gazetteer'}: a pattern cannot be used ({error})") from error


def gazetteer_file(recipe: AnyRecipe) -> Path | None:
    """Return the gazetteer file that a recipe names; None for the one that ships with orbat."""
    return None if recipe.gazetteer == "default" else Path(recipe.gazetteer)


def make_manifest(
    recipe: AnyRecipe, data: TrainingData, labels: LabelSet, gazetteer: Gazetteer
) -> dict[str, Any]:
    """Return the manifest of a run that begins now.

    Raises:
        InputError: if a teacher that the recipe names is no finished run.
    """

    def files(paths: Sequence[Path]) -> list[dict[str, str]]:
        return [{"file": Path(path).name, "sha256": sha256_file(path)} for path in paths]

    def articles(documents: Sequence[Document]) -> list[dict[str, str]]:
        return [
            {"id": d.id, "sha256": sha256_text(d.text)}
            | ({"url": str(d.meta["url"])} if "url" in d.meta else {})
            for d in documents
        ]

    return {
        "format": FORMAT,
        "status": "training",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "recipe": recipe.model_dump(),
        "labels": labels.model_dump(by_alias=True),
        "inputs": {"train": files(data.train_files), "dev": files(data.dev_files)},
        "gazetteer": hashlib.sha256(gazetteer.to_bytes()).hexdigest(),
        "teachers": _teachers(recipe),
        "documents": {"train": articles(data.train), "dev": articles(data.dev)},
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {"system": platform.platform(), "processors": os.cpu_count()},
    }


def _teachers(recipe: AnyRecipe) -> list[dict[str, str]]:
    found = []
    for run in getattr(recipe, "teachers", ()):
        path = Path(run) / "model" / "model.safetensors"
        if not path.is_file():
            raise InputError(
                f"teacher {run}: not the folder of a finished transformer run; "
                "name the --output of orbat train"
            )
        found.append({"run": Path(run).name, "sha256": sha256_file(path)})
    return found


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def is_same_run(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether two manifests are of one recipe, label set, gazetteer and the same documents."""
    return all(_is_same(old, new, part) for part in _IDENTITY)


def _is_same(old: dict[str, Any], new: dict[str, Any], part: str) -> bool:
    return bool(old.get(part) == json.loads(json.dumps(new[part])))


def claim_output(output: Path, manifest: dict[str, Any], resume: bool) -> None:
    """Refuse an output folder that holds something else than this very run.

    Raises:
        InputError: naming the folder and the mend.
    """
    path = output / "manifest.json"
    if not path.is_file():
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise InputError(f"{output}: exists and is not a run; name a new folder")
        return
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is broken; name a new folder") from error
    if not resume:
        mend = "add --resume to go on with it, or " if old.get("status") == "training" else ""
        raise InputError(f"{output}: holds a run already; {mend}name a new folder")
    if old.get("status") == "finished":
        raise InputError(f"{output}: this run has finished; name a new folder to train again")
    for part in _IDENTITY:
        if not _is_same(old, manifest, part):
            raise InputError(
                f"{output}: was begun with another {part.rstrip('s')} set; "
                "resume with the same recipe, labels, documents and gazetteer"
            )
