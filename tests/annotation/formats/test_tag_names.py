"""Label names in formats of tokens and tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.corpus.document import Document, Span
from orbat.errors import InputError


@pytest.mark.parametrize("target", ["conll", "iob", "words-tags", "datasets"])
@pytest.mark.parametrize("label", ["O", "B-UNIT", "I-UNIT"])
def test_labels_that_are_tags_are_not_written_as_tags(
    target: str, label: str, tmp_path: Path
) -> None:
    document = Document("a", "3 Wing", (Span(0, 6, label),))
    with pytest.raises(InputError, match=f"document 'a': label '{label}' is read as a tag"):
        write_format(tmp_path / "out", target, [document], ConversionReport())
    assert not (tmp_path / "out").exists()
