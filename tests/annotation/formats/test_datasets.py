"""Reading Hugging Face data sets: files, folders of the Hub, names of classes, splits."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from orbat.annotation.formats.conversion import read_format
from orbat.annotation.formats.conversion_report import ConversionReport
from orbat.annotation.formats.imported import ReadOptions
from orbat.corpus.document import Document
from orbat.errors import InputError

ROW = {"id": "0", "tokens": ["Gen.", "Osei"], "ner_tags": ["B-RANK", "O"]}
NUMBERS = {"id": 0, "tokens": ["Gen.", "Osei"], "ner_tags": [1, 0]}
README = """---
license: mit
dataset_info:
  features:
  - name: tokens
    sequence: string
  - name: ner_tags
    sequence:
      class_label:
        names:
          '0': O
          '1': B-NO
          '2': I-NO
---
# A data set
"""
INFO = {"features": {"ner_tags": {"feature": {"names": ["O", "B-NO"], "_type": "ClassLabel"}}}}


@pytest.fixture(autouse=True)
def _no_progress_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def read(
    path: Path, report: ConversionReport | None = None, *, skip_bad: bool = False, **options: str
) -> list[Document]:
    chosen = ReadOptions(**options)
    report = report or ConversionReport()
    return list(read_format(path, "datasets", report, skip_bad=skip_bad, options=chosen))


def write(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def spans(document: Document) -> list[tuple[str, str]]:
    return [(document.text[s.start : s.end], s.label) for s in document.spans]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROW),
        json.dumps([ROW]),
        json.dumps({"version": 1, "data": [ROW]}),
        json.dumps({"data": [ROW]}, indent=2),
        json.dumps({"id": 0, "words": ROW["tokens"], "labels": ROW["ner_tags"]}),
        json.dumps({"id": 0, "words": "Gen. Osei", "tags": "B-RANK O"}),
        json.dumps({"id": 0, "annotations": {"tokens": ["Gen.", "Osei"], "tags": ["RANK", "O"]}}),
    ],
)
def test_tokens_and_tags_in_json_are_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    (document,) = read(tmp_path / "a.json")
    assert (document.id, document.text) == ("0", "Gen. Osei")
    assert spans(document) == [("Gen.", "RANK")]


def test_columns_may_be_chosen_and_nested(tmp_path: Path) -> None:
    sentences = [
        {"words": ["Gen.", "Osei"], "named_entities": ["B-RANK", "O"]},
        {"words": ["left"], "named_entities": ["O"]},
    ]
    path = write(tmp_path / "a.jsonl", {"id": "d", "sentences": sentences})
    (document,) = read(path)
    assert document.text == "Gen. Osei\nleft"
    assert spans(document) == [("Gen.", "RANK")]
    path = write(tmp_path / "b.jsonl", {"a": {"x": ["Gen."], "y": ["B-RANK"]}, "tokens": ["no"]})
    (document,) = read(path, token_column="a.x", tag_column="a.y")
    assert spans(document) == [("Gen.", "RANK")]


def test_the_text_beside_tokens_is_exact(tmp_path: Path) -> None:
    row = {"tokens": ["Gen.", "Osei", "left"], "tags": ["B-PER", "I-PER", "O"]}
    texts = ["Gen.Osei  left", "other words"]
    path = write(tmp_path / "a.jsonl", *({"text": text, **row} for text in texts))
    report = ConversionReport()
    exact, joined = read(path, report)
    assert (exact.text, spans(exact)) == ("Gen.Osei  left", [("Gen.Osei", "PER")])
    assert (joined.text, spans(joined)) == ("Gen. Osei left", [("Gen. Osei", "PER")])
    assert report.dropped == {"texts that differ from their words": 1}


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("README.md", README),
        ("dataset_info.json", json.dumps(INFO)),
        ("dataset_infos.json", json.dumps({"default": INFO})),
    ],
)
def test_names_of_classes_are_found_beside_the_rows(
    tmp_path: Path, name: str, description: str
) -> None:
    write(tmp_path / "train.jsonl", NUMBERS)
    (tmp_path / name).write_text(description)
    for source in (tmp_path, tmp_path / "train.jsonl"):
        (document,) = read(source)
        assert spans(document) == [("Gen.", "NO")]


def test_numbers_without_names_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", NUMBERS)
    with pytest.raises(InputError, match=r"a.jsonl:1: ner_tags holds 1 instead of names.*README"):
        read(path)
    (tmp_path / "README.md").write_text(README)
    write(path, {**NUMBERS, "ner_tags": [1, -100]})
    with pytest.raises(InputError, match="ner_tags holds -100, but has 3 classes"):
        read(path)
    other = README.replace("\n  features:", "\n- config_name: a\n  features:")
    (tmp_path / "README.md").write_text(
        other.replace(
            "---\n#",
            "- config_name: b\n  features: [{name: ner_tags, list: "
            "{class_label: {names: {'0': O}}}}]\n---\n#",
        )
    )
    with pytest.raises(InputError, match="classes of ner_tags differ between the configurations"):
        read(path)


def test_a_folder_of_the_hub_is_read_by_split(tmp_path: Path) -> None:
    features = datasets.Features(
        {
            "id": datasets.Value("int64"),
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["O", "B-RANK", "I-RANK"])),
            "when": datasets.Value("timestamp[s]"),
            "meta": {"source": datasets.Value("string")},
            "pos_tags": datasets.List(datasets.Value("int64")),
        }
    )
    shards = ["train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"]
    (tmp_path / "data").mkdir()
    for number, name in zip([5, 6, 5], shards, strict=True):
        row = {
            "id": number,
            "tokens": ["Gen.", name[:4]],
            "ner_tags": [1, 2],
            "when": datetime.datetime(2020, 1, number),
            "meta": {"source": "Desk"},
            "pos_tags": [3, 4],
        }
        table = datasets.Dataset.from_list([row], features=features)
        table.to_parquet(tmp_path / "data" / f"{name}.parquet")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "b.parquet").write_text("no rows")
    (tmp_path / "README.md").write_text("# A data set")
    report = ConversionReport()
    found = {document.id: document for document in read(tmp_path, report)}
    assert {name: document.text for name, document in found.items()} == {
        "5": "Gen. test",
        "train/5": "Gen. trai",
        "train/6": "Gen. trai",
    }
    assert found["train/6"].meta == {
        "source": "Desk",
        "split": "train",
        "when": "2020-01-06 00:00:00",
        "tokens": {"count": 2, "cuts": []},
    }
    assert report.dropped["values of column pos_tags"] == 3
    # The file of a saved data set is an Arrow stream.
    table.save_to_disk(tmp_path / "saved")
    (arrow,) = (tmp_path / "saved").glob("*.arrow")
    (document,) = read(arrow)
    assert (document.id, spans(document)) == ("5", [("Gen. test", "RANK")])


def test_rows_that_contradict_themselves_can_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", ROW, {"id": "1", "tokens": ["a"], "ner_tags": ["O", "O"]})
    with pytest.raises(InputError, match=r"a.jsonl:2: 2 tags for 1 tokens; correct it"):
        read(path)
    report = ConversionReport()
    assert [document.id for document in read(path, report, skip_bad=True)] == ["0"]
    assert report.rejections == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ('{"text": "a", "entities": []}', "no column tokens or words; found text, entities"),
        ('{"tokens": ["a"], "tags": ["NN"]}', "column tags does not hold tags such as O"),
        ('{"tokens": ["a", null], "tags": ["O", "O"]}', "token None is no string"),
        ("[1]\n", "not a JSON object with tokens and tags"),
        ('{"tokens": ["a"', "invalid JSON"),
        ("tokens,tags\n", "expected Parquet, Arrow or JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(InputError, match=f"a.jsonl.*{reason}"):
        read(tmp_path / "a.jsonl")
