"""Loading a pipeline of spaCy that orbat did not train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...corpus.reading.bounded import MAX_TEXT_CHARACTERS
from ...errors import ModelError, first_line
from ..baselines.spacy_cnn import SpacyTagger


def load_pipeline(name: str) -> tuple[SpacyTagger, Path]:
    """Load a pipeline of spaCy as a tagger.

    The code of an installed pipeline and of its components is run. spaCy unpickles nothing.

    Args:
        name: an installed package, or a folder.

    Returns:
        The tagger, and the folder of its files.

    Raises:
        ModelError: if there is no such pipeline, or it cannot be loaded or finds no entities.
    """
    import spacy

    try:
        nlp = spacy.load(name)
    # Pipelines raise what their components raise, which may be of any package.
    except Exception as error:
        raise ModelError(
            f"spacy:{name}: no such pipeline, or it cannot be loaded ({first_line(error)}); "
            "install it, or name its folder"
        ) from error
    labels = _entity_labels(nlp)
    if not labels:
        raise ModelError(
            f"spacy:{name}: no component of it finds entities ({', '.join(nlp.pipe_names)}); name "
            "a pipeline with an entity recognizer"
        )
    nlp.max_length = max(nlp.max_length, MAX_TEXT_CHARACTERS)
    return SpacyTagger(nlp, labels, None), nlp.path


def _entity_labels(nlp: Any) -> tuple[str, ...]:
    """Return the labels of all components that find entities."""
    components = (
        name
        for name, component in nlp.pipeline
        # A span ruler says that it assigns spans, also if it is told to find entities.
        if "doc.ents" in nlp.get_pipe_meta(name).assigns
        or getattr(component, "annotate_ents", False)
    )
    return tuple(dict.fromkeys(label for name in components for label in nlp.pipe_labels[name]))
