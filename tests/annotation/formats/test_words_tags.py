"""Reading pairs of files, words in one and tags in the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport


def test_pairs_of_files_must_match(refused: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "words.txt").write_text("a b\nc\n")
    (source / "tags.txt").write_text("O\nO\n")
    convert = ("annotate", "convert", source, tmp_path / "o.jsonl", "--from", "words-tags")
    assert "tags.txt:1: 1 tags for 2 words" in refused(*convert)
    (source / "tags.txt").write_text("O O\n")
    assert "words.txt:2: a line that tags.txt does not have" in refused(*convert)
    (source / "tags.txt").write_text("NN VB\nNN\n")
    assert "tags.txt: 'NN' is no tag such as O and B-PER" in refused(*convert)
    (source / "tags.txt").unlink()
    assert "tags.txt: cannot be read" in refused(*convert)


@pytest.mark.parametrize(
    ("gap", "texts"), [("", ["10\u00a0km Gen.", "left"]), ("\n", ["10\u00a0km Gen.\nleft"])]
)
def test_blank_lines_end_documents(tmp_path: Path, gap: str, texts: list[str]) -> None:
    (tmp_path / "words.txt").write_text(f"10\u00a0km Gen.\nleft\n{gap}")
    (tmp_path / "tags.txt").write_text(f"O B_RANK\nO\n{gap}")
    documents = list(read_format(tmp_path, "words-tags", ConversionReport()))
    assert [document.text for document in documents] == texts
    (span,) = documents[0].spans
    assert documents[0].text[span.start : span.end] == "Gen."
