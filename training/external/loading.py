"""Loading a tagger that orbat did not train, by its settings."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ...corpus.files import sha256_path
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
        labels: what a language model is to find, if its settings name no label set; None for the
            one that ships with orbat.
        guidelines: Markdown for a language model, with these labels; None for none.

    Raises:
        InputError: if the label set or the key of an API is invalid.
        ModelError: if a pipeline cannot be loaded, or finds no entities.
    """
    if isinstance(settings, SpacyPipeline):
        from .spacy_pipeline import load_pipeline

        pipeline, folder = load_pipeline(settings.model)
        return ExternalTagger(pipeline, sha256_path(folder))
    from .language_model import LanguageModelTagger

    file = Path(settings.labels) if settings.labels else None
    if labels is None or file is not None:
        labels = load_labels(file)
        guidelines = load_guidelines(labels, file)
    tagger = LanguageModelTagger(settings, labels, guidelines or "")
    return ExternalTagger(tagger, tagger.fingerprint)
