"""Fixtures: the wheel of the small model, installed and loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document

Entity = tuple[int, int, str]


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed by pip into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--disable-pip-version-check", "--target", str(folder), str(wheel)),
        ],
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def nlp(installed: Path) -> Iterator[Any]:
    """The installed pipeline."""
    import spacy

    sys.path.insert(0, str(installed))
    try:
        yield spacy.load("en_orbat_news")
    finally:
        sys.path.remove(str(installed))


def entities(doc: Any) -> list[Entity]:
    """Return the start, end and label of each entity of a spaCy document."""
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def spans(document: Document) -> list[Entity]:
    """Return the start, end and label of each span of a document."""
    return [(span.start, span.end, span.label) for span in document.spans]
