"""Reading files with one word per line: columns, separators, comments and documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import convert, read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus.document import Document
from orbat.errors import InputError
from tests.conftest import Orbat

HIPE = """TOKEN\tNE-COARSE-LIT\tNE-FINE-LIT\tMISC
# hipe2022:document_id = first
# hipe2022:date = 1790-03-03
Col\tB-pers\tB-pers.ind\tNoSpaceAfter
.\tI-pers\tI-pers.ind\t_
Brandt\tI-pers\tI-pers.ind\tEndOfLine
left\tO\tO\tNoSpaceAfter
.\tO\tO\t_
# hipe2022:document_id = second
# hipe2022:date = 1791-03-03
He\tO\tO\t_
"""
GERMEVAL = (
    "#\thttp://a.test/wiki/Brandt [2009-10-17]\n"
    "1\tCol.\tB-RANK\tO\n2\tBrandt\tB-PER\tB-PERpart\n\n1\tHe\tO\tO\n"
)


def read(
    path: Path, content: str, report: ConversionReport | None = None, **options: str
) -> list[Document]:
    path.write_bytes(content.encode())
    report = report or ConversionReport()
    return list(read_format(path, "conll", report, options=ReadOptions(**options)))


def spans(document: Document) -> list[tuple[str, str]]:
    return [(document.text[s.start : s.end], s.label) for s in document.spans]


@pytest.mark.parametrize("format_name", ["conll", "iob"])
@pytest.mark.parametrize(
    "lines",
    [
        ["Gen. NNP B-NP B-RANK", "left VBD B-VP O"],
        ["Gen. General NN I-NC I-RANK", "left leave VB O O"],
        ["Gen. NP B-RANK", "left VB O"],
        ["Gen.\tB-RANK", "left\tO"],
        ["B-RANK\tGen.", "O\tleft"],
        ["0\tGen.\tB-RANK", "1\tleft\tO"],
        ["1\tGen.\tB-RANK\tO", "2\tleft\tO\tO"],
        ["1\tGen.\tB-RANK\t-\tann", "2\tleft\tO\t-\tann"],
        ["word\tpos\ttag", "Gen.\tNN\tB-RANK", "left\tVB\tO"],
        ["Gen.|NNP|B-RANK left|VBD|O"],
        ["# id 7f-1\tdomain=en", "Gen. _ _ B-RANK", "left _ _ O"],
        ["# global.columns = ID FORM NER", "1\tGen.\tB-RANK", "2\tleft\tO"],
    ],
)
def test_columns_are_found(tmp_path: Path, lines: list[str], format_name: str) -> None:
    (tmp_path / "a.txt").write_text("\n".join(lines))
    (document,) = read_format(tmp_path / "a.txt", format_name, ConversionReport())
    assert document.text == "Gen. left"
    assert spans(document) == [("Gen.", "RANK")]


@pytest.mark.parametrize(
    ("content", "mend"),
    [
        ("Gen. B-RANK B-RANK\nleft O O", "choose --tag-column 2 or --tag-column 3"),
        ("Gen. NN B-RANK B-RANK\nleft VB O O", "choose --tag-column 3 or --tag-column 4"),
        ("1\tO\n2\tB-UNIT\n3\tO", "none of which surely holds the words; choose one with --token-"),
        ("a b c\nd e f", "choose with --token-column 1 --tag-column 3"),
        ("a NN\nb VB", "choose with --token-column 1 --tag-column 2"),
        ("sentence_id,words,labels\n0,Gen.,B-RANK", "with --separator"),
        ("-DOCSTART- (1 UN)\nUN\tB\tUN\t--NME--\nsaid\n", "choose with --token-column 1"),
    ],
)
def test_columns_that_are_not_certain_are_refused(
    refused: Callable[..., str], tmp_path: Path, content: str, mend: str
) -> None:
    (tmp_path / "a.txt").write_text(content)
    target = tmp_path / "o.jsonl"
    message = refused("annotate", "convert", tmp_path / "a.txt", target, "--from", "conll")
    assert message.startswith(f"{tmp_path / 'a.txt'}: ")
    assert mend in message
    assert not target.exists()


@pytest.mark.parametrize(
    ("chosen", "label"),
    [("2", "RANK"), ("-1", "TITLE"), ("gold", "RANK"), ("PREDICTED", "TITLE")],
)
def test_columns_are_chosen_by_number_and_name(tmp_path: Path, chosen: str, label: str) -> None:
    content = "word\tgold\tpredicted\nGen.\tB-RANK\tB-TITLE\nleft\tO\tO\n"
    report = ConversionReport()
    (document,) = read(tmp_path / "a", content, report, tag_column=chosen)
    assert spans(document) == [("Gen.", label)]
    assert report.dropped == {"tags in other columns": 1}


@pytest.mark.parametrize("chosen", ["0", "4", "-4", "silver"])
def test_a_column_that_is_missing_is_refused(tmp_path: Path, chosen: str) -> None:
    content = "word\tgold\tpredicted\nGen.\tB-RANK\tB-TITLE\n"
    with pytest.raises(InputError, match=f"no column {chosen}; --tag-column is one of 3 columns"):
        read(tmp_path / "a", content, tag_column=chosen)


def test_the_command_chooses_columns_and_separator(orbat: Orbat, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('n,x,Gen.,B-RANK\nn,x,",",O\n')
    outcome = orbat(
        *("annotate", "convert", tmp_path / "a.csv", tmp_path / "o.jsonl", "--from", "conll"),
        *("--separator", ",", "--token-column", "3", "--tag-column", "-1"),
    )
    assert outcome.code == 0, outcome.err
    assert '"text": "Gen. ,"' in (tmp_path / "o.jsonl").read_text()


def test_sentences_may_be_numbered_in_a_column(tmp_path: Path) -> None:
    every_row = "sentence_id,words,labels\n0,Gen.,B-RANK\n0,left,O\n1,He,O\n"
    first_row = (
        "Sentence #,Word,POS,Tag\nSentence: 1,Gen.,NN,B-RANK\n,left,VB,O\nSentence: 2,He,P,O\n"
    )
    for content in (every_row, first_row):
        texts = [document.text for document in read(tmp_path / "a", content, separator=",")]
        assert texts == ["Gen. left", "He"]


def test_only_separators_part_words(tmp_path: Path) -> None:
    content = "\ufeff10\u00a0km\tO\r\nx\u3000y\tB-UNIT\r\n\u2028\tO\r\n \t\r\n\r\nend\tO"
    first, second = read(tmp_path / "a", content)
    assert first.text == "10\u00a0km x\u3000y \u2028"
    assert spans(first) == [("x\u3000y", "UNIT")]
    assert second.text == "end"


def test_empty_words_are_counted(tmp_path: Path) -> None:
    report = ConversionReport()
    (document,) = read(tmp_path / "a", "\tO\na\tB-X\n\tI-X\n\tB-Y\nb\tO\n", report)
    assert document.text == "a b"
    assert spans(document) == [("a", "X")]
    assert report.dropped == {"empty words": 3, "annotations of empty words": 1}


def test_words_may_begin_with_the_mark_of_comments(tmp_path: Path) -> None:
    report = ConversionReport()
    content = "# a comment\n#\tO\n#brigade\tB-UNIT\n# another one\nleft\tO\n"
    (document,) = read(tmp_path / "a", content, report)
    assert document.text == "# #brigade left"
    assert spans(document) == [("#brigade", "UNIT")]
    assert report.dropped == {"comments": 2}
    (document,) = read(tmp_path / "b", "#\tO\n#\tB-UNIT\n")
    assert spans(document) == [("#", "UNIT")]


def test_the_inner_level_of_germeval_is_counted_or_chosen(tmp_path: Path) -> None:
    report = ConversionReport()
    first, second = read(tmp_path / "a", GERMEVAL, report)
    assert spans(first) == [("Col.", "RANK"), ("Brandt", "PER")]
    assert second.text == "He"
    assert report.dropped == {"comments": 1, "tags in other columns": 1}
    first, _ = read(tmp_path / "a", GERMEVAL, tag_column="4")
    assert spans(first) == [("Brandt", "PERpart")]


def test_texts_documents_and_dates_of_hipe_are_kept(tmp_path: Path) -> None:
    report = ConversionReport()
    first, second = read(tmp_path / "a", HIPE, report)
    assert (first.id, first.text, first.meta) == (
        "first",
        "Col. Brandt\nleft.",
        {"date": "1790-03-03", "tokens": {"count": 5, "cuts": [3, 16], "sentences": [0]}},
    )
    assert spans(first) == [("Col. Brandt", "pers")]
    assert (second.id, second.text) == ("second", "He")
    assert report.dropped == {"tags in other columns": 3}
    first, _ = read(tmp_path / "a", HIPE, tag_column="NE-FINE-LIT")
    assert spans(first) == [("Col. Brandt", "pers.ind")]


def test_brackets_and_parts_of_conll_2012_are_read(tmp_path: Path) -> None:
    def row(part: int, word: str, parse: str, tag: str, *more: str) -> str:
        fields = ["wb/a/00/a_0000", str(part), "0", word, "NNP", parse, "-", "-", "-", "Ann", tag]
        return " ".join([*fields, *more])

    lines = [
        "#begin document (wb/a/00/a_0000); part 000",
        *(row(0, "In", "(TOP(PP*", "*", "(ARG*", "-"), row(0, "Cape", "(NP*", "(GPE*", "*", "(1")),
        *(row(0, "Coast", "*)))", "*)", "*)", "1)"), ""),
        *(row(0, "Ghana", "(TOP*)", "(GPE)", "-"), "", "#end document"),
        *("#begin document (wb/a/00/a_0000); part 001", row(1, "Yes", "(TOP*)", "*", "-"), ""),
        "#end document",
    ]
    first, second = read(tmp_path / "a", "\n".join(lines))
    assert (first.id, first.text) == ("wb/a/00/a_0000/000", "In Cape Coast\nGhana")
    assert spans(first) == [("Cape Coast", "GPE"), ("Ghana", "GPE")]
    assert (second.id, second.text) == ("wb/a/00/a_0000/001", "Yes")


def test_documents_are_marked_or_sentences(tmp_path: Path) -> None:
    marked = "-DOCSTART- -X- O\n\na NN O\n\nb NN B-X\n\n-DOCSTART- -X- O\n\nc NN O\n"
    assert [d.text for d in read(tmp_path / "a", marked)] == ["a\nb", "c"]
    repeated = "# doc_id = x\na O\n\n# doc_id = x\nb B-X\n\n# doc_id = y\nc O\n"
    assert [(d.id, d.text) for d in read(tmp_path / "a", repeated)] == [("x", "a\nb"), ("y", "c")]
    named = "# sent_id = s1\n# source = Desk\na O\n\n# sent_id = s2\nb B-X\n"
    first, second = read(tmp_path / "a", named)
    assert (first.id, first.meta["source"], second.id) == ("s1", "Desk", "s2")


def test_files_of_a_folder_are_read_together(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text(f"# sent_id = 1\n{name}\tB-X\n")
    texts = {d.id: d.text for d in read_format(tmp_path, "iob", ConversionReport())}
    assert texts == {"1": "test", "train/1": "train"}


def test_documents_are_yielded_before_the_end_of_the_file(tmp_path: Path) -> None:
    sentences = "Gen. B-RANK\nleft O\n\n" * 20_000
    (tmp_path / "a").write_text(f"{sentences}broken\n")
    documents = read_format(tmp_path / "a", "conll", ConversionReport())
    assert next(documents).text == "Gen. left"
    with pytest.raises(InputError, match=":60001: 1 column, expected 2"):
        list(documents)


def test_a_line_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.write(b"Gen. O\n")
        file.truncate(2**40)
    with pytest.raises(InputError, match=":2: longer than 16 MB; check --from"):
        convert(tmp_path / "a", tmp_path / "o.jsonl", "conll")


def test_a_document_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    word = "x" * 999
    (tmp_path / "a").write_text("Gen. O\n\n" + f"{word} O\n" * 4195)
    with pytest.raises(InputError, match=r":4197: a document of more than 4,194,304 characters"):
        convert(tmp_path / "a", tmp_path / "o.jsonl", "conll")


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("Gen. O\nAdé O\n".encode("latin-1"))
    with pytest.raises(InputError, match=":2: not UTF-8; convert it"):
        convert(tmp_path / "a", tmp_path / "o.jsonl", "conll")
