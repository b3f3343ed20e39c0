"""WebAnno TSV 3, as INCEpTION and other programs write it."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.annotation.utf16 import Utf16Offsets
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents
from tests.conftest import Orbat

NER = "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value"
POS = "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue"


def write(path: Path, *lines: str, header: tuple[str, ...] = (NER,), version: str = "3.3") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "\n".join([f"#FORMAT=WebAnno TSV {version}", *header, "", "", *lines, ""])
    path.write_text(content, encoding="utf-8", newline="")
    return path


def read(
    path: Path, layer: str | None = None, **options: object
) -> tuple[list[Document], dict[str, int]]:
    report = ConversionReport()
    chosen = ReadOptions(layer=layer, **options)  # type: ignore[arg-type]
    documents = list(read_format(path, "webanno", report, options=chosen))
    return documents, dict(report.dropped)


def quotes(document: Document) -> list[tuple[str, str]]:
    return [(document.text[s.start : s.end], s.label) for s in document.spans]


def test_offsets_count_utf16_units_and_numbers_join_tokens(orbat: Orbat, tmp_path: Path) -> None:
    path = write(
        tmp_path / "doc.tsv",
        "#Text=Hi 😊, Col. Brandt of the 5th Rifles.",
        "1-1\t0-2\tHi\t_\t_\t",
        "1-2\t3-5\t😊\t_\t_\t",
        "1-3\t5-6\t,\t_\t_\t",
        "1-4\t7-11\tCol.\t*\tRANK\t",
        "1-5\t12-18\tBrandt\t_\t_\t",
        "1-6\t19-21\tof\t_\t_\t",
        "1-7\t22-25\tthe\t_\t_\t",
        "1-8\t26-29\t5th\thttp://kb.test/u\\_5[1]\tUNIT[1]\t",
        "1-9\t30-36\tRifles\thttp://kb.test/u\\_5[1]\tUNIT[1]\t",
        "1-10\t36-37\t.\t_\t_\t",
    )
    outcome = orbat("annotate", "convert", path, tmp_path / "o.jsonl", "--from", "webanno")
    assert (outcome.code, outcome.err) == (0, "dropped: values of feature identifier (1)\n")
    (document,) = read_documents(tmp_path / "o.jsonl")
    assert (document.id, document.text) == ("doc", "Hi 😊, Col. Brandt of the 5th Rifles.")
    assert quotes(document) == [("Col.", "RANK"), ("5th Rifles", "UNIT")]


def test_offsets_of_a_script_that_counts_code_points(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv", "#Text=😊 Maj. Doe", "1-1\t2-6\tMaj.\t*\tRANK", "1-2\t7-10\tDoe\t_\t_"
    )
    ((document,), _) = read(path)
    assert quotes(document) == [("Maj.", "RANK")]


def test_the_space_between_sentences_follows_from_their_offsets(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv",
        *("#Sentence.id=s1", "#Text=One\\tday \\\\o/", "1-1\t0-3\tOne\t_\t_\t"),
        *("1-2\t4-7\tday\t_\t_\t", "1-3\t8-11\t\\\\o/\t_\t_\t", ""),
        *("#Text=HMS Fox", "2-1\t14-17\tHMS\t*[4]\tSHIP[4]\t", "2-2\t18-21\tFox\t*[4]\tSHIP[4]\t"),
        *("", "#Text=sank.", "3-1\t21-26\tsank.\t_\t_\t", "", "#Text=No tokens"),
    )
    ((document,), _) = read(path)
    assert document.text == "One\tday \\o/\n  HMS Foxsank.\nNo tokens"
    assert quotes(document) == [("HMS Fox", "SHIP")]


def test_stacked_annotations_parts_of_tokens_and_escapes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv",
        "#Text=NATO-led (ISAF) force",
        "1-1\t0-8\tNATO-led\tMISC[1]|A\\|B\\_c\\[2\\][2]\t",
        "1-1.1\t0-4\tNATO\tORG[3]\t",
        "1-1.2\t5-5\t\tX[4]\t",
        "1-2\t9-10\t(\tMISC[1]|A\\|B\\_c\\[2\\][2]\t",
        "1-3\t10-14\tISAF\tMISC[1]\t",
        "1-4\t14-15\t)\tMISC[1]\t",
        "1-5\t16-21\tforce\t*\t",
        "1-5.1\t16-18\tfo\tPART\t",
        header=("#T_SP=webanno.custom.Unit|kind",),
    )
    ((document,), dropped) = read(path)
    assert quotes(document) == [("NATO-led (ISAF)", "MISC"), ("fo", "PART")]
    assert dropped == {
        "overlapping annotations": 2,
        "annotations without a label": 1,
        "annotations of no characters": 1,
    }
    ((document,), _) = read(
        write(tmp_path / "b.tsv", "#Text=a", "1-1\t0-1\ta\t_\tA\\|B\\_c\\->d\t")
    )
    assert quotes(document) == [("a", "A|B_c->d")]


def test_a_label_goes_on_over_the_parts_of_a_token(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv",
        "#Text=aaaaaa bbbbbb cccccc",
        "1-1\t0-6\taaaaaa\t_\t_\t",
        "1-1.1\t3-6\taaa\t*[7]\tX[7]\t",
        "1-2\t7-13\tbbbbbb\t*[7]\tX[7]\t",
        "1-3\t14-20\tcccccc\t_\t_\t",
        "1-3.1\t14-17\tccc\t*[7]\tX[7]\t",
    )
    ((document,), _) = read(path)
    assert document.spans == (Span(3, 17, "X"),)


LAYERS = (
    POS,
    "#T_SP=webanno.custom.Rank|grade|name",
    "#T_SP=webanno.custom.Ship|",
    "#T_RL=webanno.custom.Commands|role|BT_webanno.custom.Rank",
    "#T_CH=webanno.custom.CorefLink|referenceRelation|referenceType",
    "#T_SP=webanno.custom.Act|kind|ROLE_webanno.custom.Act:who_webanno.custom.WhoLink|uima.tcas.Annotation",
)
ROWS = (
    "#Text=Col. Fox",
    "1-1\t0-4\tCol.\tNN\tOF-5\tcolonel\t_\tleads\t1-2[0_1]\t*->1-1\t*[1]\tX\tagent;place\t1-2;1-1\t",
    "1-2\t5-8\tFox\tNN\t_\t_\t*\t_\t_\t*->1-2\t*[1]\t_\t_\t_\t",
)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("Rank.name", [("Col.", "colonel")]),
        ("webanno.custom.Rank.grade", [("Col.", "OF-5")]),
        ("Ship", [("Fox", "Ship")]),
        ("webanno.custom.Act", [("Col.", "X")]),
        ("POS", [("Col.", "NN"), ("Fox", "NN")]),
    ],
)
def test_a_layer_can_be_chosen(tmp_path: Path, layer: str, expected: list[tuple[str, str]]) -> None:
    ((document,), dropped) = read(write(tmp_path / "a.tsv", *ROWS, header=LAYERS), layer)
    assert quotes(document) == expected
    assert dropped["relations"] == 1
    assert dropped["chain links"] == 2
    assert sum("annotations of layer" in kind for kind in dropped) == 3


def test_a_choice_between_layers_or_features_is_left_to_the_user(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.tsv", *ROWS, header=LAYERS)
    convert = ("annotate", "convert", path, tmp_path / "o.jsonl", "--from", "webanno")
    names = "webanno.custom.Act, webanno.custom.Rank, webanno.custom.Ship"
    assert f"{path}: annotations in several layers; choose one with --layer: {names}" in refused(
        *convert
    )
    assert "choose one with --layer: Rank.grade, Rank.name" in refused(*convert, "--layer", "Rank")
    assert "no layer 'Plane'; choose --layer from" in refused(*convert, "--layer", "Plane")
    assert not (tmp_path / "o.jsonl").exists()


def test_parts_of_speech_are_not_taken_for_entities(tmp_path: Path) -> None:
    rows = ("#Text=Col. Fox", "1-1\t0-4\tCol.\tNN\t_\tRANK", "1-2\t5-8\tFox\tNN\t_\t_")
    ((document,), dropped) = read(write(tmp_path / "a.tsv", *rows, header=(POS, NER)))
    assert quotes(document) == [("Col.", "RANK")]
    assert dropped == {"annotations of layer POS": 2}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["#Text=a b", "1-1\t0-1\ta\t_"], ":6: 1 columns of annotations, expected 2"),
        (["#Text=a b", "1-1 0-1 a _ _"], ":6: not 'SENTENCE-TOKEN<tab>START-END<tab>TOKEN'"),
        (["1-1\t0-1\ta\t_\t_"], ":5: no '#Text=' before it"),
        (
            ["#Text=a b", "1-1\t0-1\ta\t_\t_", "1-2\t1-2\tb\t_\t_"],
            ":7: expected 'b' at 1-2, but the text has ''",
        ),
        (
            ["#Text=a b", "1-1\t0-1\ta\t_\t_", "#Text=c", "2-1\t0-1\tc\t_\t_"],
            ":8: the sentence starts at 0, but the one before ends at 3",
        ),
        (["#Text=a", "1-1\t999999999998-999999999999\ta\t_\t_"], "sentence starts at 99999"),
    ],
)
def test_what_contradicts_the_format_or_the_text_is_refused(
    refused: Callable[..., str], tmp_path: Path, lines: list[str], reason: str
) -> None:
    path = write(tmp_path / "a.tsv", *lines)
    message = refused("annotate", "convert", path, tmp_path / "o.jsonl", "--from", "webanno")
    assert message.startswith(str(path))
    assert reason in message


@pytest.mark.parametrize("content", ["", "#FORMAT=WebAnno TSV 2\n", "Col.\tB-RANK\n"])
def test_files_of_other_formats_are_refused(
    refused: Callable[..., str], tmp_path: Path, content: str
) -> None:
    (tmp_path / "a.tsv").write_text(content)
    convert = ("annotate", "convert", tmp_path / "a.tsv", tmp_path / "o.jsonl", "--from", "webanno")
    assert "export as WebAnno TSV 3.3" in refused(*convert)


def test_old_files_have_the_escapes_of_java(tmp_path: Path) -> None:
    rows = (
        "#Text=M\\u00FCller \\uD83D\\uDE0A Bde",
        "1-1\t0-6\tMüller\tPER",
        "1-2\t10-13\tBde\tUNIT",
    )
    header = (NER.replace("identifier|", ""),)
    ((document,), _) = read(write(tmp_path / "a.tsv", *rows, header=header, version="3.1"))
    assert (document.text, len(document.spans)) == ("Müller 😊 Bde", 2)


def project(folder: Path) -> Path:
    for user, label in (("ann", "RANK"), ("ben", "PER"), ("INITIAL_CAS", "X")):
        rows = ("#Text=Col. Fox", f"1-1\t0-4\tCol.\t_\t{label}", "1-2\t5-8\tFox\t_\t_")
        write(folder / "annotation" / "news.txt" / f"{user}.tsv", *rows)
    (folder / "exportedproject.json").write_text(json.dumps({"name": "x"}))
    return folder


def test_a_project_has_a_document_per_annotator(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    folder = project(tmp_path / "project")
    convert = ("annotate", "convert", folder, tmp_path / "o", "--from", "webanno")
    message = refused(*convert, "--to", "jsonl")
    assert "'news.txt' was annotated by ann and by ben" in message
    outcome = orbat(*convert, "--by-annotator")
    assert outcome.code == 0, outcome.err
    assert "documents before annotation (INITIAL_CAS) (1)" in outcome.err
    labels = {p.stem: next(read_documents(p)).spans for p in (tmp_path / "o").iterdir()}
    assert labels == {"ann": (Span(0, 4, "RANK"),), "ben": (Span(0, 4, "PER"),)}


def test_gold_of_a_project_is_read_from_an_archive(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    write(folder / "curation/news.txt/CURATION_USER.tsv", "#Text=Col. Fox", "1-1\t0-4\tCol.\t_\tG")
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    ((document,), dropped) = read(tmp_path / "p.zip")
    assert (document.id, document.spans) == ("news.txt", (Span(0, 4, "G"),))
    assert dropped["annotators' versions of curated documents"] == 2
    ((document,), _) = read(tmp_path / "p.zip", annotator="ben")
    assert quotes(document) == [("Col.", "PER")]


def escape(text: str) -> str:
    for character, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escaped)
    return text


WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=6),
    min_size=1,
    max_size=6,
)


@given(st.lists(WORDS, min_size=1, max_size=4), st.integers(0, 3), st.data())
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    sentences: list[list[str]],
    gap: int,
    data: st.DataObject,
) -> None:
    separator = "\n" + " " * (gap - 1) if gap else ""
    text = separator.join(" ".join(words) for words in sentences)
    units = Utf16Offsets(text)
    lines: list[str] = []
    expected = []
    position = 0
    for number, words in enumerate(sentences, start=1):
        lines += [f"#Text={escape(' '.join(words))}"]
        first = data.draw(st.integers(0, len(words) - 1))
        last = data.draw(st.integers(first, len(words) - 1))
        for index, word in enumerate(words):
            start, end = position, position + len(word)
            is_marked = first <= index <= last
            if index == first:
                expected.append(start)
            if index == last:
                expected.append(end)
            cell = f"UNIT[{number}]" if is_marked else "_"
            offsets = f"{units.to_units(start)}-{units.to_units(end)}"
            lines.append(f"{number}-{index + 1}\t{offsets}\t{escape(word)}\t_\t{cell}\t")
            position = end + 1
        position += len(separator) - 1
        lines.append("")
    path = write(tmp_path_factory.mktemp("x") / "a.tsv", *lines)
    ((document,), _) = read(path)
    assert document.text == text
    assert [offset for s in document.spans for offset in (s.start, s.end)] == expected
    assert not re.search(r"\r", path.read_text(encoding="utf-8"))
