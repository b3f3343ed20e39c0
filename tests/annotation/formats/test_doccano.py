"""doccano's exports: the shapes of its versions, and files of several annotators."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Span
from tests.annotation.formats.conftest import Read, quotes, write_lines
from tests.conftest import Orbat

TEXT = "💩 Gen. Osei of the 4th Brigade"
RANK = [3, 7, "RANK"]
UNIT = [20, 31, "UNIT"]
ENTITY = {"id": 5, "start_offset": 3, "end_offset": 7, "label": "RANK"}


def zipped(path: Path, **files: list[Any]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, records in files.items():
            archive.writestr(f"{name}.jsonl", "".join(json.dumps(r) + "\n" for r in records))
    return path


@pytest.mark.parametrize(
    ("record", "dropped"),
    [
        ({"text": TEXT, "label": [RANK], "Comments": ["why?"]}, {"comments": 1}),
        ({"text": TEXT, "labels": [RANK]}, {}),
        ({"data": TEXT, "label": [RANK], "Comments": []}, {}),
        (
            {"text": TEXT, "entities": [ENTITY], "relations": [{"id": 0, "from_id": 5}]},
            {"relations": 1},
        ),
        ({"text": TEXT, "entities": [RANK], "cats": ["sport"]}, {"categories of texts": 1}),
        ({"text": TEXT, "annotations": [ENTITY], "annotation_approver": None}, {}),
    ],
)
def test_every_shape_has_the_same_spans(
    tmp_path: Path, read: Read, record: dict[str, Any], dropped: dict[str, int]
) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"id": 3, **record}]))
    write_lines(tmp_path / "a.jsonl", [{"id": 3, **record}])
    for name in ("a.json", "a.jsonl"):
        (document,), counted = read(tmp_path / name, "doccano")
        # Offsets count UTF-16 units, of which the first character takes two.
        assert (document.id, document.spans, document.meta) == ("3", (Span(2, 6, "RANK"),), {})
        assert counted == dropped


def test_metadata_and_ids_come_back(tmp_path: Path, read: Read) -> None:
    records = [
        {"id": 1, "text": TEXT, "label": [], "meta": {"document": "d/1", "url": "u"}},
        {"id": 2, "text": TEXT, "label": [], "meta": "desk", "source": 7},
    ]
    documents, _ = read(write_lines(tmp_path / "a.jsonl", records), "doccano")
    assert [(d.id, d.meta) for d in documents] == [
        ("d/1", {"url": "u"}),
        ("2", {"meta": "desk", "source": 7}),
    ]


def test_a_record_without_id_is_named_after_the_file(tmp_path: Path, read: Read) -> None:
    write_lines(tmp_path / "a.jsonl", [{"text": TEXT, "label": [RANK]}])
    (document,), _ = read(tmp_path / "a.jsonl", "doccano")
    assert (document.id, document.spans) == ("a-1", (Span(2, 6, "RANK"),))


def test_each_file_of_a_zip_is_of_one_annotator(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    base = [{"id": 1, "text": TEXT}, {"id": 2, "text": "The 4th Brigade left."}]
    ann = [{**base[0], "label": [RANK]}, {**base[1], "label": [[4, 15, "UNIT"]]}]
    ben = [{**base[0], "label": [RANK, UNIT]}, {**base[1], "label": []}]
    source = zipped(tmp_path / "export.zip", ann=ann, ben=ben)
    out = tmp_path / "out"
    convert = ("annotate", "convert", source, out, "--from", "doccano")
    message = refused(*convert, "--to", "jsonl")
    assert "'1' was annotated by ann and by ben; write a file for each" in message
    assert orbat(*convert, "--by-annotator").code == 0
    files = sorted(out.iterdir())
    assert [file.name for file in files] == ["ann.jsonl", "ben.jsonl"]
    agreement = orbat("annotate", "agree", *files, "--json")
    assert agreement.code == 0, agreement.err
    gold = tmp_path / "gold.jsonl"
    merged = orbat("annotate", "adjudicate", *files, "--output", gold, "--policy", "prefer:ann")
    assert merged.code == 0, merged.err
    records = map(json.loads, gold.read_text().splitlines())
    assert {r["id"]: len(r["spans"]) for r in records} == {"1": 1, "2": 1}


def test_a_bad_file_of_a_zip_is_named(refused: Callable[..., str], tmp_path: Path) -> None:
    source = zipped(tmp_path / "export.zip", ann=[{"id": 1, "text": "a", "label": ["A"]}])
    message = refused("annotate", "convert", source, tmp_path / "o.jsonl", "--from", "doccano")
    assert "export.zip" in message
    assert "ann.jsonl:1: label[0]: " in message


def test_shared_annotations_have_no_annotator(tmp_path: Path, read: Read) -> None:
    record = {"id": 1, "text": TEXT, "label": [RANK]}
    (document,), _ = read(zipped(tmp_path / "a.zip", all=[record]), "doccano")
    assert document.meta == {}
    (document,), _ = read(zipped(tmp_path / "b.zip", ann=[record]), "doccano")
    assert document.meta == {"annotation": {"annotator": "ann"}}


def test_a_folder_is_of_annotators_if_its_files_share_documents(tmp_path: Path, read: Read) -> None:
    record = {"id": 1, "text": TEXT, "label": [RANK]}
    for name, doc in (("ann", record), ("ben", {**record, "label": []})):
        write_lines(tmp_path / "same" / f"{name}.jsonl", [doc])
    for name, doc in (("train", record), ("dev", {**record, "text": "Left.", "label": []})):
        write_lines(tmp_path / "splits" / f"{name}.jsonl", [doc])
    documents, _ = read(tmp_path / "same", "doccano", by_annotator=True)
    assert [(d.id, d.meta["annotation"]["annotator"]) for d in documents] == [
        ("1", "ann"),
        ("1", "ben"),
    ]
    documents, dropped = read(tmp_path / "splits", "doccano")
    assert [d.meta for d in documents] == [{}, {}]
    assert dropped == {"ids that occur in several splits or files": 1}


def test_texts_in_another_field_and_without_labels(tmp_path: Path, read: Read) -> None:
    records = [{"id": 1, "body": TEXT, "label": [RANK]}, {"id": 2, "body": TEXT}]
    source = write_lines(tmp_path / "a.jsonl", records)
    (document,), dropped = read(source, "doccano", text_column="body")
    assert (quotes(document), document.meta) == ([("Gen.", "RANK")], {})
    assert dropped == {"records that nobody annotated": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"id": 1, "text": "a b", "annotations": [{"label": 2}]}, "doccano 1.2 and older"),
        ({"id": 1, "text": "a", "label": [[0, 1, 2]]}, "doccano 1.2 and older"),
        ({"id": 1, "text": "💩", "label": [[1, 2, "A"]]}, "inside a surrogate pair"),
        ({"id": 1, "text": "a", "label": ["A"]}, "label[0]: not [start, end"),
        ({"id": 1, "text": "a", "label": "A"}, "label: not a list of spans"),
        ({"id": 1, "text": "a", "label": {"a": 1}}, "label: not a list of spans"),
        ({"id": 1, "text": "a", "label": [[0, 1, None]]}, "the label is missing"),
        ({"id": 1, "text": "a", "label": [{"start": 0}]}, "the offset is missing"),
        ({"id": 1, "label": []}, "no text; check --from"),
        ({"id": [1], "text": "a", "label": []}, "the id is"),
        ({"id": 1}, "no documents, only records that nobody annotated (1)"),
        ({"id": "a", "text": "a", "spans": []}, "read it with --from jsonl"),
        ({"id": 1, "text": "a \ud83d", "label": []}, "unpaired surrogate at character 2"),
        ("text,label\na,A\n", "not JSON; export as JSONL, not as CSV"),
        ("[[1]]", "not a JSON object; export as JSONL"),
    ],
)
def test_what_cannot_be_read_is_named(
    refused: Callable[..., str], tmp_path: Path, content: Any, reason: str
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    message = refused("annotate", "convert", path, tmp_path / "o.jsonl", "--from", "doccano")
    assert message.startswith(str(path))
    assert reason in message
    assert not (tmp_path / "o.jsonl").exists()
