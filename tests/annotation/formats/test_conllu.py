"""Reading CoNLL-U with tags, such as `NER=B-LOC` in its last column."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus.document import Document
from orbat.errors import InputError


def row(number: str, form: str, misc: str = "_") -> str:
    return f"{number}\t{form}\t_\tX\t_\t_\t0\troot\t_\t{misc}"


SENTENCES = [
    "# newdoc id = first",
    "# sent_id = s1",
    "# text = Vive  nella Valle.",
    row("1", "Vive", "NER=O"),
    row("2-3", "nella"),
    row("2", "in"),
    row("3", "la", "NER=B-LOC"),
    row("3.1", "empty"),
    row("4", "Valle", "SpaceAfter=No|NER=I-LOC"),
    row("5", "."),
    "",
    "# newdoc id = second",
    "# sent_id = s2",
    row("1", "Kumasi", "NER=B-LOC|SpaceAfter=No"),
    row("2-3", "nella"),
    row("2", "in"),
    row("3", "la"),
    row("4", "Valle", r"SpacesAfter=\s\s"),
    row("5", "."),
    "",
]


def read(
    path: Path, lines: list[str], report: ConversionReport | None = None, tags: str | None = None
) -> list[Document]:
    path.write_text("\n".join(lines), encoding="utf-8")
    options = ReadOptions(tag_column=tags)
    return list(read_format(path, "conll", report or ConversionReport(), options=options))


@pytest.mark.parametrize("tags", [None, "misc:NER", "10:NER", "-1:NER"])
def test_text_and_words_of_several_tokens_are_exact(tmp_path: Path, tags: str | None) -> None:
    report = ConversionReport()
    first, second = read(tmp_path / "a.conllu", SENTENCES, report, tags)
    assert (first.id, first.text) == ("first", "Vive  nella Valle.")
    assert [(first.text[s.start : s.end], s.label) for s in first.spans] == [("nella Valle", "LOC")]
    assert (second.id, second.text) == ("second", "Kumasinella Valle  .")
    assert [(second.text[s.start : s.end], s.label) for s in second.spans] == [("Kumasi", "LOC")]
    assert report.dropped == {
        "ids of sentences": 2,
        "empty nodes": 1,
        "values of columns 4 and 7 to 8": 39,
    }
    assert list(report.read_as) == [
        "words in column 2, tags in column 10 (key NER), scheme IOB2",
    ]


def test_a_text_with_other_words_is_counted(tmp_path: Path) -> None:
    report = ConversionReport()
    lines = ["# text = other words", row("1", "Kumasi", "NER=B-LOC"), row("2", "fell")]
    (document,) = read(tmp_path / "a.conllu", lines, report)
    assert document.text == "Kumasi fell"
    assert report.dropped == {
        "texts that differ from their words": 1,
        "values of columns 4 and 7 to 8": 6,
    }


def test_files_without_tags_are_refused_with_the_keys_that_they_have(tmp_path: Path) -> None:
    lines = [row("1", "Kumasi", "Entity=(e1-place)|SpaceAfter=No"), row("2", ".")]
    with pytest.raises(InputError, match=r"MISC has Entity, SpaceAfter.*--tag-column MISC:NER"):
        read(tmp_path / "a.conllu", lines)
    with pytest.raises(InputError, match=r"MISC:Entity does not hold tags.*but '\(e1-place"):
        read(tmp_path / "a.conllu", lines, tags="MISC:Entity")
    two = [row("1", "Kumasi", "NER=B-LOC|Gold=B-ORG"), row("2", ".")]
    with pytest.raises(InputError, match="choose --tag-column MISC:NER or --tag-column MISC:Gold"):
        read(tmp_path / "a.conllu", two)
