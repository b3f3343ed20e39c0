"""What `orbat annotate convert` says of the columns, tags, labels and documents that it found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.formats.conversion import convert, read_format
from orbat.annotation.formats.conversion_report import ConversionReport, describe_similar_labels
from tests.annotation.formats.test_conversion import write_brat
from tests.conftest import Orbat

HEAD = "Mix mix VB B-VP O\n"
IOB1 = "salt salt NN I-NP I-FOOD\npepper pepper NN I-NP B-FOOD\nin in IN O O\n"


def test_columns_that_are_not_kept_and_the_scheme_are_named(orbat: Orbat, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text(HEAD + IOB1)
    outcome = orbat("annotate", "convert", tmp_path / "a.conll", tmp_path / "a.jsonl")
    assert outcome.code == 0, outcome.err
    assert outcome.err.splitlines() == [
        "format: conll (the ending .conll)",
        "read: words in column 1, tags in column 5, scheme IOB1",
        "dropped: values of columns 2 to 4 (11)",
    ]
    # What orbat writes itself holds nothing more.
    again = ConversionReport()
    convert(tmp_path / "a.jsonl", tmp_path / "b.conll", "jsonl")
    assert len(list(read_format(tmp_path / "b.conll", "conll", again))) == 1
    assert not again.dropped
    assert list(again.read_as) == ["words in column 1, tags in column 4, scheme IOB2"]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("O B-X I-X B-X", "scheme IOB2"),
        ("O I-X I-X B-X", "scheme IOB1"),
        ("O I-X I-X O", "scheme IO"),
        ("X O O Y", "scheme IO"),
        ("O B-X E-X S-X", "scheme BIOES"),
        ("O B-X L-X U-X", "scheme BILOU"),
        ("W-X O B-X M-X E-X", "scheme BMEWO"),
        ("O I-X E-X I-Y", "scheme IOE"),
        ("(X* *) * *", "scheme brackets"),
        ("O O O O", "no span"),
    ],
)
def test_the_scheme_is_found(tmp_path: Path, tags: str, scheme: str) -> None:
    rows = "".join(f"w{n} {tag}\n" for n, tag in enumerate(tags.split()))
    (tmp_path / "a.iob").write_text(rows)
    (tmp_path / "words.txt").write_text(" ".join(f"w{n}" for n in range(len(tags.split()))) + "\n")
    (tmp_path / "tags.txt").write_text(f"{tags}\n")
    for source, name in ((tmp_path / "a.iob", "iob"), (tmp_path, "words-tags")):
        report = ConversionReport()
        list(read_format(source, name, report))
        (line,) = report.read_as
        assert line.endswith(scheme)


def test_spans_that_begin_with_the_wrong_prefix_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.iob").write_text("a B-X\nb O\nc I-X\nd I-X\ne I-Y\n")
    report = ConversionReport()
    list(read_format(tmp_path / "a.iob", "iob", report))
    assert report.dropped == {"prefixes I- at the beginning of a span, read as B-": 2}


@given(
    st.lists(
        st.tuples(*[st.sampled_from(["--", "_", "-X-", "NN", "a|b", "NP"])] * 3),
        min_size=1,
        max_size=12,
    )
)
def test_each_value_of_other_columns_is_counted(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("columns")
    lines = [f"w{n} {' '.join(row)} B-FOOD" for n, row in enumerate(rows)]
    (folder / "a.conll").write_text("\n".join([*lines, "end x y z O"]))
    report = ConversionReport()
    list(read_format(folder / "a.conll", "conll", report))
    kept = sum(value in ("NN", "a|b", "NP") for row in rows for value in row)
    assert report.dropped == {"values of columns 2 to 4": kept + 3}


def test_labels_are_counted_and_slips_named(orbat: Orbat, tmp_path: Path) -> None:
    rows = "salt B-INGREDIENT\npan B-TOOL\n\n" * 12 + "leek B-INGREDIENTS\n\nmix O\n"
    (tmp_path / "a.iob").write_text(rows)
    outcome = orbat("annotate", "convert", tmp_path / "a.iob", tmp_path / "a.jsonl")
    assert outcome.out.splitlines() == [
        f"14 documents in {tmp_path / 'a.jsonl'} (format jsonl)",
        "spans: INGREDIENT 12, TOOL 12, INGREDIENTS 1",
        "documents without spans: 1 of 14",
        "label 'INGREDIENTS' has 1 span (did you mean 'INGREDIENT'?)",
    ]
    (tmp_path / "labels.toml").write_text(
        'name = "kitchen"\nlanguage = "en"\n[[label]]\nname = "INGREDIENT"\n'
    )
    chosen = orbat(
        *("annotate", "convert", tmp_path / "a.iob", tmp_path / "b.jsonl"),
        *("--labels", tmp_path / "labels.toml"),
    )
    assert chosen.code == 0, chosen.err
    line = "dropped: annotations of other labels (13): TOOL 12, INGREDIENTS 1"
    assert line in chosen.err.splitlines()


def test_labels_of_other_meanings_are_no_slips() -> None:
    assert describe_similar_labels({"CARDINAL": 900, "ORDINAL": 20, "GPE": 500, "PER": 9}) == []
    assert describe_similar_labels({"RANK": 5, "Rank": 4}) == [
        "label 'Rank' has 4 spans (did you mean 'RANK'?)"
    ]


def test_documents_with_overlapping_spans_are_named(orbat: Orbat, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        lines = ["T1\tRank 0 4\tGen.", "T2\tPerson 0 8\tGen. Ada"]
        write_brat(tmp_path / "brat", lines, name=name)
    outcome = orbat("annotate", "convert", tmp_path / "brat", tmp_path / "a.jsonl")
    line = "dropped: overlapping annotations (4) in 4 documents: a, b, c and 1 more"
    assert line in outcome.err.splitlines()


def test_malformed_lines_are_told_from_contradictions(orbat: Orbat, tmp_path: Path) -> None:
    def left_out(*lines: str) -> list[str]:
        write_brat(tmp_path / "brat", ["T1\tRank 0 4\tGen.", *lines])
        target = tmp_path / "a.jsonl"
        outcome = orbat("annotate", "convert", tmp_path / "brat", target, "--skip-bad")
        assert outcome.code == 0, outcome.err
        return [line for line in outcome.err.splitlines() if line.startswith("left out")]

    assert left_out("T2 Rank 0 4 Gen.") == ["left out: 1 malformed line, such as"]
    assert left_out("T2\tRank 0 4\tMaj.") == [
        "left out: 1 annotation or document that contradicts the format or the text, such as"
    ]


@pytest.mark.parametrize("mark", ["-DOCSTART- O\n\n", "# newdoc\n"])
def test_a_file_that_is_one_document_by_a_single_mark_is_named(
    orbat: Orbat, tmp_path: Path, mark: str
) -> None:
    sentences = [f"salt{n} B-FOOD\n\n" for n in range(30)]
    (tmp_path / "a.conll").write_text(mark + "".join(sentences))
    one = orbat("annotate", "convert", tmp_path / "a.conll", tmp_path / "a.jsonl")
    assert one.out.startswith("1 document in ")
    assert (
        f"{tmp_path / 'a.conll'}: 30 sentences are one document, because the file has a single "
        "-DOCSTART- or # newdoc; delete that line, and each sentence becomes a document"
    ) in one.err.splitlines()
    (tmp_path / "a.conll").write_text("".join(sentences))
    many = orbat("annotate", "convert", tmp_path / "a.conll", tmp_path / "a.jsonl")
    assert many.out.startswith("30 documents in ")
    assert "one document" not in many.err
