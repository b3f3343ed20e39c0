"""Ids of gold documents from several files are unique, whatever the order of the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.annotation.gold_files import GoldReader
from orbat.annotation.gold_ids import distinct_names
from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.errors import InputError
from orbat.training.data import TrainingData


def columns(path: Path, *words: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(f"{word} B-ORT\ntagt O\n" for word in words), encoding="utf-8")
    return path


def test_files_of_one_name_get_their_folder_in_front(tmp_path: Path) -> None:
    files = [
        columns(tmp_path / "a" / "train.conll", "Bonn", "Kiel"),
        columns(tmp_path / "b" / "train.conll", "Ulm"),
        columns(tmp_path / "c" / "more.conll", "Trier"),
    ]
    reader = GoldReader()
    ids = {d.text: d.id for d in reader.read_files(files, ["ORT"], part="train")}
    assert ids == {
        "Bonn tagt": "a/train-1",
        "Kiel tagt": "a/train-2",
        "Ulm tagt": "b/train-1",
        "Trier tagt": "more-1",
    }
    assert reader.notices == [
        "ids that occur in several --train files: 1; all ids of these files begin with a/, b/ now"
    ]
    again = GoldReader().read_files(files[::-1], ["ORT"], part="train")
    assert {d.text: d.id for d in again} == ids


def test_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for place, word in (("one", "Bonn"), ("two", "Ulm")):
        columns(tmp_path / place / "set" / "a.conll", word)
        columns(tmp_path / place / "set" / "b.conll", word + "-Süd")
    folders = [tmp_path / place / "set" for place in ("one", "two")]
    documents = GoldReader().read_files(folders, part="dev")
    assert [d.id for d in documents] == [
        *("one/set-a-1", "one/set-b-1"),
        *("two/set-a-1", "two/set-b-1"),
    ]


def test_changed_ids_that_another_file_has_already_are_refused(tmp_path: Path) -> None:
    files = [
        columns(tmp_path / "a" / "train.conll", "Bonn"),
        columns(tmp_path / "b" / "train.conll", "Ulm"),
    ]
    write_documents(tmp_path / "more.jsonl", [Document("a/train-1", "Trier tagt")])
    with pytest.raises(InputError, match=r"'a/train-1', as ids occur .* rename one of the files"):
        GoldReader().read_files([*files, tmp_path / "more.jsonl"], None, part="train")


def test_the_same_documents_in_two_files_are_refused(tmp_path: Path) -> None:
    documents = [Document(str(n), f"Text {n} about the weather.") for n in range(3)]
    write_documents(tmp_path / "a.jsonl", documents)
    write_documents(tmp_path / "b.jsonl", [documents[1]])
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    with pytest.raises(
        InputError, match=r"b\.jsonl: duplicate id '1' \(also in another --train file\); keep"
    ):
        GoldReader().read_files(files, part="train")
    with pytest.raises(InputError, match="duplicate id '0'"):
        GoldReader().read_files([files[0], files[0]], part="train")


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/train.conll", "b/train.conll"], ["a", "b"]),
        (["x/a.conll", "x/b.conll"], ["a", "b"]),
        (["x/a.conll", "x/a.iob"], ["a.conll", "a.iob"]),
        (["a/x/1.txt", "b/x/1.txt", "b/y/1.txt"], ["a/x", "b/x", "b/y"]),
        (["a/1.txt", "b/1.txt", "b/2.txt"], ["a/1", "b/1", "b/2"]),
        ([], []),
    ],
)
def test_names_tell_paths_apart(paths: list[str], names: list[str]) -> None:
    assert distinct_names(list(map(Path, paths))) == names


def test_equal_ids_in_train_and_dev_are_no_leak(tmp_path: Path) -> None:
    """Dev documents that repeat each other may have the ids of training documents."""
    text = "Auf dem Marktplatz von {} feierten gestern viele Leute bis tief in die Nacht hinein."
    train = [Document(f"x-{n}", text.format(town)) for n, town in enumerate(("Bonn", "Kiel"))]
    other = "Im Norden bleibt es heute trocken und kühl, erst am Abend ziehen Wolken auf."
    dev = [Document("x-0", other), Document("x-1", other)]
    assert TrainingData(train, dev).find_leakage() == []
    repeated = [Document("x-0", other), Document("x-1", train[0].text)]
    assert TrainingData(train, repeated).find_leakage() == [("x-1", "x-0")]
