"""Loading a tagger that orbat did not train, by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...corpus.files import sha256_file, sha256_path, sha256_text
from ...corpus.labels import LabelSet, load_guidelines, load_labels
from ..base import TextTagger
from .huggingface.loading import is_checkpoint, load_checkpoint
from .label_map import LabelMap, make_label_map
from .model_file import (
    GlinerModel,
    LanguageModel,
    ModelFile,
    SpacyPipeline,
    TokenClassifier,
    is_model_file,
    read_model_file,
)


@dataclass(frozen=True)
class ExternalTagger:
    """A tagger that orbat did not train.

    Attributes:
        tagger: the tagger, with its own labels.
        fingerprint: hash of everything that its answers depend on, besides the new names.
        names: the new names of its labels; see :meth:`.label_map.LabelMap.then`.
        run_manifest: manifest of the run that it was written from; empty if orbat did not train it.
    """

    tagger: TextTagger
    fingerprint: str
    names: Mapping[str, str] = field(default_factory=dict)
    run_manifest: Mapping[str, Any] = field(default_factory=dict)

    def label_map(self, source: str) -> LabelMap:
        """Return the new name of each of its labels.

        Args:
            source: names the tagger in messages.

        Raises:
            InputError: if the tagger has no such label, or a new name cannot be a label's.
        """
        return make_label_map(self.tagger.labels).then(self.names, source)


def rename_fingerprint(fingerprint: str, names: Mapping[str, str]) -> str:
    """Return the fingerprint of a tagger whose labels get other names."""
    return sha256_text(json.dumps([fingerprint, dict(names)], sort_keys=True))


def is_external(name: str | Path) -> bool:
    """Return whether a name is that of a tagger that orbat did not train.

    It is a model file, a short form of one, or a checkpoint of transformers; see
    :func:`.huggingface.loading.is_checkpoint`.
    """
    return is_model_file(name) or is_checkpoint(name)


def remote_address(name: str | Path) -> str | None:
    """Return where a tagger sends texts; None if it runs in this process.

    Raises:
        InputError: if a model file cannot be read, or a field is invalid.
    """
    if not is_model_file(name):
        return None
    settings = read_model_file(name)
    return settings.url if isinstance(settings, LanguageModel) else None


def load_external(
    name: str | Path, labels: LabelSet | None = None, guidelines: str | None = None
) -> ExternalTagger:
    """Load a tagger. A language model is not asked anything before it tags.

    Args:
        name: see :func:`is_external`.
        labels: what a language model or GLiNER is to find, if its settings name no label set; None
            for the one that ships with orbat.
        guidelines: Markdown for a language model, with these labels; None for none.

    Raises:
        InputError: if the label set, a model file or the key of an API is invalid, or weights are
            pickled.
        ModelError: if a pipeline or checkpoint cannot be loaded, or finds no entities.
    """
    if not is_model_file(name):
        return _load_checkpoint(str(name), {})
    settings: ModelFile = read_model_file(name)
    if isinstance(settings, TokenClassifier):
        return _load_checkpoint(settings.model, settings.map)
    if isinstance(settings, SpacyPipeline):
        from .spacy_pipeline import load_pipeline

        pipeline, folder = load_pipeline(settings.model)
        return ExternalTagger(pipeline, sha256_path(folder), settings.map)
    file = Path(settings.labels) if settings.labels else None
    if labels is None or file is not None:
        labels = load_labels(file)
        guidelines = load_guidelines(labels, file)
    if isinstance(settings, GlinerModel):
        from .gliner import GlinerTagger

        gliner = GlinerTagger(settings, labels)
        return ExternalTagger(gliner, gliner.fingerprint)
    from .language_model import LanguageModelTagger

    tagger = LanguageModelTagger(settings, labels, guidelines or "")
    return ExternalTagger(tagger, tagger.fingerprint)


def _load_checkpoint(name: str, names: Mapping[str, str]) -> ExternalTagger:
    checkpoint = load_checkpoint(name)
    # Weights, and what configures labels and tokenizer, such as config.json and vocab.txt.
    files = sorted(
        path
        for path in checkpoint.folder.iterdir()
        if path.suffix in (".safetensors", ".json", ".txt") and path.is_file()
    )
    fingerprint = sha256_text(" ".join(f"{path.name} {sha256_file(path)}" for path in files))
    return ExternalTagger(checkpoint.tagger(), fingerprint, names, checkpoint.run_manifest)
