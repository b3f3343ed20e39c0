"""Loading a tagger that orbat did not train, by its settings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from ...corpus.files import sha256_file
from ...corpus.labels import LabelSet, load_guidelines, load_labels
from ..base import TextTagger
from .model_file import LanguageModel, SpacyPipeline


class ExternalTagger(NamedTuple):
    """A tagger that orbat did not train.

    Attributes:
        tagger: the tagger.
        fingerprint: hash of everything that its answers depend on.
    """

    tagger: TextTagger
    fingerprint: str


def load_external(
    settings: SpacyPipeline | LanguageModel,
    labels: LabelSet | None = None,
    guidelines: str | None = None,
) -> ExternalTagger:
    """Load a tagger. A language model is not asked anything before it tags.

    Args:
        settings: which one; its labels are not mapped here.
        labels: what a language model is to find; None for the label set that its settings name,
            or else the one that ships with orbat.
        guidelines: Markdown for a language model; None for those of the label set.

    Raises:
        InputError: if the label set or the key of an API is invalid.
        ModelError: if a pipeline cannot be loaded, or finds no entities.
    """
    if isinstance(settings, SpacyPipeline):
        from .spacy_pipeline import load_pipeline

        pipeline, folder = load_pipeline(settings.model)
        return ExternalTagger(pipeline, _hash_folder(folder))
    from .language_model import LanguageModelTagger

    if labels is None:
        file = Path(settings.labels) if settings.labels else None
        labels = load_labels(file)
        guidelines = load_guidelines(labels, file)
    tagger = LanguageModelTagger(settings, labels, guidelines or "")
    return ExternalTagger(tagger, tagger.fingerprint)


def _hash_folder(folder: Path) -> str:
    """Return a hash of the names and contents of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)} {sha256_file(path)}\n".encode())
    return digest.hexdigest()
