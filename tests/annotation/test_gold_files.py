"""Gold of any format: which format it is, which part of it, and what is refused."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from orbat.annotation.formats.conversion import write_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.detection.records import find_record_format
from orbat.annotation.formats.detection.sources import find_format
from orbat.annotation.formats.registry import FORMATS
from orbat.annotation.gold_files import GoldReader
from orbat.corpus.document import Document, Span
from orbat.errors import InputError
from tests.conftest import Orbat
from tests.german_news import german_news

WRITABLE = sorted(name for name, chosen in FORMATS.items() if chosen.write is not None)
NESTED = Document("a", "Die Universität Bonn tagt.", (Span(4, 20, "ORG"), Span(16, 20, "ORT")))


def write(path: Path, format_name: str, documents: list[Document]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_format(path, format_name, documents, ConversionReport())
    return path


def write_rows(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_damaged_and_unlabeled_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "gold.jsonl.gz", "jsonl", german_news())
    path.write_bytes(gzip.compress(path.read_bytes())[:-20])
    with pytest.raises(InputError, match=r"gold\.jsonl\.gz.*: damaged or truncated"):
        list(GoldReader().read(path, part="test"))
    write_rows(tmp_path / "more" / "a.jsonl", {"id": "a", "text": "Bonn"})
    with pytest.raises(InputError, match="has no field 'spans', so it is not annotated"):
        list(GoldReader().read(tmp_path / "more", part="test", spans_required=True))


@pytest.mark.parametrize("name", WRITABLE)
def test_every_format_is_found_and_read(name: str, tmp_path: Path) -> None:
    """The files have no ending that would tell the format."""
    documents = german_news()[:3]
    path = write(tmp_path / "source", name, documents)
    assert find_format(path).name == name
    read = list(GoldReader().read(path, ["ORT"], part="train"))
    assert [[s.label for s in d.spans] for d in read] == [["ORT"]] * 3
    for found, document in zip(read, documents, strict=True):
        (span,), (expected,) = found.spans, document.spans
        quote = document.text[expected.start : expected.end]
        assert found.text[span.start : span.end] == quote


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (["Bonn tagt.", {"entities": [[0, 4, "ORT"]]}], "spacy"),
        ({"text": "Bonn tagt.", "ents": [{"start": 0, "end": 4, "label": "ORT"}]}, "spacy"),
        ({"classes": ["ORT"], "annotations": [["Bonn.", {"entities": []}]]}, "spacy"),
        ({"text": "Bonn", "entities": [[0, 4, "ORT"]]}, "spacy"),
        ({"text": "Bonn", "entities": [{"start_offset": 0}], "relations": []}, "doccano"),
        ({"id": 1, "text": "Bonn", "labels": [[0, 4, "ORT"]]}, "doccano"),
        ({"text": "Bonn", "_input_hash": 1, "spans": []}, "prodigy"),
        ({"text": "Bonn", "tokens": [{"text": "Bonn"}], "spans": []}, "prodigy"),
        ({"tokens": ["Bonn"], "ner_tags": [1]}, "datasets"),
        ({"train": [{"tokens": ["Bonn"], "tags": ["O"]}]}, "datasets"),
        ({"id": 1, "data": {"text": "Bonn"}, "annotations": []}, "labelstudio"),
        ({"id": 1, "text": "Bonn", "annotation_id": 3, "lead_time": 2.0}, "labelstudio"),
        ({"%TYPES": {}, "%FEATURE_STRUCTURES": []}, "cas-json"),
        ({"id": "a", "text": "Bonn", "spans": []}, "jsonl"),
        ({"id": "a", "text": "Bonn"}, "jsonl"),
    ],
)
def test_the_fields_of_a_record_tell_its_format(record: object, name: str) -> None:
    found = find_record_format(record)
    assert found is not None
    assert found.name == name


def test_one_object_on_several_lines_and_pairs_on_one_are_found(tmp_path: Path) -> None:
    record = {"classes": ["ORT"], "annotations": [["Bonn tagt.", {"entities": [[0, 4, "ORT"]]}]]}
    (tmp_path / "a.json").write_text(json.dumps(record, indent=2))
    pair = write_rows(tmp_path / "b.jsonl", ["Bonn tagt.", {"entities": [[0, 4, "ORT"]]}])
    for path in (tmp_path / "a.json", pair):
        assert find_format(path).name == "spacy"
        (document,) = GoldReader().read(path, part="train")
        assert document.spans == (Span(0, 4, "ORT"),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.txt",
            "Es regnet.\nIn Bonn tagt heute der Rat der Stadt.\n",
            "text without annotations",
        ),
        (
            "a.csv",
            "Bonn,B-ORT\n",
            r"annotate convert .*a\.csv gold\.jsonl --from conll --separator",
        ),
        ("a.ann", "T1\tORT 0 4\tBonn\n", "brat has a folder of texts"),
        ("a.json", '{"x": 1}', "the format is not certain; name it with --from, one of jsonl, "),
        ("a.pdf", "%PDF-1.4 x", "no text, and of no known format of labeled documents"),
        ("a.json", '[{"id": "a", "text": "Bonn", "spans": []}]', "records in an array; .* jq -c"),
        ("a.txt", "Es regnet in Bonn.", r"--tag-column 4 \(options of orbat annotate convert /"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_command_or_an_option(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        list(GoldReader().read(tmp_path / name, part="train"))


def test_a_wrong_format_is_answered_with_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Bonn B-ORT\ntagt O\n")
    with pytest.raises(InputError, match="two columns of words and tags: try --from iob"):
        list(GoldReader("prodigy").read(path, part="train"))
    with pytest.raises(InputError, match=r"no such format \(did you mean 'conll'\?\)"):
        GoldReader("conl")


def test_options_of_the_converter_alone_are_said_to_be_its(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("1 x Bonn B-ORT B-ORG\n2 y tagt O O\n")
    with pytest.raises(
        InputError, match=r"--tag-column 4 or --tag-column 5 \(options of orbat ann"
    ):
        list(GoldReader().read(path, part="train"))


@pytest.mark.parametrize("name", ["jsonl", "doccano"])
def test_nested_spans_are_refused_or_flattened(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", name, [NESTED])
    with pytest.raises(InputError, match=r"overlap.*--flatten longest") as caught:
        list(GoldReader().read(path, part="train"))
    assert "16-20" in str(caught.value)
    assert "\n" not in str(caught.value)
    reader = GoldReader(flatten="longest")
    (document,) = reader.read(path, part="train")
    assert document.spans == (Span(4, 20, "ORG"),)
    assert reader.notices == [f"{path}: dropped: overlapping annotations (1) in 1 document: a"]
    with pytest.raises(InputError, match="--flatten shortest: write --flatten longest"):
        GoldReader(flatten="shortest")


def test_records_of_orbat_stay_strict_when_flattened(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    record = {"id": "a", "text": "In Bonn", "spans": [{"start": 2, "end": 7, "label": "ORT"}]}
    write_rows(path, record)
    with pytest.raises(InputError, match=r"a\.jsonl:1: span 2-7 .* white space; use 3-7"):
        list(GoldReader(flatten="longest").read(path, part="train"))


def test_of_a_data_set_only_the_split_for_the_purpose_is_read(tmp_path: Path) -> None:
    for split, town in (("train", "Bonn"), ("validation", "Kiel"), ("test", "Ulm")):
        row = {"tokens": [town, "tagt"], "ner_tags": ["B-ORT", "O"]}
        write_rows(tmp_path / "set" / f"{split}.json", row)
    reader = GoldReader()
    for part, town in (("train", "Bonn"), ("dev", "Kiel"), ("test", "Ulm")):
        (document,) = reader.read(tmp_path / "set", part=part)
        assert document.text.startswith(town)
    assert reader.notices == [
        f"{tmp_path / 'set'}: 1 of 3 documents, those of split {part}"
        for part in ("train", "dev", "test")
    ]
    (tmp_path / "set" / "validation.json").unlink()
    with pytest.raises(InputError, match="has the splits test, train, none of which is named dev"):
        list(GoldReader().read(tmp_path / "set", part="dev"))


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("conll", ("de-train.conll", "de-dev.conll")),
        ("conll", ("de.train.conll", "de.testa.conll")),
        ("conll", ("train-1.conll", "test-1.conll")),
        ("docbin", ("train.spacy", "dev.spacy")),
        ("brat", ("train", "dev")),
    ],
)
def test_a_folder_with_train_and_dev_is_not_read_as_one(
    name: str, files: tuple[str, str], tmp_path: Path
) -> None:
    for file in files:
        write(tmp_path / "all" / file, name, german_news()[:1])
    with pytest.raises(
        InputError, match=rf"holds several parts \(.*\); name one, such as .*{files[0]}"
    ):
        list(GoldReader().read(tmp_path / "all", part="train"))
    assert len(list(GoldReader().read(tmp_path / "all" / files[0], part="train"))) == 1


def test_an_archive_with_train_and_dev_has_to_be_unpacked(tmp_path: Path) -> None:
    for part in ("train", "dev"):
        write(tmp_path / "all" / f"{part}.conll", "conll", german_news()[:1])
    path = Path(shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path / "all"))
    with pytest.raises(InputError, match=r"several parts \(.*\); unpack it and name one"):
        list(GoldReader().read(path, part="train"))


def test_documents_of_brat_may_be_about_trains_and_tests(tmp_path: Path) -> None:
    (first, second, *_) = german_news()
    documents = [Document("night-train", first.text, first.spans)]
    documents.append(Document("flight-test", second.text, second.spans))
    path = write(tmp_path / "brat", "brat", documents)
    assert len(list(GoldReader().read(path, part="train"))) == 2


def test_convert_says_which_format_it_has_found(orbat: Orbat, tmp_path: Path) -> None:
    path = write(tmp_path / "a.dat", "iob", german_news()[:2])
    outcome = orbat("annotate", "convert", path, tmp_path / "a.jsonl")
    assert outcome.code == 0, outcome.err
    assert outcome.err.startswith("format: iob (two columns of words and tags)")
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2


def test_folders_without_documents_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="an empty folder; check the path"):
        list(GoldReader().read(tmp_path / "empty", part="train"))
    (tmp_path / "run" / "data").mkdir(parents=True)
    (tmp_path / "run" / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="a run of orbat train; name a file or folder of docum"):
        list(GoldReader().read(tmp_path / "run", part="test"))


def test_records_without_spans_are_no_training_or_dev_documents(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", {"id": "a", "text": "Bonn"})
    for part in ("train", "dev"):
        with pytest.raises(InputError, match="has no field 'spans', so it is not annotated"):
            GoldReader().read_files([path], part=part)
